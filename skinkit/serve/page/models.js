/** The list of models, and the card of the chosen one. */

import { json } from "./api.js";
import { changed, fail, state } from "./state.js";

/** Asks which models there are; keeps the chosen one where it is still among them. */
export async function loadModels() {
  try {
    const { said } = await json("public_models");
    state.models = said.models;
    if (!state.models.length) throw new Error("The service offers no model yet.");
    if (!state.models.includes(state.model)) state.model = said.default ?? state.models[0];
    await loadCard();
  } catch (error) {
    fail(error, loadModels);
  }
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
