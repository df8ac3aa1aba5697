"""From a recipe to the objects that train: pixels, batches, weights, model, phases."""

import dataclasses
import functools

from skinkit import evaluation, models, pipeline, training
from skinkit.names import check_name

# Decoded images are kept in memory up to this size, which leaves room on a small Colab machine.
_MEMORY_CACHE_BYTES = 2**30

_TRAINABLE = {
    "all": lambda model: None,
    "head": models.head_layers,
    "all_but_batch_normalization": models.all_but_batch_normalization,
}

BALANCING = {
    "none": lambda: None,
    "class_weights": training.class_weights,
    "diagnosis_weights": training.diagnosis_weights,
    **pipeline.SAMPLERS,
}


def build_spec(recipe, augment):
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


def _crops(recipe):
    if recipe.input.name == "downsampling":
        return None
    return pipeline.Crops(recipe.input.name, recipe.crop_size, **recipe.input.options)


def image_training(recipe, run_data, model, seed, folder):
    """Returns what `skinkit.training.fit` trains a network on that looks at each image alone.

    Args:
        recipe, run_data, model, seed, folder: As in `skinkit.experiments.patients.context_training`.
    """
    return model, training_batches(recipe, run_data, seed), []


def training_batches(recipe, run_data, seed, extra_inputs=None):
    """Returns the function of the first epoch that `skinkit.training.fit` asks for its batches.

    Args:
        recipe: A resolved `Recipe`.
        run_data: Its `RunData`.
        seed: Integer, of the order and the augmentation.
        extra_inputs: `skinkit.pipeline.ExtraInputs` of the training rows, or `None`.
    """
    rows = run_data.rows("train")
    weights, sampler = sample_weights(recipe, run_data), build_sampler(recipe, run_data)
    if weights is not None and reconstructs(recipe):
        raise ValueError(
            f"{recipe.name}: an autoencoder sees no labels, and its images cannot be weighted by them. "
            f"Received: balancing={recipe.balancing}"
        )
    spec = dataclasses.replace(build_spec(recipe, augment=True), cache=_cache(recipe, len(rows)))

    def batches(first_epoch):
        dataset = pipeline.build_dataset(
            rows,
            spec,
            labels=run_data.labels,
            training=True,
            batch_size=recipe.batch_size,
            seed=seed,
            first_epoch=first_epoch,
            sample_weight=weights,
            sampler=sampler,
            extra_inputs=extra_inputs,
        )
        if reconstructs(recipe):
            dataset = dataset.map(lambda images, labels: (images, images))
        return dataset, steps_per_epoch(recipe, run_data)

    return batches


def steps_per_epoch(recipe, run_data):
    """Returns the number of training batches in an epoch."""
    sampler = build_sampler(recipe, run_data)
    draws = sampler.length if sampler else len(run_data.rows("train"))
    return pipeline.steps_per_epoch(draws, recipe.batch_size)


def evaluation_batches(recipe, rows, labels, **changes):
    """Returns the images of manifest rows as batches in their order, once, without augmentation.

    Args:
        recipe: A resolved `Recipe`.
        rows: Manifest rows.
        labels: Classes in the order of the network's outputs.
        **changes: Fields of `PipelineSpec` that differ, e.g. to show the images instead of scoring them.
    """
    spec = dataclasses.replace(build_spec(recipe, augment=False), **changes)
    return pipeline.build_dataset(rows, spec, labels=labels, batch_size=recipe.batch_size)


def _cache(recipe, images):
    height, width = recipe.image_size
    return "memory" if images * height * width * 3 <= _MEMORY_CACHE_BYTES else None


def sample_weights(recipe, run_data):
    """Returns one loss weight per training row, or `None` when the loss is not weighted.

    The option `over="all"` counts the classes over the test rows too, as koefler2023's code does, but not
    over those of an external set; beside a sampler, `weights` gives loss weights other than 1 by label, as
    datta2021's code does.
    """
    name, options = _balancing(recipe)
    rows = run_data.rows("train")
    if name == "diagnosis_weights":
        return training.diagnosis_weights(rows, run_data.labels, table=run_data.table, **options)
    if name == "class_weights":
        counted = _own_rows(recipe, run_data) if options.pop("over", "train") == "all" else rows
        weights = training.class_weights(counted["label"], run_data.labels, **options)
        return training.sample_weights(rows["label"], weights)
    if name in pipeline.SAMPLERS and (given := options.get("weights")):
        return training.sample_weights(rows["label"], dict.fromkeys(run_data.labels, 1.0) | given)
    return None


def _own_rows(recipe, run_data):
    """The manifest rows of all parts, without an external test part."""
    foreign = run_data.split.ids("test") if recipe.external else []
    return run_data.table[~run_data.table["image_id"].isin(foreign)]


def build_sampler(recipe, run_data):
    """Returns the `Sampler` of the training rows, or `None` when each comes once in an epoch.

    Raises:
        ValueError: for an unknown balancing, or a batch that cannot hold whole groups of images.
    """
    name, options = _balancing(recipe)
    if name not in pipeline.SAMPLERS:
        return None
    options.pop("weights", None)
    rows = run_data.rows("train")
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


def _balancing(recipe):
    name, options = recipe.balancing.name, dict(recipe.balancing.options)
    check_name("Balancings", name, BALANCING)
    if name == "none" and options:
        raise ValueError(f"Without balancing there are no options. Received: balancing={recipe.balancing}")
    return name, options


def build_model(recipe, labels, weights=None):
    """Returns the recipe's Keras model; `weights` (a file, `"imagenet"` or `"none"`) replaces its own.

    Raises:
        ValueError: for an autoencoder without a `classifier` of its features, which could not be scored; or
            for a `tta` that the images or the model do not allow.
    """
    if reconstructs(recipe) and recipe.classifier is None:
        raise ValueError(
            f"{recipe.name}: {recipe.model.name} makes images, not class probabilities. Give the recipe a "
            "`classifier` of its features"
        )
    options = {**recipe.model.options, **recipe.model_size}
    if weights is not None:
        options["weights"] = None if weights == "none" else weights
    shape = build_spec(recipe, augment=False).input_shape
    model = models.build(recipe.model.name, input_shape=shape, classes=len(labels), **options)
    if recipe.tta is not None:
        _check_tta(recipe, model)
    return model


def _check_tta(recipe, model):
    pipeline.check_views(recipe.tta.name, model.input_shape[1:3])
    evaluation.check_mean(**recipe.tta.options)
    several = recipe.input.name in ("multi_crop", "ordered_crops")
    if several or recipe.classifier is not None or models.uses_context(model):
        raise ValueError(
            f"{recipe.name}: `tta` belongs to networks that classify one picture at a time, not to several "
            f"crops, a classifier of features or patient context. Received: tta={recipe.tta}"
        )


def reconstructs(recipe):
    """Returns whether the recipe's model is trained to return its images, without labels."""
    return models.MODELS[recipe.model.name].reconstructs


def build_phases(recipe, model, steps):
    """Returns the recipe's phases as `skinkit.training.TrainingPhase`s.

    Args:
        recipe: A resolved `Recipe`.
        model: Its model, whose head the `"head"` phases train.
        steps: Integer, steps per epoch, to which the schedules are stretched.
    """
    loss = training.build_loss(recipe.loss.name, **recipe.loss.options)
    return [_build_phase(phase, recipe, loss, model, steps) for phase in recipe.phases]


def _build_phase(phase, recipe, loss, model, steps):
    options = dict(phase.optimiser.options)
    rate = options.pop("learning_rate")
    schedule_name, schedule_options, plateau = _schedule(phase.schedule, recipe.monitor)
    schedule = functools.partial(
        training.build_schedule,
        schedule_name,
        rate,
        epochs=phase.epochs,
        steps_per_epoch=steps,
        **schedule_options,
    )

    def optimiser():
        return training.build_optimiser(phase.optimiser.name, schedule(), **options)

    trainable = _TRAINABLE[phase.trainable](model)
    # A share of pixels whose brightest channel is right would be called accuracy, too.
    metrics = () if reconstructs(recipe) else ("accuracy",)
    return training.TrainingPhase(phase.epochs, optimiser, loss, trainable, plateau, metrics)


def _schedule(schedule, monitor):
    """Name and options of the schedule, and the plateau, which follows scores and not the number of steps."""
    if schedule.name == "plateau":
        return "constant", {}, training.Plateau(monitor, **schedule.options)
    return schedule.name, schedule.options, None
