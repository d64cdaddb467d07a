/* The login session of this page. It may end in another tab, and another begin there: then this page goes on in that one, or
   stands still if it is somebody else's. Told as `confab:session`: `again`, or `other`. */

import { meta, tell, viewer } from "./dom.js";

const NAME = "confab:session";
const PARTS = ["csrf-token", "stream-key"];
let asking = null;

/** Ask who is signed in by now: `same` session, `again` the same person, an `other` one, or nobody (`out`). */
export function renew() {
  return (asking ??= ask().catch(() => "out").finally(() => (asking = null)));
}

async function ask() {
  const answer = await fetch("/profile", { cache: "no-store" });
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const told = (name) => page.querySelector(`meta[name="${name}"]`)?.content;
  if (!told("viewer")) return "out";
  if (told("stream-key") === meta("stream-key")) return "same";
  const found = told("viewer") === viewer ? "again" : "other";
  if (found === "again") take(told);
  tell("confab:session", found);
  return found;
}

function take(told) {
  for (const name of PARTS) document.querySelector(`meta[name="${name}"]`).content = told(name);
  const token = told("csrf-token");
  document.body.setAttribute("hx-headers", JSON.stringify({ "X-CSRFToken": token }));
  for (const input of document.querySelectorAll("[name=csrf_token]")) input.value = token;
}

/** Every page says which session it is of; tabs hear it, also those that were out of sight. */
function compare() {
  const latest = localStorage.getItem(NAME);
  if (!document.hidden && latest && latest !== meta("stream-key")) renew();
}

if (meta("stream-key")) {
  localStorage.setItem(NAME, meta("stream-key"));
  addEventListener("storage", compare);
  addEventListener("pageshow", ({ persisted }) => persisted && compare());
  document.addEventListener("visibilitychange", compare);
  document.addEventListener("confab:refused", renew);
}
