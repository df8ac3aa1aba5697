/** The grid of images: one card each, with its mark, its word and its buttons. */

import { openDetail } from "./dialog.js";
import { byId, element, put } from "./dom.js";
import { say } from "./notices.js";
import { tidy } from "./predict.js";
import { changed, inOrder } from "./state.js";
import { forget } from "./upload.js";
import { verdict } from "./verdict.js";

const cards = new Map();

/** Brings the grid up to date; cards stay the same elements, so that focus stays where it is. */
export function drawGrid() {
  const images = inOrder();
  for (const [image, { item }] of cards) {
    if (images.includes(image)) continue;
    item.remove();
    cards.delete(image);
  }
  images.forEach((image, index) => {
    if (!cards.has(image)) cards.set(image, card(image));
    const { item, update } = cards.get(image);
    // An element that is moved loses the focus, so only what lies elsewhere is moved.
    const there = byId("grid").children[index];
    if (there !== item) byId("grid").insertBefore(item, there ?? null);
    update();
  });
}

function card(image) {
  const [mark, rest] = ["mark", "quiet"].map((kind) => element("span", { class: kind }));
  const open = element(
    "button",
    { type: "button", class: "open", click: () => openDetail(image, focusImage) },
    element("img", { src: image.url, alt: "", loading: "lazy", decoding: "async" }),
    element("span", { class: "name" }, image.name),
    mark,
    rest,
  );
  const about = { type: "button", class: "remove", "aria-label": `Remove ${image.name}`, click: () => remove(image) };
  const item = element("li", {}, open, element("button", about, "×"));
  const update = () => {
    const said = verdict(image);
    item.className = said.kind;
    put(mark, said.word);
    put(rest, said.rest);
  };
  return { item, update };
}

const focusImage = (image) => cards.get(image)?.item.querySelector(".open").focus();

function remove(image) {
  const images = inOrder();
  const at = images.indexOf(image);
  const neighbour = images[at + 1] ?? images[at - 1];
  forget([image]);
  tidy();
  say(`${image.name} removed.`);
  changed();
  (cards.get(neighbour)?.item.querySelector(".remove") ?? byId("load")).focus();
}
