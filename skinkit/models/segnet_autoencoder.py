"""The convolutional autoencoder of hernandez2020: SegNet, trained to return its input."""

from typing import Literal

import keras
from keras import layers

from skinkit.layers import BatchNormalization, MaxPoolWithIndices, MaxUnpool
from skinkit.values import Count

FINALS = ("recommended", "as_released")
# Convolutions of each level: those of VGG16.
_CONVOLUTIONS = (2, 2, 3, 3, 3)


def segnet_autoencoder(
    input_shape,
    final: Literal[FINALS] = "recommended",
    widths: tuple[Count, ...] = (64, 128, 256, 512, 512),
):
    """Returns an autoencoder of 13 + 13 convolutions that unpools to where it pooled.

    hernandez2020, section 2.2.2 and its reference 40, whose public code has no dense bottleneck, though
    the text describes one. Each convolution (3 x 3) has a bias, batch normalisation and ReLU. The
    bottleneck is a 32nd of the image in height and width, but the decoder is also told where each
    maximum was: the bottleneck alone is a weak code of the image.

    Args:
        input_shape: `(height, width, channels)`, height and width multiples of 32 or `None`. Pixels
            from 0 to 1.
        final: Last convolution: `"recommended"`, a sigmoid; `"as_released"`, batch normalisation and ReLU
            as everywhere, so that a pixel may be larger than 1.
        widths: Five integers, filters of the levels.

    Returns:
        A `keras.Model` whose float32 output has the input's shape.

    Raises:
        ValueError: for an image that five poolings do not divide, another number of widths or an unknown
            `final`.

    Reference:
    - [Badrinarayanan et al., 2015](https://arxiv.org/abs/1511.00561)
    - [foamliu/Autoencoder](https://github.com/foamliu/Autoencoder)
    """
    _check(input_shape, final, widths)
    image = x = keras.Input(input_shape, name="image")
    indices = []
    for level, (width, count) in enumerate(zip(widths, _CONVOLUTIONS, strict=True)):
        x = relu_block(x, f"encoder{level + 1}", [width] * count)
        x, places = MaxPoolWithIndices(name=f"pool{level + 1}")(x)
        indices.append(places)
    for level in reversed(range(5)):
        x = MaxUnpool(name=f"unpool{level + 1}")(x, indices[level])
        mirrored = [widths[level]] * (_CONVOLUTIONS[level] - 1)
        # The last convolution of the lowest level is the network's last.
        x = relu_block(x, f"decoder{level + 1}", [*mirrored, widths[level - 1]] if level else mirrored)
    return keras.Model(image, _last(x, input_shape[-1], final), name="segnet_autoencoder")


def bottleneck_features(autoencoder, pooled=True):
    """Returns the model from images to the mean of each channel of the bottleneck: 512 features.

    The document does not say which vector its forest was given; the whole bottleneck of a 224 x 224 image
    has 25,088 values.

    Args:
        autoencoder: Model of `segnet_autoencoder` or `restorer`; its layers are shared, not copied.
        pooled: Whether each channel is averaged. If not, the whole bottleneck is one long vector, and the
            size of the images must be known.

    Returns:
        A `keras.Model` with float32 output `(images, features)`: `widths[-1]` features, or as many for each
        position of the bottleneck.
    """
    encoder = [layer for layer in autoencoder.layers if layer.name.startswith(("encoder", "pool"))]
    bottleneck = keras.tree.flatten(encoder[-1].output)[0]
    vector = layers.GlobalAveragePooling2D if pooled else layers.Flatten
    name = "pooled" if pooled else "flat"
    return keras.Model(
        autoencoder.input, vector(dtype="float32", name=name)(bottleneck), name="bottleneck_features"
    )


def _check(input_shape, final, widths):
    if final not in FINALS:
        raise ValueError(f"`final` is one of {FINALS}. Received: final={final!r}")
    if len(widths) != len(_CONVOLUTIONS):
        raise ValueError(f"Expected {len(_CONVOLUTIONS)} widths. Received: widths={widths!r}")
    if any(side is not None and side % 32 for side in input_shape[:2]):
        raise ValueError(
            "segnet_autoencoder halves the image five times and needs a height and width that are "
            f"multiples of 32. Received: input_shape={input_shape}"
        )


def relu_block(x, name, widths):
    """Returns `x` after a convolution (3 x 3), batch normalisation and ReLU for each of `widths`."""
    for number, width in enumerate(widths, start=1):
        x = normalised(_conv(x, width, f"{name}_conv{number}"), f"{name}_bn{number}")
        x = layers.ReLU(name=f"{name}_relu{number}")(x)
    return x


def _last(x, channels, final):
    x = _conv(x, channels, "decoder1_conv2")
    if final == "as_released":
        return reconstruction(normalised(x, "decoder1_bn2"), "relu")
    return reconstruction(x)


def reconstruction(x, activation="sigmoid"):
    """Returns the last layer of a network whose output is an image, float32."""
    return layers.Activation(activation, dtype="float32", name="reconstruction")(x)


def _conv(x, width, name):
    return layers.Conv2D(width, 3, padding="same", name=name)(x)


def normalised(x, name):
    """Returns `x` after batch normalisation with PyTorch's defaults."""
    return BatchNormalization(momentum=0.9, epsilon=1e-5, name=name)(x)
