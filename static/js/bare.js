/* Pages before signing in: the reader's time zone, and passwords that can be looked at. */

import { keepZone } from "./lib/times.js";

keepZone();

for (const input of document.querySelectorAll("input[type=password]")) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "field__reveal";
  button.textContent = "Show";
  button.ariaPressed = "false";
  button.setAttribute("aria-controls", input.id);
  button.addEventListener("click", () => {
    const shown = input.type === "text";
    input.type = shown ? "password" : "text";
    button.textContent = shown ? "Show" : "Hide";
    button.ariaPressed = String(!shown);
  });
  input.after(button);
  input.form.addEventListener("submit", () => (input.type = "password"));
}
