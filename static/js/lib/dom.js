/* Small things that many modules need. */

import { hear } from "./clock.js";

export const meta = (name) => document.querySelector(`meta[name="${name}"]`)?.content ?? "";

/** The id of the person who looks at this page. */
export const viewer = meta("viewer");

/** The sentence that an answer with an error gives as its reason. */
export function reason(html, otherwise = "That did not work. Try again.") {
  const page = new DOMParser().parseFromString(html, "text/html");
  return page.querySelector("[role=alert]")?.textContent.trim() || otherwise;
}

/** Send a form as a page does. Resolves to the response, also of a refusal. */
export function post(url, fields = {}, options = {}) {
  const headers = { "X-CSRFToken": meta("csrf-token"), "HX-Request": "true" };
  const sent = fetch(url, { method: "POST", body: new URLSearchParams(fields), headers, ...options });
  sent.then((answer) => {
    hear(answer);
    if (answer.status === 401 || answer.status === 403) tell("confab:refused");
  }, () => {});
  return sent;
}

/** A copy of what a <template> holds. */
export const copy = (id) => document.getElementById(id).content.firstElementChild.cloneNode(true);

/** Remember the element with the focus, and return a function that focuses it again, or if it is gone the element around it. */
export function holdFocus() {
  const before = document.activeElement;
  const id = before.closest("[id]")?.id;
  return () => (before.isConnected ? before : document.getElementById(id))?.focus({ preventScroll: true });
}

/** Tell whoever listens on the page, at once. */
export function tell(name, detail) {
  document.dispatchEvent(new CustomEvent(name, { detail }));
}
