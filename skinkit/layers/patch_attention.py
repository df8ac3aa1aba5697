"""Attention across the crops of an image: one weight for each whole crop."""

import keras
from keras import ops

from skinkit.layers.float_inputs import as_floats


@keras.saving.register_keras_serializable(package="skinkit")
class PatchAttention(keras.layers.Layer):
    """Weights each crop of an image by what all its crops show on average.

    gessert2019, section II-E and Fig. 3. Each crop is reduced to one number, the mean of all its values;
    a dense layer from the crops to the crops with a sigmoid turns these into one weight in (0, 1) for
    each crop, which multiplies the whole crop. It has `crops ** 2 + crops` parameters, some of their own
    for each place in the order of the crops: the crops must always come in the same order.

    On the pixels before any convolution it is the document's "initial" attention, on the pooled features
    its "end" attention. The document's pixels go from 0 to 1: a crop with a small weight becomes dark.
    With pixels from -1 to 1 it becomes grey.

    Masks are not used: every crop of an image counts.

    Integer inputs are cast to floats with a warning. `skinkit.models.load_model(path)` loads a saved model
    with this layer; before Keras' own function there must be `import skinkit.layers`.

    Args:
        **kwargs: Keyword arguments of `keras.layers.Layer`, such as `name` and `dtype`.

    Call arguments:
        inputs: Pixels or feature maps `(batch, crops, height, width, channels)`, or features
            `(batch, crops, channels)`; the number of crops must be known, the other sizes need not.
        return_weights: Whether the weights are returned too.

    Returns:
        Tensor of the inputs' shape; with `return_weights`, a tuple of it and the float32 weights
        `(batch, crops)`.

    Example:
        >>> tuple(PatchAttention()(np.ones((1, 5, 224, 224, 3))).shape)
        (1, 5, 224, 224, 3)

    Reference:
        - [Gessert et al., 2019](https://arxiv.org/abs/1905.02793)
    """

    def build(self, input_shape):
        if len(input_shape) < 3 or input_shape[1] is None:
            raise ValueError(
                "PatchAttention needs (batch, crops, ..., channels) with a known number of crops. "
                f"Received: input_shape={input_shape}"
            )
        crops = input_shape[1]
        self.input_spec = keras.layers.InputSpec(ndim=len(input_shape), axes={1: crops})
        # Mixed precision does not cast them to float16: the weights are computed in float32 throughout.
        self.kernel = self.add_weight(
            name="kernel", shape=(crops, crops), initializer="glorot_uniform", autocast=False
        )
        self.bias = self.add_weight(name="bias", shape=(crops,), initializer="zeros", autocast=False)

    def call(self, inputs, return_weights=False):
        inputs = as_floats(self, inputs)
        weights = self._weights(inputs)
        ones = (1,) * (len(inputs.shape) - 2)
        spread = ops.reshape(weights, (-1, inputs.shape[1], *ones))
        features = inputs * ops.cast(spread, inputs.dtype)
        return (features, weights) if return_weights else features

    def _weights(self, inputs):
        # The sum over the pixels of a crop is too large for float16.
        inside = tuple(range(2, len(inputs.shape)))
        means = ops.mean(ops.cast(inputs, "float32"), axis=inside)
        kernel, bias = (ops.cast(weight, "float32") for weight in (self.kernel, self.bias))
        return ops.sigmoid(ops.matmul(means, kernel) + bias)

    def compute_output_shape(self, input_shape):
        return input_shape

    def compute_output_spec(self, inputs, return_weights=False):
        features = keras.KerasTensor(inputs.shape, dtype=self.compute_dtype)
        if not return_weights:
            return features
        return features, keras.KerasTensor(inputs.shape[:2], dtype="float32")
