/** Learning curves as drawings, with the numbers as a table. */

import { element, scrolling, svg, table } from "./dom.js";
import { score } from "./words.js";

const [WIDTH, HEIGHT, LEFT, BOTTOM] = [320, 180, 40, 24];
const METRICS = { loss: "Loss", accuracy: "Accuracy", macro_recall: "Macro recall", macro_auc: "Macro AUC" };
const PARTS = { training: "", validation: "val_" };

/** Returns one figure a metric, and all numbers, of columns by name. */
export function curves(history) {
  if (!history.epoch?.length) return ["The run had no epochs of its own."];
  const columns = Object.keys(history).filter((name) => name !== "epoch");
  const rows = history.epoch.map((epoch, row) => [String(epoch), ...columns.map((name) => score(history[name][row]))]);
  const numbers = table("One row an epoch", ["epoch", ...columns.map((name) => name.replaceAll("_", " "))], rows);
  return [
    element("div", { class: "charts" }, ...Object.keys(METRICS).flatMap((metric) => figure(metric, history))),
    element("details", {}, element("summary", {}, "The numbers of the curves"), scrolling("Numbers", numbers)),
  ];
}

function figure(metric, history) {
  const points = (values) =>
    values.map((value, row) => [history.epoch[row], value]).filter(([, value]) => value !== null);
  const lines = Object.entries(PARTS)
    .map(([part, prefix]) => [part, points(history[prefix + metric] ?? [])])
    .filter(([, found]) => found.length);
  if (!lines.length) return [];
  const parts = lines.map(([part]) => (part === "training" ? "training solid" : "validation dashed")).join(", ");
  const caption = element("figcaption", {}, `${METRICS[metric]} by epoch: ${parts}`);
  return [element("figure", {}, chart(METRICS[metric], lines), caption)];
}

function chart(name, lines) {
  const points = lines.flatMap(([, list]) => list);
  const [first, last] = range(points.map(([epoch]) => epoch));
  const [low, high] = range(points.map(([, value]) => value));
  const x = (epoch) => LEFT + ((epoch - first) / (last - first || 1)) * (WIDTH - LEFT - 8);
  const y = (value) => HEIGHT - BOTTOM - ((value - low) / (high - low || 1)) * (HEIGHT - BOTTOM - 8);
  const at = ([epoch, value]) => `${x(epoch).toFixed(1)},${y(value).toFixed(1)}`;
  const line = ([part, list]) => svg("polyline", { class: `line ${part}`, points: list.map(at).join(" ") });
  return svg(
    "svg",
    { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", "aria-label": `${name} by epoch, as in the table below` },
    svg("polyline", { class: "axis", points: `${LEFT},8 ${LEFT},${HEIGHT - BOTTOM} ${WIDTH - 8},${HEIGHT - BOTTOM}` }),
    svg("text", { x: LEFT - 4, y: 14, "text-anchor": "end" }, high.toFixed(2)),
    svg("text", { x: LEFT - 4, y: HEIGHT - BOTTOM, "text-anchor": "end" }, low.toFixed(2)),
    svg("text", { x: LEFT, y: HEIGHT - 6 }, String(first)),
    svg("text", { x: WIDTH - 8, y: HEIGHT - 6, "text-anchor": "end" }, String(last)),
    ...lines.map(line),
  );
}

const range = (values) => [Math.min(...values), Math.max(...values)];
