import { copy, post } from "../lib/dom.js";
import { load, save } from "../lib/store.js";
import { fit, sends, tooLong, trimmed } from "../lib/writing.js";
import { Outbox } from "../room/outbox.js";
import { Upload } from "../room/upload.js";

/** Milliseconds between two reports that one is writing. */
const TYPING_EVERY = 2_000;
/** Pixels of width below which the room, which is named at the top, is not named again. */
const NARROW = 512;

/** The form to write a message. Without script it posts as any form; here it hands what is written to the outbox. */
class MessageComposer extends HTMLElement {
  #gone;
  #form;
  #body;
  #tiles;
  #pane;
  #outbox;
  /** Pictures that were chosen, by their tile. */
  #uploads = new Map();
  #typedAt = -Infinity;

  connectedCallback() {
    this.#gone = new AbortController();
    this.#form = this.querySelector("form");
    this.#body = this.querySelector("textarea");
    this.#tiles = this.querySelector(".tiles");
    this.#pane = this.closest(".pane");
    this.#outbox = new Outbox(document.getElementById("outbox"), this.dataset.room);
    this.#body.value ||= load(this.#draft) ?? "";
    if (this.offsetWidth < NARROW) this.#body.placeholder = "Message";
    this.#fit();
    this.#listen();
  }

  disconnectedCallback() {
    this.#gone.abort();
  }

  /** Make room for the form that edits a message, or come back. */
  set away(away) {
    this.#form.hidden = away;
    if (!away) this.#body.focus();
  }

  get #draft() {
    return `draft:${this.dataset.room}`;
  }

  get #list() {
    return this.#pane.querySelector("message-list");
  }

  #listen() {
    const { signal } = this.#gone;
    const on = (target, name, act) => target.addEventListener(name, act, { signal });
    on(this.#form, "submit", (event) => this.#submit(event));
    on(this.#body, "keydown", (event) => this.#key(event));
    on(this.#body, "input", () => this.#typed());
    on(this.#body, "paste", (event) => this.#paste(event));
    on(this.querySelector("[type=file]"), "change", ({ target }) => this.#choose(target));
    on(this.#pane, "dragover", (event) => this.#drag(event, true));
    on(this.#pane, "dragleave", (event) => this.#pane.contains(event.relatedTarget) || this.#drag(event, false));
    on(this.#pane, "drop", (event) => this.#drop(event));
    on(document, "confab:message", ({ detail }) => this.#outbox.settle(detail.message));
    on(document, "confab:hello", () => this.#outbox.retry());
    on(document, "confab:session", ({ detail }) => detail === "again" && this.#outbox.retry());
    on(window, "online", () => this.#outbox.retry());
    on(window, "beforeunload", (event) => this.#outbox.uploading && event.preventDefault());
  }

  // -- writing

  #key(event) {
    if (sends(event)) this.#submit(event);
    else if (event.key === "ArrowUp" && !this.#body.value && !event.isComposing) {
      event.preventDefault();
      this.#list.editLast();
    }
  }

  #typed() {
    this.#fit();
    this.#complain("");
    save(this.#draft, this.#body.value);
    if (!this.#body.value.trim() || performance.now() - this.#typedAt < TYPING_EVERY || "gone" in this.#pane.dataset) return;
    this.#typedAt = performance.now();
    post(this.dataset.typing).catch(() => {});
  }

  #fit() {
    fit(this.#body, this.querySelector("output"));
  }

  #submit(event) {
    event.preventDefault();
    const body = trimmed(this.#body.value);
    const uploads = [...this.#uploads.values()];
    if (!body && !uploads.length) return;
    const refused = uploads.some((upload) => upload.state === "refused");
    const why = refused ? "A picture was refused. Remove it, or try it again; your text is kept." : tooLong(this.#body);
    this.#complain(why);
    if (why) return;
    this.#outbox.send(body, uploads);
    this.#uploads.clear();
    this.#tiles.replaceChildren();
    this.#body.value = "";
    save(this.#draft, "");
    this.#fit();
    this.#body.focus();
    this.#list.toEnd();
  }

  /** Say above the form why it was not sent, also what the server said of a form without script. */
  #complain(why) {
    const problem = this.querySelector(":scope > .composer__error") ?? document.createElement("p");
    problem.className = "error composer__error";
    problem.setAttribute("role", "alert");
    problem.textContent = why;
    if (why) this.#form.before(problem);
    else problem.remove();
    this.#body.ariaInvalid = why ? "true" : null;
  }

  // -- pictures

  #choose(input) {
    for (const file of input.files) this.#add(file);
    input.value = "";
    this.#body.focus();
  }

  /** Paste pictures; from a text editor that puts a picture of the text beside the text, take the text. */
  #paste(event) {
    const { files } = event.clipboardData;
    if (!files.length || event.clipboardData.getData("text/plain")) return;
    event.preventDefault();
    for (const file of files) this.#add(file);
  }

  #drag(event, over) {
    if (!event.dataTransfer.types.includes("Files")) return;
    event.preventDefault();
    this.#pane.toggleAttribute("data-dragging", over);
  }

  #drop(event) {
    this.#drag(event, false);
    for (const file of event.dataTransfer.files) this.#add(file);
    this.#body.focus();
  }

  #add(file) {
    const upload = new Upload(this.dataset.upload, file);
    const tile = copy("tile");
    const show = () => this.#showTile(tile, upload);
    tile.querySelector("img").src = upload.preview;
    tile.querySelector("img").alt = file.name;
    tile.title = file.name;
    tile.querySelector("img").onerror = () => (tile.dataset.kind = file.name.split(".").at(-1).slice(0, 5));
    tile.addEventListener("click", (event) => this.#pressed(event, tile, upload));
    upload.addEventListener("change", show);
    this.#uploads.set(tile, upload);
    this.#tiles.append(tile);
    show();
  }

  #showTile(tile, upload) {
    if (!this.#uploads.has(tile)) return;
    tile.dataset.state = upload.state;
    tile.querySelector(".tile__retry").hidden = upload.state !== "refused" || upload.final;
    tile.querySelector("progress").value = upload.progress;
    if (upload.reason) this.#complain(this.#refusals());
  }

  /** Why pictures were refused, each with its name. */
  #refusals() {
    return [...this.#uploads.values()].filter(({ state }) => state === "refused").map(({ name, reason }) => `${name}: ${reason}`).join("\n");
  }

  #pressed(event, tile, upload) {
    if (event.target.closest(".tile__retry")) {
      upload.start();
      this.#showTile(tile, upload);
    } else if (event.target.closest(".tile__remove")) {
      this.#uploads.delete(tile);
      tile.remove();
      upload.cancel();
    } else {
      return;
    }
    this.#complain(this.#refusals());
    this.#body.focus();
  }
}

customElements.define("message-composer", MessageComposer);
