"""Networks whose head also sees the other images of the patient, and the other forms of one network.

One set of layers, several graphs: the network itself takes one image and the stored features of its
patient's images; the other forms take groups of images, the features of whole patients, or an image alone.
"""

import functools
from collections.abc import Mapping
from typing import Literal

import keras
from keras import layers

from skinkit.layers import PatientAttention, PatientMask, PatientMean, StackCrops, UnstackCrops
from skinkit.models.backbones.registry import extract_features
from skinkit.models.head import add_classifier, pool
from skinkit.names import check_name
from skinkit.values import BelowOne

CONTEXTS = {"none": None, "attention": PatientAttention, "mean": PatientMean}


def patient_network(
    input_shape,
    classes,
    weights=None,
    *,
    backbone,
    context: Literal[tuple(CONTEXTS)] = "attention",
    dropout: BelowOne = 0.2,
    context_options: Mapping | None = None,
    **options,
):
    """Returns a flat model from an image and the stored features of its patient to class probabilities.

    hernandez2020, Algorithm 1: the features of the image come from the backbone, those of the patient's
    other images were computed before (`skinkit.training.FeatureStore`).

    Args:
        input_shape: `(height, width, channels)`; height and width may be `None`.
        classes: Integer, number of classes.
        weights: Of the backbone, as in `skinkit.models.backbones.extract_features`.
        backbone: Name of a backbone of `skinkit.models.backbones`. It decides how the pixels must be scaled.
        context: `"attention"`; `"mean"`, whose linear layer sees the image and the mean; or `"none"`, which
            leaves the image alone: then there is one input.
        dropout: Float in [0, 1), dropout of the image's pooled features.
        context_options: Dictionary of options of the context's layer, `skinkit.layers.PatientAttention` or
            `PatientMean`.
        **options: Of the backbone.

    Returns:
        A `keras.Model` with the inputs `"image"`, `(batch, height, width, channels)`; `"context"`,
        `(batch, others, depth)`; and `"mask"`, boolean `(batch, others)`, true for an image and false for
        padding. Its output `(batch, classes)` is a float32 softmax.

    Raises:
        FileNotFoundError: when the weights are not there.
        ValueError: for an unknown backbone or context, or options without one.

    Example:
        >>> network = patient_network((96, 96, 3), 2, backbone="small_cnn")
        >>> [tuple(tensor.shape) for tensor in network.inputs]
        [(None, 96, 96, 3), (None, None, 96), (None, None)]
    """
    image = keras.Input(input_shape, name="image")
    features = extract_features(backbone, image, weights, **options)
    pooled = pool(features)
    inputs, depth = [image], pooled.shape[-1]
    x = layers.Dropout(dropout, name="dropout")(pooled)
    if (in_context := _context_layer(context, context_options or {})) is not None:
        others = keras.Input((None, depth), name="context")
        mask = keras.Input((None,), dtype="bool", name="mask")
        inputs += [others, mask]
        x = _one_image(x, in_context, context=others, context_mask=mask)
    return keras.Model(inputs, add_classifier(x, classes), name="patient_network")


def _one_image(features, in_context, **context):
    """Features `(batch, depth)` of an image each, through a layer of `(patients, images, depth)`."""
    image = layers.Reshape((1, features.shape[-1]), name="one_image")(features)
    image = in_context(image, **context)
    return layers.Reshape((image.shape[-1],), name="in_context")(image)


def patient_classifier(depth, classes=2, context="none", **options):
    """Returns a model from the features of a patient's images to the probabilities of each image.

    hernandez2020 (Figure 14, appendices B, C and E): the layers behind the pooled features of a
    backbone. The loss counts real images only, because the output carries the mask.

    Args:
        depth: Integer, length of an image's feature vector (1280 for EfficientNet-B0).
        classes: Integer, number of classes.
        context: `"none"`; `"attention"`; or `"mean"`, whose linear layer has `2 * depth` inputs (in the
            document 2560 -> 2).
        **options: Of the context's layer, `skinkit.layers.PatientAttention` or `PatientMean`.

    Returns:
        A `keras.Model` with the inputs `"features"`, `(patients, images, depth)`, and `"mask"`, boolean
        `(patients, images)`, true for an image and false for padding. Any number of images goes. Its
        output `(patients, images, classes)` is a float32 softmax, without meaning for the padding.

    Raises:
        ValueError: for an unknown context, or options without one.

    Example:
        >>> patient_classifier(1280, context="mean").output.shape
        (None, None, 2)
    """
    classify = functools.partial(add_classifier, classes=classes)
    return _from_features(depth, _context_layer(context, options), classify, f"patient_classifier_{context}")


def whole_patients(model):
    """Returns the form that sees all images of a patient at once, from their features.

    Args:
        model: A `patient_network` with context; its layers are shared, not copied.

    Returns:
        A `keras.Model` with the inputs and the output of `patient_classifier`; its features are those that
        `skinkit.models.pooled_features` computes.
    """
    depth = model.get_layer("pooled").output.shape[-1]
    classify = functools.partial(_classified, model)
    return _from_features(depth, _context_layer_of(model), classify, "whole_patients")


def _from_features(depth, in_context, classify, name):
    features = keras.Input((None, depth), name="features")
    mask = keras.Input((None,), dtype="bool", name="mask")
    images = PatientMask(name="images")([features, mask])
    if in_context is not None:
        images = in_context(images, mask=mask)
    return keras.Model([features, mask], classify(images), name=name)


def _context_layer(context, options):
    """Returns the layer through which the images of a patient see each other, or `None` without context."""
    check_name("Contexts", context, CONTEXTS)
    if context != "none":
        return CONTEXTS[context](**options, name=f"patient_{context}")
    if options:
        raise ValueError(f"Without context there are no options. Received: {', '.join(options)}")
    return None


def grouped_images(model, images_per_patient):
    """Returns the form whose batch holds groups of a patient's images, which are each other's context.

    Args:
        model: A `patient_network` with context; its layers are shared, not copied.
        images_per_patient: Integer, images of a group; they follow each other in the batch, as the sampler
            `contextual` of `skinkit.pipeline` samples them.

    Returns:
        A `keras.Model` from images `(patients * images_per_patient, height, width, channels)` to class
        probabilities `(patients * images_per_patient, classes)`.
    """
    # What these layers do with the crops of an image is what the images of a patient need.
    groups = UnstackCrops(images_per_patient, name="groups")(model.get_layer("dropout").output)
    probabilities = _classified(model, _context_layer_of(model)(groups))
    return keras.Model(model.inputs[0], StackCrops(name="stacked")(probabilities), name="grouped_images")


def image_alone(model):
    """Returns the form that sees an image as that of a patient without other images.

    Args:
        model: Any model; without patient context it is returned as it is.

    Returns:
        A `keras.Model` with one input. Its layers are shared, not copied.
    """
    if not uses_context(model):
        return model
    x = _one_image(model.get_layer("dropout").output, _context_layer_of(model))
    return keras.Model(model.inputs[0], _classified(model, x), name="image_alone")


def uses_context(model):
    """Returns whether a model sees the other images of a patient."""
    return _context_layer_of(model) is not None


def _context_layer_of(model):
    kinds = tuple(kind for kind in CONTEXTS.values() if kind is not None)
    return next((layer for layer in model.layers if isinstance(layer, kinds)), None)


def _classified(model, features):
    # A softmax of its own, so that the last layer of each form has one input and one output.
    softmax = layers.Activation("softmax", dtype="float32", name="probabilities")
    return softmax(model.get_layer("logits")(features))
