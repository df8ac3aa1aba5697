"""Shared pieces of the pretext tasks: whose they are, what is done to the images, the outputs' names."""

import functools

from skinkit import data, models, pipeline
from skinkit.tasks.batches import check_unweighted, pipeline_spec, unweighted_batches

_CHANGES = {"rotation": pipeline.Turn, "pixels": pipeline.Disorder}


def has_target(recipe, name, joint):
    """Returns whether the target of a resolved `Recipe` is that of a pretext task.

    Args:
        recipe: A resolved `Recipe`.
        name: `"rotation"` or `"pixels"`.
        joint: Whether the class is learned beside it.
    """
    target = recipe.target
    return target is not None and target.name == name and target.options.get("joint", False) == joint


def pretext_of(recipe):
    """Returns the `skinkit.pipeline.Turn` or `Disorder` of a recipe's images.

    Raises:
        ValueError: for images that it does not fit, or that the network sees as several crops; for a model
            that cannot learn it, or a training that leaves out one of two heads or has loss weights by label.
    """
    _check_model(recipe)
    check_unweighted(recipe)
    if recipe.input.name not in ("downsampling", "single_crop"):
        raise ValueError(
            f"{recipe.name}: a pretext task is of one image, whole or cropped. Received: input={recipe.input}"
        )
    _check_both_heads(recipe)
    pretext = _CHANGES[recipe.target.name](**data.target_of(recipe.classes, recipe.target).pretext)
    pretext.check_fit(pipeline_spec(recipe, augment=False).input_shape[:-1])
    return pretext


def loss_weights(recipe, beside):
    """Returns the weights of the losses of the class and of a pretext task beside it, by output.

    Args:
        recipe: A resolved `Recipe`.
        beside: As in `pretext_batches`.
    """
    return {"probabilities": 1.0, beside: float(recipe.target.options.get("weight", 1.0))}


def _check_both_heads(recipe):
    """Refuses, beside a class, what knows the head of the class alone."""
    alone = {"score_best": recipe.score_best, "trainable": any(p.trainable == "head" for p in recipe.phases)}
    if recipe.target.options.get("joint") and (wrong := [name for name, asked in alone.items() if asked]):
        raise ValueError(
            f"{recipe.name}: a pretext task beside the class has a head of its own. Train all layers, and "
            f"score either the last or the best epoch. Received: {wrong[0]}, {recipe.target}"
        )


def _check_model(recipe):
    name, target = recipe.model.name, recipe.target
    if target.name == "rotation":
        needed, fits = "a classifier of one image", not models.MODELS[name].reconstructs
        fits = fits and name != "patient_network" and recipe.classifier is None
    elif target.options.get("joint"):
        needed, fits = "restoration_classifier", name == "restoration_classifier"
    else:
        needed, fits = "a model that returns images", models.MODELS[name].reconstructs
    if not fits:
        raise ValueError(
            f"{recipe.name}: {target} is learned by {needed}. "
            f"Received: model={recipe.model}, classifier={recipe.classifier}"
        )


def pretext_batches(recipe, run_data, seed, pretext, beside=None):
    """Returns the `TrainingBatches` of a pretext task.

    Args:
        recipe: A resolved `Recipe`.
        run_data: `skinkit.experiments.run_data.RunData`.
        seed: Integer, of order, augmentation and pretext.
        pretext: What `pretext_of` returns.
        beside: Name of its output in a network that learns the class, too; `None` for one that does not.

    Raises:
        ValueError: for loss weights by label.
    """
    change = functools.partial(_named, beside) if beside else _alone
    return unweighted_batches(recipe, run_data, seed, pretext=pretext, change=change)


def _alone(images, targets):
    return images, targets[1]


def _named(beside, images, targets):
    labels, aside = targets
    return images, {"probabilities": labels, beside: aside}
