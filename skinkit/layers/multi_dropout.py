"""Several dropouts of the same features, averaged."""

import keras
from keras import ops

from skinkit.layers.float_inputs import as_floats
from skinkit.values import BelowOne, Count, check_value


@keras.saving.register_keras_serializable(package="skinkit")
class MultiDropout(keras.layers.Layer):
    """Averages several dropouts of its inputs while training (Inoue 2019, as bermeo2023 uses it).

    The document sends `samples` dropouts through one dense layer and averages the logits. That layer is
    linear, so the average may as well be taken before it: the numbers are the same, and the dense layer
    computes once. There are no weights, and outside training the inputs stay as they are.

    Integer inputs are cast to floats with a warning. `skinkit.models.load_model(path)` loads a saved model
    with this layer; before Keras' own function there must be `import skinkit.layers`.

    Args:
        rate: Float in [0, 1), probability that a number becomes zero in one of the samples.
        samples: Integer, number of dropouts, 1 or more. Defaults to `5`.
        seed: Integer, seed of the random generator, or `None` for a random one.
        **kwargs: Keyword arguments of `keras.layers.Layer`, such as `name` and `dtype`.

    Call arguments:
        inputs: Tensor of any shape.
        training: Whether numbers are dropped.

    Returns:
        Tensor of the inputs' shape.

    Raises:
        ValueError: for a rate or a number of samples outside its range.

    Example:
        >>> tuple(MultiDropout(0.5)(np.ones((1, 512)), training=True).shape)
        (1, 512)

    Reference:
        - [Inoue, 2019](https://arxiv.org/abs/1905.09788)
    """

    def __init__(self, rate, samples=5, seed=None, **kwargs):
        super().__init__(**kwargs)
        check_value("MultiDropout", "rate", rate, BelowOne)
        check_value("MultiDropout", "samples", samples, Count)
        self.rate = rate
        self.samples = samples
        self.seed = seed
        self.seed_generator = keras.random.SeedGenerator(seed)

    def call(self, inputs, training=False):
        inputs = as_floats(self, inputs)
        if not training:
            return inputs
        chances = keras.random.uniform((self.samples, *ops.shape(inputs)), seed=self.seed_generator)
        kept = ops.mean(ops.cast(chances >= self.rate, "float32"), axis=0) / (1 - self.rate)
        return inputs * ops.cast(kept, inputs.dtype)

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        config = {"rate": self.rate, "samples": self.samples, "seed": self.seed}
        return {**super().get_config(), **config}
