import { Link } from "./link.js";

/** Frames of a room kept for tabs that come or that missed one, so that they cost no new connection. */
const KEEP = 256;
/** Milliseconds that the other tabs have to say where they stand. */
const GATHER = 40;

/** The tab that holds the connection for all tabs of this browser, or for itself where tabs cannot share. */
export class Leader {
  #tabs;
  #link = new Link(this);
  #up = null;
  #stopped = 0;
  /** Places told while we gather them, and those told too late, which the next connection begins with. */
  #gathered = null;
  #late = [];
  /** By room: the cursor that was asked with, and the frames since, without a gap. */
  #rooms = new Map();
  #gaps = 0;

  /** `tabs` has `say(message)`, which reaches every tab, ours too; and `standing()`, our own places. */
  constructor(tabs) {
    this.#tabs = tabs;
    this.#link.open();
  }

  close() {
    this.#link.close();
  }

  /** What the other tabs hear from us so that they know we are there. */
  get state() {
    return this.#stopped ? { type: "stop", status: this.#stopped } : { type: "here", up: this.#up };
  }

  /** Look after the connection: it may have died unnoticed. */
  check(now = false) {
    if (this.#stopped) return;
    if (now) this.#link.open();
    else this.#link.check();
  }

  /** Somebody says where they stand: give them what they miss, or connect again from there. */
  joined(places) {
    if (this.#gathered) return this.#gather(places);
    for (const [room, place] of places) {
      const known = this.#rooms.get(room);
      if (!known || known.epoch !== place.epoch || place.seq < known.start) {
        this.#late.push([room, place]);
        this.#link.open();
        continue;
      }
      for (const event of known.frames.slice(place.seq - known.start)) this.#tabs.say({ type: "event", event });
    }
  }

  /** A message was acknowledged as `seq` and its frame did not come to somebody: did it come to us? */
  expect(room, seq) {
    const known = this.#rooms.get(room);
    if (known && known.start + known.frames.length < seq) this.#link.open();
  }

  // -- the owner of the link

  async places() {
    const gathered = (this.#gathered = new Map());
    this.#gather([...this.#late.splice(0), ...this.#tabs.standing()]);
    this.#tabs.say({ type: "who" });
    await new Promise((done) => setTimeout(done, this.#tabs.alone ? 0 : GATHER));
    if (this.#gathered !== gathered) return []; // another connection has begun meanwhile
    this.#gathered = null;
    const places = [...gathered];
    const kept = this.#rooms;
    this.#rooms = new Map();
    for (const [room, { epoch, seq }] of places) {
      const known = kept.get(room);
      const goesOn = known?.epoch === epoch && known.start <= seq && seq <= known.start + known.frames.length;
      this.#rooms.set(room, goesOn ? known : { epoch, start: seq, frames: [] });
    }
    return places.map(([room, { epoch, seq }]) => [room, `${room}.${epoch}.${seq}`]);
  }

  heard(event) {
    if (event.name === "ping") return this.#tabs.say(this.state);
    if (event.name === "reset") return this.#reset(JSON.parse(event.data).room);
    if (event.id && !this.#keep(event)) return;
    this.#tabs.say({ type: "event", event });
  }

  up(isUp) {
    if (this.#up === isUp) return;
    this.#up = isUp;
    this.#tabs.say(this.state);
  }

  refused(status) {
    if (status === 404) {
      for (const room of [...this.#rooms.keys()]) this.#reset(room);
    } else {
      this.#stopped = status;
      this.#tabs.say(this.state);
    }
  }

  // -- inside

  #gather(places) {
    for (const [room, place] of places) {
      const known = this.#gathered.get(room);
      if (!known || (known.epoch === place.epoch && place.seq < known.seq)) this.#gathered.set(room, place);
    }
  }

  /** Keep a frame; false if one is missing before it, and then the connection begins again. */
  #keep(event) {
    const [room, epoch, seq] = event.id.split(".");
    const known = this.#rooms.get(room);
    if (!known || known.epoch !== epoch) return true;
    const next = known.start + known.frames.length + 1;
    if (Number(seq) > next) {
      this.#link.open(Math.min(50 * 2 ** this.#gaps++, 30_000));
      return false;
    }
    if (Number(seq) === next) {
      this.#gaps = 0;
      known.frames.push(event);
      if (known.frames.length > KEEP) {
        known.frames.shift();
        known.start += 1;
      }
    }
    return true;
  }

  /** Concerns only those who stand where we asked, or before: a tab with an old page must not reset the others. */
  #reset(room) {
    const known = this.#rooms.get(room);
    if (!known) return;
    this.#rooms.delete(room);
    this.#tabs.say({ type: "reset", room, epoch: known.epoch, seq: known.start + known.frames.length });
  }
}
