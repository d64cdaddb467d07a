/** A question in front of the page. Escape and "Keep it" put it away; on a page of its own it stands as it is. */
class ConfirmDialog extends HTMLElement {
  connectedCallback() {
    const dialog = this.querySelector("dialog");
    if (!this.closest("#dialog")) return this.querySelector("form").removeAttribute("hx-post");
    const before = document.activeElement;
    dialog.open = false;
    dialog.showModal();
    dialog.addEventListener("close", () => {
      this.remove();
      before.focus({ preventScroll: true });
    });
    this.querySelector("[data-cancel]").addEventListener("click", (event) => {
      event.preventDefault();
      dialog.close();
    });
  }
}

customElements.define("confirm-dialog", ConfirmDialog);
