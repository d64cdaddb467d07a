import { load, save } from "../lib/store.js";
import { fit, sends } from "../lib/writing.js";

/** The form to change a message, in the place of the composer: Enter saves, Escape gives up. */
class MessageEditor extends HTMLElement {
  #composer;
  #name;

  connectedCallback() {
    const box = this.querySelector("textarea");
    const form = this.querySelector("form");
    const count = this.querySelector("output");
    this.#name = `edit:${form.getAttribute("action")}`;
    this.#composer = this.closest("#editor") && document.querySelector("message-composer");
    if (this.#composer) this.#composer.away = true;
    else form.removeAttribute("hx-post"); // a page of its own: a form like any other
    const before = box.defaultValue;
    const [of, kept] = load(this.#name) ?? [];
    if (of === before) box.value = kept; // begun in a page that was left
    box.addEventListener("input", () => {
      fit(box, count);
      save(this.#name, [before, box.value]);
    });
    box.addEventListener("keydown", (event) => {
      if (!sends(event)) return;
      event.preventDefault();
      form.requestSubmit();
    });
    this.addEventListener("keydown", (event) => event.key === "Escape" && !event.isComposing && this.#cancel(event));
    this.querySelector("[data-cancel]").addEventListener("click", (event) => this.#cancel(event));
    fit(box, count);
    box.focus();
    box.setSelectionRange(box.value.length, box.value.length);
  }

  disconnectedCallback() {
    save(this.#name, null);
    // Refused: another editor has taken this one's place already.
    if (this.#composer && !document.querySelector("#editor message-editor")) this.#composer.away = false;
  }

  #cancel(event) {
    if (!this.#composer) return;
    event.preventDefault();
    this.remove();
  }
}

customElements.define("message-editor", MessageEditor);
