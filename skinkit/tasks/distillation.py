"""A student: a network that learns what trained ones answer, beside the labels."""

import dataclasses
import functools
from dataclasses import dataclass

import numpy as np
import tensorflow as tf

from skinkit import models
from skinkit.tasks.batches import check_agreement
from skinkit.tasks.classification import Classification
from skinkit.tasks.task import Prepared
from skinkit.values import Share, check_fields


@dataclass(frozen=True)
class Teaching:
    """The options of `Recipe.teaching`.

    Args:
        teachers: Names of the recipes whose trained networks teach: one at least.
        share: Float, 0 to 1: how much of a target is the mean of their answers; the rest is the label.
    """

    teachers: tuple[str, ...]
    share: Share = 0.5

    def __post_init__(self):
        check_fields("Teaching", self)
        if not self.teachers or len({*self.teachers}) < len(self.teachers):
            raise ValueError(
                f"A student has one teacher or more, each once. Received: teachers={self.teachers}"
            )


class Distillation(Classification):
    """Class probabilities of a network whose targets are partly the answers of others.

    Hinton et al. 2015, Distilling the Knowledge in a Neural Network, at a temperature of 1. The teachers see
    the student's own images, as they were changed for it, and no other views of them (Beyer et al. 2022).
    """

    is_taught = True

    def __init__(self, recipe):
        super().__init__(recipe)
        self.options, self.teachers = Teaching(**recipe.teaching.options), ()
        if recipe.start_from is not None:
            raise ValueError(
                f"{recipe.name}: with `teaching`, the networks that come first are teachers. "
                f"Received: start_from={recipe.start_from!r}"
            )

    @staticmethod
    def suits(recipe):
        return recipe.teaching is not None and Classification.suits(recipe)

    def build_on(self, needs):
        for task in needs:
            if type(task) not in (Classification, Distillation):
                raise ValueError(
                    "A teacher classifies single images by a network. "
                    f"Received: {task.recipe.name}, {type(task).__name__}"
                )
            check_agreement("A student and its teachers", self.recipe, task.recipe, ("classes", "target"))

    def model(self, weights=None, needed=()):
        self.teachers = tuple(map(models.traced, needed))
        return super().model(weights)

    def prepare(self, model, run_data, seed, folder):
        prepared = super().prepare(model, run_data, seed, folder)
        taught = functools.partial(_taught, self._answers, self.options.share)
        return Prepared(prepared.model, dataclasses.replace(prepared.batches, change=taught))

    def _answers(self, images):
        return np.mean([teacher.predict_on_batch(images) for teacher in self.teachers], axis=0)


def _taught(answers, share, images, labels, *weights):
    """A batch whose labels are partly `answers`."""
    # Not in the graph of the dataset, which would keep the teachers off a GPU.
    soft = tf.ensure_shape(tf.numpy_function(answers, [images], tf.float32), labels.shape)
    return images, (1 - share) * labels + share * soft, *weights
