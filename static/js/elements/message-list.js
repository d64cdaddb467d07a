import { viewer } from "../lib/dom.js";
import { load } from "../lib/store.js";
import { refused } from "../refusals.js";
import { Actions } from "../room/actions.js";
import { Connection } from "../room/connection.js";
import { Place } from "../room/place.js";
import { Reading } from "../room/reading.js";
import { Timeline } from "../room/timeline.js";

const { htmx } = window;
/** Pixels above the end at which the way back to it appears, and before a loader at which it is reached. */
const FAR = 50;
const AHEAD = 600;
/** Milliseconds within which changes are looked at once. A frame of the screen may be a second away though it is visible. */
const SOON = 16;
/** More arrivals a second than this are not animated. */
const CALM = 3;

/** A room's messages: follows the end or keeps the reading place, fetches history, reports what was read. */
class MessageList extends HTMLElement {
  #gone = new AbortController();
  #place;
  #timeline;
  #reading;
  #connection;
  #actions;
  #following = true;
  #new = 0;
  #arrivals = [];
  #looking = 0;
  #latest = false;
  #kept = null;
  #retries = 0;
  #loaders = null;

  connectedCallback() {
    this.scroller = this.querySelector(".scroller");
    this.pill = this.querySelector("[data-jump]");
    this.#place = new Place(this.scroller);
    this.#actions = new Actions(this.dataset.room);
    this.#connection = new Connection(this.querySelector("[data-connection]"), this.dataset.room);
    this.#loaders = new IntersectionObserver((seen) => this.#reach(seen), { root: this.scroller, rootMargin: `${AHEAD}px` });
    this.#adopt();
    this.#reading = new Reading(this.dataset, this.#readAlready());
    this.#listen();
    this.#begin();
  }

  disconnectedCallback() {
    this.#gone.abort();
    this.#loaders.disconnect();
    this.#connection.stop();
    this.#reading.report();
  }

  /** Go to the end, fetching it if the page does not reach it. */
  toEnd() {
    this.#following = true;
    if (this.#timeline.reachesEnd) {
      this.#place.toEnd();
      this.#look();
    } else {
      this.#latest = true;
      htmx.trigger(this.#live, "latest");
    }
  }

  /** Open the form to edit one's own last message. */
  editLast() {
    const mine = `[data-author-id="${viewer}"]:not(.message--deleted)`;
    const message = this.#timeline.messages.findLast((each) => each.matches(mine));
    if (message) this.#actions.edit(message);
  }

  /** Put the day lines right: the zone or the day is another. */
  arrange() {
    this.#timeline.arrange();
  }

  /** Another day has begun: what was today is yesterday, and need not be read out. */
  newDay() {
    this.#hush();
    this.arrange();
  }

  // -- what htmx brings, by the swap styles `timeline`, `older` and `newer`

  take(list, fragment) {
    const messages = [...fragment.querySelectorAll(".message")];
    let added = [];
    this.#change(() => (added = this.#timeline.take(messages)));
    if (added.length) this.#animate(added);
    else this.#hush();
    this.querySelector(".start--timeline")?.remove();
    return [...added, ...this.#trim()];
  }

  takePage(list, fragment, side) {
    let loaders = [];
    this.#hush();
    this.#change(() => (loaders = this.#timeline.takePage(fragment, side)));
    return [...loaders, ...this.#trim()];
  }

  #change(change) {
    this.#following = this.#atEnd; // asked now: the frame after a scroll may be late
    this.#place.keep(this.#timeline.messages, this.#following, change);
    this.#lookSoon();
  }

  #trim() {
    const { messages } = this.#timeline;
    const near = this.#following ? messages.at(-1) : this.#place.first(messages);
    let ways = [];
    this.#place.keep(messages, this.#following, () => (ways = this.#timeline.trim(near)));
    this.#watch();
    return ways;
  }

  #animate(added) {
    const now = performance.now();
    this.#arrivals = [...this.#arrivals.filter((at) => now - at < 1000), ...added.map(() => now)];
    if (this.#arrivals.length > CALM) return;
    for (const message of added) if (message.dataset.authorId !== viewer) message.dataset.arrived = "";
  }

  /** Only additions are read out: not history, not what was edited, not what was fetched again. */
  #hush() {
    const live = this.#live;
    live.ariaLive = "off";
    setTimeout(() => live.removeAttribute("aria-live"), 500);
  }

  // -- the live part, which is fetched again on `reset`

  get #live() {
    return this.querySelector("#live");
  }

  #adopt() {
    this.#timeline = new Timeline(this.querySelector("#timeline"), Number(load(`seen:${this.dataset.room}`)));
    this.#watch();
  }

  #asks({ detail }) {
    if (detail.elt.id !== "live" || this.#latest || this.#following) return;
    const line = this.#place.last(this.#timeline.messages);
    if (!line) return;
    detail.parameters.around = line.dataset.seq;
    this.#kept = { id: line.id, offset: line.getBoundingClientRect().top - this.#place.top };
  }

  #swaps({ detail, target }) {
    if (target.id !== "live") return;
    detail.serverResponse = detail.serverResponse.replace('role="log"', 'role="log" aria-live="off"');
  }

  #swapped({ target }) {
    if (target.id !== "live") return;
    const line = this.#kept && document.getElementById(this.#kept.id);
    this.#adopt();
    if (line) this.#place.put(line, this.#kept.offset);
    else this.#place.toEnd();
    this.#latest = false;
    this.#kept = null;
    this.#new = 0;
    this.#hush();
    this.#lookSoon();
    for (const message of this.#timeline.messages) {
      document.dispatchEvent(new CustomEvent("confab:message", { detail: { message, fresh: false } }));
    }
  }

  #answered({ detail }) {
    const { elt } = detail.requestConfig;
    if (elt.closest(".more")) this.#timeline.loading = false;
    if (elt.id !== "live") return;
    if (!refused(detail)) this.#retries = 0;
    else if (detail.xhr.status === 404) this.#remove();
    else if (detail.xhr.status !== 401) setTimeout(() => htmx.trigger(this.#live, "latest"), 1000 * 2 ** Math.min(this.#retries++, 5));
  }

  #remove() {
    this.closest(".pane").dataset.gone = "";
    this.#connection.remove();
    this.#reading.stop();
  }

  // -- history

  #watch() {
    this.#loaders.disconnect();
    for (const more of this.querySelectorAll(".more")) this.#loaders.observe(more);
  }

  #reach(seen) {
    const [first] = seen.filter((each) => each.isIntersecting);
    if (!first || this.#timeline.loading) return;
    htmx.trigger(first.target.querySelector("a"), "reached");
  }

  // -- reading

  #begin() {
    const id = this.#timeline.list.dataset.target ?? location.hash.slice(1);
    const target = /^message_/.test(id) && document.getElementById(id);
    const since = this.querySelector(".new-since");
    const height = this.scroller.clientHeight;
    if (target) {
      this.#place.put(target, (height - target.offsetHeight) / 2);
      target.dataset.flash = "";
      target.focus({ preventScroll: true });
      if (matchMedia("(hover: none)").matches) this.#actions.show(null);
      setTimeout(() => delete target.dataset.flash, 1500);
    } else if (since) {
      this.#place.toEnd();
      if (since.getBoundingClientRect().top < this.#place.top) this.#place.put(since, height / 6);
    }
    // A pointer that rests has come over its message before anybody listened.
    if (!target && matchMedia("(hover: hover)").matches) this.#actions.show(this.querySelector("#timeline .message:hover"));
    this.#look();
  }

  /** What was read before this page was made: all of it, or all up to the line. */
  #readAlready() {
    const all = this.#timeline.messages;
    const at = all.findIndex((message) => Number(message.dataset.seq) === this.#timeline.sinceSeq);
    return Number((at < 0 ? all.at(-1) : all[at - 1])?.dataset.seq ?? 0);
  }

  get #atEnd() {
    return this.#place.nearEnd && this.#timeline.reachesEnd;
  }

  #lookSoon() {
    this.#looking ||= setTimeout(() => this.#look(), SOON);
  }

  #leave() {
    this.#look();
    this.#reading.report();
  }

  #look() {
    this.#looking = 0;
    const { messages, reachesEnd } = this.#timeline;
    this.#following = this.#atEnd;
    if (this.#following) this.#new = 0;
    const last = this.#place.last(messages);
    if (last) this.#reading.see(last);
    this.pill.hidden = reachesEnd && this.#place.distance <= FAR;
    if (this.pill.hidden) return;
    this.pill.toggleAttribute("data-new", this.#new > 0);
    this.pill.querySelector(".pill__text").textContent = this.#new ? `${this.#new} new` : "Latest";
  }

  // -- listening

  #listen() {
    const { signal } = this.#gone;
    const on = (target, name, act) => target.addEventListener(name, act, { signal, passive: name === "scroll" });
    on(this.scroller, "scroll", () => this.#lookSoon());
    on(this, "keydown", (event) => this.#key(event));
    on(this, "pointerover", (event) => event.pointerType === "mouse" && this.#actions.show(this.#messageOf(event)));
    on(this, "pointerleave", () => this.#actions.show(null));
    on(this, "focusin", (event) => this.#select(event));
    on(this, "pointerdown", (event) => this.#press(event));
    on(this, "contextmenu", (event) => this.querySelector("dialog.sheet") && event.preventDefault());
    on(this.pill, "click", (event) => this.#jump(event));
    on(this, "htmx:configRequest", (event) => this.#asks(event));
    on(this, "htmx:beforeRequest", ({ target }) => target.closest(".more") && (this.#timeline.loading = true));
    on(this, "htmx:beforeSwap", (event) => this.#swaps(event));
    on(this, "htmx:afterSwap", (event) => this.#swapped(event));
    on(this, "htmx:afterRequest", (event) => this.#answered(event));
    on(document, "visibilitychange", () => (document.hidden ? this.#reading.report() : this.#look()));
    // Before the next page is asked for, so that it is made with what was read on this one.
    for (const name of ["beforeunload", "pagehide"]) on(window, name, () => this.#leave());
    on(document, "confab:hello", () => this.#watch());
    on(document, "confab:message", ({ detail }) => this.#count(detail));
    this.#connection.listen();
  }

  #count({ message, fresh }) {
    if (fresh && !this.#following && message.dataset.authorId !== viewer) this.#new += 1;
  }

  #messageOf(event) {
    return event.target.closest("#timeline .message");
  }

  #press(event) {
    const message = this.#messageOf(event);
    if (event.pointerType === "touch" && message && !event.target.closest("a, button, dialog")) this.#actions.press(message, event);
  }

  /** The bar comes with a message that the arrows have chosen; neither a finger nor the Tab key asks for it. */
  #select({ target }) {
    const message = target.closest("#timeline .message");
    const chosen = target === message && target.matches(":focus-visible");
    this.#actions.show(chosen || message?.querySelector(".actions") ? message : null);
  }

  #jump(event) {
    event.preventDefault();
    this.toEnd();
    this.scroller.focus({ preventScroll: true });
  }

  /** Arrows go from message to message and between the actions of one; Escape goes back to writing. */
  #key(event) {
    const message = this.#messageOf(event);
    if (event.target.closest("dialog") || (!message && event.target !== this.scroller)) return;
    const { messages } = this.#timeline;
    const step = { ArrowUp: -1, ArrowDown: 1 }[event.key];
    const side = { ArrowLeft: "previous", ArrowRight: "next" }[event.key];
    if (step) {
      const next = message ? messages[messages.indexOf(message) + step] : this.#place.last(messages);
      next?.focus();
    } else if (side && event.target.matches(".action")) {
      let next = event.target;
      do next = next[`${side}ElementSibling`];
      while (next && !next.offsetParent);
      if (next) event.target.tabIndex = -1;
      if (next) next.tabIndex = 0;
      next?.focus();
    } else if (event.key === "Escape" && message) {
      document.getElementById("body").focus();
    } else {
      return;
    }
    event.preventDefault();
  }
}

customElements.define("message-list", MessageList);
