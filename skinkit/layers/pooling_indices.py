"""Max pooling that remembers where its maxima were, and its reversal."""

import keras
from keras import ops

from skinkit.layers.float_inputs import as_floats


@keras.saving.register_keras_serializable(package="skinkit")
class MaxPoolWithIndices(keras.layers.Layer):
    """Keeps the largest pixel of each 2 x 2 window, and which of the four it was.

    The encoder of SegNet, the autoencoder of hernandez2020. Windows do not overlap. An odd last
    row or column belongs to no window and is left out, as in PyTorch. The gradient goes to the largest
    pixel only.

    Masks are not used: every position of an image counts.

    Integer inputs are cast to floats with a warning. `skinkit.models.load_model(path)` loads a saved model
    with this layer; before Keras' own function there must be `import skinkit.layers`.

    Args:
        **kwargs: Keyword arguments of `keras.layers.Layer`, such as `name` and `dtype`.

    Call arguments:
        inputs: 4D tensor `(batch, height, width, channels)`; height and width may be unknown.

    Returns:
        A tuple of the maxima `(batch, height // 2, width // 2, channels)` and, in the same shape as
        int32, their places in the windows: 0 top left, 1 top right, 2 bottom left, 3 bottom right, the
        first of equals.

    Reference:
        - [Badrinarayanan et al., 2015](https://arxiv.org/abs/1511.00561)
    """

    def call(self, inputs):
        inputs = as_floats(self, inputs)
        # Strided views of the four corners are as large as the pooled map.
        height, width = (ops.shape(inputs)[axis] // 2 * 2 for axis in (1, 2))
        corners = [inputs[:, row:height:2, column:width:2] for row in (0, 1) for column in (0, 1)]
        indices = ops.argmax(ops.stack(corners, axis=-1), axis=-1)
        pooled = ops.max_pool(inputs, 2, strides=2, padding="valid", data_format="channels_last")
        return pooled, ops.cast(indices, "int32")

    def compute_output_spec(self, inputs):
        batch, height, width, channels = inputs.shape
        shape = (batch, _half(height), _half(width), channels)
        return keras.KerasTensor(shape, self.compute_dtype), keras.KerasTensor(shape, "int32")


@keras.saving.register_keras_serializable(package="skinkit")
class MaxUnpool(keras.layers.Layer):
    """Puts each value back to its place in a 2 x 2 window, with zeros around it.

    The decoder of SegNet, the autoencoder of hernandez2020. Masks are not used: every position
    of an image counts.

    Integer inputs are cast to floats with a warning. `skinkit.models.load_model(path)` loads a saved model
    with this layer; before Keras' own function there must be `import skinkit.layers`.

    Args:
        **kwargs: Keyword arguments of `keras.layers.Layer`, such as `name` and `dtype`.

    Call arguments:
        inputs: 4D tensor `(batch, height, width, channels)`; height and width may be unknown.
        indices: Places in the windows, from 0 to 3, in the same shape: of `MaxPoolWithIndices`.

    Returns:
        Tensor `(batch, 2 * height, 2 * width, channels)`. A row or column that pooling left out is not
        restored.

    Reference:
        - [Badrinarayanan et al., 2015](https://arxiv.org/abs/1511.00561)
    """

    def call(self, inputs, indices):
        inputs = as_floats(self, inputs)
        batch, height, width, channels = ops.shape(inputs)
        place = ops.equal(ops.expand_dims(indices, -1), ops.arange(4, dtype="int32"))
        windows = ops.where(place, ops.expand_dims(inputs, -1), 0)
        windows = ops.reshape(windows, (batch, height, width, channels, 2, 2))
        rows = ops.transpose(windows, (0, 1, 4, 2, 5, 3))
        return ops.reshape(rows, (batch, 2 * height, 2 * width, channels))

    def compute_output_shape(self, inputs_shape, indices_shape):
        batch, height, width, channels = inputs_shape
        return (batch, _double(height), _double(width), channels)


def _half(size):
    return None if size is None else size // 2


def _double(size):
    return None if size is None else 2 * size
