/* The htmx extension `sse`: sse-connect, sse-swap and hx-trigger="sse:name" as htmx users know them, over our stream.
   Sources are kept by element, because htmx forgets what it knows of an element when an attribute of it changes. */

import * as stream from "./stream.js";

const { htmx } = window;
const opened = new WeakMap();
const bound = new WeakMap();
/** Elements with their fragments, in the order in which they came: those within one frame of the screen are swapped together. */
let waiting = [];
let timer = 0;
let frame = 0;
let api = null;

htmx.defineExtension("sse", {
  init(given) {
    api = given;
    htmx.createEventSource ??= stream.open;
  },
  getSelectors: () => ["[sse-connect]", "[sse-swap]"],
  onEvent(name, { target }) {
    if (name === "htmx:afterProcessNode") {
      connect(target);
      bind(target);
    } else if (name === "htmx:beforeCleanupElement") {
      bound.get(target)?.abort();
      opened.get(target)?.close();
      opened.delete(target);
    }
    return true;
  },
});

function connect(elt) {
  const url = api.getAttributeValue(elt, "sse-connect");
  const had = opened.get(elt);
  if (!url || had?.asked === url) return; // processed again: the same stream
  had?.close();
  const source = htmx.createEventSource(url);
  source.asked = url;
  opened.set(elt, source);
}

function bind(elt) {
  const names = (api.getAttributeValue(elt, "sse-swap") ?? "").split(",").filter(Boolean);
  const triggers = (api.getAttributeValue(elt, "hx-trigger") ?? "").match(/sse:[\w.]+/g) ?? [];
  if (!names.length && !triggers.length) return;
  bound.get(elt)?.abort();
  const source = opened.get(elt.closest("[sse-connect]"));
  const gone = new AbortController();
  bound.set(elt, gone);
  const listen = (name, act) => {
    const heard = (event) => (elt.isConnected ? act(event) : gone.abort());
    source?.addEventListener(name, heard, { signal: gone.signal });
  };
  for (const name of names) listen(name.trim(), (event) => event.data && wait(elt, event.data));
  for (const name of triggers) listen(name.slice(4), (event) => htmx.trigger(elt, name, { event }));
}

function wait(elt, html) {
  if (!waiting.length) schedule();
  const last = waiting.at(-1);
  if (last?.[0] === elt) last[1] += html;
  else waiting.push([elt, html]);
}

/** A page may count as visible and get no frames, so a timer runs beside them; timers of hidden pages sleep. */
function schedule() {
  if (document.hidden) return queueMicrotask(swap);
  frame = requestAnimationFrame(swap);
  timer = setTimeout(swap, 100);
}

function swap() {
  cancelAnimationFrame(frame);
  clearTimeout(timer);
  const due = waiting;
  waiting = [];
  for (const [elt, html] of due) {
    if (elt.isConnected) api.swap(api.getTarget(elt), html, api.getSwapSpecification(elt), { contextElement: elt });
  }
}
