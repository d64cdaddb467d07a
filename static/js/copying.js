/* Copying a message gives the text as it was typed: marks that are shown as formatting are on the page, hidden. */

const TEXT = ".message__text, .prose, .quote > [dir], .context__text";

/** The text of a message, or of a part of it, as it was typed. */
export function typed(node) {
  const part = node.cloneNode(true);
  for (const word of part.querySelectorAll(".message__edited")) word.remove();
  return part.textContent;
}

/** The part of a text that is selected, as it was typed. */
function selected(text, range) {
  const part = range.cloneRange();
  if (!text.contains(part.startContainer)) part.setStart(text, 0);
  if (!text.contains(part.endContainer)) part.setEnd(text, text.childNodes.length);
  const around = part.commonAncestorContainer;
  const code = (around.closest ? around : around.parentElement).closest("code, pre");
  if (!code && seen(part.cloneContents()) === seen(text)) return typed(text);
  widen(part, around);
  return typed(part.cloneContents());
}

/** The visible text, without marks and with single spaces. */
function seen(node) {
  const part = node.cloneNode(true);
  for (const mark of part.querySelectorAll("[hidden], .message__edited")) mark.remove();
  return part.textContent.replace(/\s+/g, " ").trim();
}

/** Extend a selection over hidden marks next to it, where it reaches the end of the words that they format. */
function widen(part, around) {
  const { startContainer, startOffset, endContainer, endOffset } = part;
  for (let node = startContainer; node !== around && startOffset === 0; node = node.parentNode) {
    const mark = node.previousSibling;
    if (mark?.hidden && (node.nodeType === Node.ELEMENT_NODE || !mark.previousSibling)) part.setStartBefore(mark);
    if (mark && !(mark.hidden && !mark.previousSibling)) break;
  }
  for (let node = endContainer; node !== around && endOffset === (node.length ?? endOffset); node = node.parentNode) {
    const mark = node.nextSibling;
    if (mark?.hidden && node.nodeType === Node.ELEMENT_NODE) part.setEndAfter(mark);
    if (mark && !(mark.hidden && !mark.nextSibling)) break;
  }
}

/** Author and time of a message, where they are selected, too. */
function head(message, range) {
  const line = message.querySelector(".message__head");
  if (!line || !range.intersectsNode(line) || message.matches(".message--continues")) return [];
  return [[".message__author", "time"].map((part) => line.querySelector(part).textContent).join(" ")];
}

document.addEventListener("copy", (event) => {
  const selection = getSelection();
  if (!selection.rangeCount || selection.isCollapsed || event.target.closest?.("input, textarea")) return;
  const range = selection.getRangeAt(0);
  const texts = [...document.querySelectorAll(TEXT)].filter((text) => range.intersectsNode(text) && seen(text));
  const messages = texts.map((text) => text.closest(".message"));
  const one = texts.length === 1 && texts[0].contains(range.commonAncestorContainer);
  if (!texts.length || !(one || messages.every(Boolean))) return;
  const parts = texts.map((text, n) => [...(one ? [] : head(messages[n], range)), selected(text, range)].join("\n"));
  event.clipboardData.setData("text/plain", parts.join("\n\n"));
  event.preventDefault();
});
