/* Times in the reader's zone, in the same words as chat/web/zones.py. Pages come in that zone once the cookie below is
   set; what is broadcast comes in UTC and is made local here before it is shown. */

import { check, now } from "./clock.js";

const DAY = 86_400_000;
const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
const two = (number) => String(number).padStart(2, "0");
const name = (date, field, length) => date.toLocaleDateString("en-US", { [field]: length });
const midnight = (date) => new Date(date.getFullYear(), date.getMonth(), date.getDate());
const today = () => midnight(new Date(now()));
// Rounded, for days of 23 and 25 hours.
const daysAgo = (date) => Math.round((today() - midnight(date)) / DAY);
const year = (date) => (date.getFullYear() === today().getFullYear() ? "" : ` ${date.getFullYear()}`);

export const clock = (date) => `${two(date.getHours())}:${two(date.getMinutes())}`;

export function day(date) {
  const age = daysAgo(date);
  if (age === 0 || age === 1) return age ? "Yesterday" : "Today";
  return `${name(date, "weekday", "long")} ${date.getDate()} ${name(date, "month", "long")}${year(date)}`;
}

function when(date) {
  const age = daysAgo(date);
  if (age === 0) return clock(date);
  if (age > 0 && age < 7) return age === 1 ? "Yesterday" : name(date, "weekday", "long");
  return `${date.getDate()} ${name(date, "month", "short")}${year(date)}`;
}

function ago(date) {
  const seconds = (now() - date) / 1000;
  if (seconds < 90) return "now";
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ago`;
  return seconds < 24 * 3600 ? `${Math.floor(seconds / 3600)} h ago` : within(date);
}

/** The day as it stands inside a sentence. */
const within = (date) => when(date).replace("Yesterday", "yesterday");

function since(date) {
  return daysAgo(date) > 0 ? `${within(date)}, ${clock(date)}` : clock(date);
}

const stamp = (date) =>
  `${name(date, "weekday", "long")} ${date.getDate()} ${name(date, "month", "long")} ${date.getFullYear()}, ${clock(date)}`;

const styles = { clock, when, ago, since, stamp };

/** Make every <time> inside local. `data-style` says how it is written; with `title` only its tooltip is. */
export function localise(root) {
  for (const time of root.querySelectorAll("time[datetime]")) write(time);
  if (root.matches?.("time[datetime]")) write(root);
}

function write(time) {
  const date = new Date(time.dateTime);
  const style = time.dataset.style ?? "clock";
  const text = style === "title" ? time.textContent : styles[style](date);
  if (time.textContent !== text) time.textContent = text;
  time.title = stamp(date);
}

/** Let the server know the zone; true if this page was made for another one. */
export function keepZone() {
  if (!zone || document.cookie.split("; ").includes(`tz=${zone}`)) return false;
  const secure = location.protocol === "https:" ? "; secure" : "";
  document.cookie = `tz=${zone}; path=/; max-age=31536000; samesite=lax${secure}`;
  return true;
}

/** Keep times that are told in relation to now true: at every minute, midnight included, and when the page is shown again.
    `newDay` is called when another day has begun. */
export function keepTrue(newDay) {
  let day = Number(today());
  const look = async () => {
    await check();
    if (document.hidden) return;
    if (day !== (day = Number(today()))) newDay();
    for (const time of document.querySelectorAll("time[data-style]:not([data-style=title])")) write(time);
  };
  const wait = () => setTimeout(() => look(wait()), 60_050 - (now() % 60_000));
  wait();
  document.addEventListener("visibilitychange", look);
  addEventListener("pageshow", ({ persisted }) => persisted && look());
}
