"""Batches of a recipe's images: their pixels, their weights, and how often each is seen."""

import dataclasses
import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from skinkit import models, pipeline, training
from skinkit.names import check_name
from skinkit.papers import Recipe

# Decoded images are kept in memory up to this size, which leaves room on a small Colab machine.
_MEMORY_CACHE_BYTES = 5 * 2**28
# Of images that are looked at once an epoch, fewer.
_EVALUATION_CACHE_BYTES = 2**27

BALANCING = {
    "none": lambda: None,
    "class_weights": training.class_weights,
    "diagnosis_weights": training.diagnosis_weights,
    **pipeline.SAMPLERS,
}


def pipeline_spec(recipe, augment):
    """Returns the `PipelineSpec` of a resolved recipe, with or without its augmentation."""
    scaling, channel_order = models.expected_pixels(recipe.model.name, **recipe.model.options)
    return pipeline.PipelineSpec(
        image_size=tuple(recipe.image_size),
        channel_order=recipe.channel_order or channel_order,
        scaling=recipe.scaling or scaling,
        resize=recipe.resize,
        colour_constancy=recipe.colour_constancy,
        augmentation=pipeline.Augmentation(**recipe.augmentation) if augment else None,
        crops=_crops(recipe),
    )


def check_agreement(who, recipe, other, fields):
    """Raises `ValueError` when two networks are not asked about equal pixels, or their recipes differ.

    Args:
        who: String, both of them, which begins the message.
        recipe: A resolved `Recipe`.
        other: Another one.
        fields: Names of the fields of a recipe that are equal, too.
    """
    mine, theirs = (
        vars(pipeline_spec(each, augment=False)) | {name: getattr(each, name) for name in fields}
        for each in (recipe, other)
    )
    if wrong := [name for name in mine if mine[name] != theirs[name]]:
        raise ValueError(
            f"{who} must agree in {', '.join(wrong)}. Received: {mine[wrong[0]]!r}, and "
            f"{theirs[wrong[0]]!r} in {other.name}"
        )


def _crops(recipe):
    if recipe.input.name == "downsampling":
        return None
    return pipeline.Crops(recipe.input.name, recipe.crop_size, **recipe.input.options)


@dataclass(frozen=True)
class TrainingBatches:
    """The batches of a training: a function of its first epoch, as `skinkit.training.fit` asks for it.

    Args:
        recipe: A resolved `Recipe`.
        rows: Manifest rows of the training part.
        labels: Classes in the order of the network's outputs.
        seed: Integer, of the order and the augmentation.
        weights: float array `(n,)`, a loss weight for each row; or `None`.
        sampler: `skinkit.pipeline.Sampler` of the rows, or `None` when each comes once in an epoch.
        extra_inputs: `skinkit.pipeline.ExtraInputs` of the rows, or `None`.
        pretext: `skinkit.pipeline.Turn` or `Disorder` of the images, or `None`.
        change: Function of a batch's images, one-hot labels and weights, where it has some, that returns what
            is trained on instead.
    """

    recipe: Recipe
    rows: pd.DataFrame
    labels: Sequence[str]
    seed: int
    weights: np.ndarray | None = None
    sampler: pipeline.Sampler | None = None
    extra_inputs: pipeline.ExtraInputs | None = None
    pretext: pipeline.Turn | pipeline.Disorder | None = None
    change: Callable | None = None

    @property
    def steps(self):
        """Number of batches in an epoch."""
        images = self.sampler.length if self.sampler else len(self.rows)
        return pipeline.steps_per_epoch(images, self.recipe.batch_size)

    def __call__(self, first_epoch):
        """Returns `(dataset, steps)`: the endless `tf.data.Dataset` from `first_epoch` on."""
        spec = pipeline_spec(self.recipe, augment=True)
        dataset = pipeline.build_dataset(
            self.rows,
            dataclasses.replace(spec, cache=self._cache(), pretext=self.pretext),
            labels=self.labels,
            training=True,
            batch_size=self.recipe.batch_size,
            seed=self.seed,
            first_epoch=first_epoch,
            sample_weight=self.weights,
            sampler=self.sampler,
            extra_inputs=self.extra_inputs,
        )
        if self.recipe.mixing:
            mix = pipeline.MIXINGS[self.recipe.mixing.name](**self.recipe.mixing.options)
            dataset = mix(dataset, self.seed, first_epoch * self.steps)
        return dataset.map(self.change) if self.change else dataset, self.steps

    def _cache(self):
        if self.recipe.augmentation.get("distortions"):
            return None
        return _cache(self.rows, self.recipe.image_size, _MEMORY_CACHE_BYTES)


def _cache(rows, image_size, most_bytes):
    height, width = image_size
    return "memory" if len(rows) * height * width * 3 <= most_bytes else None


def training_batches(recipe, run_data, seed, extra_inputs=None):
    """Returns the `TrainingBatches` of a recipe, balanced as it says.

    Args:
        recipe: A resolved `Recipe`.
        run_data: Its `skinkit.experiments.run_data.RunData`.
        seed: Integer, of the order and the augmentation.
        extra_inputs: `skinkit.pipeline.ExtraInputs` of the training rows, or `None`.

    Raises:
        ValueError: for an unknown balancing, options of none, or a batch that cannot hold whole groups of
            images.
    """
    name, options = recipe.balancing.name, dict(recipe.balancing.options)
    check_name("Balancings", name, BALANCING)
    if name == "none" and options:
        raise ValueError(f"Without balancing there are no options. Received: balancing={recipe.balancing}")
    rows, weights = run_data.rows("train"), sample_weights(recipe, run_data)
    return TrainingBatches(recipe, rows, run_data.labels, seed, weights, _sampler(recipe, rows), extra_inputs)


def unweighted_batches(recipe, run_data, seed, **changes):
    """Returns the `TrainingBatches` of a recipe whose network learns more, or something else, than labels.

    Args:
        recipe: As in `training_batches`.
        run_data: As in `training_batches`.
        seed: As in `training_batches`.
        **changes: Fields of `TrainingBatches` that differ.

    Raises:
        ValueError: for loss weights by label, and as in `training_batches`.
    """
    check_unweighted(recipe)
    return dataclasses.replace(training_batches(recipe, run_data, seed), **changes)


def check_unweighted(recipe):
    """Raises `ValueError` for loss weights by label, beside which a network learns what has none."""
    name, options = recipe.balancing.name, recipe.balancing.options
    if name in ("class_weights", "diagnosis_weights") or "weights" in options:
        raise ValueError(
            f"{recipe.name}: autoencoders and pretext tasks learn from images as such, alone or beside their "
            f"labels, by which that cannot be weighted. Received: balancing={recipe.balancing}"
        )


def evaluation_images(recipe, rows, **changes):
    """Returns the images of manifest rows in their order, once, without augmentation and labels.

    Their pixels are kept for the next time, unless they are many or a file has changed since.

    Args:
        recipe: A resolved `Recipe`.
        rows: Manifest rows.
        **changes: Fields of `PipelineSpec` that differ, e.g. to show the images instead of scoring them.

    Yields:
        float32 arrays, a batch each.

    Raises:
        ValueError: when an image cannot be read.
    """
    spec = dataclasses.replace(pipeline_spec(recipe, augment=False), **changes)
    spec = dataclasses.replace(spec, cache=_cache(rows, spec.image_size, _EVALUATION_CACHE_BYTES))
    columns = tuple(name for name in ("image_id", "path", "transform") if name in rows)
    with pipeline.naming_images():
        images = tuple(rows[[*columns]].astype(object).itertuples(index=False, name=None))
        files = tuple(map(_state, rows["path"])) if spec.cache else ()
        dataset = _evaluation_dataset(images, files, columns, spec, recipe.batch_size)
        yield from dataset.as_numpy_iterator()


def _state(path):
    """What changes with a file, which may be missing."""
    try:
        found = Path(path).stat()
    except (OSError, TypeError):
        return None
    return found.st_size, found.st_mtime_ns


@functools.lru_cache(maxsize=8)
def _evaluation_dataset(images, files, columns, spec, batch_size):
    """A dataset that each epoch, and other networks, take again while its `files` stay the same."""
    rows = pd.DataFrame(list(images), columns=list(columns))
    return pipeline.build_dataset(rows, spec, batch_size=batch_size)


def sample_weights(recipe, run_data):
    """Returns one loss weight per training row, or `None` when the loss is not weighted.

    The option `over="all"` counts the classes over the test rows too, as koefler2023's code does, but not
    over those of an external set; beside a sampler, `weights` gives loss weights other than 1 by label, as
    datta2021's code does.
    """
    name, options = recipe.balancing.name, dict(recipe.balancing.options)
    rows, labels = run_data.rows("train"), run_data.labels
    if name == "diagnosis_weights":
        return training.diagnosis_weights(rows, labels, table=run_data.table, **options)
    if name == "class_weights":
        counted = _own_rows(recipe, run_data) if options.pop("over", "train") == "all" else rows
        weights = training.class_weights(counted["label"], labels, **options)
        return training.sample_weights(rows["label"], weights)
    if name in pipeline.SAMPLERS and (given := options.get("weights")):
        return training.sample_weights(rows["label"], dict.fromkeys(labels, 1.0) | given)
    return None


def _own_rows(recipe, run_data):
    """The manifest rows of all parts, without an external test part."""
    foreign = run_data.split.ids("test") if recipe.external else []
    return run_data.table[~run_data.table["image_id"].isin(foreign)]


def _sampler(recipe, rows):
    name, options = recipe.balancing.name, dict(recipe.balancing.options)
    if name not in pipeline.SAMPLERS:
        return None
    options.pop("weights", None)
    if name != "contextual":
        return pipeline.SAMPLERS[name](rows["label"], **options)
    images = options["images_per_patient"] = images_per_patient(recipe)
    patients, rest = divmod(recipe.batch_size, images)
    if rest:
        raise ValueError(
            f"{recipe.name}: with contextual balancing `batch_size` is a multiple of images_per_patient="
            f"{images}. Received: batch_size={recipe.batch_size}"
        )
    return pipeline.SAMPLERS[name](rows["label"], rows["patient_id"], patients_per_batch=patients, **options)


def images_per_patient(recipe):
    """Returns how many images of a patient follow each other in the batches of `contextual` balancing."""
    return recipe.balancing.options.get("images_per_patient", 4)
