"""Context restoration as a pretext task: images as they were before their patches traded places."""

import keras

from skinkit import models
from skinkit.tasks.autoencoding import Autoencoding
from skinkit.tasks.batches import evaluation_images
from skinkit.tasks.classification import Classification
from skinkit.tasks.pretext import has_target, loss_weights, pretext_batches, pretext_of
from skinkit.tasks.task import Prepared


class ContextRestoration(Autoencoding):
    """Images from disordered ones, which a classifier may start from (butskova2021, after Chen et al. 2019).

    It is scored on images that are disordered in one way, whatever the seed of the run.
    """

    @staticmethod
    def suits(recipe):
        return has_target(recipe, "pixels", joint=False)

    def __init__(self, recipe):
        super().__init__(recipe)
        self.disorder = pretext_of(recipe)

    def prepare(self, model, run_data, seed, folder):
        return Prepared(model, pretext_batches(self.recipe, run_data, seed, self.disorder))

    def pairs(self, rows):
        swaps, start = None, 0
        for images in evaluation_images(self.recipe, rows):
            if swaps is None:
                swaps = self.disorder.sample(len(rows), images.shape[1:3], seed=0, epoch=0)
            yield self.disorder.finish(images, swaps[start : start + len(images)])
            start += len(images)


class RestorationBesideClass(Classification):
    """The classes of images, by a network that restores them, too: both losses are added up.

    It learns the class of disordered images; in evaluation they are in order. The squared error is the mean
    over pixels from 0 to 1.
    """

    metrics = {"probabilities": ["accuracy"]}
    mixes = False

    @staticmethod
    def suits(recipe):
        return has_target(recipe, "pixels", joint=True)

    def __init__(self, recipe):
        super().__init__(recipe)
        self.disorder, self.loss_weights = pretext_of(recipe), loss_weights(recipe, "reconstruction")

    def losses(self, labels):
        return {"probabilities": super().losses(labels), "reconstruction": keras.losses.MeanSquaredError()}

    def prepare(self, model, run_data, seed, folder):
        trained = models.with_restoration(model, self.recipe.model.options.get("decoder", "unet"))
        batches = pretext_batches(self.recipe, run_data, seed, self.disorder, "reconstruction")
        return Prepared(trained, batches)
