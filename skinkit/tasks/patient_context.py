"""Classification of an image beside the other images of its patient (hernandez2020)."""

from pathlib import Path

import numpy as np

from skinkit import models, pipeline, training
from skinkit.tasks.batches import evaluation_images, images_per_patient, training_batches
from skinkit.tasks.classification import Classification
from skinkit.tasks.task import Prepared

# Whole patients that go through the head in one call.
_PATIENTS = 8


class PatientContext(Classification):
    """Class probabilities by a `patient_network` with context.

    In training with `contextual` balancing the images of a batch are each other's context; with any other it
    is the stored features of the training images, which are computed again when an epoch begins. In
    prediction it is all other images of the patient among the same rows.
    """

    has_views = False
    mixes = False
    asks_one_image = False

    @staticmethod
    def suits(recipe):
        return recipe.model.name == "patient_network" and recipe.model.options.get("context") != "none"

    def prepare(self, model, run_data, seed, folder):
        if self.recipe.balancing.name == "contextual":
            trained = models.grouped_images(model, images_per_patient(self.recipe))
            return Prepared(trained, training_batches(self.recipe, run_data, seed))
        store, refresh = self._stored_context(model, run_data.rows("train"), folder)
        return Prepared(model, training_batches(self.recipe, run_data, seed, _extra_inputs(store)), [refresh])

    def _stored_context(self, model, rows, folder):
        extractor = models.traced(models.pooled_features(model))
        store = training.FeatureStore(
            # Deleted with the states of the training, which it belongs to.
            Path(folder) / "checkpoint" / "context",
            rows["image_id"],
            rows["patient_id"],
            extractor.output.shape[-1],
        )

        def batches(first):
            return evaluation_images(self.recipe, rows[first:])

        return store, training.ContextRefresh(store, extractor, batches, self.recipe.refresh_steps)

    def predictor(self, model):
        return PatientPredictor(model, self.recipe)

    def explain(self, model, rows, label=None):
        # One image at a time: the network is asked what it makes of the image alone.
        return super().explain(models.image_alone(model), rows, label)


def _extra_inputs(store):
    shapes = {"context": ((store.most, store.depth), "float32"), "mask": ((store.most,), "bool")}
    return pipeline.ExtraInputs(lambda rows: store.read(store.image_ids[rows]), shapes)


class PatientPredictor:
    """Class probabilities of images, each seen beside all other images of its patient among the same rows.

    Features are computed batch by batch and patients classified a few at a time, so that memory does not
    grow with the number of images.

    Args:
        model: A `patient_network` with context.
        recipe: The resolved `Recipe` it was built from.
    """

    def __init__(self, model, recipe):
        self.extractor = models.traced(models.pooled_features(model))
        self.head = models.traced(models.whole_patients(model))
        self.recipe = recipe

    def __call__(self, rows):
        """Returns float32 `(n, classes)` in the order of the manifest rows."""
        images = np.asarray(rows["image_id"], dtype=str)
        patients = np.asarray(rows["patient_id"].fillna(rows["image_id"]), dtype=str)
        # In one order whatever that of the rows, so that no sum is rounded in another way.
        order = np.lexsort([images, patients])
        _, sizes = np.unique(patients[order], return_counts=True)
        found = np.empty((len(rows), self.head.output.shape[-1]), np.float32)
        found[order] = np.concatenate(list(self._classified(self._features(rows.iloc[order], sizes), sizes)))
        return found

    def _features(self, rows, sizes):
        """Yields the features of a patient after the other."""
        waiting = np.empty((0, self.extractor.output.shape[-1]), np.float32)
        sizes = iter(sizes)
        size = next(sizes)
        for images in evaluation_images(self.recipe, rows):
            waiting = np.concatenate([waiting, self.extractor.predict_on_batch(images)])
            while size is not None and len(waiting) >= size:
                yield waiting[:size]
                waiting, size = waiting[size:], next(sizes, None)

    def _classified(self, patients, sizes):
        """Yields the probabilities of a few patients after the others, without padding."""
        depth = self.extractor.output.shape[-1]
        for first in range(0, len(sizes), _PATIENTS):
            # Places without a patient stay empty: every call has one shape.
            features = np.zeros((_PATIENTS, sizes.max(), depth), np.float32)
            mask = np.zeros(features.shape[:2], bool)
            for place, size in enumerate(sizes[first : first + _PATIENTS]):
                features[place, :size], mask[place, :size] = next(patients), True
            yield self.head.predict_on_batch([features, mask])[mask]
