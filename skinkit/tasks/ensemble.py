"""Ensembles: several trained networks whose predictions are joined."""

import keras
import numpy as np

from skinkit import explain
from skinkit.data.splits.grouping import group_keys
from skinkit.evaluation import ENSEMBLE_RULES, check_weights, choose_weights
from skinkit.files import read_json, write_json
from skinkit.papers.members import UNTRAINED, members_of
from skinkit.tasks.batches import evaluation_images
from skinkit.tasks.task import Explanation, Task

_FILE = "weights.json"
# What an ensemble has in common with each member.
_SHARED = ("classes", "target")


class Ensemble(Task):
    """Class probabilities that are the mean of those of several networks, or of their ranks.

    Nothing is trained but the weights, where they are chosen on validation images. The model holds all
    networks, each whole and under its name, so that the run folder needs no other. Each member reads images
    and averages views as its own recipe says.
    """

    read = staticmethod(evaluation_images)  # as in `Classification`

    def __init__(self, recipe):
        super().__init__(recipe)
        self.options, self.rule = members_of(recipe), recipe.members.name
        self.members, self.weights = (), None
        if wrong := [f for f in ("stages", *UNTRAINED) if getattr(recipe, f) != UNTRAINED.get(f)]:
            raise ValueError(
                f"{recipe.name}: with `members` nothing is trained or selected, and views are those of each "
                f"member. Received: {wrong[0]}={getattr(recipe, wrong[0])!r}"
            )
        if self.options.weights == "validation" and (self.recipe.is_of_ranks or self.options.folds):
            raise ValueError(
                f"{recipe.name}: weights are chosen on validation images, by the likelihood of mean or "
                f"geometric_mean; ranks have none, and over folds no image is left to choose on. Received: "
                f"{recipe.members}"
            )

    @staticmethod
    def suits(recipe):
        return recipe.members is not None

    @property
    def asks_one_image(self):
        """Whether the pixels of an image are all that its classes come from; a rank is one among others."""
        return not self.recipe.is_of_ranks and all(member.asks_one_image for member in self.members)

    def build_on(self, needs):
        for task in needs:
            recipe = task.recipe
            if wrong := [f for f in _SHARED if getattr(recipe, f) != getattr(self.recipe, f)]:
                raise ValueError(
                    f"An ensemble and its members have equal classes. Received: {wrong[0]}="
                    f"{getattr(self.recipe, wrong[0])!r}, and {getattr(recipe, wrong[0])!r} in {recipe.name}"
                )
            if recipe.rescoring or type(task).restore is not Task.restore:
                raise ValueError(
                    "A member's probabilities come from its network alone: it has neither a `classifier` nor "
                    f"`rescoring`, and is not an ensemble. Received: {recipe.name}"
                )
        self.members, given = tuple(needs), self.options.weights
        if needs:
            self.weights = check_weights(None if isinstance(given, str) else given, len(needs))

    def model(self, weights=None, needed=()):
        inputs, outputs = [], []
        for name, trained in zip(self._names, needed, strict=True):
            of = [keras.Input(x.shape[1:], dtype=x.dtype, name=f"{name}_{x.name}") for x in trained.inputs]
            member = keras.Model(trained.inputs, trained.output, name=name)
            outputs += keras.tree.flatten(member(of if len(of) > 1 else of[0]))
            inputs += of
        return keras.Model(inputs, outputs, name="ensemble")

    @property
    def _names(self):
        return [f"member{i}" for i in range(len(self.members))]

    def train(self, model, run_data, seed, folder, verbose=1, callbacks=()):
        history = super().train(model, run_data, seed, folder, verbose, callbacks)
        if self.options.weights == "validation":
            rows = run_data.rows("validation")
            known = rows[["lesion_id", "patient_id"]].notna().any(axis=None)
            groups, _ = group_keys(rows, "lesion+patient" if known else "photograph")
            found = self._asked(model)(rows)
            self.weights = choose_weights(rows["label"].to_numpy(), found, self.labels, groups, self.rule)
        return history

    def validator(self, model, rows):
        # There is no epoch to watch.
        return dict

    def predictor(self, model):
        ask = self._asked(model)
        return lambda rows: ENSEMBLE_RULES[self.rule](ask(rows), self.weights).astype(np.float32)

    def _asked(self, model):
        """The function from manifest rows to the probabilities of each member, `(members, n, classes)`."""
        predictors = []
        for member, name in zip(self.members, self._names, strict=True):
            # A served model is asked with bytes.
            member.read = self.read
            predictors.append(member.predictor(model.get_layer(name)))
        return lambda rows: np.stack([predict(rows) for predict in predictors]).astype(np.float64)

    def explain(self, model, rows, label=None):
        """The mean over the members of each map that all of them have, for a class of the ensemble."""
        seen = dict.fromkeys(str(member.recipe.input) for member in self.members)
        if len(seen) > 1:
            raise ValueError(
                f"{self.recipe.name}: maps of members that see other parts of an image have no mean. "
                f"Received: {', '.join(seen)}"
            )
        probabilities = self.predictor(model)(rows)
        if label is not None:
            images, maps = self._looks(model, rows, label)
            return Explanation(images, probabilities, maps)
        called = probabilities.argmax(axis=1)
        chosen = [np.flatnonzero(called == target) for target in np.unique(called)]
        found = [self._looks(model, rows.iloc[each], self.labels[called[each[0]]]) for each in chosen]
        order = np.argsort(np.concatenate(chosen))
        images = np.concatenate([images for images, _ in found])[order]
        maps = {name: np.concatenate([maps[name] for _, maps in found])[order] for name in found[0][1]}
        return Explanation(images, probabilities, maps)

    def _looks(self, model, rows, label):
        """The images as the first member sees them, and the mean maps of a label over them."""
        found = [
            member.explain(model.get_layer(name), rows, label)
            for member, name in zip(self.members, self._names, strict=True)
        ]
        size = found[0].images.shape[1:3]
        shared = [name for name in found[0].maps if all(name in each.maps for each in found)]
        resized = {name: [explain.resize_map(each.maps[name], size) for each in found] for name in shared}
        means = {name: np.average(maps, axis=0, weights=self.weights) for name, maps in resized.items()}
        return found[0].images, means

    def save(self, folder):
        write_json(folder / _FILE, {"weights": self.weights.tolist()})

    def restore(self, folder, model, run_data, seed):
        said = read_json(
            folder / _FILE, "Take it from a copy, or join the members again: `--again`", "weights"
        )
        self.weights = check_weights(said["weights"], len(self.members))
