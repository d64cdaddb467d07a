/* The fields of a form are kept until the next page: if that is the one to sign in, they are filled in again afterwards. */

import { viewer } from "./lib/dom.js";

/** In the tab alone, and per person. */
const KEY = `confab:${viewer}:form`;
/** Fields that are not written by hand, or must not be kept. */
const NOT_KEPT = /csrf_token|client_id|token|password/;

addEventListener("submit", ({ target, defaultPrevented }) => {
  if (defaultPrevented || target.method !== "post") return;
  const fields = [...new FormData(target)].filter(([name, value]) => typeof value === "string" && !NOT_KEPT.test(name));
  sessionStorage.setItem(KEY, JSON.stringify([target.getAttribute("action"), fields]));
});

const [action, fields] = JSON.parse(sessionStorage.getItem(KEY)) ?? [];
sessionStorage.removeItem(KEY);
const form = action && [...document.forms].find((each) => each.getAttribute("action") === action);
if (form && document.referrer && new URL(document.referrer).pathname === "/sign-in") {
  for (const control of form.elements) {
    const values = fields.filter(([name]) => name === control.name).map(([, value]) => value);
    if (/^(checkbox|radio)$/.test(control.type)) control.checked = values.includes(control.value);
    else if (values.length && !/^(hidden|submit)$/.test(control.type)) control.value = values[0];
  }
}
