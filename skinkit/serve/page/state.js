/** All that the page knows, and who is told when it changes. */

export const state = {
  models: [],
  model: "",
  cards: new Map(), // model -> its card, or {problem}
  images: [], // {id, file, name, url, batch, result, problem, overlays}
  open: [], // tasks that were sent and not answered: {uuid, model, images}
  threshold: null,
  order: "newest",
  run: null, // while it predicts: {control, model, images, most, done, note}
  error: null, // {text, retry}
};

const listeners = [];

export function onChange(listener) {
  listeners.push(listener);
}

export function changed() {
  listeners.forEach((listener) => listener());
}

export function fail(problem, retry) {
  state.error = { text: problem.message, retry };
  changed();
}

/** The word for the whole page, which tests and styles read. */
export function phase() {
  if (state.error) return "error";
  if (state.run) return "running";
  if (anyResult()) return "result";
  return state.images.length ? "loaded" : "empty";
}

/** The first answer stands for all: the page never mixes the answers of two models. */
export const anyResult = () => state.images.find((image) => image.result)?.result;

/** Images that the chosen model has not answered; all, where it has answered all. */
export function pending() {
  const lacking = state.images.filter((image) => image.result?.model !== state.model);
  return lacking.length ? lacking : state.images;
}

const collator = new Intl.Collator(undefined, { numeric: true });
const byName = (a, b) => collator.compare(a.name, b.name);
// What has no score stands last in either direction.
const byScore = (sign) => (a, b) => {
  const [first, second] = [a, b].map((image) => image.result?.prediction.score ?? null);
  if (first === null || second === null) return (first === null) - (second === null);
  return sign * (first - second) || byName(a, b);
};
const ORDERS = {
  newest: (a, b) => b.batch - a.batch || a.id - b.id,
  name: byName,
  "name-down": (a, b) => byName(b, a),
  score: byScore(1),
  "score-down": byScore(-1),
};

export const inOrder = () => state.images.toSorted(ORDERS[state.order]);
