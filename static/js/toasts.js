import { post } from "./lib/dom.js";
import { refuse } from "./refusals.js";

const SECONDS = 10;

/** Say for a while that something was done, with a way to undo it: `{name, url, at}`, `at()` being where it happened. */
export function toast(text, undo) {
  const shown = document.createElement("div");
  shown.className = "toast";
  shown.append(part("span", "toast__text", text));
  if (undo) {
    const button = part("button", "toast__action", undo.name);
    button.type = "button";
    button.onclick = () => take(undo, shown);
    const count = part("span", "toast__count", SECONDS);
    count.ariaHidden = "true";
    shown.append(button, count);
  }
  document.getElementById("toasts").replaceChildren(shown);
  countDown(shown, undo ? SECONDS : 3);
}

/** The time stands still while one is about to press. */
function countDown(shown, seconds) {
  const clock = setInterval(() => {
    if (!shown.isConnected) return clearInterval(clock);
    if (shown.matches(":hover, :focus-within")) return;
    const count = shown.querySelector(".toast__count");
    if (--seconds > 0) count?.replaceChildren(seconds);
    else shown.remove();
  }, 1000);
}

async function take({ url, at }, shown) {
  shown.remove();
  const answer = await post(url).catch(() => null);
  if (answer?.ok) at()?.focus({ preventScroll: true });
  else refuse(at(), answer ?? { status: 0 }, await answer?.text());
}

function part(tag, className, text) {
  const element = document.createElement(tag);
  element.className = className;
  element.textContent = text;
  return element;
}
