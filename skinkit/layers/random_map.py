"""A control for soft attention: maps that nobody learned."""

from typing import Literal

import keras
import numpy as np
from keras import ops

from skinkit.layers.float_inputs import as_floats
from skinkit.values import Count, check_value

GAMMA_START = 0.01
# Positions with a score of their own: more than any feature map here has.
_POSITIONS = 64 * 64


@keras.saving.register_keras_serializable(package="skinkit")
class RandomMap(keras.layers.Layer):
    """Weights the positions of a feature map by one random map that is never learned.

    The control of `skinkit.layers.SoftAttention`: the scores of each head are normal random numbers
    instead of a convolution of the features; ReLU, softmax over the positions, sum over the heads and
    `gamma` are the same. All images get the same map, which depends on its height and width, on
    `heads` and on `seed` alone: the numbers come from NumPy, once, and are the same on every backend
    and under XLA. Maps of more than 4,096 positions repeat them.

    Masks are not used: every position of an image counts.

    Integer inputs are cast to floats with a warning. `skinkit.models.load_model(path)` loads a saved model
    with this layer; before Keras' own function there must be `import skinkit.layers`.

    Args:
        heads: Integer, number of random maps that are summed. Defaults to `16`.
        gamma: `"learnable"` scales the weighted features by one weight that starts at 0.01; `None`
            leaves them as they are.
        seed: Integer, seed of the maps.
        **kwargs: Keyword arguments of `keras.layers.Layer`, such as `name` and `dtype`.

    Call arguments:
        inputs: 4D tensor `(batch, height, width, channels)`; height and width may be unknown.

    Returns:
        Tensor of the inputs' shape.

    Raises:
        ValueError: for fewer than one head, or another `gamma`.

    Example:
        >>> tuple(RandomMap(heads=4)(np.ones((1, 8, 8, 32))).shape)
        (1, 8, 8, 32)
    """

    def __init__(self, heads=16, gamma="learnable", seed=0, **kwargs):
        super().__init__(**kwargs)
        check_value("RandomMap", "heads", heads, Count)
        check_value("RandomMap", "gamma", gamma, Literal["learnable"] | None)
        self.heads = heads
        self.gamma_form = gamma
        self.seed = seed
        scores = np.random.default_rng(seed).normal(size=(_POSITIONS, heads))
        self._scores = scores.astype("float32")

    def build(self, input_shape):
        self.input_spec = keras.layers.InputSpec(ndim=4)
        if self.gamma_form == "learnable":
            start = keras.initializers.Constant(GAMMA_START)
            self.gamma = self.add_weight(name="gamma", shape=(), initializer=start)

    def call(self, inputs):
        inputs = as_floats(self, inputs)
        weighted = inputs * ops.cast(self._map(inputs), inputs.dtype)
        if self.gamma_form == "learnable":
            weighted = weighted * ops.cast(self.gamma, inputs.dtype)
        return weighted

    def _map(self, inputs):
        _, height, width, _ = ops.shape(inputs)
        scores = ops.take(self._scores, ops.arange(height * width) % _POSITIONS, axis=0)
        maps = ops.softmax(ops.relu(scores), axis=0)
        return ops.reshape(ops.sum(maps, axis=-1), (1, height, width, 1))

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        config = {"heads": self.heads, "gamma": self.gamma_form, "seed": self.seed}
        return {**super().get_config(), **config}
