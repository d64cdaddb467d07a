import { viewer } from "../lib/dom.js";

const SHOWN_FOR = 6_000;

/** Who is writing: at most three by name, each for six seconds or until their message comes. */
class TypingLine extends HTMLElement {
  #gone;
  /** Names with the timer that takes them away, by person. */
  #writing = new Map();

  connectedCallback() {
    this.#gone = new AbortController();
    const heard = ({ detail }) => detail.fresh && this.#end(detail.message.dataset.authorId);
    document.addEventListener("confab:message", heard, { signal: this.#gone.signal });
  }

  disconnectedCallback() {
    this.#gone.abort();
    for (const person of [...this.#writing.keys()]) this.#end(person);
  }

  /** Somebody writes, in some room: `name` is the fragment of the stream. */
  show(name) {
    const { room, personId } = name.dataset;
    if (room !== this.dataset.room || personId === viewer) return;
    clearTimeout(this.#writing.get(personId)?.timer);
    const timer = setTimeout(() => this.#end(personId), SHOWN_FOR);
    this.#writing.set(personId, { name, timer });
    this.#draw();
  }

  #end(person) {
    clearTimeout(this.#writing.get(person)?.timer);
    if (this.#writing.delete(person)) this.#draw();
  }

  #draw() {
    const names = [...this.#writing.values()].map(({ name }) => name);
    if (!names.length) return this.replaceChildren();
    const dots = document.createElement("span");
    const text = document.createElement("span");
    dots.className = "typing__dots";
    dots.ariaHidden = "true";
    dots.append(...[1, 2, 3].map(() => document.createElement("i")));
    text.className = "typing__text";
    if (names.length > 3) text.append("Several people are writing");
    else {
      const between = (at) => (at === 0 ? "" : at === names.length - 1 ? " and " : ", ");
      text.append(...names.flatMap((name, at) => [between(at), name]), names.length > 1 ? " are writing" : " is writing");
    }
    this.replaceChildren(dots, text);
  }
}

customElements.define("typing-line", TypingLine);
