"""Soft attention over the positions of a feature map, as described and as released."""

from typing import Literal

import keras
from keras import ops

from skinkit.layers.float_inputs import as_floats
from skinkit.values import Count, check_value

GAMMA_START = 0.01


@keras.saving.register_keras_serializable(package="skinkit")
class SoftAttention(keras.layers.Layer):
    """Weights the positions of a feature map by learned attention maps.

    Datta et al. 2021 (eq. 6), used by Köfler 2023. A convolution with bias and
    ReLU gives one score per head and position; a softmax over all positions turns each head's
    scores into a map that sums to 1; the maps are summed over the heads and multiply the input.

    `kernel="described"` is the text: each head sees 3 x 3 positions of all channels.
    `kernel="released"` is the public code: a 3-D convolution whose axes are in another order, so
    that a head sees all rows, three columns and **only channels 0, 1 and 2**. Both have the same
    number of parameters, `9 * channels * heads + heads`, and the released kernel keeps its released
    shape `(channels, 3, 3, 1, heads)`. The summed map has a mean of `heads / (height * width)`:
    without `gamma` the attended features are that much smaller than the input. The released code
    has no gamma.

    Masks are not used: every position of an image counts.

    Integer inputs are cast to floats with a warning. `skinkit.models.load_model(path)` loads a saved model
    with this layer; before Keras' own function there must be `import skinkit.layers`.

    Args:
        heads: Integer, number of attention maps. Defaults to `16`.
        kernel: `"described"` or `"released"`.
        gamma: `"learnable"` scales the attended features by one weight that starts at 0.01; `None`
            leaves them as they are.
        aggregate: Whether the maps are summed before they multiply the input. If not, each head's
            product is kept and the output has `heads * channels` channels, head by head.
        concat_with_x: Whether the input is appended to the attended features.
        **kwargs: Keyword arguments of `keras.layers.Layer`, such as `name` and `dtype`.

    Call arguments:
        inputs: 4D tensor `(batch, height, width, channels)`; height and width may be unknown.
        return_maps: Whether the maps are returned too.

    Returns:
        The features `(batch, height, width, channels)`, with more channels if not `aggregate` or if
        `concat_with_x`; with `return_maps`, a tuple of these and the float32 maps
        `(batch, height, width, heads)`, each head summing to 1 over height and width.

    Raises:
        ValueError: for an argument that cannot be right, or too few channels for the released kernel.

    Example:
        >>> tuple(SoftAttention(heads=4)(np.ones((1, 8, 8, 32))).shape)
        (1, 8, 8, 32)

    Reference:
        - [Datta et al., 2021](https://arxiv.org/abs/2105.03358)
    """

    def __init__(
        self,
        heads=16,
        kernel="described",
        gamma="learnable",
        aggregate=True,
        concat_with_x=False,
        **kwargs,
    ):
        super().__init__(**kwargs)
        check_value("SoftAttention", "heads", heads, Count)
        check_value("SoftAttention", "kernel", kernel, Literal["described", "released"])
        check_value("SoftAttention", "gamma", gamma, Literal["learnable"] | None)
        self.heads = heads
        self.kernel_form = kernel
        self.gamma_form = gamma
        self.aggregate = aggregate
        self.concat_with_x = concat_with_x

    def build(self, input_shape):
        channels = input_shape[-1]
        if channels is None or (self.kernel_form == "released" and channels < 3):
            raise ValueError(
                "SoftAttention needs a known number of channels, and the released form at least 3. "
                f"Received: input_shape={input_shape}"
            )
        self.input_spec = keras.layers.InputSpec(ndim=4, axes={-1: channels})
        described = self.kernel_form == "described"
        self.kernel = self.add_weight(
            name="kernel",
            shape=(3, 3, channels, self.heads) if described else (channels, 3, 3, 1, self.heads),
            initializer="he_uniform",
        )
        self.bias = self.add_weight(name="bias", shape=(self.heads,), initializer="zeros")
        if self.gamma_form == "learnable":
            start = keras.initializers.Constant(GAMMA_START)
            self.gamma = self.add_weight(name="gamma", shape=(), initializer=start)

    def call(self, inputs, return_maps=False):
        inputs = as_floats(self, inputs)
        maps = self._maps(inputs)
        features = self._attend(inputs, ops.cast(maps, inputs.dtype))
        if self.gamma_form == "learnable":
            features = features * ops.cast(self.gamma, inputs.dtype)
        if self.concat_with_x:
            features = ops.concatenate([features, inputs], axis=-1)
        return (features, maps) if return_maps else features

    def _maps(self, inputs):
        scores = ops.relu(self._convolve(inputs) + ops.cast(self.bias, inputs.dtype))
        batch, height, width, _ = ops.shape(inputs)
        # In float16 most positions of a peaked map would become exactly zero.
        flat = ops.cast(ops.reshape(scores, (batch, height * width, self.heads)), "float32")
        return ops.reshape(ops.softmax(flat, axis=1), (batch, height, width, self.heads))

    def _convolve(self, inputs):
        kernel = ops.cast(self.kernel, inputs.dtype)
        if self.kernel_form == "released":
            # The released 3-D convolution walks the channel axis in one step of its length, so
            # its three taps there meet channels 0, 1 and 2 only: the same as this 2-D convolution.
            # TensorFlow 2.21 computes that 3-D convolution wrongly on the CPU.
            inputs, kernel = inputs[..., :3], ops.squeeze(kernel, axis=3)
        return ops.conv(inputs, kernel, padding="same", data_format="channels_last")

    def _attend(self, inputs, maps):
        if self.aggregate:
            return inputs * ops.sum(maps, axis=-1, keepdims=True)
        batch, height, width, channels = ops.shape(inputs)
        products = ops.expand_dims(inputs, 3) * ops.expand_dims(maps, 4)
        return ops.reshape(products, (batch, height, width, self.heads * channels))

    def compute_output_shape(self, input_shape):
        *positions, channels = input_shape
        attended = channels if self.aggregate else self.heads * channels
        return (*positions, attended + channels if self.concat_with_x else attended)

    def compute_output_spec(self, inputs, return_maps=False):
        shape = self.compute_output_shape(inputs.shape)
        features = keras.KerasTensor(shape, dtype=self.compute_dtype)
        if not return_maps:
            return features
        return features, keras.KerasTensor((*inputs.shape[:3], self.heads), dtype="float32")

    def get_config(self):
        return {
            **super().get_config(),
            "heads": self.heads,
            "kernel": self.kernel_form,
            "gamma": self.gamma_form,
            "aggregate": self.aggregate,
            "concat_with_x": self.concat_with_x,
        }
