/** Whether an image is flagged at the threshold of the slider, and what is said of it. */

import { state } from "./state.js";
import { className, images as counted, percent } from "./words.js";

/** Whether the score of an answer reaches the threshold; `null` without a score or a threshold. */
export function flagged({ prediction: { score } }) {
  return score === null || state.threshold === null ? null : score >= state.threshold;
}

export const positiveName = ({ prediction }) => className(prediction.positive);

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
  if (score === null) return { kind: "neutral", word: "", rest: likely };
  const [positive, flag] = [positiveName(result), flagged(result)];
  const rest = `${positive} score ${percent(score)}; ${likely}`;
  if (flag === null) return { kind: "neutral", word: "", rest };
  return flag
    ? { kind: "flagged", word: `▲ ${positive} flagged`, rest }
    : { kind: "clear", word: `● ${positive} not flagged`, rest };
}
