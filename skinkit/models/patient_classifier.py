"""Classifies each image of a patient, with or without the patient's other images as context."""

import keras

from skinkit.layers import PatientAttention, PatientMask, PatientMean
from skinkit.models.head import add_classifier

CONTEXTS = {"none": None, "attention": PatientAttention, "mean": PatientMean}


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
    features = keras.Input((None, depth), name="features")
    mask = keras.Input((None,), dtype="bool", name="mask")
    outputs = add_patient_head(features, mask, classes, context, **options)
    return keras.Model([features, mask], outputs, name=f"patient_classifier_{context}")


def add_patient_head(features, mask, classes=2, context="none", **options):
    """Returns class probabilities from the features of a patient's images: `patient_classifier`'s layers.

    For a model that computes the features itself.

    Args:
        features: Symbolic tensor `(patients, images, depth)`.
        mask: Symbolic boolean tensor `(patients, images)`.
        classes: Integer, number of classes.
        context: As in `patient_classifier`.
        **options: As in `patient_classifier`.

    Returns:
        Symbolic tensor `(patients, images, classes)`, float32 under every dtype policy.
    """
    images = PatientMask(name="images")([features, mask])
    if (in_context := context_layer(context, **options)) is not None:
        images = in_context(images, mask=mask)
    return add_classifier(images, classes)


def context_layer(context, **options):
    """Returns the layer through which the images of a patient see each other, or `None` without context.

    Args:
        context: As in `patient_classifier`.
        **options: As in `patient_classifier`.
    """
    if context not in CONTEXTS:
        raise ValueError(f"`context` is one of {', '.join(CONTEXTS)}. Received: context={context!r}")
    if context != "none":
        return CONTEXTS[context](**options, name=f"patient_{context}")
    if options:
        raise ValueError(f"Without context there are no options. Received: {', '.join(options)}")
    return None
