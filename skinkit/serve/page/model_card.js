/** The card of a model: what it is, how good, what it misses, what leaked, how it was trained. */

import { curves } from "./curves.js";
import { byId, element, scrolling, table } from "./dom.js";
import { loadCard } from "./models.js";
import { state } from "./state.js";
import { className, percent, withInterval } from "./words.js";

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
  byId("model-line").replaceChildren(...(card ? line(card) : [model ? "Its card is loading." : ""]));
}

function line(card) {
  if (card.problem) {
    const again = element("button", { type: "button", click: loadCard }, "Ask for the card again");
    return [`Its card did not come: ${card.problem} The model works without it. `, again];
  }
  const recall = card.scores?.macro_recall;
  const score = recall ? `macro recall ${withInterval(recall)}` : "never scored";
  const images = card.drawn ? "drawn images alone" : card.dataset;
  const stamp = element("strong", { class: card.stamp ? "leaky" : "" }, card.stamp ?? "no leakage found");
  return [`${card.title}. Learned from ${images}; ${score}; `, stamp, "."];
}

function body(card) {
  const { confusion, history } = card;
  return [
    element("p", {}, element("strong", {}, card.notice ?? "Research and teaching only. Not for diagnosis.")),
    ...part("What it is", scrolling("What it is", table("Model", ["key", "value"], about(card)))),
    ...part("Scores", ...scores(card)),
    ...(confusion ? part("Mistakes on the test images", ...mistakes(confusion)) : []),
    ...part("Leakage", ...leakage(card)),
    ...(history?.length ? part("Training", ...curves(history)) : []),
  ];
}

const part = (title, ...content) => [element("h3", {}, title), ...content];

function about(card) {
  const counts = Object.entries(card.images ?? {}).map(([name, count]) => `${count} ${name}`);
  const known = {
    recipe: card.recipe,
    "profile, protocol": [card.profile, card.protocol].join(", "),
    images: [card.dataset, ...counts].join(", "),
    split: card.split,
    network: card.network,
    "image size": card.image_size?.join(" x "),
    "views an image": card.views,
    classes: card.classes?.map(className).join(", "),
    "flagged class": card.positive && className(card.positive),
    threshold: card.threshold,
    temperature: card.temperature,
    weights: card.hash,
  };
  return Object.entries(known).map(([key, value]) => [key, String(value ?? "–")]);
}

function scores({ scores: found, n, grouped_by: group }) {
  if (!found) return [element("p", {}, "It was never scored on test images.")];
  const known = Object.entries(SCORES).filter(([key]) => found[key]);
  const caption = `${n} test images; in brackets 95 % intervals${group ? `, whole ${group}s resampled` : ""}`;
  return [scrolling("Scores", table(caption, ["score", "value"], known.map(([key, name]) => [name, withInterval(found[key])])))];
}

function mistakes({ labels, counts }) {
  const list = (title, texts) => [element("p", {}, title), element("ul", {}, ...texts.map((text) => element("li", {}, text)))];
  return [
    ...list("Most often missed:", missed(labels, counts)),
    ...list("Commonest wrong pairs:", wrongPairs(labels, counts)),
    scrolling("Confusion matrix", matrix(labels, counts)),
  ];
}

const sum = (row) => row.reduce((total, count) => total + count, 0);

function missed(labels, counts) {
  return counts
    .map((row, truth) => ({ name: className(labels[truth]), lost: sum(row) - row[truth], all: sum(row) }))
    .filter(({ all }) => all)
    .sort((a, b) => b.lost / b.all - a.lost / a.all)
    .slice(0, 3)
    .map(({ name, lost, all }) => `${name}: ${lost} of ${all} (${percent(lost / all)})`);
}

function wrongPairs(labels, counts) {
  return counts
    .flatMap((row, truth) => row.map((count, said) => ({ truth, said, count })))
    .filter(({ truth, said, count }) => truth !== said && count)
    .sort((a, b) => b.count - a.count)
    .slice(0, 3)
    .map(({ truth, said, count }) => `${className(labels[truth])} taken for ${className(labels[said])}: ${count}`);
}

function matrix(labels, counts) {
  const rows = labels.map((label, truth) => [label, ...counts[truth].map(String)]);
  const made = table("Confusion matrix: a row a true class, a column a predicted one", ["true", ...labels], rows);
  made.classList.add("matrix");
  counts.forEach((row, truth) => {
    const shade = (count) => `shade-${Math.ceil((4 * count) / (sum(row) || 1))}`;
    row.forEach((count, said) => made.tBodies[0].rows[truth].cells[said + 1].classList.add(shade(count)));
  });
  return made;
}

function leakage({ leakage: rates, stamp }) {
  const rows = Object.entries(rates ?? {}).map(([kind, rate]) => [kind, rate === null ? "UNKNOWN" : percent(rate)]);
  const caption = "Share of test images whose photograph, lesion or patient is also in training";
  return [element("p", {}, stamp ?? "No leakage found."), table(caption, ["shared", "rate"], rows)];
}
