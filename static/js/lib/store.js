import { viewer } from "./dom.js";

/* What is not sent yet is kept as long as the tab, per person: somebody else who signs in here never sees or sends it. */

const PREFIX = `confab:${viewer}:`;

export function load(name) {
  return JSON.parse(sessionStorage.getItem(PREFIX + name) ?? "null");
}

/** Keep a value; nothing, "" and [] are forgotten. A full store keeps what it had. */
export function save(name, value) {
  try {
    if (value?.length) sessionStorage.setItem(PREFIX + name, JSON.stringify(value));
    else sessionStorage.removeItem(PREFIX + name);
  } catch {
    // Full: what is on the page is still sent, only a reload would lose it.
  }
}

/** The names of what is kept that begin so. */
export function names(beginning) {
  const keys = Object.keys(sessionStorage).filter((key) => key.startsWith(PREFIX + beginning));
  return keys.map((key) => key.slice(PREFIX.length));
}

document.addEventListener("submit", ({ target }) => {
  if (target.getAttribute("action")?.endsWith("/sign-out")) sessionStorage.clear();
});
