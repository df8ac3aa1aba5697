"""Flat Keras models by name."""

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import keras

from skinkit.models.efficientnet_b0 import efficientnet_b0
from skinkit.models.efficientnet_lite0 import efficientnet_lite0
from skinkit.models.head import add_head, head_layers
from skinkit.models.loading import load_model
from skinkit.models.small_cnn import small_cnn

__all__ = ["MODELS", "ModelEntry", "add_head", "build", "head_layers", "load_model"]


@dataclass(frozen=True)
class ModelEntry:
    """What can be built under one name.

    Args:
        make: Function `(input_shape, classes, weights, **options)` that returns the model.
        scaling: Scaling of the pixels which the model expects: `"unit"` (0 to 1), `"symmetric"`
            (-1 to 1), `"raw"` (0 to 255) or `"imagenet"`.
        imagenet: Whether there are ImageNet weights.
        torch: Whether a PyTorch checkpoint can be read.
    """

    make: Callable[..., keras.Model]
    scaling: str
    imagenet: bool = False
    torch: bool = False


MODELS = {
    "small_cnn": ModelEntry(small_cnn, scaling="unit"),
    "efficientnet_lite0": ModelEntry(efficientnet_lite0, scaling="symmetric", imagenet=True, torch=True),
    "efficientnet_b0": ModelEntry(efficientnet_b0, scaling="raw", imagenet=True),
}


def build(name, input_shape, classes, weights=None, **options):
    """Returns a flat model whose last layer, `"probabilities"`, is a float32 softmax.

    Args:
        name: Key of `MODELS`.
        input_shape: `(height, width, channels)`.
        classes: Integer, number of classes.
        weights: `None`, `"imagenet"` for the backbone, or the path of a file: `.keras` or
            `.weights.h5` of the same model with the same classes, or a PyTorch checkpoint where the
            model reads one.
        **options: Of the model, such as `soft_attention` and `dropout`.

    Raises:
        FileNotFoundError: when the weights are not there.
        ValueError: for an unknown name, or weights that do not fit.

    Example:
    >>> build("small_cnn", (96, 128, 3), classes=7, soft_attention=True).output.shape
    (None, 7)
    """
    if name not in MODELS:
        raise ValueError(f"Models are {', '.join(MODELS)}. Received: name={name!r}")
    entry = MODELS[name]
    if weights == "imagenet" and not entry.imagenet:
        raise ValueError(f"{name} has no ImageNet weights. Received: weights={weights!r}")
    by_maker = weights in (None, "imagenet") or (entry.torch and Path(weights).suffix == ".pth")
    model = entry.make(input_shape, classes, weights if by_maker else None, **options)
    if not by_maker:
        _load_weights(model, Path(weights))
    return model


def _load_weights(model, path):
    if not path.is_file():
        raise FileNotFoundError(f"No weights at {path}. Received: weights={str(path)!r}")
    if not path.name.endswith((".keras", ".weights.h5")):
        raise ValueError(f"Expected .keras or .weights.h5. Received: weights={str(path)!r}")
    try:
        with warnings.catch_warnings():
            # Keras 3.15 gives this warning for each layer that does not fit, before the error itself.
            warnings.filterwarnings("ignore", "Skipping nested container")
            model.load_weights(path)
    except (ValueError, KeyError, OSError) as error:
        raise ValueError(
            f"{path} does not fit {model.name} with {model.output.shape[-1]} classes: {error}"
        ) from error
