"""The network that restores disordered images, and classifiers that read what it makes of an image."""

from typing import Literal

import keras
from keras import layers

from skinkit.models.backbones.registry import BACKBONES, extract_features
from skinkit.models.head import add_head
from skinkit.models.segnet_autoencoder import normalised, reconstruction, relu_block
from skinkit.names import check_name
from skinkit.values import BelowOne, Count

_Decoder = Literal["unet", "light"]
_WIDTHS = (32, 64, 128, 256, 512)
# Factor and summand from pixels of 0 to 1 to those that a backbone expects.
_FROM_UNIT = {"unit": (1.0, 0.0), "symmetric": (2.0, -1.0), "raw": (255.0, 0.0)}


def restorer(input_shape, decoder: _Decoder = "unet", widths: tuple[Count, ...] = _WIDTHS):
    """Returns a network from disordered images to the images as they were.

    butskova2021, Figure 4: "similar to U-Net", without sizes; half of U-Net's widths are our reading. Each
    level has two convolutions (3 x 3) with batch normalisation and ReLU. With skips the decoder can copy most
    pixels; Chen et al. 2019, whose method it is, prefer a light decoder where classification is the aim.

    Args:
        input_shape: `(height, width, channels)`; height and width are divided by 2 between levels. Pixels
            from 0 to 1.
        decoder: `"unet"`, with skips from the encoder to a decoder of its size; `"light"`, one transposed
            convolution a level.
        widths: Integers, filters of the levels.

    Returns:
        A `keras.Model` whose float32 output `"reconstruction"` has the input's shape.

    Raises:
        ValueError: for no level, or an image that the levels do not divide.

    Reference:
    - [Ronneberger et al., 2015](https://arxiv.org/abs/1505.04597)
    - [Chen et al., 2019](https://doi.org/10.1016/j.media.2019.101539)
    """
    image = keras.Input(input_shape, name="image")
    return keras.Model(image, _decoded(_encoded(image, widths), decoder, input_shape[-1]), name="restorer")


def restoration_classifier(
    input_shape,
    classes,
    weights=None,
    reuse: Literal["chain", "encoder"] = "chain",
    backbone="small_cnn",
    decoder: _Decoder = "unet",
    widths: tuple[Count, ...] = _WIDTHS,
    dropout: BelowOne = 0.2,
    **options,
):
    """Returns a classifier that can start from a `restorer`.

    Args:
        input_shape: As in `restorer`.
        classes: Integer, number of classes.
        weights: `None`: neither part has pretrained weights.
        reuse: `"chain"`, the restored image goes into the backbone (butskova2021); `"encoder"`, the
            restorer's encoder is the backbone.
        backbone: Key of `skinkit.models.BACKBONES`, for the chain alone.
        decoder: As in `restorer`.
        widths: As in `restorer`.
        dropout: As in `skinkit.models.add_head`.
        **options: Of the backbone.

    Returns:
        A `keras.Model` with the head of `skinkit.models.add_head`.

    Raises:
        ValueError: as in `restorer`; for a backbone whose pixels are scaled channel by channel.
    """
    image = keras.Input(input_shape, name="image")
    features = _encoded(image, widths)
    if reuse == "chain":
        features = _read(_decoded(features, decoder, input_shape[-1]), backbone, options)
    else:
        features = features[-1]
    return keras.Model(image, add_head(features, classes, dropout), name=f"restoration_{reuse}")


def with_restoration(classifier, decoder="unet"):
    """Returns the form that restores the image, too, for training both at once.

    Args:
        classifier: Model of `restoration_classifier`; its layers are shared, not copied.
        decoder: As in `restorer`, where the classifier has none.

    Returns:
        A `keras.Model` with the outputs `"probabilities"` and `"reconstruction"`.
    """
    known = {layer.name: layer.output for layer in classifier.layers}
    restored = known.get("reconstruction")
    if restored is None:
        levels = [known[name] for name in known if name.startswith("encoder") and name.endswith("relu2")]
        restored = _decoded(levels, decoder, classifier.input.shape[-1])
    outputs = {"probabilities": classifier.output, "reconstruction": restored}
    return keras.Model(classifier.input, outputs, name="with_restoration")


def _encoded(image, widths):
    """The feature maps of all levels, the image's own size first."""
    if not widths:
        raise ValueError(f"`widths` are the filters of one level or more. Received: widths={widths!r}")
    divisor = 2 ** (len(widths) - 1)
    if any(side is not None and side % divisor for side in image.shape[1:3]):
        raise ValueError(
            f"{len(widths)} levels need a height and width that are multiples of {divisor}. "
            f"Received: image {image.shape[1]} x {image.shape[2]}, widths={tuple(widths)}"
        )
    levels, x = [], image
    for number, width in enumerate(widths, start=1):
        x = layers.MaxPooling2D(name=f"pool{number - 1}")(x) if levels else x
        x = relu_block(x, f"encoder{number}", [width, width])
        levels.append(x)
    return levels


def _decoded(levels, decoder, channels):
    *levels, x = levels
    for number, level in reversed(list(enumerate(levels, start=1))):
        width, name = level.shape[-1], f"decoder{number}"
        x = layers.Conv2DTranspose(width, 2, 2, name=f"{name}_up")(x)
        if decoder == "unet":
            x = layers.Concatenate(name=f"{name}_skip")([level, x])
            x = relu_block(x, name, [width, width])
        else:
            x = layers.ReLU(name=f"{name}_relu")(normalised(x, f"{name}_bn"))
    return reconstruction(layers.Conv2D(channels, 3, padding="same", name="restored")(x))


def _read(restored, backbone, options):
    """The feature map of a backbone that reads restored images."""
    check_name("Backbones", backbone, BACKBONES)
    scaling = BACKBONES[backbone].scaling
    if scaling not in _FROM_UNIT:
        fit = [name for name, each in BACKBONES.items() if each.scaling in _FROM_UNIT]
        raise ValueError(f"`backbone` is one of {', '.join(fit)}. Received: backbone={backbone!r}")
    scaled = layers.Rescaling(*_FROM_UNIT[scaling], name="rescaled")(restored)
    return extract_features(backbone, scaled, **options)
