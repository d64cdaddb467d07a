/* What a page for somebody who is signed in does beyond HTML and htmx. */

import "./copying.js";
import "./sse.js";
import "./swaps.js";
import "./refusals.js";
import "./elements/confirm-dialog.js";
import "./elements/message-composer.js";
import "./elements/message-editor.js";
import "./elements/message-list.js";
import "./elements/picture-viewer.js";
import "./elements/room-list.js";
import "./elements/typing-line.js";
import { post } from "./lib/dom.js";
import { keepTrue, keepZone, localise } from "./lib/times.js";
import { sendLeftovers } from "./room/outbox.js";
import { MOST, TOO_LARGE } from "./room/upload.js";

const { htmx } = window;
/** What layouts/_scripts.html configures. A theme that leaves it out must not open what it closes. */
const HARDENED = {
  allowEval: false,
  allowScriptTags: false,
  allowNestedOobSwaps: false,
  selfRequestsOnly: true,
  historyEnabled: false,
  historyCacheSize: 0,
  includeIndicatorStyles: false,
};
const ACTIVE_EVERY = 60_000;

// htmx reads its configuration when the document is complete, just before it processes the page.
Object.assign(htmx.config, HARDENED);
document.addEventListener("DOMContentLoaded", () => {
  for (const [name, value] of Object.entries(HARDENED)) {
    if (htmx.config[name] !== value) console.error(`htmx.config.${name} should be ${value}`);
    htmx.config[name] = value;
  }
});
// Swaps named inside a fragment would reach any part of the page; no flag of htmx forbids them.
document.addEventListener("htmx:partialBeforeSwap", (event) => event.preventDefault());

const messages = document.querySelector("message-list");
if (keepZone()) {
  localise(document);
  messages?.arrange();
}
keepTrue(() => messages?.newDay());
sendLeftovers(messages?.dataset.room);

const nowhere = document.activeElement === document.body;
if (nowhere && matchMedia("(pointer: fine)").matches) document.getElementById("body")?.focus({ preventScroll: true });

// A picture that would be refused is not sent first.
const picture = document.getElementById("picture");
picture?.addEventListener("change", () => {
  const tooLarge = picture.files[0]?.size > MOST;
  picture.setCustomValidity(tooLarge ? TOO_LARGE : "");
  picture.reportValidity();
});

// What was not scrolled to has not been fetched.
addEventListener("beforeprint", () => {
  for (const image of document.images) image.loading = "eager";
});

let activeAt = -Infinity;
let activeSoon = 0;
for (const name of ["pointerdown", "keydown", "wheel"]) addEventListener(name, active, { passive: true });
active();

/** Say that somebody is here who does something, at most once a minute, and what was the last of it. */
function active() {
  if (document.hidden || activeSoon) return;
  const wait = activeAt + ACTIVE_EVERY - performance.now();
  if (wait > 0) return (activeSoon = setTimeout(say, wait));
  say();
}

function say() {
  activeSoon = 0;
  activeAt = performance.now();
  post("/presence").catch(() => {});
}
