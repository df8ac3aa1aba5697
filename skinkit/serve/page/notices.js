/** Messages: toasts that go by themselves, and a line that only screen readers hear. */

import { byId, element } from "./dom.js";

const SECONDS = 6;

/** Shows a message, for a while or until it is closed; it stays under the mouse and under the focus. */
export function toast(text, stays = false) {
  const close = element("button", { type: "button", "aria-label": "Close message", click: () => made.remove() }, "×");
  const made = element("div", { class: "toast" }, element("p", {}, text), close);
  byId("toasts").append(made);
  const end = () => (made.matches(":hover, :focus-within") ? setTimeout(end, 1000) : made.remove());
  if (!stays) setTimeout(end, 1000 * SECONDS);
}

/** Says something that everybody else sees anyway. */
export function say(text) {
  byId("live").textContent = text;
}
