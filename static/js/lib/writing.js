/* What every box that one writes a message in does: keys, growing, counting. */

/** The keyboard of a phone breaks the line on Enter; there is a button to send. */
const phone = matchMedia("(hover: none) and (pointer: coarse)");
const grows = CSS.supports("field-sizing", "content");
const number = new Intl.NumberFormat("en");

/** Whether a key press means "send". One that belongs to an input method never does. */
export function sends(event) {
  if (event.key !== "Enter" || event.isComposing || event.keyCode === 229) return false;
  if (event.ctrlKey || event.metaKey) return true;
  return !event.shiftKey && !event.altKey && !phone.matches;
}

/** Let the box grow with its text, and from 80 % of the limit on say how much of it is used. */
export function fit(box, count) {
  if (!grows) {
    box.style.blockSize = "auto";
    box.style.blockSize = `${box.scrollHeight + box.offsetHeight - box.clientHeight}px`;
  }
  const limit = Number(box.dataset.limit);
  const length = lengthOf(box.value);
  count.hidden = length < 0.8 * limit;
  count.textContent = `${number.format(length)} of ${number.format(limit)}`;
  count.dataset.state = length > limit ? "over" : "";
  speak(count, Math.floor((10 * length) / limit), length, limit);
}

/** Read the count out at every tenth of the limit, not at every key. */
function speak(count, tenth, length, limit) {
  count.ariaLive = "off";
  const spoken = count.nextElementSibling;
  if (!spoken?.matches("[role=status]") || spoken.dataset.tenth === String(tenth)) return;
  spoken.dataset.tenth = tenth;
  spoken.textContent = count.hidden ? "" : `${number.format(Math.abs(limit - length))} characters ${length > limit ? "too many" : "left"}`;
}

/** Why a text is too long to be sent; empty if it is not. */
export function tooLong(box) {
  const length = lengthOf(trimmed(box.value));
  if (length <= Number(box.dataset.limit)) return "";
  const limit = number.format(box.dataset.limit);
  return `A message holds ${limit} characters; this one has ${number.format(length)}. Shorten it or send it in parts.`;
}

/** A text as the server takes it: the first of several lines keeps its indentation. */
export function trimmed(text) {
  const lines = text.trimEnd().replace(/^(?:[ \t]*\n)+/, "");
  return lines.includes("\n") ? lines : lines.trimStart();
}

/** Characters as the server counts them: one for an emoji, not two. */
const lengthOf = (text) => text.length - (text.match(/[\ud800-\udbff][\udc00-\udfff]/g) ?? []).length;
