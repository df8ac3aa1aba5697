"""Losses by name."""

from typing import Literal

import keras
import numpy as np
from keras import ops

from skinkit.names import check_name
from skinkit.registration import calling_place, register
from skinkit.training.loss_weights import class_weights
from skinkit.values import BelowOne, NonNegative, check_options, check_value

INVERSE_FREQUENCY = "inverse_frequency"
_Alpha = Literal[INVERSE_FREQUENCY] | NonNegative | tuple[NonNegative, ...]


@keras.saving.register_keras_serializable(package="skinkit")
class RootMeanSquaredError(keras.losses.Loss):
    """Root of the mean squared difference over the whole batch: the loss of hernandez2020's autoencoder.

    One root for the batch, not the mean of one root an image. Images cannot be weighted.

    Example:
        >>> round(float(RootMeanSquaredError()(np.array([1.0, 3.0]), np.array([1.0, 1.0]))), 4)
        1.4142
    """

    def call(self, y_true, y_pred):
        """Returns the loss of a batch, a scalar."""
        # The root has no slope at zero: its gradient there would be NaN.
        return ops.sqrt(ops.maximum(ops.mean(ops.square(y_pred - y_true)), 1e-14))


def build_loss(name, **options):
    """Returns a Keras loss: on one-hot labels and softmax probabilities, or on images and reconstructions.

    The reduction matters as soon as images are weighted: PyTorch's
    `CrossEntropyLoss(weight=w)` divides by the sum of the weights in the batch, which is
    `"mean_with_sample_weight"`; an unreduced loss times a factor and then averaged, and
    `keras.Model.fit(class_weight=w)`, divide by the number of images.

    Args:
        name: `"categorical_crossentropy"`; `"focal"`: `-alpha * (1 - p) ** gamma * log(p)`; or
            `"mean_squared_error"` or `"root_mean_squared_error"`, of images, without options.
        **options: Of the first two: `label_smoothing`, share of the label spread over all classes, in [0, 1)
            (default 0.0); `reduction`, `"sum_over_batch_size"` (default) or `"mean_with_sample_weight"`. For
            `"focal"`, `gamma` (default 2.0) and `alpha` (default 1.0 as in PyTorch code, where Keras has
            0.25; a list gives one per class, and `resolve_alpha` makes one of `"inverse_frequency"` and its
            `power`).

    Returns:
        A `keras.losses.Loss`.

    Example:
        >>> build_loss("focal", gamma=1.0)
    """
    check_name("Losses", name, LOSSES)
    check_options(name, (LOSSES[name],), options)
    return LOSSES[name](**options)


def resolve_alpha(options, classes, labels):
    """Returns the options of a loss with their `alpha` in numbers.

    Args:
        options: Mapping, of `build_loss`. The `alpha` `"inverse_frequency"`, to the `power` (default 1.0),
            becomes one number per class, whose mean over the images is 1, so that the steps are about as
            large as with `alpha=1`.
        classes: Sequence of the classes, in the order of the network's outputs.
        labels: Sequence of labels, one per training image, and of no others.

    Raises:
        ValueError: for an `alpha` that is none, or 0 for all classes, a list of another length than these, a
            class without training images, or a `power` of anything else.

    Example:
        >>> resolve_alpha({"alpha": "inverse_frequency"}, ["mel", "nv"], ["nv", "nv", "nv", "mel"])
        {'alpha': [2.0, 0.6666666666666666]}
    """
    options = dict(options)
    alpha, power = options.get("alpha", 1.0), options.pop("power", None)
    check_value("focal", "alpha", alpha, _Alpha)
    if alpha == INVERSE_FREQUENCY:
        power = 1.0 if power is None else power
        check_value("focal", "power", power, NonNegative)
        return {**options, "alpha": list(class_weights(labels, classes, power, normalise=True).values())}
    if power is not None:
        raise ValueError(f"`power` is that of inverse_frequency. Received: power={power}, alpha={alpha}")
    if not np.any(alpha):
        raise ValueError(f"With no class weighted, nothing is learned. Received: alpha={alpha}")
    if isinstance(alpha, list | tuple) and len(alpha) != len(classes):
        raise ValueError(
            f"`alpha` is one number, or one for each of the {len(classes)} classes {', '.join(classes)}. "
            f"Received: {len(alpha)}, alpha={alpha}"
        )
    return options


def _crossentropy(label_smoothing: BelowOne = 0.0, reduction="sum_over_batch_size"):
    return keras.losses.CategoricalCrossentropy(label_smoothing=label_smoothing, reduction=reduction)


def _focal(
    gamma: NonNegative = 2.0,
    alpha: _Alpha = 1.0,
    label_smoothing: BelowOne = 0.0,
    reduction="sum_over_batch_size",
):
    if alpha == INVERSE_FREQUENCY:
        raise ValueError(f"`resolve_alpha(options, classes, labels)` makes numbers of alpha={alpha!r}")
    return keras.losses.CategoricalFocalCrossentropy(
        alpha=alpha, gamma=gamma, label_smoothing=label_smoothing, reduction=reduction
    )


LOSSES = {
    "categorical_crossentropy": _crossentropy,
    "focal": _focal,
    "mean_squared_error": keras.losses.MeanSquaredError,
    "root_mean_squared_error": RootMeanSquaredError,
}


def register_loss(name):
    """Decorator that makes a class or function of one's own the loss `name` of `build_loss` and of recipes.

    Args:
        name: String, for `loss=choose(name, ...)` in a recipe.

    Returns:
        Decorator of a `keras.losses.Loss` class, or of a function that returns an instance; its parameters
        are the options.

    Raises:
        ValueError: for a name that is taken.

    Example:
        >>> @register_loss("squared")
        ... def squared(power=2):
        ...     return keras.losses.MeanSquaredError(name=f"to_the_{power}")
        >>> build_loss("squared").name
        'to_the_2'
    """
    place = calling_place()

    def add(loss):
        register("Losses", LOSSES, name, loss, place)
        return loss

    return add
