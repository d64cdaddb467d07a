import { meta, post, reason } from "../lib/dom.js";

/** Milliseconds after which a picture that does not get through gives way to the next. */
const LONGEST = 180_000;

/** Bytes of a picture: MAX_BYTES of chat/pictures. */
export const MOST = 10 * 1024 * 1024;
export const TOO_LARGE = "The picture is over 10 MB.";
/** Answers after which the same file would be refused again. */
const FINAL = [413, 415, 422];

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
    /** `waiting`, `uploading`, `done`, `refused` (with a reason; `final` if for good) or `gone`. */
    this.state = "waiting";
    this.progress = 0;
    this.reason = "";
    this.picture = null;
    this.final = this.#file.size > MOST;
    if (this.final) this.#turn("refused", { reason: TOO_LARGE });
    else line = line.then(() => this.state === "waiting" && this.#send());
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
      const why = status === 413 ? TOO_LARGE : status ? reason(responseText) : "No connection.";
      this.#turn("refused", { final: FINAL.includes(status), reason: why });
    }
  }

  #turn(state, more = {}) {
    Object.assign(this, { state }, more);
    this.dispatchEvent(new Event("change"));
  }
}
