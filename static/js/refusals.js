/* Why something was refused is said where it happened, not as a toast. The composer's bubbles say it themselves. */

import { reason, tell } from "./lib/dom.js";

const OFFLINE = "No connection. Nothing was changed; try again.";

/** Whether a request of htmx was refused, or did not get through. Its own word for it is switched off below. */
export const refused = ({ xhr }) => xhr.status === 0 || xhr.status >= 400;

/** Show a refusal in the place it concerns: a message, or a form. `xhr` is the answer, of fetch or of htmx. */
export function refuse(place, xhr, text = xhr.responseText) {
  const inside = place?.querySelector(".message__body") ?? place;
  if (!inside) return;
  const problem = place.querySelector(".problem") ?? document.createElement("p");
  problem.className = `error problem${place.matches(".message") ? " message__problem" : ""}`;
  problem.setAttribute("role", "alert");
  problem.textContent = xhr.status ? reason(text) : OFFLINE;
  if (inside.matches("form")) inside.before(problem);
  else inside.append(problem);
}

document.addEventListener("htmx:beforeSwap", ({ detail }) => {
  if (detail.xhr.status < 400 || detail.xhr.status >= 500) return;
  detail.isError = false; // a person is told; the console need not be
  const holds = detail.target?.matches("#editor, #dialog") && /<form\b/.test(detail.xhr.responseText);
  detail.shouldSwap = holds;
});

document.addEventListener("htmx:afterRequest", ({ detail }) => {
  const { elt } = detail.requestConfig;
  const form = elt.closest("#editor form, #dialog form");
  if (detail.xhr.status === 401 || detail.xhr.status === 403) tell("confab:refused");
  const again = /<form\b/.test(detail.xhr.responseText);
  if (refused(detail) && form && form.isConnected && !again) refuse(form, detail.xhr);
});
