const { htmx } = window;
/** After a reconnect everybody's list is fetched again, spread over so many milliseconds. */
const SPREAD = 1_500;

/** The list is replaced as a whole, so what outlives one is kept here. */
const title = document.title;
let order = [];
let busy = false;
/** Whether the pointer is over the list, by events: while a pointer leaves, Firefox still matches :hover. */
let pointed = false;

/** The list of one's rooms: latest first, but never moving under the pointer or the focus; the title counts for it. */
class RoomList extends HTMLElement {
  #gone;
  #stale = 0;

  connectedCallback() {
    this.#gone = new AbortController();
    const { signal } = this.#gone;
    const on = (target, name, act) => target.addEventListener(name, act, { signal });
    // Of the whole page, because a list that has just come under a resting pointer is neither entered nor left.
    on(document, "pointerover", ({ target }) => this.#point(this.contains(target)));
    on(this, "focusin", () => (busy = true));
    on(this, "pointerleave", () => this.#point(false));
    on(this, "focusout", ({ relatedTarget }) => this.#rest(relatedTarget));
    on(this, "htmx:beforeSwap", () => (order = this.#rows.map((row) => row.dataset.room)));
    on(document, "confab:mirror", ({ detail }) => this.#changed(detail.dataset.live));
    on(document, "confab:hello", () => this.#refreshSoon());
    on(document, "visibilitychange", () => document.hidden || (this.#stale === -1 && this.#refreshSoon()));
    if (this.matches(":hover")) busy = pointed = true; // at rest there since before anybody listened
    for (const link of this.querySelectorAll(".row")) {
      const here = `${location.pathname}/`.startsWith(`${link.pathname}/`);
      if (here) link.ariaCurrent = "page";
      else link.removeAttribute("aria-current");
    }
    if (busy) this.#arrange((row) => order.indexOf(row.dataset.room) + 1 || Infinity);
    this.#count();
  }

  disconnectedCallback() {
    clearTimeout(this.#stale);
    this.#gone.abort();
  }

  get #rows() {
    return [...this.querySelectorAll("li[data-room]")];
  }

  #refreshSoon() {
    clearTimeout(this.#stale);
    this.#stale = document.hidden ? -1 : setTimeout(() => htmx.trigger(this, "refresh"), Math.random() * SPREAD);
  }

  #changed(live = "") {
    const [what, room] = live.split(":");
    if (what === "unread") this.#count();
    if (what !== "time") return;
    const row = this.#rows.find((each) => each.dataset.room === room);
    if (row) row.dataset.activeAt = row.querySelector("time").dateTime;
    if (!busy) this.#sort();
  }

  #point(at) {
    pointed = at;
    if (at) busy = true;
    else if (busy) this.#rest(document.activeElement);
  }

  /** `focused` has the focus now; it may be outside of the list. */
  #rest(focused) {
    busy = pointed || this.contains(focused);
    if (!busy) this.#sort();
  }

  #sort() {
    this.#arrange((row) => -Date.parse(row.dataset.activeAt));
  }

  /** Put the rows in order, touching none that stands right. */
  #arrange(key) {
    const rows = this.#rows;
    const sorted = rows.toSorted((a, b) => key(a) - key(b) || 0);
    if (sorted.some((row, at) => row !== rows[at])) rows[0].parentElement.append(...sorted);
  }

  #count() {
    const counts = [...this.querySelectorAll(".badge")].map((badge) => Number(badge.dataset.count));
    const sum = counts.reduce((all, each) => all + each, 0);
    document.title = sum ? `(${sum}) ${title}` : title;
  }
}

customElements.define("room-list", RoomList);
