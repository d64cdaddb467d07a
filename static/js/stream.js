/* The event stream of this page. All tabs of a browser share one connection; each keeps its own place in each room,
   applies every event of a room's log exactly once and in order, and notices by itself when one is missing. */

import { meta, tell } from "./lib/dom.js";
import { Tabs } from "./stream/tabs.js";

/** Part of the name under which tabs share a stream: tabs of releases that speak otherwise do not. */
const PROTOCOL = 1;
/** Milliseconds for which an acknowledged message's own frame is waited for, and for which nobody may need a stream. */
const OWN_FRAME = 2_000;
const LINGER = 2_000;

const sources = new Set();
let tabs = share();

/** `up`, `down` or `out` (signed out), undefined before it is known. It stands on the page for styles and tests, and
    every change is told as `confab:stream`. */
export const state = () => document.documentElement.dataset.stream;

/** What one element listens to: events without a room, and if it names a room, those of its log. */
class Source extends EventTarget {
  constructor(url) {
    super();
    const query = new URL(url, location.href).searchParams;
    this.room = query.get("room");
    const [, epoch, seq] = (query.get("after") ?? "").split(".");
    this.place = this.room && { epoch, seq: Number(seq) };
    this.ended = false;
  }

  close() {
    this.ended = true;
    setTimeout(() => {
      sources.delete(this);
      if (!sources.size) tabs.leave();
    }, LINGER);
  }

  take(event, epoch, seq) {
    if (epoch !== this.place.epoch || seq > this.place.seq + 1) return tabs.join();
    if (seq <= this.place.seq) return;
    this.place.seq = seq;
    this.emit(event);
  }

  /** The log cannot be continued from where this one stands. */
  reset({ epoch, seq }) {
    if (epoch !== this.place.epoch || this.place.seq > seq) return tabs.join();
    this.ended = true;
    this.emit({ name: "reset", data: "", id: "" });
  }

  emit({ name, data, id }) {
    this.dispatchEvent(new MessageEvent(name, { data, lastEventId: id }));
  }
}

/** Open a source; `url` is that of `sse-connect`. */
export function open(url) {
  const source = new Source(url);
  sources.add(source);
  tabs.enter();
  if (source.room) tabs.join();
  return source;
}

/** The `seq` up to which this page has applied a room's log. */
export const place = (room) => live().find((source) => source.room === room)?.place.seq ?? 0;

/** A message was acknowledged: see to it that its frame comes. */
export function expect(room, seq) {
  setTimeout(() => {
    if (place(room) < seq) tabs.expect(room, seq);
  }, OWN_FRAME);
}

/** Connect again now. */
export const retry = () => tabs.check(true);

/** One connection for all tabs of one login session. */
function share() {
  return new Tabs(`confab-${PROTOCOL}-${meta("stream-key")}`, standing, hear);
}

const live = () => [...sources].filter((source) => !source.ended);

function standing() {
  return live()
    .filter((source) => source.room)
    .map((source) => [source.room, { ...source.place }]);
}

function hear(message) {
  if (message.type === "event") {
    const { event } = message;
    const [room, epoch, seq] = event.id.split(".");
    if (event.name === "hello") tell("confab:hello", event.data ? JSON.parse(event.data) : {});
    for (const source of live()) {
      if (!event.id) source.emit(event);
      else if (source.room === room) source.take(event, epoch, Number(seq));
    }
  } else if (message.type === "reset") {
    for (const source of live()) if (source.room === message.room) source.reset(message);
  } else if (message.type === "stop") {
    turn("out");
  } else if (message.up !== null) {
    turn(message.up ? "up" : "down");
  }
}

function turn(next) {
  if (next === state()) return;
  document.documentElement.dataset.stream = next;
  tell("confab:stream", next);
}

const back = () => sources.size && tabs.enter();
const check = (now) => sources.size && state() !== "out" && tabs.check(now);

document.addEventListener("confab:session", ({ detail }) => {
  tabs.leave();
  if (detail === "other") return turn("out");
  tabs = share();
  turn("down");
  back();
});
addEventListener("pagehide", () => tabs.leave());
addEventListener("pageshow", (event) => event.persisted && back());
addEventListener("online", () => check(true));
document.addEventListener("freeze", () => tabs.leave());
document.addEventListener("resume", back);
document.addEventListener("visibilitychange", () => document.hidden || check(false));
