"""Rotation as a pretext task: the angle that an image is turned by, alone or beside its class."""

import keras
import numpy as np
import pandas as pd

from skinkit import data, models, pipeline
from skinkit.tasks.classification import Classification
from skinkit.tasks.pretext import has_target, loss_weights, pretext_batches, pretext_of
from skinkit.tasks.task import Prepared


class RotationPretext(Classification):
    """The angles of turned images, which a classifier may start from (butskova2021).

    In training each image is turned anew in every epoch; in evaluation it is turned by the angle that is its
    label, which follows from its id.
    """

    has_views = False
    mixes = False
    asks_one_image = False

    @staticmethod
    def suits(recipe):
        return has_target(recipe, "rotation", joint=False)

    def __init__(self, recipe):
        super().__init__(recipe)
        self.turn = pretext_of(recipe)
        self._check_augmentation()

    def _check_augmentation(self):
        """Refuses changes that turn an image by an angle which is to be learned."""
        asked = self.recipe.augmentation
        both = asked.get("flip_left_right") and asked.get("flip_up_down")
        if self.turn.angles % 2 == 0 and (both or asked.get("rot90")):
            raise ValueError(
                f"{self.recipe.name}: flips both ways, or right-angle turns, turn images by 180 degrees, "
                f"which is one of the {self.turn.angles} angles to be learned. Flip one way alone. "
                f"Received: augmentation={dict(asked)}"
            )
        if asked.get("rotation", 0) >= (half := 180 / self.turn.angles):
            raise ValueError(
                f"{self.recipe.name}: a random turn by {half:g} degrees or more makes one of the "
                f"{self.turn.angles} angles to be learned another. Received: augmentation={dict(asked)}"
            )

    def prepare(self, model, run_data, seed, folder):
        return Prepared(model, pretext_batches(self.recipe, run_data, seed, self.turn))

    def images(self, rows, **changes):
        numbers, start = self.numbers(rows), 0
        for images in super().images(rows, **changes):
            index = numbers[start : start + len(images)]
            yield pipeline.turn(images, index, self.turn.angles, self.turn.disc).numpy()
            start += len(images)

    def numbers(self, rows):
        """Returns the number of the angle that each of the manifest rows is turned by in evaluation."""
        angles = data.target_of(self.recipe.classes, self.recipe.target).relabel(rows)["label"]
        return pd.Index(self.labels).get_indexer(angles)


class RotationBesideClass(RotationPretext):
    """The classes of images, by a network that learns their angles, too: both losses are added up.

    It learns the class of turned images; in evaluation none is turned, and the disc hides the same.
    """

    metrics = {"probabilities": ["accuracy"], "angle": ["accuracy"]}

    @staticmethod
    def suits(recipe):
        return has_target(recipe, "rotation", joint=True)

    def __init__(self, recipe):
        super().__init__(recipe)
        self.loss_weights = loss_weights(recipe, "angle")

    def losses(self, labels):
        return {"probabilities": super().losses(labels), "angle": keras.losses.CategoricalCrossentropy()}

    def prepare(self, model, run_data, seed, folder):
        trained = models.with_second_head(model, self.turn.angles, "angle")
        return Prepared(trained, pretext_batches(self.recipe, run_data, seed, self.turn, "angle"))

    def numbers(self, rows):
        return np.zeros(len(rows), np.int64)
