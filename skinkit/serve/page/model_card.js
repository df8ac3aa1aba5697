/** The card of a model: what it is, how good, what it misses, what leaked, how it was trained. */

import { curves } from "./curves.js";
import { byId, element, put, scrolling, table } from "./dom.js";
import { loadCard } from "./models.js";
import { state } from "./state.js";
import { className, duration, percent, score, withInterval } from "./words.js";

const SCORES = {
  macro_recall: "macro recall",
  accuracy: "accuracy",
  macro_f1: "macro F1",
  macro_auc: "macro AUC",
  melanoma_sensitivity_at_90_specificity: "sensitivity for melanoma at 90 % specificity",
  melanoma_sensitivity_at_95_specificity: "sensitivity for melanoma at 95 % specificity",
  ece: "expected calibration error",
};

let drawn = [];

/** Shows the card of the chosen model, where it is not shown already. */
export function drawCard() {
  const wanted = [state.model, state.cards.get(state.model)];
  if (wanted.every((part, index) => part === drawn[index])) return;
  drawn = wanted;
  const [model, card] = wanted;
  const there = Boolean(card) && !card.problem;
  byId("card").hidden = !there;
  byId("card-body").replaceChildren(...(there ? body(card) : []));
  const waiting = model ? "Its card is loading." : "The models are not known yet.";
  if (there) put(byId("kept"), `after ${duration(card.kept_seconds)}`);
  byId("model-line").replaceChildren(...(card ? line(card) : [waiting]));
}

function line(card) {
  if (card.problem) {
    const again = element("button", { type: "button", click: loadCard }, "Ask for the card again");
    return [`Its card did not come: ${card.problem} The model works without it. `, again];
  }
  const recall = withInterval(card.scores.macro_recall);
  const stamp = element("strong", { class: card.stamp ? "leaky" : "" }, card.leakage_line);
  const kind = card.origin === "synthetic" ? "drawn" : card.origin;
  return [`Trained on ${kind} images; macro recall ${recall} on ${card.n} others. `, stamp];
}

function body(card) {
  return [
    element("p", {}, element("strong", {}, card.notice)),
    ...part("What it is", table("Model", ["key", "value"], about(card))),
    ...part("Scores", scores(card)),
    ...part("Mistakes on the test images", ...mistakes(card)),
    ...part("Leakage", ...leakage(card)),
    ...part("Training", ...curves(card.history)),
  ];
}

const part = (title, ...content) => [element("h3", {}, title), ...content];

function about(card) {
  const counts = Object.entries(card.images).map(([name, count]) => `${count} ${name}`);
  const known = {
    recipe: card.recipe,
    title: card.title,
    run: `${card.profile}, ${card.protocol}, fold ${card.fold}, seed ${card.seed}`,
    images: [card.origin, ...counts].join(", "),
    ...(card.members?.length && { members: card.members.map(member).join(", ") }),
    network: card.net_type,
    "image size": `${card.height} x ${card.width}`,
    views: card.views,
    classes: card.labels.map(className).join(", "),
    "flagged class": card.positive && className(card.positive),
    threshold: score(card.threshold),
    temperature: score(card.temperature),
    calibration: card.calibration,
    "class decided by": card.decision,
    ...Object.fromEntries(Object.entries(card.hashes).map(([name, hash]) => [`hash of the ${name}`, hash])),
  };
  return Object.entries(known).map(([key, value]) => [key, String(value ?? "–")]);
}

const member = ({ recipe, fold, seed }) => `${recipe} fold ${fold} seed ${seed}`;

function scores({ scores: found, n, grouped_by: group }) {
  const known = Object.entries(SCORES).filter(([key]) => found[key]);
  const caption = `${n} test images; in brackets 95 % intervals, from resampling by ${group}`;
  return table(caption, ["score", "value"], known.map(([key, name]) => [name, withInterval(found[key])]));
}

function mistakes({ most_missed: missed, wrong_pairs: pairs, labels, confusion }) {
  return [
    ...list("Most often missed:", missed, ({ label, missed: lost, n, share }) =>
      `${className(label)}: ${lost} of ${n} (${percent(share)})`),
    ...list("Commonest wrong pairs:", pairs, ({ truth, prediction, n }) =>
      `${className(truth)} taken for ${className(prediction)}: ${n}`),
    scrolling("Confusion matrix", matrix(labels, confusion)),
  ];
}

function list(title, entries, say) {
  const items = entries.map((entry) => element("li", {}, say(entry)));
  return [element("p", {}, title), items.length ? element("ul", {}, ...items) : "none"];
}

function matrix(labels, confusion) {
  const rows = labels.map((label, truth) => [label, ...confusion[truth].map(String)]);
  const made = table("Confusion matrix: a row a true class, a column a predicted one", ["true", ...labels], rows);
  made.classList.add("matrix");
  confusion.forEach((row, truth) => {
    const total = row.reduce((sum, count) => sum + count, 0) || 1;
    const [, ...cells] = made.tBodies[0].rows[truth].cells;
    row.forEach((count, said) => cells[said].classList.add(`shade-${Math.ceil((4 * count) / total)}`));
  });
  return made;
}

function leakage({ leakage: rates, leakage_line: line }) {
  const rows = Object.entries(rates).map(([kind, rate]) => [kind, rate === null ? "UNKNOWN" : percent(rate)]);
  const caption = "Share of test images whose photograph, lesion or patient is also in training";
  return [element("p", {}, line), table(caption, ["shared", "rate"], rows)];
}
