import { now } from "../lib/clock.js";
import { copy, reason } from "../lib/dom.js";
import { renew } from "../lib/session.js";
import { clock } from "../lib/times.js";

const { htmx } = window;
/** The box into which the timeline fits a single picture: BOX of chat/messages/contexts.py. */
const BOX = [440, 320];
/** Answers after which the same may be tried again by itself: nobody has said no. */
const AWAY = [0, 408, 502, 503, 504];

/** A message that is being sent: a copy of the partial that everybody sees, with a form of its own. */
export class Bubble {
  #outbox;
  #form;

  /** `entry` is what is kept over a reload: client_id, body, pictures, state, reason. */
  constructor(outbox, entry, uploads = []) {
    this.#outbox = outbox;
    this.entry = entry;
    this.uploads = uploads;
    this.element = copy("bubble");
    this.element.id = `bubble_${entry.client_id}`;
    this.element.dataset.clientId = entry.client_id;
    this.element.classList.add("message--pending");
    this.#fill();
    for (const upload of uploads) upload.addEventListener("change", () => this.#uploaded());
    if (uploads.length) this.#uploaded();
    this.show(entry.state, entry.reason);
  }

  /** Whether nothing but the request is missing. */
  get ready() {
    return this.entry.state === "pending" && this.uploads.every((upload) => upload.state === "done");
  }

  send() {
    for (const old of this.#form.querySelectorAll("[name=picture]")) old.remove();
    for (const { id } of this.entry.pictures) this.#form.append(field("picture", id));
    htmx.trigger(this.#form, "send");
  }

  show(state, why = "") {
    Object.assign(this.entry, { state, reason: why });
    this.element.dataset.state = state;
    const [word, problem, choices] = ["word", "reason", "choices"].map((part) => this.#form.querySelector(`.sending__${part}`));
    const done = this.uploads.filter((upload) => upload.state === "done").length;
    word.textContent = done < this.uploads.length ? `Uploading ${done + 1} of ${this.uploads.length}` : "Sending";
    if (state === "waiting") word.textContent = why || "Waiting for a connection";
    problem.textContent = why;
    problem.hidden = choices.hidden = state !== "failed";
    // Trying again helps unless every refusal is final.
    const refused = this.uploads.filter((upload) => upload.state === "refused");
    choices.firstElementChild.hidden = refused.length > 0 && refused.every((upload) => upload.final);
    choices.querySelector("[data-without]").hidden = !refused.length || (done === 0 && !this.entry.body);
  }

  remove() {
    for (const upload of this.uploads) upload.release();
    this.element.remove();
  }

  // -- inside

  #fill() {
    const body = this.element.querySelector(".message__body");
    const time = this.element.querySelector("time");
    time.dateTime = new Date(now()).toISOString();
    time.textContent = clock(new Date(now()));
    if (this.entry.body) body.append(text(this.entry.body));
    if (this.uploads.length) body.append(pictures(this.uploads));
    this.#form = copy("sending");
    this.#form.append(field("client_id", this.entry.client_id), field("body", this.entry.body));
    this.#form.addEventListener("htmx:afterRequest", (event) => this.#answered(event));
    this.#form.addEventListener("click", (event) => this.#chosen(event));
    body.append(this.#form);
  }

  #uploaded() {
    const refused = this.uploads.find((upload) => upload.state === "refused");
    this.entry.pictures = this.uploads.map((upload) => upload.picture).filter(Boolean);
    this.entry.missing = this.uploads.length - this.entry.pictures.length;
    if (refused) this.show("failed", `Not sent. ${refused.reason}`);
    else this.show("pending");
    this.#outbox.changed();
  }

  #answered(event) {
    const { xhr } = event.detail;
    event.stopPropagation();
    if (xhr.status === 201) {
      this.show("sent");
      this.#outbox.sent(this, Number(xhr.getResponseHeader("Chat-Seq")));
    } else if (xhr.status === 202) {
      this.show("sent");
      this.#outbox.held(this);
    } else if (xhr.status === 401 || xhr.status === 403) {
      return this.#renew(reason(xhr.responseText, "Not sent. Try again."));
    } else if (AWAY.includes(xhr.status)) {
      this.show("waiting");
      this.#outbox.later(1000 * Number(xhr.getResponseHeader("Retry-After")));
    } else {
      this.show("failed", reason(xhr.responseText, "Not sent. Try again."));
    }
    this.#outbox.changed(this);
  }

  /** Signed out, or signed in again elsewhere: go on in the new session, wait for one, or say why it was refused. */
  async #renew(why) {
    const who = await renew();
    if (who === "same") this.show("failed", why);
    else if (who === "again") this.show("pending");
    else this.show("waiting", "Waiting until you sign in");
    this.#outbox.changed(this);
  }

  #chosen({ target }) {
    const button = target.closest("button");
    if (!button) return;
    if ("discard" in button.dataset) {
      for (const upload of this.uploads) upload.cancel();
      this.#outbox.discard(this);
      return;
    }
    const refused = this.uploads.filter((upload) => upload.state === "refused");
    if ("without" in button.dataset) {
      this.uploads = this.uploads.filter((upload) => upload.state !== "refused");
      for (const upload of refused) upload.cancel();
      this.element.querySelector(".pictures").replaceWith(pictures(this.uploads));
      this.#uploaded();
    } else if (refused.length) {
      for (const upload of refused) if (!upload.final) upload.start();
    }
    this.entry.missing = 0;
    this.show("pending");
    this.#outbox.changed();
  }
}

function field(name, value) {
  return Object.assign(document.createElement("input"), { type: "hidden", name, value });
}

/** The text as it was typed: the server knows what the marks in it mean. */
function text(body) {
  const shown = document.createElement("div");
  shown.className = "message__text";
  shown.dir = "auto";
  shown.append(document.createElement("p"));
  shown.firstChild.textContent = body;
  return shown;
}

/** The pictures in the size they will have, so that nothing moves when the message comes. */
function pictures(uploads) {
  const list = document.createElement("ul");
  list.className = "pictures";
  list.dataset.count = uploads.length;
  for (const upload of uploads) {
    const item = document.createElement("li");
    const image = document.createElement("img");
    item.className = "picture";
    image.className = "picture__image";
    image.alt = upload.name;
    const size = (width, height) => {
      const scale = Math.min(1, BOX[0] / width, BOX[1] / height);
      [image.width, image.height] = [width, height].map((side) => Math.max(1, Math.round(side * scale)));
    };
    if (upload.picture) size(upload.picture.width, upload.picture.height);
    image.onload = () => size(image.naturalWidth, image.naturalHeight);
    image.src = upload.preview;
    item.append(image);
    list.append(item);
  }
  return list;
}
