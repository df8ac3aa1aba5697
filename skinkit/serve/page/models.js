/** The list of models, and the card of the chosen one. */

import { Problem, json, patiently } from "./api.js";
import { byId, put } from "./dom.js";
import { changed, fail, state } from "./state.js";

/** Asks which models there are, until workers have loaded some; keeps the chosen one where it is still there. */
export async function loadModels() {
  const onWait = (text) => put(byId("model-line"), `${text} Asking again.`);
  try {
    const said = await patiently(someModels, { states: [503], onWait, repeats: 30 });
    state.models = said.models;
    if (!state.models.includes(state.model)) state.model = said.default ?? state.models[0];
    await loadCard();
  } catch (error) {
    fail(error, loadModels);
  }
}

async function someModels() {
  const { said } = await json("public_models");
  if (!said.models.length) throw new Problem("The service has no model ready yet.", { status: 503, wait: 3 });
  return said;
}

/** Asks for the card of the chosen model, where it is not there; without it the model works all the same. */
export async function loadCard() {
  const { model, cards } = state;
  if (cards.has(model) && !cards.get(model).problem) return changed();
  cards.delete(model);
  changed();
  const card = await json(`models/${encodeURIComponent(model)}`).then(
    ({ said }) => said,
    (error) => ({ problem: error.message }),
  );
  cards.set(model, card);
  return changed();
}
