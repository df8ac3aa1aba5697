"""The networks of Köfler 2023: a convolutional network, with and without soft attention."""

from collections.abc import Mapping
from typing import Literal

import keras
from keras import layers

from skinkit.layers import BatchNormalization, RandomMap, SoftAttention
from skinkit.models.head import add_classifier
from skinkit.values import BelowOne, NonNegative


def koefler_cnn(
    input_shape,
    classes,
    weights=None,
    attention: Literal["none", "soft", "doubled", "random_map"] = "none",
    width: NonNegative = 1.0,
    dropout: BelowOne = 0.5,
    soft_attention: Mapping | None = None,
):
    """Returns the CNN of koefler2023 (Figure 10), or its CNN-SA (Figure 11), or a control for the two.

    Six convolutions, each with ReLU and then batch normalisation, and two wide dense layers. With an
    image of 100 x 100 pixels, 7 classes and `width=1` the CNN has 56,654,727 parameters and the CNN-SA,
    whatever its kernel and without `gamma`, 59,069,331. Almost all of the difference lies in the last
    convolution, whose input the attention doubles: hence the control `"doubled"`.

    Args:
        input_shape: `(height, width, 3)`, both at least 79.
        classes: Integer, number of classes.
        weights: `None`; there are no pretrained weights.
        attention: What is appended to the 512 features of the fifth convolution: `"none"`; `"soft"`,
            attended features (CNN-SA); `"doubled"`, the features themselves, so that the network is
            as wide as CNN-SA without attending to anything; `"random_map"`, features weighted by maps
            that are random and never learned.
        width: Float, times the filters and units of all layers but the last.
        dropout: Float in [0, 1), after each of the two dense layers.
        soft_attention: Dictionary with arguments of `skinkit.layers.SoftAttention` or `RandomMap`;
            `heads` is 12 as in the document.

    Raises:
        ValueError: for an image that is too small.

    Example:
        >>> koefler_cnn((100, 100, 3), 7, attention="soft").output.shape
        (None, 7)
    """
    if any(side is None or side < 79 for side in input_shape[:2]):
        raise ValueError(
            f"koefler_cnn needs an image of at least 79 x 79 pixels. Received: input_shape={input_shape}"
        )
    image = keras.Input(input_shape, name="image")
    x = _conv(image, 1, round(64 * width), kernel=7, stride=2, padding="valid")
    x = layers.MaxPooling2D(3, 2, name="pool1")(x)
    x = _conv(x, 2, round(128 * width), stride=2)
    x = layers.MaxPooling2D(3, 1, name="pool2")(x)
    x = _conv(x, 3, round(256 * width))
    x = layers.MaxPooling2D(3, 1, name="pool3")(x)
    x = _conv(x, 4, round(512 * width))
    x = _conv(x, 5, round(512 * width))
    x = _append(x, attention, {"heads": 12, **(soft_attention or {})})
    x = layers.MaxPooling2D(3, 1, name="pool5")(x)
    x = _conv(x, 6, round(512 * width))
    x = layers.MaxPooling2D(3, 1, name="pool6")(x)
    x = layers.Flatten(name="flat")(x)
    for number in (1, 2):
        x = layers.Dense(round(4096 * width), activation="relu", name=f"dense{number}")(x)
        x = layers.Dropout(dropout, name=f"dropout{number}")(x)
    return keras.Model(image, add_classifier(x, classes), name="koefler_cnn")


def _conv(x, number, filters, kernel=3, stride=1, padding="same"):
    conv = layers.Conv2D(filters, kernel, stride, padding, activation="relu", name=f"conv{number}")
    return BatchNormalization(name=f"bn{number}")(conv(x))


def _append(features, attention, options):
    if attention == "none":
        return features
    appended = features
    if attention == "soft":
        appended = SoftAttention(**options, name="soft_attention")(features)
    elif attention == "random_map":
        appended = RandomMap(**options, name="random_map")(features)
    both = layers.Concatenate(name="with_attention")([features, appended])
    # The document's ReLU follows the pooling; the two may change places. Normalised features are
    # negative too, so it is not without effect, and the CNN has none: the controls keep it.
    return layers.ReLU(name="relu5")(both)
