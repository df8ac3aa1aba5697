"""The head that every model here puts on its backbone."""

from functools import partial

import keras
from keras import layers

from skinkit.layers import LAYERS, MultiDropout, PatchAttention, SoftAttention
from skinkit.names import check_name

_TO_VECTOR = (layers.GlobalAveragePooling2D, layers.Flatten)


# The name of the layer that `insert_layer` puts on a feature map.
_INSERTED = "inserted"


def insert_layer(features, name, options=None):
    """Returns a feature map after a layer by name.

    Args:
        features: 4D symbolic tensor `(batch, height, width, channels)`.
        name: Key of `skinkit.layers.LAYERS`; `None` for no layer.
        options: Mapping of the layer's arguments.

    Raises:
        ValueError: for an unknown name, or a layer that does not return a feature map.
    """
    if name is None:
        return features
    check_name("Layers", name, LAYERS)
    found = LAYERS[name](**(options or {}), name=_INSERTED)(features)
    if len(found.shape) != 4:
        raise ValueError(
            f"The layer {name!r} must return a feature map (batch, height, width, channels). "
            f"Received: shape {found.shape} from {features.shape}"
        )
    return found


def add_head(features, classes, dropout=0.2, soft_attention=False, hidden=(), dropout_samples=1):
    """Returns class probabilities from a feature map.

    Args:
        features: 4D symbolic tensor `(batch, height, width, channels)`.
        classes: Integer, number of classes.
        dropout: Float in [0, 1), dropout of the pooled features.
        soft_attention: Whether attended features are appended to the features, or a dictionary with
            the arguments of `skinkit.layers.SoftAttention`.
        hidden: Integers, units of dense layers with ReLU before the last one, such as (512, 128), our reading
            of the "several Dense layers" of butskova2021.
        dropout_samples: Integer, dropouts of the pooled features whose mean goes on (`MultiDropout`); without
            hidden layers, the mean of so many classifications (bermeo2023).

    Returns:
        Symbolic tensor `(batch, classes)`, float32 under every dtype policy.
    """
    if soft_attention:
        options = {} if soft_attention is True else dict(soft_attention)
        attended = SoftAttention(**options, name="soft_attention")(features)
        features = layers.Concatenate(name="with_attention")([features, attended])
    drop = partial(MultiDropout, samples=dropout_samples) if dropout_samples > 1 else layers.Dropout
    features = drop(dropout, name="dropout")(pool(features))
    for number, units in enumerate(hidden, start=1):
        features = layers.Dense(units, "relu", name=f"hidden{number}")(features)
    return add_classifier(features, classes)


def pool(features):
    """Returns the mean of each channel of a feature map `(batch, height, width, channels)`."""
    return layers.GlobalAveragePooling2D(name="pooled")(features)


def add_classifier(features, classes):
    """Returns class probabilities from features `(..., units)`, float32 under every dtype policy."""
    logits = layers.Dense(classes, dtype="float32", name="logits")(features)
    return layers.Activation("softmax", dtype="float32", name="probabilities")(logits)


def with_second_head(model, units, name):
    """Returns the form with a second classifier on the features of the first, for training both at once.

    Args:
        model: A model with the head of `add_head`; its layers are shared, not copied.
        units: Integer, number of its classes.
        name: String, of its output.

    Returns:
        A `keras.Model` with the outputs `"probabilities"` and `name`.
    """
    logits = layers.Dense(units, dtype="float32", name=f"{name}_logits")(model.get_layer("logits").input)
    second = layers.Activation("softmax", dtype="float32", name=name)(logits)
    return keras.Model(model.input, {"probabilities": model.output, name: second}, name="two_heads")


def feature_layer(model):
    """Returns the name of the layer whose feature map the head reads, such as the last of a backbone.

    It is the map that an inserted layer reads, or soft attention, or else the one that is made into a vector
    last. It is found in a model that was saved and loaded, too.

    Args:
        model: A flat `keras.Model` that classifies.

    Returns:
        String, for `skinkit.explain.grad_cam` too; `None` for a model that makes no map into a vector.

    Example:
        >>> feature_layer(build("small_cnn", (96, 128, 3), classes=7, soft_attention=True))
        'relu6'
    """
    attending = [each for each in model.layers if each.name == _INSERTED or isinstance(each, SoftAttention)]
    to_vector = [layer for layer in model.layers if isinstance(layer, _TO_VECTOR)]
    if not to_vector:
        return None
    features = (attending[:1] or to_vector[-1:])[0].input
    return next(layer.name for layer in model.layers if layer.output is features)


def head_layers(model):
    """Returns the names of the layers on top of the backbone: what trains while it is frozen.

    They are what reads the map of `feature_layer`, and the attention to pixels below the backbone.

    Args:
        model: A flat `keras.Model`.

    Returns:
        List of names in the order of the model's layers, empty where there is no `feature_layer`.
    """
    if (features := feature_layer(model)) is None:
        return []
    backbone = keras.Model(model.inputs, model.get_layer(features).output).layers
    heads = (layer for layer in model.layers if layer not in backbone or isinstance(layer, PatchAttention))
    return [layer.name for layer in heads]


def all_but_batch_normalization(model):
    """Returns the names of all layers except batch normalisation."""
    return [layer.name for layer in model.layers if not isinstance(layer, layers.BatchNormalization)]


def pooled_features(model):
    """Returns the model from images to the pooled feature vectors that its last layer classifies.

    Args:
        model: A model with the head of `add_head`; its layers are shared, not copied.

    Returns:
        A `keras.Model` with output `(images, channels)`.

    Raises:
        ValueError: for a model without such a head.
    """
    if "pooled" not in [layer.name for layer in model.layers]:
        raise ValueError(f"{model.name} has no layer called 'pooled' whose output could be its features")
    return keras.Model(model.inputs[0], model.get_layer("pooled").output, name="pooled_features")
