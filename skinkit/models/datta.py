"""The networks of Datta et al. 2021, with which koefler2023 compares its own."""

from collections.abc import Mapping

import keras
from keras import layers

from skinkit.layers import BatchNormalization, SoftAttention
from skinkit.models.backbones.applications import build_application
from skinkit.models.head import add_classifier
from skinkit.values import BelowOne, NonNegative

# The network, the place of its features in the public code (counted from the end, with the classifier)
# and what makes a vector of the attended features.
PRETRAINED = {
    "datta_irv2": ("inception_resnet_v2", -28, layers.Flatten),
    "datta_resnet50": ("resnet50", -3, layers.GlobalAveragePooling2D),
    "datta_densenet201": ("densenet201", -28, layers.Flatten),
}
# Filters and convolutions of a block: 3 x 3, the last of them 1 x 1.
_VGG_BLOCKS = ((64, 2), (128, 2), (256, 3), (512, 3), (512, 3))
_RELEASED = {"heads": 16, "kernel": "released", "gamma": None}


def datta_pretrained(
    name,
    input_shape,
    classes,
    weights=None,
    dropout: BelowOne = 0.5,
    soft_attention: Mapping | None = None,
):
    """Returns soft attention on the inner features of a network with ImageNet weights.

    What the published article leaves open is as in public code that derives from the authors': the place
    of the features, the pooling of both branches, the ReLU, and flattening or, for ResNet-50 alone,
    averaging. The features are not always those of the last layer: in Inception-ResNet-v2 they are
    192 channels before their ReLU, inside the last block but one; in DenseNet-201 the 128 channels
    inside a layer near the end. What lies behind them is left out. With 7 classes and the images of
    that code (299 pixels for Inception-ResNet-v2, 224 for the others) the networks have 47,535,287,
    23,911,319 and 17,477,463 parameters.

    That code scales pixels to -1..1 for all three, also where the ImageNet weights expect otherwise
    (`BACKBONES["resnet50"]`, `BACKBONES["densenet201"]`).

    Args:
        name: Key of `PRETRAINED`.
        input_shape: `(height, width, 3)`; fixed where the features are flattened.
        classes: Integer, number of classes.
        weights: `None` or `"imagenet"`.
        dropout: Float in [0, 1), of the attended features.
        soft_attention: Dictionary with arguments of `skinkit.layers.SoftAttention` that differ from
            the released form, which has 16 heads, `kernel="released"` and `gamma=None`.

    Raises:
        FileNotFoundError: when the weights are neither stored nor to be had from the network.

    Reference:
    - [Datta et al., 2021](https://arxiv.org/abs/2105.03358)
    """
    backbone, place, to_vector = PRETRAINED[name]
    image = keras.Input(input_shape, name="image")
    base = build_application(backbone, image, weights)
    # Without the classifier's two layers, pooling and output.
    features = base.layers[place + 2].output
    x = _attend(features, soft_attention, dropout)
    x = to_vector(name="flat" if to_vector is layers.Flatten else "pooled")(x)
    return keras.Model(image, add_classifier(x, classes), name=name)


def datta_vgg16(
    input_shape,
    classes,
    weights=None,
    dropout: BelowOne = 0.5,
    width: NonNegative = 1.0,
    soft_attention: Mapping | None = None,
):
    """Returns the VGG-like network with soft attention after its fourth block.

    It shares the number of layers with VGG-16, but each block ends in a 1 x 1 convolution, every
    convolution is followed by ReLU and then batch normalisation, and it is trained from nothing: as in
    public code that derives from the authors'. With an image of 224 x 224 pixels and 7 classes it has
    62,650,711 parameters. That code scales pixels to -1..1.

    Args:
        input_shape: `(height, width, 3)`.
        classes: Integer, number of classes.
        weights: `None`; there are no pretrained weights.
        dropout: Float in [0, 1), of the attended features; there is no other dropout.
        width: Float, times the filters and units of all layers but the last. Ours, for small machines.
        soft_attention: As in `datta_pretrained`.

    Reference:
    - [Datta et al., 2021](https://arxiv.org/abs/2105.03358)
    """
    image = x = keras.Input(input_shape, name="image")
    for block in (1, 2, 3):
        x = _vgg_block(x, block, width)
        x = layers.MaxPooling2D(2, padding="same" if block == 1 else "valid", name=f"pool{block}")(x)
    x = _attend(_vgg_block(x, 4, width), soft_attention, dropout)
    x = layers.MaxPooling2D(4, padding="same", name="pool5")(_vgg_block(x, 5, width))
    x = layers.Flatten(name="flat")(x)
    for number in (1, 2):
        x = layers.Dense(round(4096 * width), activation="relu", name=f"dense{number}")(x)
    return keras.Model(image, add_classifier(x, classes), name="datta_vgg16")


def _attend(features, soft_attention, dropout):
    options = {**_RELEASED, **(soft_attention or {})}
    attended = SoftAttention(**options, name="soft_attention")(features)
    attended = layers.MaxPooling2D(2, padding="same", name="pooled_attention")(attended)
    features = layers.MaxPooling2D(2, padding="same", name="pooled_features")(features)
    both = layers.Concatenate(name="with_attention")([features, attended])
    return layers.Dropout(dropout, name="dropout")(layers.ReLU(name="relu_attention")(both))


def _vgg_block(x, block, width):
    filters, convolutions = _VGG_BLOCKS[block - 1]
    for number in range(1, convolutions + 1):
        x = layers.Conv2D(
            round(filters * width),
            3 if number < convolutions else 1,
            padding="same",
            activation="relu",
            kernel_initializer="he_normal",
            name=f"block{block}_conv{number}",
        )(x)
        x = BatchNormalization(name=f"block{block}_bn{number}")(x)
    return x
