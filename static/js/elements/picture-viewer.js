/** Pixels that a finger moves sideways to go to the next. */
const SWIPE = 40;

/** Shows a picture of the timeline as large as it fits; arrows go to the others, Escape closes. */
class PictureViewer extends HTMLElement {
  #gone;
  #link = null;
  #message = "";
  #from = 0;

  connectedCallback() {
    this.#gone = new AbortController();
    const { signal } = this.#gone;
    const dialog = this.querySelector("dialog");
    const on = (target, name, act) => target.addEventListener(name, act, { signal });
    on(document, "click", (event) => this.#open(event));
    on(document, "confab:message", () => dialog.open && !this.#link.isConnected && dialog.close());
    on(dialog, "keydown", ({ key }) => this.#step({ ArrowLeft: -1, ArrowRight: 1 }[key]));
    on(dialog, "pointerdown", ({ clientX }) => (this.#from = clientX));
    on(dialog, "pointerup", ({ clientX, pointerType }) => {
      const far = pointerType !== "mouse" && Math.abs(clientX - this.#from) > SWIPE;
      if (far) this.#step(clientX < this.#from ? 1 : -1);
    });
    // The message may have been replaced meanwhile, and the link with it.
    on(dialog, "close", () => (this.#link.isConnected ? this.#link : document.getElementById(this.#message))?.focus({ preventScroll: true }));
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

  /** The picture so many further on, if there is one. */
  #next(by) {
    const links = [...document.querySelectorAll("#timeline .picture__link")];
    return by && links[links.indexOf(this.#link) + by];
  }

  #step(by) {
    const next = this.#next(by);
    if (next) this.#show(next);
  }

  #show(link) {
    const image = this.querySelector(".viewer__image");
    const message = link.closest(".message");
    this.#link = link;
    this.#message = message.id;
    image.removeAttribute("src"); // not the last one until this one comes
    image.src = link.href;
    image.alt = link.querySelector("img").alt;
    image.width = link.dataset.width;
    image.height = link.dataset.height;
    for (const button of this.querySelectorAll("[data-step]")) button.hidden = !this.#next(Number(button.dataset.step));
    this.querySelector(".viewer__original").href = link.href;
    const said = [".message__author", "time"].map((part) => message.querySelector(part).textContent);
    this.querySelector(".viewer__caption").textContent = `${image.alt} · ${said.join(" · ")}`;
  }
}

customElements.define("picture-viewer", PictureViewer);
