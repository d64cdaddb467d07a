/* Small things that many modules need. */

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
  return fetch(url, { method: "POST", body: new URLSearchParams(fields), headers, ...options });
}

/** A copy of what a <template> holds. */
export const copy = (id) => document.getElementById(id).content.firstElementChild.cloneNode(true);

/** Tell whoever listens on the page, at once. */
export function tell(name, detail) {
  document.dispatchEvent(new CustomEvent(name, { detail }));
}
