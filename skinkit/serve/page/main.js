/** The page: what each control does, and what each shows. */

import { download } from "./csv.js";
import { startDialog } from "./dialog.js";
import { byId, element, put } from "./dom.js";
import { drawGrid } from "./grid.js";
import { drawCard } from "./model_card.js";
import { loadCard, loadModels } from "./models.js";
import { cancel, leave, predict, reset } from "./predict.js";
import { anyResult, changed, onChange, pending, phase, state } from "./state.js";
import { load } from "./upload.js";
import { flaggedCount, positiveName } from "./verdict.js";
import { images as counted, percent } from "./words.js";

const on = (id, event, action) => byId(id).addEventListener(event, action);

function startControls() {
  on("load", "click", () => byId("files").click());
  on("files", "change", () => load(byId("files").files).then(() => (byId("files").value = "")));
  on("predict", "click", predictOrAsk);
  on("cancel", "click", leaving("predict", cancel));
  on("reset", "click", leaving("load", reset));
  on("download", "click", () => anyResult() && download());
  on("retry", "click", leaving("predict", retry));
  on("dismiss", "click", leaving("predict", () => (state.error = null)));
  on("model", "change", choose);
  on("order", "change", () => set({ order: byId("order").value }));
  on("slider", "input", () => set({ threshold: Number(byId("slider").value) }));
  on("served", "click", () => set({ threshold: anyResult().prediction.threshold }));
}

function choose() {
  set({ model: byId("model").value });
  loadCard();
}

const canPredict = () => state.images.length > 0 && !state.run;

async function predictOrAsk() {
  if (!canPredict()) return;
  if (!state.model) await loadModels();
  if (state.model) predict();
}

/** Where a button goes away with its own click, the focus goes to another. */
function leaving(next, action) {
  return () => {
    action();
    changed();
    byId(next).focus();
  };
}

function retry() {
  const { retry: again } = state.error;
  state.error = null;
  again();
}

function set(values) {
  Object.assign(state, values);
  changed();
}

/** Files that are dropped or pasted anywhere on the page are loaded. */
function startDropAndPaste() {
  const over = (event, inside) => {
    if (!event.dataTransfer.types.includes("Files")) return;
    event.preventDefault();
    document.body.classList.toggle("dropping", inside);
  };
  document.addEventListener("dragover", (event) => over(event, true));
  document.addEventListener("dragleave", (event) => event.relatedTarget || over(event, false));
  document.addEventListener("drop", (event) => {
    over(event, false);
    load(event.dataTransfer.files);
  });
  document.addEventListener("paste", (event) => load(event.clipboardData.files));
}

function draw() {
  document.body.dataset.state = phase();
  byId("error").hidden = !state.error;
  put(byId("error-text"), state.error?.text ?? "");
  drawModels();
  drawCard();
  drawButtons();
  drawProgress();
  drawThreshold();
  drawGrid();
}

function drawModels() {
  const shown = Array.from(byId("model").options, (option) => option.value);
  if (shown.join("\n") !== state.models.join("\n")) {
    byId("model").replaceChildren(...state.models.map((name) => element("option", {}, name)));
  }
  byId("model").value = state.model;
  const answered = anyResult()?.model ?? state.model;
  byId("by-model").hidden = answered === state.model;
  put(byId("by-model"), `These are answers of ${answered}. Predict to replace them by those of ${state.model}.`);
}

function drawButtons() {
  const { images, run } = state;
  const again = images.length > 0 && images.every((image) => image.result?.model === state.model);
  const what = again ? "again" : images.length ? counted(pending().length) : "";
  put(byId("predict"), run ? "Predicting …" : `Predict ${what}`);
  // Not `disabled`: that would take the focus away from who has just pressed it.
  byId("predict").setAttribute("aria-disabled", String(!canPredict()));
  byId("download").setAttribute("aria-disabled", String(!anyResult()));
  byId("cancel").hidden = !run;
  byId("sorting").hidden = images.length < 2;
  byId("empty").hidden = images.length > 0;
}

function drawProgress() {
  const { run } = state;
  byId("progress").hidden = !run;
  if (!run) return;
  put(byId("bar-text"), `${run.note || "Starting"}: ${run.done} of ${counted(run.images.length)} done.`);
  byId("bar").max = run.images.length;
  byId("bar").value = run.done;
}

function drawThreshold() {
  const result = anyResult();
  const there = typeof result?.prediction.score === "number";
  byId("threshold").hidden = !there;
  for (const option of byId("order").options) option.disabled = option.value.startsWith("score") && !there;
  if (!there) return;
  const { threshold } = result.prediction;
  const said = state.threshold === null ? "not set" : `${percent(state.threshold)}: ${flaggedCount()}`;
  byId("slider").value = state.threshold ?? 0.5;
  byId("slider").setAttribute("aria-valuetext", said);
  put(byId("threshold-title"), `Threshold for ${positiveName(result)}`);
  put(byId("threshold-value"), said);
  byId("served").hidden = threshold === null;
  put(byId("served"), `Back to ${percent(threshold)}`);
  put(byId("threshold-meaning"), meaning(result));
}

/** What the threshold of the slider did on the test images of the model. */
function meaning(result) {
  if (state.threshold === null) return "No threshold is known for this model. Move the slider to set one.";
  const { threshold, sensitivity, specificity } = state.cards.get(result.model)?.operating_points ?? { threshold: [] };
  const row = threshold.findIndex((from) => from >= state.threshold);
  if (row < 0) return "A lower threshold misses less and alarms more often.";
  const [found, alarms] = [sensitivity[row], 1 - specificity[row]].map(percent);
  return `On the model's own test images: finds ${found} of ${positiveName(result)}, alarms at ${alarms} of all else.`;
}

onChange(draw);
startControls();
startDropAndPaste();
startDialog();
// A page that may come back keeps its tasks.
addEventListener("pagehide", (event) => event.persisted || leave());
changed();
loadModels();
