"""A classifier of the crops of an image: averaged, weighted by attention, or read by a GRU."""

from typing import Literal

import keras
from keras import layers

from skinkit.layers import PatchAttention, PatchDropout, StackCrops, UnstackCrops
from skinkit.models.backbones.registry import extract_features
from skinkit.models.head import add_classifier, pool
from skinkit.values import BelowOne


def crop_classifier(
    input_shape,
    classes,
    weights=None,
    *,
    backbone="small_cnn",
    aggregation: Literal["mean", "gru"] = "mean",
    attention: Literal["none", "initial", "end", "dual"] = "none",
    patch_dropout: BelowOne = 0.0,
    average: Literal["logits", "probabilities"] = "logits",
    gru_units=1024,
    **options,
):
    """Returns a model of ordered crops, all of which go through the backbone in one call.

    gessert2019, section II-E. With `aggregation="mean"` one linear layer classifies each crop and the
    crops are averaged; `attention` weights the crops before. Without attention this is the control which
    the document lacks: the same crops in the same order. With `aggregation="gru"` a GRU reads the crops in
    their order and its last state is classified.

    Args:
        input_shape: `(crops, height, width, channels)`; height and width may be `None`.
        classes: Integer, number of classes.
        weights: Of the backbone, as in `skinkit.models.backbones.extract_features`.
        backbone: Name of a backbone of `skinkit.models.backbones`. It decides how the pixels must be
            scaled; the document scales them from 0 to 1 for all.
        aggregation: `"mean"` or `"gru"`.
        attention: `"none"`; `"initial"` on the pixels, `"end"` on the pooled features, `"dual"` on both.
        patch_dropout: Float in [0, 1), probability that a crop's pixels are set to zero in training,
            before any attention.
        average: What the mean over the crops is taken of: `"logits"`, as the released attention models
            do, or `"probabilities"`, as the released Multi-Crop does.
        gru_units: Integer, units of the GRU.
        **options: Of the backbone.

    Raises:
        FileNotFoundError: when the weights are not there.
        ValueError: for an unknown number of crops, or an average behind a GRU.

    Example:
        >>> crop_classifier((5, 112, 112, 3), classes=7, attention="dual").output.shape
        (None, 7)
    """
    if len(input_shape) != 4 or input_shape[0] is None:
        raise ValueError(
            "crop_classifier needs (crops, height, width, channels) with a known number of crops. "
            f"Received: input_shape={tuple(input_shape)}"
        )
    if aggregation == "gru" and average != "logits":
        raise ValueError(f"A GRU leaves nothing to average. Received: average={average!r}")
    crops = x = keras.Input(input_shape, name="crops")
    if patch_dropout:
        x = PatchDropout(patch_dropout, name="patch_dropout")(x)
    if attention in ("initial", "dual"):
        x = PatchAttention(name="initial_attention")(x)
    x = StackCrops(name="stacked_crops")(x)
    x = pool(extract_features(backbone, x, weights, **options))
    x = UnstackCrops(input_shape[0], name="unstacked_crops")(x)
    if attention in ("end", "dual"):
        x = PatchAttention(name="end_attention")(x)
    if aggregation == "gru":
        probabilities = add_classifier(layers.GRU(gru_units, name="gru")(x), classes)
    else:
        probabilities = _average(x, classes, average)
    return keras.Model(crops, probabilities, name="crop_classifier")


def attention_overhead(model):
    """Returns the share of a model's parameters that are its patch attention's, in [0, 1].

    gessert2019, section IV, gives about 0.001 %.

    Example:
        >>> print(f"{attention_overhead(model):.4%}")
    """
    attention = [layer for layer in model.layers if isinstance(layer, PatchAttention)]
    return sum(layer.count_params() for layer in attention) / model.count_params()


def _average(features, classes, average):
    logits = layers.Dense(classes, dtype="float32", name="logits")(features)
    if average == "logits":
        return _softmax(_mean(logits, "mean_logits"), "probabilities")
    return _mean(_softmax(logits, "crop_probabilities"), "probabilities")


def _softmax(logits, name):
    return layers.Activation("softmax", dtype="float32", name=name)(logits)


def _mean(values, name):
    return layers.GlobalAveragePooling1D(dtype="float32", name=name)(values)
