/** Pixels from the end within which one is reading the end. */
const NEAR = 80;

/** Where somebody reads. The scroller is a reversed column, so it opens at its end and follows it without script. */
export class Place {
  #scroller;

  constructor(scroller) {
    this.#scroller = scroller;
  }

  /** Pixels above the end. */
  get distance() {
    return -this.#scroller.scrollTop;
  }

  get nearEnd() {
    return this.distance < NEAR;
  }

  get top() {
    return this.#scroller.getBoundingClientRect().top;
  }

  toEnd() {
    this.#scroller.scrollTop = 0;
  }

  /** The first of some messages that can be seen; and the last that can be read, at least its beginning. */
  first(messages) {
    const { top } = this;
    return messages[find(messages, (message) => message.getBoundingClientRect().bottom > top + 1)];
  }

  last(messages) {
    const view = this.#scroller.getBoundingClientRect();
    const beyond = (box) => box.bottom > view.bottom + 4 && box.top > view.top + view.height / 2;
    const message = messages[find(messages, (each) => beyond(each.getBoundingClientRect())) - 1];
    return message?.getBoundingClientRect().bottom > view.top ? message : undefined;
  }

  /**
   * Change the page without moving the line that is read; `follow` keeps the end in view instead. By hand in every browser: Safari
   * anchors nothing, none does at the very end, and Firefox moves the line when what is deleted stands below it.
   */
  keep(messages, follow, change) {
    const line = follow ? null : this.first(messages);
    const before = line?.getBoundingClientRect().bottom; // its own top may change: it gets or loses a name above it
    change();
    if (follow) this.toEnd();
    else if (line?.isConnected) this.#scroller.scrollTop += line.getBoundingClientRect().bottom - before;
  }

  /** Scroll until an element stands so many pixels below the top. */
  put(element, offset) {
    this.#scroller.scrollTop += element.getBoundingClientRect().top - this.top - offset;
  }
}

/** The index of the first of some elements, which stand in order, from which on `test` holds. */
function find(elements, test) {
  let low = 0;
  let high = elements.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (test(elements[middle])) high = middle;
    else low = middle + 1;
  }
  return low;
}
