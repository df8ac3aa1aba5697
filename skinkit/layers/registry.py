"""Layers by name, which a recipe puts on the feature map of a network."""

import keras

from skinkit.layers.random_map import RandomMap
from skinkit.layers.soft_attention import SoftAttention
from skinkit.registration import calling_place, register

LAYERS = {"random_map": RandomMap, "soft_attention": SoftAttention}


def register_layer(name):
    """Decorator that makes a layer of one's own known to recipes as `name`, and to Keras for loading.

    Args:
        name: String, for the option `layer` of a model in a recipe: `choose("mobilenet_v2", layer=name)`.

    Returns:
        Decorator of a `keras.layers.Layer` class from a feature map `(batch, height, width, channels)` to
        another. The parameters of its `__init__` are the options, and its `get_config` says them.

    Raises:
        ValueError: for a name that is taken.

    Example:
        >>> @register_layer("half")
        ... class Half(keras.layers.Layer):
        ...     def call(self, inputs):
        ...         return inputs / 2
        >>> float(LAYERS["half"]()(np.ones((1, 1, 1, 1)))[0, 0, 0, 0])
        0.5
    """
    place = calling_place()

    def add(layer):
        register("Layers", LAYERS, name, layer, place)
        return keras.saving.register_keras_serializable("own")(layer)

    return add
