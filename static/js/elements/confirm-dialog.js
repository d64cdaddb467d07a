import { holdFocus } from "../lib/dom.js";

/** Gives the focus back to where the question came from; another dialog may take this one's place meanwhile. */
let back = null;

/** A question in front of the page. Escape and "Keep it" put it away; on a page of its own it stands as it is. */
class ConfirmDialog extends HTMLElement {
  connectedCallback() {
    const dialog = this.querySelector("dialog");
    if (!this.closest("#dialog")) return this.querySelector("form").removeAttribute("hx-post");
    back ??= holdFocus();
    dialog.open = false;
    dialog.showModal();
    dialog.addEventListener("close", () => this.remove());
    this.querySelector("[data-cancel]").addEventListener("click", (event) => {
      event.preventDefault();
      dialog.close();
    });
  }

  disconnectedCallback() {
    if (document.querySelector("#dialog confirm-dialog")) return;
    back?.();
    back = null;
  }
}

customElements.define("confirm-dialog", ConfirmDialog);
