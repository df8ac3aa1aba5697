"""Backbones by name: from a symbolic image to a feature map, flat."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import keras

from skinkit.models.backbones.applications import (
    application_features,
    densenet_features,
    mobilenet_features,
)
from skinkit.models.backbones.efficientnet_lite import LITE, efficientnet_lite
from skinkit.models.backbones.resnet18 import resnet18
from skinkit.models.backbones.se_resnext50 import se_resnext50
from skinkit.models.backbones.small_cnn import small_cnn
from skinkit.models.weights import Weights
from skinkit.names import check_name


@dataclass(frozen=True)
class Backbone(Weights):
    """A backbone under its name.

    Args:
        features: Function `(image, **options)` from a symbolic image to a symbolic feature map; it has
            the option `weights` where there are any.
        **weights: As in `Weights`.
    """

    features: Callable[..., keras.KerasTensor]


def _application(name, scaling, channel_order="rgb", features=application_features):
    return Backbone(
        partial(features, name=name),
        scaling=scaling,
        channel_order=channel_order,
        imagenet=True,
        # EfficientNet corrects the variance in its file, and does so for "imagenet" alone.
        no_top=not name.startswith("efficientnet"),
    )


def _lite(name):
    return Backbone(partial(efficientnet_lite, name=name), scaling="symmetric", imagenet=True, torch=True)


BACKBONES = {
    "small_cnn": Backbone(small_cnn),
    **{name: _lite(name) for name in LITE},
    "efficientnet_b0": _application("efficientnet_b0", "raw"),
    "efficientnet_b7": _application("efficientnet_b7", "raw"),
    "mobilenet": _application("mobilenet", "symmetric", features=mobilenet_features),
    "mobilenet_025": _application("mobilenet_025", "symmetric", features=mobilenet_features),
    "mobilenet_v2": _application("mobilenet_v2", "symmetric"),
    "vgg16": _application("vgg16", "caffe", "bgr"),
    "resnet18": Backbone(resnet18, scaling="imagenet", torch=True, torch_classifier="fc"),
    "resnet50": _application("resnet50", "caffe", "bgr"),
    "se_resnext50": Backbone(se_resnext50, scaling="imagenet", torch=True),
    "densenet121": _application("densenet121", "imagenet", features=densenet_features),
    "densenet201": _application("densenet201", "imagenet", features=densenet_features),
    "inception_v3": _application("inception_v3", "symmetric"),
    "inception_resnet_v2": _application("inception_resnet_v2", "symmetric"),
}


def extract_features(name, image, weights=None, **options):
    """Returns the feature map of a backbone; its layers join the graph of `image` one by one.

    Args:
        name: Key of `BACKBONES`.
        image: 4D symbolic tensor `(batch, height, width, channels)`, a `keras.Input` or computed from
            one, with pixels scaled as `BACKBONES[name]` says.
        weights: `None`; `"imagenet"`; or the path of a PyTorch checkpoint (`.pth`), or of a file of
            Keras without classifier, where the backbone reads one.
        **options: Of the backbone: `width` (small_cnn), `drop_connect` (efficientnet_lite0 to 2),
            `max_blocks` (these, mobilenet, mobilenet_025), `final_relu` (densenet121, densenet201),
            `batch_norm_momentum` (networks of keras.applications).

    Returns:
        4D symbolic tensor `(batch, rows, columns, features)`.

    Raises:
        FileNotFoundError: when the weights are not there.
        ValueError: for an unknown name, or weights that the backbone does not have.

    Example:
        >>> extract_features("mobilenet_v2", keras.Input((96, 128, 3))).shape
        (None, 3, 4, 1280)
    """
    check_name("Backbones", name, BACKBONES)
    backbone = BACKBONES[name]
    backbone.check_imagenet(name, weights)
    if weights not in (None, "imagenet") and not backbone.reads(weights):
        raise ValueError(f"{name} reads no such weights. Received: weights={str(weights)!r}")
    if weights is not None:
        options["weights"] = weights
    return backbone.features(image, **options)
