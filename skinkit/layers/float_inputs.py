"""Precision of what layers compute with: inputs that are not floats, sums that need float32."""

import warnings

import keras
from keras import ops


def as_floats(layer, inputs):
    """Returns the inputs of a layer; integers, which Keras casts for no layer, in its own precision.

    A weight below 1, or a mean, would be cut to a whole number in the type of the inputs.

    Args:
        layer: `keras.layers.Layer`.
        inputs: Tensor.
    """
    if keras.backend.is_float_dtype(inputs.dtype):
        return inputs
    name, dtype = type(layer).__name__, layer.compute_dtype
    inputs_dtype = keras.backend.standardize_dtype(inputs.dtype)
    warnings.warn(f"{name} casts its inputs from {inputs_dtype} to {dtype}", stacklevel=2)
    return ops.cast(inputs, dtype)


def wide_dtype(layer):
    """Returns the precision of a layer's weights, float32 at least: sums and softmax overflow float16."""
    return keras.backend.result_type(layer.variable_dtype, "float32")
