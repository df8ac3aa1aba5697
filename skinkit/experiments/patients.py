"""Training and prediction of networks that see the other images of a patient."""

from pathlib import Path

import numpy as np

# Whole patients that go through the head in one call.
_PATIENTS = 8


def context_training(recipe, run_data, model, seed, folder):
    """Returns what `skinkit.training.fit` trains a network with patient context on.

    With `contextual` balancing the images of a batch are each other's context; with any other it is the
    stored features of the training images, which are computed anew when an epoch begins.

    Args:
        recipe: A resolved `Recipe`.
        run_data: Its `RunData`.
        model: Its `patient_network` with context.
        seed: Integer, of the order and the augmentation.
        folder: The run's own folder.

    Returns:
        Tuple of the form of the model to train, the function of the first epoch that gives its batches, and
        a list of callbacks.
    """
    from skinkit import models
    from skinkit.experiments import build

    if recipe.balancing.name == "contextual":
        trained = models.grouped_images(model, build.images_per_patient(recipe))
        return trained, build.training_batches(recipe, run_data, seed), []
    store, refresh = _stored_context(recipe, run_data, model, folder)
    return model, build.training_batches(recipe, run_data, seed, _extra_inputs(store)), [refresh]


def _stored_context(recipe, run_data, model, folder):
    from skinkit import models, training
    from skinkit.experiments import build

    rows = run_data.rows("train")
    extractor = models.traced(models.pooled_features(model))
    store = training.FeatureStore(
        # Deleted with the states of the training, which it belongs to.
        Path(folder) / "checkpoint" / "context",
        rows["image_id"],
        rows["patient_id"],
        extractor.output.shape[-1],
    )

    def batches(first):
        images = build.evaluation_batches(recipe, rows[first:], run_data.labels)
        return (batch[0] for batch in images)

    return store, training.ContextRefresh(store, extractor, batches, recipe.refresh_steps)


def _extra_inputs(store):
    from skinkit import pipeline

    shapes = {"context": ((store.most, store.depth), "float32"), "mask": ((store.most,), "bool")}
    return pipeline.ExtraInputs(lambda rows: store.read(store.image_ids[rows]), shapes)


class PatientPredictor:
    """Class probabilities of images, each seen beside all other images of its patient among the same rows.

    Features are computed batch by batch and patients classified a few at a time, so that memory does not
    grow with the number of images.

    Args:
        model: A `patient_network` with context.
        recipe: The resolved `Recipe` it was built from.
        labels: Classes in the order of its outputs.

    Example:
    >>> probabilities = PatientPredictor(model, recipe, labels)(run_data.rows("test"))
    """

    def __init__(self, model, recipe, labels):
        from skinkit import models

        self.extractor = models.traced(models.pooled_features(model))
        self.head = models.traced(models.whole_patients(model))
        self.recipe, self.labels = recipe, labels

    def __call__(self, rows):
        """Returns float32 `(n, classes)` in the order of the manifest rows."""
        images = np.asarray(rows["image_id"], dtype=str)
        patients = np.asarray(rows["patient_id"].fillna(rows["image_id"]), dtype=str)
        # In one order whatever that of the rows, so that no sum is rounded in another way.
        order = np.lexsort([images, patients])
        _, sizes = np.unique(patients[order], return_counts=True)
        found = np.empty((len(rows), len(self.labels)), np.float32)
        found[order] = np.concatenate(list(self._classified(self._features(rows.iloc[order], sizes), sizes)))
        return found

    def _features(self, rows, sizes):
        """Yields the features of a patient after the other."""
        from skinkit.experiments import build

        waiting = np.empty((0, self.extractor.output.shape[-1]), np.float32)
        sizes = iter(sizes)
        size = next(sizes)
        for images, _ in build.evaluation_batches(self.recipe, rows, self.labels):
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
