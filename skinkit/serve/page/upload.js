/** Images that are loaded by button, drop or paste. */

import { changed, state } from "./state.js";
import { toast } from "./notices.js";
import { images as counted } from "./words.js";

const BEGINNINGS = [/^ffd8ff/, /^89504e470d0a1a0a/, /^52494646.{8}57454250/];

let batches = 0;
let last = Promise.resolve();

/** Loads files one load after the other, so that two loads cannot bring one image twice. */
export function load(files) {
  const list = [...files];
  if (list.length) last = last.then(() => add(list));
  return last;
}

async function add(files) {
  const batch = (batches += 1);
  const [added, skipped] = [[], []];
  for (const file of files) {
    const known = [...added, ...state.images];
    const reason = await whyNot(file, known).catch(() => "cannot be read (a folder, or moved away?)");
    if (reason) skipped.push(`${file.name || "A file"} ${reason}`);
    else added.push(loaded(file, batch, known));
  }
  state.images = [...added, ...state.images];
  if (added.length) toast(`${counted(added.length)} loaded.`);
  if (skipped.length) toast(`Skipped: ${skipped.join("; ")}.`, true);
  changed();
}

/** Why a file is not taken; empty where it is. */
async function whyNot(file, known) {
  const start = new Uint8Array(await file.slice(0, 12).arrayBuffer());
  const hex = Array.from(start, (byte) => byte.toString(16).padStart(2, "0")).join("");
  if (!hex) return "is empty";
  if (!BEGINNINGS.some((beginning) => beginning.test(hex))) {
    return "is not a JPEG, PNG or WebP image (export it as one)";
  }
  for (const image of known) {
    // A file that has changed since it was loaded cannot be read, and is another.
    if (await same(image.file, file).catch(() => false)) return `has the same content as ${image.name}`;
  }
  return "";
}

/** Whether two files hold the same bytes. Exact, and unlike `crypto.subtle` there without TLS, too. */
async function same(one, other) {
  if (one.size !== other.size || (await sum(one)) !== (await sum(other))) return false;
  const [a, b] = await Promise.all([bytes(one), bytes(other)]);
  return a.every((byte, index) => byte === b[index]);
}

const bytes = async (file) => new Uint8Array(await file.arrayBuffer());
const sums = new WeakMap();

/** A sum over the bytes of a file, which is read for it once. */
async function sum(file) {
  const add = (total, byte) => (Math.imul(total, 31) + byte) | 0;
  if (!sums.has(file)) sums.set(file, (await bytes(file)).reduce(add, 0));
  return sums.get(file);
}

let ids = 0;

function loaded(file, batch, known) {
  const url = URL.createObjectURL(file);
  const name = freeName(file.name || "image", new Set(known.map((image) => image.name)));
  return { id: (ids += 1), file, name, url, batch, result: null, problem: "", overlays: new Map() };
}

/** A name that no other image has, so that answers, errors and CSV rows can be told apart. */
function freeName(name, taken) {
  const [, stem, suffix] = /^(.*?)(\.[^.]*)?$/s.exec(name);
  let free = name;
  for (let count = 2; taken.has(free); count += 1) free = `${stem} (${count})${suffix ?? ""}`;
  return free;
}

/** Frees the memory of the overlays of an image. */
export function dropOverlays(image) {
  image.overlays.forEach((url) => URL.revokeObjectURL(url));
  image.overlays.clear();
}

/** Forgets images, and frees their previews. */
export function forget(images) {
  state.images = state.images.filter((image) => !images.includes(image));
  images.forEach((image) => {
    dropOverlays(image);
    URL.revokeObjectURL(image.url);
  });
}

/** The images whose files changed or went away on the disk since they were loaded. */
export async function unreadable(images) {
  const readable = await Promise.all(
    images.map(({ file }) => file.slice(-1).arrayBuffer().then(() => true, () => false)),
  );
  return images.filter((_, index) => !readable[index]);
}
