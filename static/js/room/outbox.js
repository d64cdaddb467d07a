import { post, viewer } from "../lib/dom.js";
import * as stream from "../stream.js";
import { load, names, save } from "../lib/store.js";
import { Bubble } from "./bubble.js";
import { arrange } from "./timeline.js";

const { htmx } = window;
const LONGEST_WAIT = 30_000;

/** What is being sent in a room: in order, one after the other, kept over a reload, until its frame has come. */
export class Outbox {
  #list;
  #room;
  #bubbles = [];
  #busy = null;
  #timer = 0;
  #tries = 0;

  constructor(list, room) {
    this.#list = list;
    this.#room = room;
    for (const entry of load(`outbox:${room}`) ?? []) this.#restore(entry);
    this.#next();
  }

  send(body, uploads) {
    this.#add({ client_id: newId(), body, pictures: [], missing: 0, state: "pending", reason: "" }, uploads);
    this.changed();
  }

  /** A message is on the page: the bubble that stood for it goes. */
  settle({ dataset }) {
    const bubble = dataset.authorId === viewer && this.#bubbles.find((each) => each.entry.client_id === dataset.clientId);
    if (bubble) this.discard(bubble);
    else this.#arrange();
  }

  /** Whether pictures would be lost if the page were left now. */
  get uploading() {
    return this.#bubbles.some((bubble) => bubble.entry.missing > 0);
  }

  /** What is waiting for a connection may go. */
  retry() {
    clearTimeout(this.#timer);
    for (const bubble of this.#bubbles) if (bubble.entry.state === "waiting") bubble.show("pending");
    this.#next();
  }

  // -- what bubbles say

  sent(bubble, seq) {
    this.#tries = 0;
    stream.expect(this.#room, seq);
    // A repeat may have been on the page, or in the history, all along: then no frame comes.
    if (stream.place(this.#room) >= seq) setTimeout(() => this.discard(bubble), 500);
  }

  /** It waits for a moderator, and stands in the list of what does from now on. */
  async held(bubble) {
    this.#tries = 0;
    const list = document.getElementById("held");
    await htmx.ajax("GET", list.getAttribute("hx-get"), { target: list, swap: "outerHTML" });
    this.discard(bubble);
  }

  later(wait) {
    clearTimeout(this.#timer);
    const backoff = Math.min(LONGEST_WAIT, 1000 * 2 ** this.#tries++) * (0.5 + Math.random() / 2);
    this.#timer = setTimeout(() => this.retry(), Math.max(wait, backoff));
  }

  discard(bubble) {
    bubble.remove();
    this.#bubbles = this.#bubbles.filter((each) => each !== bubble);
    if (this.#busy === bubble) this.#busy = null;
    this.changed();
  }

  /** Something is in another state; `answered` is the bubble whose request has ended. */
  changed(answered) {
    if (answered === this.#busy) this.#busy = null;
    save(`outbox:${this.#room}`, this.#bubbles.map((bubble) => bubble.entry));
    this.#arrange();
    this.#next();
  }

  // -- inside

  #add(entry, uploads) {
    const bubble = new Bubble(this, entry, uploads);
    this.#bubbles.push(bubble);
    document.querySelector(".start--timeline")?.remove();
    this.#list.append(bubble.element);
    htmx.process(bubble.element);
    return bubble;
  }

  /** Day lines and groups are those of the messages that the bubbles become, so that nothing moves then. */
  #arrange() {
    for (const line of this.#list.querySelectorAll(".day")) line.remove();
    for (const { element } of this.#bubbles) arrange(element);
  }

  #restore(entry) {
    const known = `.message[data-author-id="${viewer}"][data-client-id="${entry.client_id}"]`;
    if (document.querySelector(`#timeline ${known}`)) return;
    const bubble = this.#add(entry, []);
    const lost = entry.missing === 1 ? "A picture was" : `${entry.missing} pictures were`;
    if (entry.missing) bubble.show("failed", `${lost} not uploaded when the page was left. Try again sends the rest.`);
    else if (entry.state !== "failed") bubble.show("pending");
  }

  /** Send the first that is on its way; one that was refused stands aside. */
  #next() {
    const due = this.#bubbles.filter(({ entry }) => entry.state === "pending" || entry.state === "waiting");
    // Bubbles behind one that waits wait for the same.
    if (due[0]?.entry.state === "waiting") for (const bubble of due) if (bubble.ready) bubble.show("waiting", due[0].entry.reason);
    if (this.#busy || !due[0]?.ready) return;
    this.#busy = due[0];
    due[0].send();
  }
}

/** Send what was left behind in rooms that one is no longer looking at. */
export async function sendLeftovers(here) {
  for (const name of names("outbox:")) {
    if (name === `outbox:${here}`) continue;
    const room = name.slice("outbox:".length);
    const left = [];
    for (const entry of load(name)) {
      if (entry.state === "failed" || entry.missing || !(await deliver(room, entry))) left.push(entry);
    }
    save(name, left);
  }
}

async function deliver(room, { client_id, body, pictures }) {
  const fields = [["client_id", client_id], ["body", body], ...pictures.map(({ id }) => ["picture", id])];
  const answer = await post(`/rooms/${room}/messages`, fields).catch(() => null);
  return answer?.ok;
}

/** 128 random bits. crypto.randomUUID exists in secure contexts only. */
const newId = () => Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
