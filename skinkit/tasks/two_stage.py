"""Two decisions in a row, by the trained networks of two other recipes (butskova2021)."""

import keras
import numpy as np

from skinkit import models
from skinkit.data import target_of
from skinkit.evaluation.combining.stages import RULES
from skinkit.papers.choice import choose
from skinkit.tasks.batches import check_agreement
from skinkit.tasks.classification import Classification
from skinkit.tasks.task import Explanation, Task

# Each stage under its name in the model and in `Recipe.stages`, with its target.
STAGES = {"gate": "one_against_rest", "rest": "without"}
# Options of `Recipe.stages` that are not the rule's.
STAGE_OPTIONS = (*STAGES, "label")
# What a stage and the recipe of both have in common, besides the pixels.
_SHARED = ("classes", "selection", "selection_part", "test_part", "tta")
_NOT_BESIDE = ("phases", "start_from", "target", "mixing", "teaching", "classifier", "score_best")


class TwoStage(Classification):
    """Class probabilities of a gate, one class against the rest, and of a network for the others.

    Nothing is trained. The model holds both networks, each whole and under its name, so that the run folder
    needs no other; its outputs are the probabilities of each.
    """

    has_views = False
    standalone = Task.standalone

    def __init__(self, recipe):
        super().__init__(recipe)
        if lacking := [name for name in STAGE_OPTIONS if name not in recipe.stages.options]:
            raise ValueError(f"{recipe.name}: `stages` needs {lacking[0]}. Received: {recipe.stages}")
        if wrong := [name for name in _NOT_BESIDE if getattr(recipe, name)]:
            raise ValueError(
                f"{recipe.name}: with `stages` nothing is trained, and the scores are those of both "
                f"networks. Received: {wrong[0]}={getattr(recipe, wrong[0])!r}"
            )

    @staticmethod
    def suits(recipe):
        return recipe.stages is not None

    def build_on(self, needs):
        label = self.recipe.stages.options["label"]
        for (stage, name), task in zip(STAGES.items(), needs, strict=False):
            target, recipe = choose(name, label=label), task.recipe
            if recipe.target != target or type(task) is not Classification:
                raise ValueError(
                    f"The {stage} must classify single images by a network, with the target {target}. "
                    f"Received: {recipe.name}, {type(task).__name__}, target {recipe.target}"
                )
            check_agreement("Both stages and their recipe", self.recipe, recipe, _SHARED)

    def model(self, weights=None, needed=()):
        image = keras.Input(needed[0].input_shape[1:], name="image")
        # Without a copy of their layers, which have equal names in both.
        stages = [
            keras.Model(trained.inputs, trained.output, name=stage)(image)
            for stage, trained in zip(STAGES, needed, strict=True)
        ]
        return keras.Model(image, stages, name="two_stage")

    def ask(self, model, images):
        gate, rest = models.traced(model).predict_on_batch(images)
        label, rule = self.recipe.stages.options["label"], self.recipe.stages.name
        options = {n: v for n, v in self.recipe.stages.options.items() if n not in STAGE_OPTIONS}
        # The gate's first output is its class; the second stage has the others, in their order.
        first, others = RULES[rule](gate[:, 0].astype(np.float64), rest.astype(np.float64), **options)
        return np.insert(others, self.labels.index(label), first, axis=1).astype(np.float32)

    def explain(self, model, rows, label=None):
        maps, answers, own = {}, {}, self.recipe.stages.options["label"]
        for stage, target in STAGES.items():
            if label is None or (stage == "gate") == (label == own):
                found = super().explain(model.get_layer(stage), rows, label)
                labels = target_of(self.recipe.classes, choose(target, label=own)).labels
                for name, each in found.maps.items():
                    maps[f"{stage}: {name}"] = each
                    answers[f"{stage}: {name}"] = labels, found.probabilities
        return Explanation(found.images, self.predictor(model)(rows), maps, answers)

    def position(self, label):
        if label == self.recipe.stages.options["label"]:
            # The gate's first output.
            return 0
        others = [each for each in self.labels if each != self.recipe.stages.options["label"]]
        return None if label is None else others.index(label)
