/* Unsent texts are kept per person: in the tab, and from when it is left in the browser, where the next tab finds them.
   So two tabs never write into each other's, and somebody else who signs in here neither sees nor sends it. Nothing is left in
   the browser by a page that is signed out. */

import { now } from "./clock.js";
import { viewer } from "./dom.js";

const OF_ALL = "confab:";
const PREFIX = `${OF_ALL}${viewer}:`;
const LEFT = `${PREFIX}left:`;
/** Texts that are left in the browser: their names, the longest time in milliseconds, and the most characters of a tab. */
const LASTING = /^(draft|edit|outbox):/;
const LONGEST = 30 * 24 * 3600_000;
const MOST = 200_000;

/** The name under which this page leaves texts; a copied tab has that of the other's page until it has its own. */
const page = `${LEFT}${Math.random().toString(36).slice(2)}`;

export function load(name) {
  return parse(sessionStorage, PREFIX + name) ?? adopt(name);
}

/** Keep a value; nothing, "" and [] are forgotten. A full store keeps what it had. */
export function save(name, value) {
  put(sessionStorage, PREFIX + name, value?.length ? value : null);
}

/** The names of kept values, those with this beginning. */
export function names(beginning) {
  const here = Object.keys(sessionStorage).filter((key) => key.startsWith(PREFIX)).map((key) => key.slice(PREFIX.length));
  const left = keys(LEFT).flatMap((key) => Object.keys(parse(localStorage, key).kept));
  return [...new Set([...here, ...left])].filter((name) => name.startsWith(beginning));
}

/** Leave a copy for the next tab. Pictures on their way go on in this one as long as it is only out of sight. */
function leave(gone) {
  if (document.documentElement.dataset.stream === "out") return put(localStorage, page, null);
  const kept = {};
  for (const key of Object.keys(sessionStorage)) {
    const name = key.startsWith(PREFIX) ? key.slice(PREFIX.length) : "";
    let value = LASTING.test(name) && parse(sessionStorage, key);
    if (name.startsWith("outbox:") && !gone) value = value.filter((entry) => !entry.missing);
    if (value?.length) kept[name] = value;
  }
  const some = Object.keys(kept).length && JSON.stringify(kept).length < MOST;
  // Each tab guesses the server's time for itself: what is left later is later, whatever they guess.
  const at = Math.max(now(), ...keys(LEFT).map((key) => (+parse(localStorage, key)?.at || 0) + 1));
  put(localStorage, page, some ? { at, kept } : null);
}

/** Take over a value that another tab has left, the latest one. */
function adopt(name) {
  if (!LASTING.test(name)) return null;
  const all = keys(LEFT).map((key) => [key, parse(localStorage, key)]);
  const [key, left] = all.filter(([, { kept }]) => name in kept).sort((a, b) => b[1].at - a[1].at)[0] ?? [];
  if (!key) return null;
  const value = left.kept[name];
  delete left.kept[name];
  put(localStorage, key, Object.keys(left.kept).length ? left : null);
  save(name, value);
  return value;
}

const keys = (beginning) => Object.keys(localStorage).filter((key) => key.startsWith(beginning));

function parse(store, key) {
  try {
    return JSON.parse(store.getItem(key));
  } catch {
    return null; // not ours
  }
}

function put(store, key, value) {
  try {
    if (value) store.setItem(key, JSON.stringify(value));
    else store.removeItem(key);
  } catch {
    // Full: what is on the page is still sent, only a reload would lose it.
  }
}

// This tab still has what its page before had left, so that copy goes.
put(localStorage, sessionStorage.getItem("confab:page") ?? page, null);
sessionStorage.setItem("confab:page", page);
// No text is kept for good, of any person.
for (const key of keys(OF_ALL)) if (key.includes(":left:") && !(now() - parse(localStorage, key)?.at < LONGEST)) put(localStorage, key, null);

addEventListener("pagehide", () => leave(true));
document.addEventListener("visibilitychange", () => (document.hidden ? leave(false) : put(localStorage, page, null)));
addEventListener("pageshow", ({ persisted }) => persisted && put(localStorage, page, null));
document.addEventListener("submit", ({ target }) => {
  if (!target.getAttribute("action")?.endsWith("/sign-out")) return;
  sessionStorage.clear();
  for (const key of keys(PREFIX)) put(localStorage, key, null);
});
