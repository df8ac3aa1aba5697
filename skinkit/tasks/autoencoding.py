"""Autoencoding: a network that returns its images, and learns them without labels."""

import math

import numpy as np

from skinkit import models
from skinkit.tasks.batches import evaluation_images, unweighted_batches
from skinkit.tasks.task import Prepared, Task


class Autoencoding(Task):
    """Images from images; the probabilities come from a classifier of its features."""

    # A share of pixels whose brightest channel is right would be called accuracy, too.
    metrics = ()
    monitors = ("psnr",)

    @staticmethod
    def suits(recipe):
        return models.MODELS[recipe.model.name].reconstructs

    def prepare(self, model, run_data, seed, folder):
        batches = unweighted_batches(self.recipe, run_data, seed, change=lambda images, _: (images, images))
        return Prepared(model, batches)

    def validator(self, model, rows):
        return lambda: self.reconstruction_scores(model, rows)

    def reconstruction_scores(self, model, rows):
        """Returns how well images come back: `rmse` over all their pixels, and `psnr` in decibels.

        Args:
            model: The autoencoder.
            rows: Manifest rows; pixels from 0 to 1.
        """
        squares = []
        for seen, images in self.pairs(rows):
            made = models.traced(model).predict_on_batch(seen)
            squares.append(np.square(made - images).mean(axis=(1, 2, 3)))
        mean = float(np.mean(np.concatenate(squares)))
        return {"rmse": math.sqrt(mean), "psnr": -10 * math.log10(max(mean, 1e-12))}

    def pairs(self, rows):
        """Yields what the network sees of manifest rows, and what it should make of it, a batch each."""
        return ((images, images) for images in evaluation_images(self.recipe, rows))
