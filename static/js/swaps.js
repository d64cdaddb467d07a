/* The htmx extension `swaps`: ways to put a fragment into the page that htmx does not have. */

import { viewer } from "./lib/dom.js";
import { localise } from "./lib/times.js";

const { htmx } = window;

const styles = {
  /** Messages of a stream, and pages of history: the list knows where they belong. */
  timeline: (target, fragment) => target.closest("message-list").take(target, fragment),
  older: (target, fragment) => target.closest("message-list").takePage(target, fragment, "older"),
  newer: (target, fragment) => target.closest("message-list").takePage(target, fragment, "newer"),
  mirror: (_, fragment) => [...fragment.children].flatMap(mirror),
  typing: (target, fragment) => {
    for (const name of fragment.children) if (name.dataset.personId !== viewer) target.show(name);
    return [];
  },
};

htmx.defineExtension("swaps", {
  handleSwap(style, target, fragment) {
    if (!styles[style]) return false;
    try {
      return styles[style](target, fragment);
    } catch (error) {
      // htmx would fall back to innerHTML and wipe the target.
      console.error(error);
      if (style === "timeline") target.append(fragment);
      return true;
    }
  },
});

/** Replace every element of the page that shows the same thing: those with the same `data-live`.
    One with `data-gone` takes them away, one with `data-into` is added there if there is none yet. */
function mirror(shown) {
  const { live, into, gone } = shown.dataset;
  localise(shown);
  const places = [...document.querySelectorAll(`[data-live="${CSS.escape(live ?? "")}"]`)];
  if (gone !== undefined) places.splice(0).forEach((place) => place.remove());
  else if (!places.length && into) document.getElementById(into)?.append(shown);
  else if (!places.length && live.startsWith("unread:")) htmx.findAll("#room-list").forEach((list) => htmx.trigger(list, "refresh"));
  const added = places.map((place) => {
    const copy = shown.cloneNode(true);
    place.replaceWith(copy);
    return copy;
  });
  document.dispatchEvent(new CustomEvent("confab:mirror", { detail: shown }));
  return added;
}
