"""Losses by name."""

import functools

import keras
from keras import ops

from skinkit.names import check_name


@keras.saving.register_keras_serializable(package="skinkit")
class RootMeanSquaredError(keras.losses.Loss):
    """Root of the mean squared difference over the whole batch: the loss of hernandez2020's autoencoder.

    One root for the batch, not the mean of one root an image. Images cannot be weighted.

    Example:
        >>> RootMeanSquaredError()([[1.0, 3.0]], [[1.0, 1.0]])
        1.4142135
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
            `"root_mean_squared_error"`, of images, without options.
        **options: Of the first two: `label_smoothing`, share of the label spread over all classes, in [0, 1)
            (default 0.0); `reduction`, `"sum_over_batch_size"` (default) or `"mean_with_sample_weight"`. For
            `"focal"`, `gamma` (default 2.0) and `alpha` (default 1.0 as in PyTorch code, where Keras has
            0.25; a list gives one per class).

    Returns:
        A `keras.losses.Loss`.

    Example:
        >>> build_loss("focal", gamma=1.0)
    """
    check_name("Losses", name, LOSSES)
    return LOSSES[name](**options)


LOSSES = {
    "categorical_crossentropy": keras.losses.CategoricalCrossentropy,
    "focal": functools.partial(keras.losses.CategoricalFocalCrossentropy, gamma=2.0, alpha=1.0),
    "root_mean_squared_error": RootMeanSquaredError,
}
