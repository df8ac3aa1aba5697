"""The head that every model here puts on its backbone."""

import keras
from keras import layers

from skinkit.layers import SoftAttention

_NAMES = (
    "initial_attention",  # of crop_classifier: below the backbone, and trains all the same
    "soft_attention",
    "pooled_attention",
    "pooled_features",
    "with_attention",
    "relu_attention",
    "pooled",
    "flat",
    "unstacked_crops",
    "end_attention",
    "gru",
    "images",
    "one_image",
    "patient_attention",
    "patient_mean",
    "in_context",
    "dropout",
    "logits",
    "mean_logits",
    "crop_probabilities",
    "probabilities",
)


def add_head(features, classes, dropout=0.2, soft_attention=False):
    """Returns class probabilities from a feature map.

    Args:
        features: 4D symbolic tensor `(batch, height, width, channels)`.
        classes: Integer, number of classes.
        dropout: Float in [0, 1), dropout of the pooled features.
        soft_attention: Whether attended features are appended to the features, or a dictionary with
            the arguments of `skinkit.layers.SoftAttention`.

    Returns:
        Symbolic tensor `(batch, classes)`, float32 under every dtype policy.
    """
    if soft_attention:
        options = {} if soft_attention is True else dict(soft_attention)
        attended = SoftAttention(**options, name="soft_attention")(features)
        features = layers.Concatenate(name="with_attention")([features, attended])
    pooled = layers.GlobalAveragePooling2D(name="pooled")(features)
    return add_classifier(layers.Dropout(dropout, name="dropout")(pooled), classes)


def add_classifier(features, classes):
    """Returns class probabilities from features `(..., units)`, float32 under every dtype policy."""
    logits = layers.Dense(classes, dtype="float32", name="logits")(features)
    return layers.Activation("softmax", dtype="float32", name="probabilities")(logits)


def head_layers(model):
    """Returns the names of the layers on top of the backbone: what trains while it is frozen."""
    return [layer.name for layer in model.layers if layer.name in _NAMES]


def all_but_batch_normalization(model):
    """Returns the names of all layers that are no batch normalisation."""
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
