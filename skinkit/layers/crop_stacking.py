"""Crops as images of one large batch, and back, so that one call of a backbone sees them all."""

# Layers of our own, because `keras.layers.Reshape` leaves the batch axis alone, and
# `keras.layers.TimeDistributed` takes one layer: a backbone would have to be nested in it. A bare
# `ops.reshape` in a functional model is saved under a name of Keras' internal modules and allows one unknown
# size only.

import keras
from keras import ops

from skinkit.layers.float_inputs import as_floats
from skinkit.values import Count, check_value


@keras.saving.register_keras_serializable(package="skinkit")
class StackCrops(keras.layers.Layer):
    """Makes every crop an image of its own: image by image, and the crops of an image in their order.

    Masks are not used: every crop of an image counts.

    Integer inputs are cast to floats with a warning. `skinkit.models.load_model(path)` loads a saved model
    with this layer; before Keras' own function there must be `import skinkit.layers`.

    Call arguments:
        inputs: Tensor `(batch, crops, ...)`; all sizes may be unknown.

    Returns:
        Tensor `(batch * crops, ...)`.

    Example:
        >>> tuple(StackCrops()(np.ones((2, 5, 224, 224, 3))).shape)
        (10, 224, 224, 3)
    """

    def build(self, input_shape):
        self.input_spec = keras.layers.InputSpec(min_ndim=3)

    def call(self, inputs):
        return ops.reshape(as_floats(self, inputs), (-1, *ops.shape(inputs)[2:]))

    def compute_output_shape(self, input_shape):
        batch, crops, *rest = input_shape
        return (None if None in (batch, crops) else batch * crops, *rest)


@keras.saving.register_keras_serializable(package="skinkit")
class UnstackCrops(keras.layers.Layer):
    """Puts the features of an image's crops side by side again: undoes `skinkit.layers.StackCrops`.

    Masks are not used: every crop of an image counts.

    Integer inputs are cast to floats with a warning. `skinkit.models.load_model(path)` loads a saved model
    with this layer; before Keras' own function there must be `import skinkit.layers`.

    Args:
        crops: Integer, crops of an image.
        **kwargs: Keyword arguments of `keras.layers.Layer`, such as `name` and `dtype`.

    Call arguments:
        inputs: Tensor `(batch * crops, ...)`; all sizes may be unknown.

    Returns:
        Tensor `(batch, crops, ...)`.

    Raises:
        ValueError: for fewer than one crop.

    Example:
        >>> tuple(UnstackCrops(5)(np.ones((10, 1024))).shape)
        (2, 5, 1024)
    """

    def __init__(self, crops, **kwargs):
        super().__init__(**kwargs)
        check_value("UnstackCrops", "crops", crops, Count)
        self.crops = crops

    def call(self, inputs):
        return ops.reshape(as_floats(self, inputs), (-1, self.crops, *ops.shape(inputs)[1:]))

    def compute_output_shape(self, input_shape):
        stacked, *rest = input_shape
        return (None if stacked is None else stacked // self.crops, self.crops, *rest)

    def get_config(self):
        return {**super().get_config(), "crops": self.crops}
