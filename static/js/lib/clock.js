/* The server's time, for the clock of a browser is never believed. From there on a clock counts that nobody sets; it may stand
   still while the machine sleeps, so every answer of the server puts it right. */

/** Milliseconds by which an answer's Date, which has whole seconds, may differ from what we count. */
const TOLERANCE = 3_000;

let at = performance.getEntriesByType("navigation")[0]?.responseStart ?? 0;
let base = Number(document.querySelector("meta[name=now]")?.content) || Date.now();
const difference = () => Date.now() - performance.now();
let known = difference();

export const now = () => base + performance.now() - at;

/** Believe an answer of the server. */
export function hear({ headers }) {
  const told = Date.parse(headers.get("Date")) + 500;
  if (Math.abs(told - now()) > TOLERANCE) [base, at] = [told, performance.now()];
}

/** Ask the server if the machine has slept, or somebody has set its clock; once more next time if it does not answer. */
export async function check() {
  const found = difference();
  if (Math.abs(found - known) < TOLERANCE) return;
  const answer = await fetch("/healthz", { method: "HEAD", cache: "no-store" }).catch(() => null);
  if (!answer) return;
  known = found;
  hear(answer);
}
