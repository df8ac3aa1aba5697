"""Finds layers in a graph of symbolic tensors."""

import keras


def layers_above(image, features):
    """Returns the layers that make `features` from `image`, in order, without those below `image`.

    Args:
        image: Symbolic tensor: a `keras.Input`, or computed from one.
        features: Symbolic tensor computed from `image`.
    """
    inputs = keras.utils.get_source_inputs(image)
    below = keras.Model(inputs, image).layers
    return [layer for layer in keras.Model(inputs, features).layers if layer not in below]
