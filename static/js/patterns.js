/* The pattern page: frames as high as what they show, sources to copy, and everything again when a file was saved. */

/** Milliseconds between two looks at the files. */
const EVERY = 1000;

function fit(frame) {
  const shown = frame.contentDocument?.querySelector("main");
  if (shown && frame.hasAttribute("data-grows")) frame.height = shown.offsetHeight + 2;
}

async function text(address) {
  return (await fetch(address)).text();
}

/** Loads what is in the frames again, and what is said of the template; where one has scrolled to stays. */
async function again() {
  for (const frame of document.querySelectorAll("iframe")) frame.src = frame.getAttribute("src");
  const facts = document.getElementById("facts");
  if (!facts) return;
  const open = facts.querySelector("details").open;
  const page = new DOMParser().parseFromString(await text(location.href), "text/html");
  facts.replaceChildren(...page.getElementById("facts").childNodes);
  facts.querySelector("details").open = open;
}

async function look() {
  const { version, versions } = document.body.dataset;
  const now = await text(versions).catch(() => version);
  document.body.dataset.version = now;
  if (now !== version) await again();
  setTimeout(look, EVERY);
}

for (const frame of document.querySelectorAll("iframe")) {
  frame.addEventListener("load", () => fit(frame));
  fit(frame);
}
document.addEventListener("click", async ({ target }) => {
  const button = target.closest("[data-copies]");
  if (!button) return;
  await navigator.clipboard.writeText(document.getElementById(button.dataset.copies).textContent);
  button.parentElement.querySelector("[data-copied]").textContent = "Copied";
});
look();
