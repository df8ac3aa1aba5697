/** Probabilities as a radar. The table beside it holds the same numbers. */

import { svg } from "./dom.js";
import { className } from "./words.js";

const RADIUS = 100;
const RINGS = [0.25, 0.5, 0.75, 1];

/** Returns the drawing, or nothing for fewer than three classes, which enclose no area. */
export function radar(probabilities) {
  const labels = Object.keys(probabilities);
  if (labels.length < 3) return "";
  const outline = (share) => labels.map((label, index) => at(index, labels.length, share(label)).join(",")).join(" ");
  return svg(
    "svg",
    { class: "radar", viewBox: "-170 -130 340 260", role: "img", "aria-label": "Probabilities, as in the table" },
    ...RINGS.map((ring) => svg("polygon", { class: "ring", points: outline(() => ring) })),
    ...labels.map((label, index) => axis(label, index, labels.length)),
    svg("text", { class: "scale", x: 3, y: -0.5 * RADIUS - 3 }, "50 %"),
    svg("text", { class: "scale", x: 3, y: -RADIUS + 10 }, "100 %"),
    svg("polygon", { class: "area", points: outline((label) => probabilities[label]) }),
  );
}

/** The point of a share on the axis of a class; the first points up, the others follow clockwise. */
function at(index, count, share) {
  const angle = (2 * Math.PI * index) / count;
  return [RADIUS * share * Math.sin(angle), -RADIUS * share * Math.cos(angle)].map((value) => value.toFixed(2));
}

function axis(label, index, count) {
  const [x, y] = at(index, count, 1);
  const [tx, ty] = at(index, count, 1.12);
  const anchor = Math.abs(tx) < 20 ? "middle" : tx > 0 ? "start" : "end";
  return svg(
    "g",
    {},
    svg("line", { class: "ring", x1: 0, y1: 0, x2: x, y2: y }),
    svg("text", { x: tx, y: Number(ty) + 4, "text-anchor": anchor }, svg("title", {}, className(label)), label),
  );
}
