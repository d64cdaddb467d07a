import { Leader } from "./leader.js";

/** Milliseconds of silence after which the leader is asked whether it is there, and how long it has to answer. */
const QUIET = 20_000;
const ANSWER = 2_500;
/** Joins within this time become one. */
const JOIN = 50;

/** Shares one stream among the tabs of a browser: whoever holds the lock leads, the others hear by broadcast. */
export class Tabs {
  #name;
  #heard;
  #places;
  #leader = null;
  #channel = null;
  #turn = 0;
  #queued = null;
  #release = null;
  #joining = 0;
  #quiet = 0;
  #answer = 0;

  /** `places()` returns where this tab stands, `heard(message)` takes what the leader says. */
  constructor(name, places, heard) {
    this.#name = name;
    this.#places = places;
    this.#heard = heard;
    /** Locks exist in secure contexts only; without them each tab has a connection of its own. */
    this.alone = !(navigator.locks && window.BroadcastChannel);
  }

  enter() {
    if (this.alone) {
      this.#leader ??= new Leader(this);
    } else if (!this.#channel) {
      this.#channel = new BroadcastChannel(this.#name);
      this.#channel.onmessage = ({ data }) => this.#receive(data);
      this.#claim(false);
      this.join();
    }
  }

  /** Let another tab lead: this one is closed, frozen, or needs nothing any more. */
  leave() {
    this.#turn += 1;
    this.#queued?.abort();
    this.#channel?.close();
    this.#channel = null;
    this.#demote();
    for (const timer of [this.#joining, this.#quiet, this.#answer]) clearTimeout(timer);
    this.#joining = this.#answer = 0;
  }

  standing() {
    return this.#places();
  }

  /** Say where this tab stands. */
  join() {
    this.#joining ||= setTimeout(() => {
      this.#joining = 0;
      if (this.#leader) this.#leader.joined(this.#places());
      else this.#ask({ type: "join", places: this.#places() });
    }, JOIN);
  }

  /** Make sure that the stream lives: after sleep, or when it is too quiet; `now` connects again whatever it says. */
  check(now = false) {
    if (this.#leader) this.#leader.check(now);
    else this.#ask({ type: "probe", now });
  }

  /** A frame that must exist has not come. */
  expect(room, seq) {
    if (this.#leader) {
      this.#leader.joined(this.#places());
      this.#leader.expect(room, seq);
    } else {
      this.#ask({ type: "probe", places: this.#places(), room, seq });
    }
  }

  /** Tell every tab, this one first. */
  say(message) {
    if (message.type !== "who") this.#heard(message);
    this.#channel?.postMessage(message);
  }

  #receive(message) {
    if (message.type === "join" || message.type === "probe") {
      if (!this.#leader) return;
      this.#channel.postMessage(this.#leader.state);
      if (message.type === "probe") this.#leader.check(message.now);
      if (message.places) this.#leader.joined(message.places);
      if (message.seq) this.#leader.expect(message.room, message.seq);
      return;
    }
    this.#listen();
    if (message.type === "who") this.#channel.postMessage({ type: "join", places: this.#places() });
    else this.#heard(message);
  }

  /** The leader was heard. Wait for the next time. */
  #listen() {
    clearTimeout(this.#answer);
    clearTimeout(this.#quiet);
    this.#answer = 0;
    this.#quiet = setTimeout(() => this.check(), QUIET);
  }

  /** Ask the leader. If it does not answer it is frozen or lost, though it still holds the lock: take it. */
  #ask(message) {
    this.#channel?.postMessage(message);
    this.#answer ||= setTimeout(() => {
      this.#answer = 0;
      if (!this.#leader && this.#channel) this.#claim(true);
    }, ANSWER);
  }

  #claim(steal) {
    const turn = ++this.#turn;
    this.#queued?.abort(); // a lock cannot be both stolen and given up by signal, and requests must not pile up
    this.#queued = new AbortController();
    navigator.locks
      .request(this.#name, steal ? { steal } : { signal: this.#queued.signal }, () => {
        if (turn !== this.#turn) return null;
        return new Promise((release) => {
          this.#release = release;
          this.#lead();
        });
      })
      .catch(() => {}) // given up, or robbed
      .then(() => {
        if (turn !== this.#turn) return;
        this.#demote();
        this.#claim(false);
      });
  }

  #lead() {
    clearTimeout(this.#quiet);
    clearTimeout(this.#answer);
    this.#answer = 0;
    this.#leader = new Leader(this);
  }

  #demote() {
    this.#leader?.close();
    this.#leader = null;
    this.#release?.();
    this.#release = null;
  }
}
