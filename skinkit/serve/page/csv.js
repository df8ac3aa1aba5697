/** The results as a CSV file. */

import { element } from "./dom.js";
import { inOrder, state } from "./state.js";
import { flagged } from "./verdict.js";

/** Saves what was answered, in the order of the grid, marked at the threshold of the slider. */
export function download() {
  // Spreadsheet programs take a file without the mark at its start for an old code page.
  const blob = new Blob(["\ufeff", csv(inOrder().filter((image) => image.result))], { type: "text/csv" });
  const url = URL.createObjectURL(blob);
  element("a", { href: url, download: "skinkit-predictions.csv" }).click();
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}

function csv(images) {
  const classes = Object.keys(images[0].result.probabilities);
  const head = ["name", "model", "prediction", "score", "threshold", "flagged", ...classes, "notice"];
  const rows = images.map(({ name, result }) => [
    name,
    result.model,
    result.prediction.prediction,
    result.prediction.score ?? "",
    state.threshold ?? "",
    flagged(result) ?? "",
    ...classes.map((label) => result.probabilities[label]),
    "not for diagnosis",
  ]);
  return [head, ...rows].map((row) => `${row.map(cell).join(",")}\r\n`).join("");
}

function cell(value) {
  // A spreadsheet would carry out a name that begins so as a formula.
  const text = typeof value === "string" ? value.replace(/^[=+\-@\t\r]/, "'$&") : String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
