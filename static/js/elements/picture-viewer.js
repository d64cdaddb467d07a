/** Shows a picture of the timeline as large as it fits; arrows go to the others, Escape closes. */
class PictureViewer extends HTMLElement {
  #gone;
  #link = null;

  connectedCallback() {
    this.#gone = new AbortController();
    const { signal } = this.#gone;
    const dialog = this.querySelector("dialog");
    const on = (target, name, act) => target.addEventListener(name, act, { signal });
    on(document, "click", (event) => this.#open(event));
    on(document, "confab:message", () => dialog.open && !this.#link.isConnected && dialog.close());
    on(dialog, "keydown", ({ key }) => this.#step({ ArrowLeft: -1, ArrowRight: 1 }[key]));
    on(dialog, "close", () => this.#link?.focus({ preventScroll: true }));
    on(dialog, "click", ({ target }) => {
      if (target === dialog || target.closest(".viewer__close")) dialog.close();
      this.#step(Number(target.closest("[data-step]")?.dataset.step));
    });
  }

  disconnectedCallback() {
    this.#gone.abort();
  }

  #open(event) {
    const link = event.target.closest("#timeline .picture__link");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    this.#show(link);
    this.querySelector("dialog").showModal();
  }

  #step(by) {
    const links = [...document.querySelectorAll("#timeline .picture__link")];
    const next = by && links[links.indexOf(this.#link) + by];
    if (next) this.#show(next);
  }

  #show(link) {
    const image = this.querySelector(".viewer__image");
    const message = link.closest(".message");
    this.#link = link;
    image.removeAttribute("src"); // not the last one until this one comes
    image.src = link.href;
    image.alt = link.querySelector("img").alt;
    image.width = link.dataset.width;
    image.height = link.dataset.height;
    this.querySelector(".viewer__original").href = link.href;
    const said = [".message__author", "time"].map((part) => message.querySelector(part).textContent);
    this.querySelector(".viewer__caption").textContent = `${image.alt} · ${said.join(" · ")}`;
  }
}

customElements.define("picture-viewer", PictureViewer);
