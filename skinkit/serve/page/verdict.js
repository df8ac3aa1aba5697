/** Whether an image is flagged at the threshold of the slider, and what is said of it. */

import { state } from "./state.js";
import { className, images as counted, percent } from "./words.js";

/** Whether the score of an answer reaches the threshold; `null` without a positive class. */
export function flagged({ prediction }) {
  return prediction.target === null ? null : prediction.score >= (state.threshold ?? prediction.threshold);
}

export function positiveName({ model, metadata }) {
  return className(metadata.positive ?? state.cards.get(model)?.positive ?? "target");
}

export function flaggedCount() {
  const answers = state.images.filter((image) => image.result);
  return `${answers.filter((image) => flagged(image.result)).length} of ${counted(answers.length)} flagged`;
}

/** What a card says about an image: the kind of its frame, a word with an icon, and the rest. */
export function verdict({ result, problem }) {
  if (problem) return { kind: "refused", word: "✕ refused", rest: problem };
  if (!result) return { kind: "", word: "", rest: "" };
  const { score, prediction } = result.prediction;
  const likely = `most likely ${className(prediction)} (${percent(result.probabilities[prediction])})`;
  const flag = flagged(result);
  if (flag === null) return { kind: "neutral", word: "", rest: likely };
  const positive = positiveName(result);
  const word = flag ? `▲ ${positive} flagged` : `● ${positive} not flagged`;
  return { kind: flag ? "flagged" : "clear", word, rest: `${positive} score ${percent(score)}; ${likely}` };
}
