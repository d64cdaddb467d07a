import { post, viewer } from "../lib/dom.js";
import { save } from "../lib/store.js";

/** Tells the server how far one has read: only what was really in view, and not too often. */
export class Reading {
  #room;
  #url;
  #every;
  #seen = 0;
  #told;
  #toldAt = -Infinity;
  #timer = 0;

  /** `seq` is what the server knows to be read already; `every` is in seconds. */
  constructor({ room, read, reportEvery }, seq) {
    this.#room = room;
    this.#url = read;
    this.#every = Number(reportEvery) * 1000;
    this.#told = seq;
  }

  /** A message is in view. */
  see(message) {
    const seq = Number(message.dataset.seq);
    if (document.hidden || seq <= this.#seen) return;
    this.#seen = seq;
    save(`seen:${this.#room}`, String(seq));
    if (message.dataset.authorId === viewer) this.#told = Math.max(this.#told, seq); // posting has said so
    else this.#timer ||= setTimeout(() => this.report(), Math.max(0, this.#toldAt + this.#every - performance.now()));
  }

  report() {
    clearTimeout(this.#timer);
    this.#timer = 0;
    if (this.#seen <= this.#told) return;
    this.#told = this.#seen;
    this.#toldAt = performance.now();
    const again = () => (this.#told = 0);
    post(this.#url, { seq: this.#seen }, { keepalive: true }).then(({ status }) => status < 500 || again(), again);
  }

  stop() {
    clearTimeout(this.#timer);
    this.#told = Infinity;
  }
}
