/** Learning curves as drawings, with the numbers as a table. */

import { element, scrolling, svg, table } from "./dom.js";
import { score } from "./words.js";

const [WIDTH, HEIGHT, LEFT, BOTTOM] = [320, 180, 40, 24];
const NAMES = { loss: "Loss", accuracy: "Accuracy", macro_recall: "Macro recall", macro_auc: "Macro AUC" };

/** Returns one figure a metric, and all numbers. */
export function curves(history) {
  const drawn = Object.keys(NAMES).map((metric) => figure(metric, history)).filter(Boolean);
  const columns = Object.keys(history[0]).filter((name) => name !== "epoch");
  const rows = history.map((row) => [String(row.epoch), ...columns.map((name) => score(row[name]))]);
  const numbers = table("One row an epoch", ["epoch", ...columns.map((name) => name.replaceAll("_", " "))], rows);
  return [
    element("div", { class: "charts" }, ...drawn),
    element("details", {}, element("summary", {}, "The numbers of the curves"), scrolling("Numbers of the curves", numbers)),
  ];
}

function figure(metric, history) {
  const lines = [["training", metric], ["validation", `val_${metric}`]]
    .map(([part, name]) => [part, history.map((row) => [row.epoch, row[name]]).filter(([, value]) => Number.isFinite(value))])
    .filter(([, points]) => points.length);
  if (!lines.length) return null;
  const parts = lines.map(([part]) => (part === "training" ? "training solid" : "validation dashed")).join(", ");
  return element("figure", {}, chart(NAMES[metric], lines), element("figcaption", {}, `${NAMES[metric]} by epoch: ${parts}`));
}

function chart(name, lines) {
  const points = lines.flatMap(([, list]) => list);
  const [first, last] = range(points.map(([epoch]) => epoch));
  const [low, high] = range(points.map(([, value]) => value));
  const x = (epoch) => LEFT + ((epoch - first) / (last - first || 1)) * (WIDTH - LEFT - 8);
  const y = (value) => HEIGHT - BOTTOM - ((value - low) / (high - low || 1)) * (HEIGHT - BOTTOM - 8);
  const label = (text, at) => svg("text", at, text);
  return svg(
    "svg",
    { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", "aria-label": `${name} by epoch, as in the table below` },
    svg("polyline", { class: "axis", points: `${LEFT},8 ${LEFT},${HEIGHT - BOTTOM} ${WIDTH - 8},${HEIGHT - BOTTOM}` }),
    label(high.toFixed(2), { x: LEFT - 4, y: 14, "text-anchor": "end" }),
    label(low.toFixed(2), { x: LEFT - 4, y: HEIGHT - BOTTOM, "text-anchor": "end" }),
    label(String(first), { x: LEFT, y: HEIGHT - 6 }),
    label(String(last), { x: WIDTH - 8, y: HEIGHT - 6, "text-anchor": "end" }),
    ...lines.map(([part, list]) =>
      svg("polyline", { class: `line ${part}`, points: list.map(([epoch, value]) => `${x(epoch).toFixed(1)},${y(value).toFixed(1)}`).join(" ") }),
    ),
  );
}

const range = (values) => [Math.min(...values), Math.max(...values)];
