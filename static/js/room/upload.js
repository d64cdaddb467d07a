import { meta, post, reason } from "../lib/dom.js";

/** Milliseconds after which a picture that does not get through gives way to the next. */
const LONGEST = 180_000;

/** Pictures are sent one by one. */
let line = Promise.resolve();

/** A picture that was chosen. Says `change` whenever its state or progress is another. */
export class Upload extends EventTarget {
  #url;
  #file;
  #request = null;

  constructor(url, file) {
    super();
    this.#url = url;
    this.#file = file;
    this.name = file.name;
    this.preview = URL.createObjectURL(file);
    this.start();
  }

  start() {
    /** `waiting`, `uploading`, `done`, `refused` (with a reason) or `gone`. */
    this.state = "waiting";
    this.progress = 0;
    this.reason = "";
    this.picture = null;
    line = line.then(() => this.state === "waiting" && this.#send());
  }

  /** Nobody wants it any more. */
  cancel() {
    this.#turn("gone");
    this.#request?.abort();
    this.release();
    if (this.picture) post(`/pictures/${this.picture.id}/delete`).catch(() => {});
  }

  release() {
    URL.revokeObjectURL(this.preview);
  }

  /** Resolves when the request has ended, whichever way. */
  #send() {
    const request = (this.#request = new XMLHttpRequest());
    const form = new FormData();
    form.append("image", this.#file);
    request.open("POST", this.#url);
    request.timeout = LONGEST;
    request.setRequestHeader("X-CSRFToken", meta("csrf-token"));
    request.setRequestHeader("HX-Request", "true");
    request.upload.onprogress = ({ loaded, total }) => this.#turn("uploading", { progress: loaded / total });
    this.#turn("uploading");
    return new Promise((ended) => {
      request.onloadend = () => {
        if (this.state !== "gone") this.#answered(request);
        ended();
      };
      request.send(form);
    });
  }

  #answered({ status, responseText }) {
    if (status === 201) {
      const tile = new DOMParser().parseFromString(responseText, "text/html").querySelector("[data-picture]");
      const { picture, width, height } = tile.dataset;
      this.#turn("done", { picture: { id: picture, width: Number(width), height: Number(height) } });
    } else {
      this.#turn("refused", { reason: status ? reason(responseText) : "No connection." });
    }
  }

  #turn(state, more = {}) {
    Object.assign(this, { state }, more);
    this.dispatchEvent(new Event("change"));
  }
}
