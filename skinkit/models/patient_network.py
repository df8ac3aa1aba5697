"""An image network whose head also sees the other images of the patient, and its other forms.

One set of layers, several graphs: the network itself takes one image and the stored features of its
patient's images; the other forms take groups of images, the features of whole patients, or an image alone.
"""

import keras
from keras import layers

from skinkit.layers import PatientMask, StackCrops, UnstackCrops
from skinkit.models.backbones.registry import extract_features
from skinkit.models.head import add_classifier
from skinkit.models.patient_classifier import context_layer

_CONTEXT_LAYERS = ("patient_attention", "patient_mean")


def patient_network(
    input_shape,
    classes,
    weights=None,
    *,
    backbone,
    context="attention",
    dropout=0.2,
    context_options=None,
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
    pooled = layers.GlobalAveragePooling2D(name="pooled")(features)
    inputs, depth = [image], pooled.shape[-1]
    x = layers.Dropout(dropout, name="dropout")(pooled)
    if (in_context := context_layer(context, **(context_options or {}))) is not None:
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


def uses_context(model):
    """Returns whether a model sees the other images of a patient."""
    return any(layer.name in _CONTEXT_LAYERS for layer in model.layers)


def whole_patients(model):
    """Returns the form that sees all images of a patient at once, from their features.

    Args:
        model: A `patient_network` with context; its layers are shared, not copied.

    Returns:
        A `keras.Model` with the inputs of `skinkit.models.patient_classifier.patient_classifier`: features
        `(patients, images, depth)` as `skinkit.models.pooled_features` computes them, and the boolean mask
        `(patients, images)`. Its output is `(patients, images, classes)`.
    """
    features = keras.Input((None, model.get_layer("pooled").output.shape[-1]), name="features")
    mask = keras.Input((None,), dtype="bool", name="mask")
    images = PatientMask(name="images")([features, mask])
    x = _context_layer_of(model)(images, mask=mask)
    return keras.Model([features, mask], _classified(model, x), name="whole_patients")


def grouped_images(model, images_per_patient):
    """Returns the form whose batch holds groups of a patient's images, which are each other's context.

    Args:
        model: A `patient_network` with context; its layers are shared, not copied.
        images_per_patient: Integer, images of a group; they follow each other in the batch, as the sampler
            `contextual` of `skinkit.pipeline` draws them.

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


def _context_layer_of(model):
    return next(layer for layer in model.layers if layer.name in _CONTEXT_LAYERS)


def _classified(model, features):
    # A softmax of its own, so that the last layer of each form has one input and one output.
    softmax = layers.Activation("softmax", dtype="float32", name="probabilities")
    return softmax(model.get_layer("logits")(features))
