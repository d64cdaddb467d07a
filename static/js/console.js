/* The keyboard path of the console, one for all of its pages; what a page offers is said by its own markup:
   data-case    a line of a list: j and k, or the arrows, go from one to the next, Enter opens its first link
   data-key     a link or button of the page: that key presses it; data-key-name says what it does where its text does not
   A key counts when nothing is being typed, no dialog is open, and the page is not being left: whoever is faster than the next page
   means that one. "?" shows which keys there are. */

const NAMES = { j: "Next", k: "Previous" };
const STEPS = { j: 1, ArrowDown: 1, k: -1, ArrowUp: -1 };

const cases = () => [...document.querySelectorAll("[data-case]")].filter((line) => line.offsetParent);
const way = (line) => line.querySelector("a, button, summary");

/** Milliseconds after which a page that was to be left counts as staying: a download leaves none, and an answer may never come. */
const LEAVING = 5000;
let left = -Infinity;
addEventListener("beforeunload", ({ timeStamp }) => (left = timeStamp));
addEventListener("pageshow", () => (left = -Infinity));

document.addEventListener("keydown", (event) => {
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
  const dialog = document.querySelector("dialog[open]");
  const { target, key } = event;
  if (dialog || target.closest("input, select, textarea, [contenteditable]")) {
    if (key === "Escape" && !dialog) target.blur();
    return;
  }
  if (event.timeStamp - left < LEAVING) return;
  if (key === "?") show();
  else if (!press(key) && !step(key)) return;
  event.preventDefault();
});

/** Press what the page has under a key. Escape is the way back, too. */
function press(key) {
  const name = key === "Escape" ? "u" : key;
  const found = [...document.querySelectorAll("[data-key]")].find((each) => each.dataset.key === name && each.offsetParent);
  // Inside of a line the key is for the one that is chosen, and for no other.
  const line = document.activeElement?.closest("[data-case]");
  const own = line && [...line.querySelectorAll("[data-key]")].find((each) => each.dataset.key === name);
  const pressed = own ?? (line && found?.closest("[data-case]") ? null : found);
  if (pressed?.matches("input")) pressed.focus();
  else pressed?.click();
  return Boolean(pressed);
}

/** What a rule would have done opens below what one looks at. */
document.addEventListener("htmx:afterSettle", ({ target }) => {
  if (target.id === "trial") target.querySelector(".trial")?.scrollIntoView({ block: "start" });
});

function step(key) {
  const lines = cases();
  if (!(key in STEPS) || !lines.length) return false;
  const at = lines.findIndex((line) => line.contains(document.activeElement));
  const next = lines[Math.min(Math.max(at < 0 ? 0 : at + STEPS[key], 0), lines.length - 1)];
  way(next)?.focus();
  next.scrollIntoView({ block: "nearest" });
  return true;
}

/** Show which keys this page has. */
function show() {
  const keys = new Map();
  if (cases().length) keys.set("j", NAMES.j).set("k", NAMES.k).set("Enter", "Open");
  for (const each of document.querySelectorAll("[data-key]")) {
    if (each.offsetParent && !keys.has(each.dataset.key)) keys.set(each.dataset.key, each.dataset.keyName || each.title || each.textContent.trim());
  }
  const dialog = document.createElement("dialog");
  dialog.className = "dialog keys";
  dialog.setAttribute("aria-label", "Keys of this page");
  const list = document.createElement("dl");
  for (const [key, does] of [...keys, ["?", "This list"]]) {
    const name = document.createElement("dt");
    const words = document.createElement("dd");
    name.append(Object.assign(document.createElement("kbd"), { textContent: key }));
    words.textContent = does;
    list.append(name, words);
  }
  const title = Object.assign(document.createElement("h2"), { className: "dialog__title", textContent: "Keys" });
  const close = Object.assign(document.createElement("button"), { className: "button", type: "button", textContent: "Close" });
  close.onclick = () => dialog.close();
  dialog.append(title, list, close);
  dialog.onclose = () => dialog.remove();
  document.body.append(dialog);
  dialog.showModal();
}

// After something was done, the next case is where one goes on.
if (document.activeElement === document.body && document.querySelector(".notice [role=status]")) {
  const next = cases().find((line) => line.querySelector("[aria-current]")) ?? cases()[0];
  if (next) way(next)?.focus({ preventScroll: true });
}
