/** The dialog of one image: the image, where the model looked, metadata and probabilities. */

import { request, patiently, retryAfter, sleep } from "./api.js";
import { byId, element, table } from "./dom.js";
import { radar } from "./radar.js";
import { inOrder } from "./state.js";
import { verdict } from "./verdict.js";
import { className, percent, score } from "./words.js";

let shown = null;
let loading = null;
let whenClosed = null;

/** Opens the dialog; the caller hears on closing which image was seen last. */
export function openDetail(image, closing) {
  whenClosed = closing;
  show(image);
  byId("detail").showModal();
}

/** Connects the buttons of the dialog; once. */
export function startDialog() {
  const dialog = byId("detail");
  byId("detail-close").addEventListener("click", () => dialog.close());
  dialog.addEventListener("close", closed);
  byId("overlay").addEventListener("change", drawImage);
  byId("overlay-class").addEventListener("change", drawImage);
  byId("previous").addEventListener("click", () => step(-1));
  byId("next").addEventListener("click", () => step(1));
}

function closed() {
  loading?.abort();
  // Not the image that it was opened with, where one went on from there.
  whenClosed(shown);
  shown = null;
}

function step(by) {
  const images = inOrder();
  show(images.at((images.indexOf(shown) + by) % images.length));
}

function show(image) {
  shown = image;
  byId("detail-title").textContent = image.name;
  byId("detail-facts").replaceChildren(...facts(image));
  const { result } = image;
  byId("detail-overlay").hidden = !result;
  if (result) {
    byId("overlay-class").replaceChildren(...Object.keys(result.probabilities).map(option));
    byId("overlay-class").value = result.prediction.prediction;
  }
  byId("previous").hidden = byId("next").hidden = inOrder().length < 2;
  drawImage();
}

const option = (label) => element("option", { value: label }, className(label));

function facts(image) {
  const { word, rest } = verdict(image);
  const { result } = image;
  if (!result) return [element("p", {}, rest || "Not predicted yet.")];
  const rows = Object.entries(result.probabilities).map(([label, share]) => [named(label), percent(share)]);
  return [
    element("p", {}, element("strong", {}, word), word ? ": " : "", rest),
    radar(result.probabilities),
    table("Probabilities, before calibration", ["class", "probability"], rows),
    table("Metadata", ["key", "value"], metadata(result)),
  ];
}

function named(label) {
  const name = className(label);
  return name === label ? label : `${name} (${label})`;
}

function metadata({ model, metadata: made, prediction }) {
  const known = { model, ...made, ...prediction };
  return Object.entries(known).map(([key, value]) => [key.replaceAll("_", " "), text(value)]);
}

function text(value) {
  if (value === null) return "–";
  if (typeof value === "number" && !Number.isInteger(value)) return score(value);
  return typeof value === "object" ? Object.entries(value).map((pair) => pair.join(" ")).join(", ") : String(value);
}

async function drawImage() {
  loading?.abort();
  const image = shown;
  const wanted = byId("overlay").checked && image.result;
  const label = byId("overlay-class").value;
  display(image, image.url, "The image as it was loaded.");
  if (!wanted) return;
  loading = new AbortController();
  const { signal } = loading;
  byId("detail-caption").textContent = "The overlay is being made.";
  try {
    const url = await overlay(image, label, signal);
    display(image, url, `Grad-CAM for ${className(label)}: the warmer, the more it counted.`);
  } catch (error) {
    if (signal.aborted) return;
    byId("overlay").checked = false;
    const gone = [404, 410].includes(error.status) ? " Predict again to get a new one." : "";
    byId("detail-caption").textContent = `No overlay: ${error.message}${gone}`;
  }
}

function display(image, url, caption) {
  byId("detail-image").src = url;
  byId("detail-image").alt = image.name;
  byId("detail-caption").textContent = caption;
}

/** The address of an overlay: a blob, because an `<img>` could not send the token. */
async function overlay(image, label, signal) {
  const { uuid, index } = image.result;
  if (!image.overlays.has(label)) {
    const path = `from_task/${uuid}/${index}/explanation?label=${encodeURIComponent(label)}`;
    const blob = await made(path, signal);
    signal.throwIfAborted();
    image.overlays.set(label, URL.createObjectURL(blob));
  }
  return image.overlays.get(label);
}

async function made(path, signal) {
  const ask = () => request(path, { signal });
  for (;;) {
    const response = await patiently(ask, { signal, states: [409, 429, 503], onWait: () => {} });
    if (response.status === 200) return response.blob();
    await sleep(retryAfter(response) ?? 1, signal);
  }
}
