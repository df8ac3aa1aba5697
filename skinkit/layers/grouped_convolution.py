"""A grouped convolution that can be trained on a CPU."""

import keras
from keras import ops

from skinkit.layers.float_inputs import as_floats


@keras.saving.register_keras_serializable(package="skinkit")
class GroupedConv2D(keras.layers.Conv2D):
    """`keras.layers.Conv2D(groups=...)` as one convolution per group where TensorFlow has no GPU.

    For SE-ResNeXt-50 (gessert2019). The weights and the result are those of `keras.layers.Conv2D`, with
    channels last.

    Integer inputs are cast to floats with a warning. `skinkit.models.load_model(path)` loads a saved model
    with this layer; before Keras' own function there must be `import skinkit.layers`.

    Args:
        filters: As in `keras.layers.Conv2D`, like all others.
        kernel_size: As there.
        groups: As there.
        **kwargs: As there.

    Call arguments:
        inputs: 4D tensor `(batch, height, width, channels)`; height and width may be unknown.

    Returns:
        4D tensor `(batch, rows, columns, filters)`.

    Example:
        >>> tuple(GroupedConv2D(128, 3, padding="same", groups=32)(np.ones((1, 14, 14, 128))).shape)
        (1, 14, 14, 128)
    """

    def convolution_op(self, inputs, kernel):
        convolve, inputs = super().convolution_op, as_floats(self, inputs)
        # On TensorFlow Keras hands grouped convolutions to XLA, which on a CPU (TensorFlow 2.21) takes 150
        # to 190 times the processor time of this for a training step, and compiles anew in each eager call.
        if keras.backend.backend() != "tensorflow" or keras.distribution.list_devices("gpu"):
            return convolve(inputs, kernel)
        parts = zip(
            ops.split(inputs, self.groups, axis=-1), ops.split(kernel, self.groups, axis=-1), strict=True
        )
        return ops.concatenate([convolve(*part) for part in parts], axis=-1)
