"""Dropout of whole crops."""

import keras
from keras import ops

from skinkit.layers.float_inputs import as_floats
from skinkit.values import BelowOne, check_value


@keras.saving.register_keras_serializable(package="skinkit")
class PatchDropout(keras.layers.Layer):
    """Replaces whole crops of an image by zeros while training.

    gessert2019, section II-D. Each crop is dropped on its own, so that an image can lose all its crops.
    The crops that stay are not scaled up, which `keras.layers.Dropout` would do. A dropped crop is black
    where the pixels go from 0 to 1, as in the document; with pixels of -1 to 1 it is grey, and with
    those of ImageNet's mean and deviation it is ImageNet's mean colour.

    Integer inputs are cast to floats with a warning. `skinkit.models.load_model(path)` loads a saved model
    with this layer; before Keras' own function there must be `import skinkit.layers`.

    Args:
        rate: Float in [0, 1), probability that a crop is dropped.
        seed: Integer, seed of the random generator, or `None` for a random one.
        **kwargs: Keyword arguments of `keras.layers.Layer`, such as `name` and `dtype`.

    Call arguments:
        inputs: Tensor `(batch, crops, ...)`: pixels, feature maps or features.
        training: Whether crops are dropped.

    Returns:
        Tensor of the inputs' shape.

    Example:
        >>> tuple(PatchDropout(0.1)(np.ones((1, 5, 224, 224, 3)), training=True).shape)
        (1, 5, 224, 224, 3)

    Reference:
        - [Gessert et al., 2019](https://arxiv.org/abs/1905.02793)
    """

    def __init__(self, rate, seed=None, **kwargs):
        super().__init__(**kwargs)
        check_value("PatchDropout", "rate", rate, BelowOne)
        self.rate = rate
        self.seed = seed
        self.seed_generator = keras.random.SeedGenerator(seed)

    def build(self, input_shape):
        self.input_spec = keras.layers.InputSpec(min_ndim=3)

    def call(self, inputs, training=False):
        inputs = as_floats(self, inputs)
        if not training:
            return inputs
        ones = (1,) * (len(inputs.shape) - 2)
        chances = keras.random.uniform((*ops.shape(inputs)[:2], *ones), seed=self.seed_generator)
        return inputs * ops.cast(chances >= self.rate, inputs.dtype)

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        return {**super().get_config(), "rate": self.rate, "seed": self.seed}
