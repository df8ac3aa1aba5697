/** The dialog that asks for the token. It keeps nothing. */

import { byId } from "./dom.js";

let asking = null;

/** Asks once, however many requests want the token. Returns it, or `null` where none was given. */
export function askToken(refused) {
  asking ??= ask(refused).finally(() => (asking = null));
  return asking;
}

function ask(refused) {
  const dialog = byId("token");
  const field = byId("token-value");
  byId("token-text").textContent = refused
    ? "It did not accept that token. Try another."
    : "Whoever runs the service can give you one.";
  dialog.returnValue = "";
  dialog.showModal();
  field.focus();
  return new Promise((resolve) => {
    const closed = () => {
      resolve(dialog.returnValue === "use" ? field.value : null);
      field.value = "";
    };
    dialog.addEventListener("close", closed, { once: true });
  });
}
