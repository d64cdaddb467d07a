import { copy, tell } from "../lib/dom.js";
import { day, localise } from "../lib/times.js";

/** Messages kept in the page, and frames held back while the page does not reach the end. */
const LIMIT = 320;
const HOLD = 400;
const GROUP_WITHIN = 5 * 60_000;

const seqOf = (message) => Number(message.dataset.seq);
const timeOf = (message) => new Date(message.querySelector("time").dateTime);
const deleted = (message) => message.classList.contains("message--deleted");

/** The stretch of a room's messages that is in the page: puts each in its place, in order, once. */
export class Timeline {
  #list;
  /** The latest `seq` that is known of: what is later is new, what is not and is not here is in the history. */
  #top;
  /** By id: what came while the page did not reach the end, or while a page of history was on its way. */
  #held = new Map();
  #lost = 0;
  #since;

  /** `seen` is the `seq` up to which this tab has shown messages: the server may have made the page before it heard of them. */
  constructor(list, seen) {
    const { cursor } = list.closest("[data-cursor]").dataset;
    this.#list = list;
    this.#top = Math.max(Number(cursor.split(".")[2]), ...this.messages.map(seqOf));
    this.#since = list.querySelector(".new-since");
    this.#move(seen);
    this.sinceSeq = this.#since ? seqOf(messageAfter(this.#since)) : 0;
    /** Whether a page of history is on its way. */
    this.loading = false;
    for (const message of this.messages) quiet(message);
  }

  get list() {
    return this.#list;
  }

  get messages() {
    return [...this.#list.getElementsByClassName("message")];
  }

  get reachesEnd() {
    return this.#list.dataset.newer !== "yes";
  }

  /** Take messages of the stream; return those that are new on the page. */
  take(messages) {
    const added = [];
    for (const message of messages) {
      const known = this.#find(message.id);
      const fresh = seqOf(message) > this.#top;
      localise(message);
      if (known) this.#replace(known, message);
      else if (this.#held.has(message.id) || (fresh ? !this.reachesEnd : this.loading)) this.#hold(message);
      else if (fresh) added.push(this.#insert(message));
      this.#top = Math.max(this.#top, seqOf(message));
      tell("confab:message", { message, fresh });
    }
    return added;
  }

  /** Take a page of history that continues the stretch on one side; return its way on, if there is one. */
  takePage(fragment, side) {
    const before = this.#list.querySelector(`.more--${side}`);
    const after = fragment.querySelector(`.more--${side}`);
    const focused = before?.contains(document.activeElement);
    const edge = this.messages.at(side === "older" ? 0 : -1);
    for (const message of fragment.querySelectorAll(".message")) {
      const known = this.#find(message.id);
      if (!known) this.#insert(message);
      this.#top = Math.max(this.#top, seqOf(message));
      tell("confab:message", { message: known ?? message, fresh: false });
    }
    before?.remove();
    if (after) this.#list[side === "older" ? "prepend" : "append"](after);
    else if (side === "newer") this.#arrive();
    this.#applyHeld();
    if (focused) edge?.focus({ preventScroll: true });
    return [...this.#list.querySelectorAll(".more")];
  }

  /** Keep the page small: take away what is furthest from `near`; return the way back to it. */
  trim(near) {
    const { messages } = this;
    const excess = messages.length - LIMIT;
    if (excess <= 0) return [];
    const atTop = messages.indexOf(near) >= messages.length / 2;
    const leaving = atTop ? messages.slice(0, excess) : messages.slice(-excess);
    if (leaving.some((message) => message.contains(document.activeElement))) return [];
    for (const message of leaving) message.remove();
    this.#list.querySelector(`.more--${atTop ? "older" : "newer"}`)?.remove();
    if (atTop) {
      for (const other of between(null, messages[excess])) other.remove();
      arrange(messages[excess]);
      return [this.#more("older", seqOf(messages[excess]))];
    }
    while (!this.#list.lastElementChild.matches(".message")) this.#list.lastElementChild.remove();
    this.#list.dataset.newer = "yes";
    return [this.#more("newer", seqOf(messages.at(-excess - 1)))];
  }

  /** Put day lines and groups right everywhere: the page was made for another zone, or a new day has begun. */
  arrange() {
    for (const message of [...this.messages, ...document.querySelectorAll("#outbox .message")]) arrange(message);
  }

  // -- inside

  /** Move the line above new messages to the first one that this tab has not shown. */
  #move(seen) {
    if (!this.#since || seqOf(messageAfter(this.#since)) > seen) return;
    const first = this.messages.find((message) => seqOf(message) > seen);
    const next = messageAfter(this.#since);
    this.#since.remove();
    if (first) first.before(this.#since);
    else this.#since = null;
    for (const message of [next, first]) if (message) arrange(message);
  }

  #find(id) {
    const known = document.getElementById(id);
    return known && this.#list.contains(known) ? known : null;
  }

  /** Put a message in its place by `seq`: nearly always at the end. */
  #insert(message) {
    quiet(message);
    const seq = seqOf(message);
    const previous = this.messages.findLast((other) => seqOf(other) < seq);
    if (previous) previous.after(message);
    else if (this.#list.querySelector(".more--older")) this.#list.querySelector(".more--older").after(message);
    else this.#list.prepend(message);
    if (seq === this.sinceSeq && !this.#since.isConnected) message.before(this.#since);
    arrange(message);
    const next = messageAfter(message);
    if (next) arrange(next);
    return message;
  }

  #replace(known, message) {
    const focused = known.contains(document.activeElement);
    quiet(message);
    known.replaceWith(message);
    arrange(message);
    const next = messageAfter(message);
    if (next) arrange(next);
    if (focused) message.focus({ preventScroll: true });
  }

  #hold(message) {
    this.#held.set(message.id, message);
    if (this.#held.size <= HOLD) return;
    const [id, oldest] = this.#held.entries().next().value;
    this.#held.delete(id);
    this.#lost = Math.max(this.#lost, seqOf(oldest));
  }

  /** The stretch reaches the end, unless frames were lost meanwhile because there were too many to hold. */
  #arrive() {
    const last = this.messages.at(-1);
    if (last && this.#lost > seqOf(last)) this.#more("newer", seqOf(last));
    else this.#list.dataset.newer = "no";
  }

  #applyHeld() {
    const last = this.messages.at(-1);
    for (const [id, message] of this.#held) {
      const known = this.#find(id);
      const later = !last || seqOf(message) > seqOf(last);
      if (later && !this.reachesEnd) continue;
      this.#held.delete(id);
      if (known) this.#replace(known, message);
      else if (later) this.#insert(message);
    }
  }

  #more(side, seq) {
    const more = copy(`more-${side}`);
    const link = more.querySelector("a");
    for (const { name, value } of [...link.attributes]) link.setAttribute(name, value.replace("SEQ", seq));
    this.#list[side === "older" ? "prepend" : "append"](more);
    return more;
  }
}

/** The Tab key does not stop at every time: with a script, arrows go to the message and its actions have its link. */
const quiet = (message) => message.querySelector(".message__time")?.setAttribute("tabindex", -1);

/** The line before one: the outbox goes on from the timeline. */
const lineBefore = (line) =>
  line.previousElementSibling ?? (line.closest("#outbox") && document.getElementById("timeline").lastElementChild);

function messageAfter(line) {
  do line = line.nextElementSibling;
  while (line && !line.matches(".message"));
  return line;
}

/** The lines between two messages, or before the first. */
function between(previous, message) {
  const lines = [];
  for (let at = lineBefore(message); at && at !== previous; at = lineBefore(at)) lines.push(at);
  return lines.filter((line) => !line.matches(".more"));
}

/** Give a message its day line, and make it go on from the one before if it is of the same author, day and talk. */
export function arrange(message) {
  let previous = lineBefore(message);
  while (previous && !previous.matches(".message")) previous = lineBefore(previous);
  const lines = between(previous, message);
  const at = timeOf(message);
  const before = previous && timeOf(previous);
  const newDay = !before || before.toDateString() !== at.toDateString();
  const [line, ...others] = lines.filter((each) => each.matches(".day"));
  for (const each of newDay ? others : [line, ...others]) each?.remove();
  if (newDay) {
    const shown = line ?? lines.find((each) => each.matches(".new-since")) ?? message;
    const text = `<li class="day"><span class="day__text"></span></li>`;
    if (!line) shown.insertAdjacentHTML("beforebegin", text);
    (line ?? shown.previousElementSibling).firstElementChild.textContent = day(at);
  }
  const continues =
    !newDay &&
    !lines.some((each) => each.matches(".new-since")) &&
    previous.dataset.authorId === message.dataset.authorId &&
    !deleted(previous) &&
    !deleted(message) &&
    at - before < GROUP_WITHIN;
  message.classList.toggle("message--continues", continues);
}
