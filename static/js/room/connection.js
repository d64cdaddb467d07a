import { now } from "../lib/clock.js";
import { clock } from "../lib/times.js";
import * as stream from "../stream.js";

/** Milliseconds without a connection before it is said, and for which good news stays. */
const PATIENCE = 5_000;
const GOOD_NEWS = 2_000;
const time = () => clock(new Date(now()));

/** The line over the composer that says how the page is connected. */
export class Connection {
  #banner;
  #room;
  #gone;
  #timer = 0;
  #since = "";

  constructor(banner, room) {
    this.#banner = banner;
    this.#room = room;
  }

  listen() {
    this.#gone = new AbortController();
    const { signal } = this.#gone;
    document.addEventListener("confab:stream", ({ detail }) => this.#turn(detail), { signal });
    document.addEventListener("confab:hello", ({ detail }) => this.#back(detail[this.#room]), { signal });
    document.addEventListener("confab:session", ({ detail }) => this.#session(detail), { signal });
    addEventListener("offline", () => this.#turn("down"), { signal });
    this.#turn(stream.state());
  }

  stop() {
    this.#gone.abort();
    clearTimeout(this.#timer);
  }

  /** One is no longer in this room. */
  remove() {
    this.#say("removed", `You were removed from this room at ${time()}.`, link("Your rooms", "/rooms"));
  }

  /** Somebody has signed in in another tab. */
  #session(who) {
    const again = link("Load the page again", location.pathname);
    if (who === "other") this.#say("out", "Somebody else has signed in here. What you write is kept for you, and not sent.", again);
    else if (this.#banner.dataset.state === "out") this.#banner.hidden = true;
  }

  #turn(state) {
    if (state === "out") {
      const next = encodeURIComponent(location.pathname);
      this.#say("out", "You are signed out. What you write is kept.", link("Sign in", `/sign-in?next=${next}`));
    } else if (state === "down" && !this.#since) {
      this.#since = time();
      this.#timer = setTimeout(() => this.#offline(), PATIENCE);
    }
  }

  #offline() {
    const again = document.createElement("button");
    again.className = "link";
    again.textContent = "Try now";
    again.onclick = stream.retry;
    this.#say("offline", `No connection since ${this.#since}. What you write is kept and sent later.`, again);
  }

  /** Connected again; `head` is where the room's log ends, and until we have it we catch up. */
  #back(head) {
    clearTimeout(this.#timer);
    this.#since = "";
    if (this.#banner.dataset.state !== "offline") return;
    const start = stream.place(this.#room);
    const total = head - start;
    // Said once: the figure runs on for the eye.
    const figure = document.createElement("span");
    figure.ariaHidden = "true";
    this.#say("catching", "Catching up");
    this.#banner.firstElementChild.append(figure);
    const step = () => {
      const done = stream.place(this.#room) - start;
      if (done < total) {
        figure.textContent = `, ${Math.max(0, done)} of ${total} messages`;
        this.#timer = setTimeout(step, 50);
      } else {
        this.#say("catching", "Up to date");
        this.#timer = setTimeout(() => (this.#banner.hidden = true), GOOD_NEWS);
      }
    };
    step();
  }

  #say(state, sentence, ...more) {
    const text = document.createElement("span");
    text.textContent = sentence;
    clearTimeout(this.#timer);
    this.#banner.dataset.state = state;
    this.#banner.replaceChildren(text, ...more);
    this.#banner.hidden = false;
  }
}

function link(text, href) {
  const link = document.createElement("a");
  return Object.assign(link, { className: "link", textContent: text, href });
}
