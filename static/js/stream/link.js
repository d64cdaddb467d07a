import { meta } from "../lib/dom.js";
import { read } from "./reader.js";

/** Milliseconds without a byte after which a connection is given up; the server pings every 15 seconds. */
const SILENCE = 40_000;
const PING = 20_000;
/** The ticket that opens the stream's fast door lives five minutes. */
const TICKET = 150_000;

/** One connection to the server, kept open. Its owner says where to begin, and is told what comes. */
export class Link {
  #owner;
  #abort = null;
  #timer = 0;
  #tries = 0;
  #heardAt = 0;
  #renewedAt = performance.now();

  /** `owner` has `places()`, a promise of a Map of cursors by room; `heard(event)`, `up(isUp)`, `refused(status)`. */
  constructor(owner) {
    this.#owner = owner;
  }

  /** Connect, or once more, after some milliseconds. */
  open(wait = 0) {
    this.close();
    this.#timer = setTimeout(() => this.#connect(), wait);
  }

  close() {
    clearTimeout(this.#timer);
    this.#abort?.abort();
    this.#abort = null;
  }

  /** Connect once more if it has been too quiet: after sleep, or when somebody asks. */
  check() {
    // By the clock that goes on in sleep; it may have been set back, too.
    if (!this.#abort || Math.abs(Date.now() - this.#heardAt) > PING) this.open();
  }

  async #connect() {
    const abort = (this.#abort = new AbortController());
    let wait = 500 * 2 ** Math.min(this.#tries++, 6);
    wait = Math.random() * Math.min(wait, 30_000);
    try {
      this.#alive();
      const places = await this.#owner.places();
      if (abort.signal.aborted) return;
      const query = ["ids=frames", ...[...places].map(([room, cursor]) => `room=${room}&after=${cursor}`)].join("&");
      const response = await fetch(`/events?${query}`, { signal: abort.signal, cache: "no-store" });
      if ([401, 403, 404].includes(response.status)) this.#owner.refused(response.status);
      if (response.status === 401 || response.status === 403) return;
      if (!response.ok) wait = Math.max(wait, 1000 * Number(response.headers.get("Retry-After")));
      else await read(response.body, (event) => (wait = this.#heard(event) ?? wait));
    } catch {
      // Cut off. What it was does not matter: we come back with the cursor.
    }
    if (abort.signal.aborted) return;
    this.#owner.up(false);
    this.open(wait);
  }

  /** Pass an event on; return in how many milliseconds to come back when the server ends the stream by it. */
  #heard(event) {
    this.#alive();
    if (event.name === "hello") {
      this.#tries = 0;
      this.#owner.up(true);
    }
    if (event.name === "ping") this.#renew();
    if (event.name === "bye") return event.retry;
    this.#owner.heard(event);
  }

  #alive() {
    this.#heardAt = Date.now();
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.#owner.up(false);
      this.open();
    }, SILENCE);
  }

  /** Renew the ticket. The server's pings are the clock: they come also where timers sleep. */
  #renew() {
    if (performance.now() - this.#renewedAt < TICKET) return;
    this.#renewedAt = performance.now();
    fetch("/events/ticket", { method: "POST", headers: { "X-CSRFToken": meta("csrf-token") } }).catch(() => {});
  }
}
