import { typed } from "../copying.js";
import { now } from "../lib/clock.js";
import { copy } from "../lib/dom.js";
import { toast } from "../toasts.js";
import { refuse, refused } from "../refusals.js";

const { htmx } = window;
/** Milliseconds a finger rests on a message before its actions open, and pixels it may move meanwhile. */
const PRESS = 500;
const SLIP = 10;
/** Milliseconds for which a message can be edited: EDIT_WINDOW of chat/messages/policy.py. */
const EDITABLE = 15 * 60_000;

/** What one can do with a message: a bar on the one that is hovered or focused, a sheet where one presses long. */
export class Actions {
  #room;
  #press = 0;

  constructor(room) {
    this.#room = room;
  }

  /** Show the bar on a message and nowhere else, but leave one that holds the focus. */
  show(message) {
    for (const bar of document.querySelectorAll(".message .actions:not(.sheet *)")) {
      if (bar.closest(".message") !== message && !bar.contains(document.activeElement)) bar.remove();
    }
    if (!message || message.querySelector(".actions")) return;
    const bar = this.#make(message);
    message.querySelector(".message__body, .tombstone").append(bar);
    htmx.process(bar);
    // One stop for the Tab key; arrows go on from there.
    const [, ...others] = [...bar.children].filter((action) => action.offsetParent);
    for (const action of others) action.tabIndex = -1;
  }

  /** Open the form to edit a message. */
  edit(message) {
    this.show(message);
    message.querySelector(".actions [hx-get$='/edit']")?.click();
  }

  /** A finger came down on a message: open the sheet if it stays. */
  press(message, { clientX, clientY }) {
    const over = new AbortController();
    const stop = () => over.abort() || clearTimeout(this.#press);
    const moved = (event) => Math.hypot(event.clientX - clientX, event.clientY - clientY) > SLIP && stop();
    addEventListener("pointermove", moved, { signal: over.signal });
    for (const name of ["pointerup", "pointercancel"]) addEventListener(name, stop, { signal: over.signal });
    this.#press = setTimeout(() => this.#open(message), PRESS);
  }

  #open(message) {
    const sheet = document.createElement("dialog");
    const handle = document.createElement("div");
    const quote = document.createElement("p");
    sheet.className = "sheet";
    handle.className = "sheet__handle";
    quote.className = "sheet__quote";
    const said = [".message__author", ".message__text", ".tombstone > span"].map((part) => message.querySelector(part)?.innerText);
    quote.textContent = said.filter(Boolean).join(": ");
    sheet.append(handle, quote, this.#make(message));
    sheet.addEventListener("click", () => sheet.close());
    // The finger is lifted over the sheet that has opened under it: that is no choice.
    message.addEventListener("touchend", (event) => event.preventDefault(), { once: true });
    sheet.addEventListener("close", () => sheet.remove());
    message.append(sheet);
    htmx.process(sheet);
    sheet.showModal();
  }

  #make(message) {
    const bar = copy("actions");
    const id = message.id.slice("message_".length);
    const deleted = message.classList.contains("message--deleted");
    const late = now() - new Date(message.querySelector("time").dateTime) > EDITABLE;
    const edited = message.querySelector(".message__edited");
    for (const action of [...bar.querySelectorAll("[data-requires]")]) {
      const vain = (late && action.matches("[hx-get$='/edit']")) || (!edited && action.matches("[data-edited]"));
      if (vain || deleted !== (action.dataset.requires === "restorer")) action.remove();
    }
    if (!message.querySelector(".message__text") || !navigator.clipboard) bar.querySelector("[data-copy=text]").remove();
    for (const action of bar.children) {
      for (const { name, value } of [...action.attributes]) {
        action.setAttribute(name, value.replace("MESSAGE", id).replace("ROOM", this.#room));
      }
    }
    bar.addEventListener("click", (event) => this.#copy(event, message));
    bar.addEventListener("htmx:afterRequest", (event) => this.#answered(event, message.id));
    return bar;
  }

  #copy(event, message) {
    const action = event.target.closest("[data-copy]");
    if (!action || !navigator.clipboard) return;
    event.preventDefault();
    const text = action.dataset.copy && typed(message.querySelector(".message__text"));
    const copied = () => toast(text ? "Text copied" : "Link copied");
    navigator.clipboard.writeText(text || action.href).then(copied, () => text || (location.href = action.href));
  }

  /** The bar may have left the page with its message by now, so it listens to itself. */
  #answered(event, id) {
    const { elt, xhr } = event.detail;
    event.stopPropagation();
    const message = () => document.getElementById(id);
    if (refused(event.detail)) refuse(message(), xhr);
    else if (elt.dataset.delete) toast("Message deleted", { name: "Undo", url: elt.dataset.delete, at: message });
  }
}
