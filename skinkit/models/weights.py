"""Weights of models: kinds that exist, reading them from files, taking them over from other models."""

import re
import warnings
import zipfile
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import keras
import numpy as np

import skinkit.layers  # noqa: F401 - registers the layers for loading
from skinkit.files import reading
from skinkit.models.head import head_layers


@dataclass(frozen=True, kw_only=True)
class Weights:
    """Pretrained weights of a model or backbone, and the pixels that they expect.

    Args:
        scaling: `"unit"` (0 to 1), `"symmetric"` (-1 to 1), `"raw"` (0 to 255), `"imagenet"` (torchvision's
            mean and standard deviation) or `"caffe"` (0 to 255 less the mean of each channel).
        channel_order: `"rgb"` or `"bgr"`.
        imagenet: Whether there are ImageNet weights.
        torch: Whether a PyTorch checkpoint of the backbone can be read.
        torch_classifier: Name in it of the last layer, where that is read too; `""` leaves it out.
        no_top: Whether a file of Keras can be read that holds the backbone's weights without classifier, by
            whose name it is known ("no_top", "notop").
    """

    scaling: str = "unit"
    channel_order: str = "rgb"
    imagenet: bool = False
    torch: bool = False
    torch_classifier: str = ""
    no_top: bool = False

    def check_imagenet(self, name, weights):
        """Raises `ValueError` when ImageNet weights are asked for and `name` has none."""
        if weights == "imagenet" and not self.imagenet:
            instead = ", only a PyTorch checkpoint that you have" if self.torch else ""
            raise ValueError(f"{name} has no ImageNet weights{instead}. Received: weights={weights!r}")

    def reads(self, path):
        """Returns whether `path` is named like a file of the backbone's weights alone that can be read."""
        name = Path(path).name
        keras_file = self.no_top and ("no_top" in name or "notop" in name)
        return keras_file or (self.torch and name.endswith(".pth"))


def load_model(path, compile=False):
    """Returns the model saved at `path`, with the layers of this kit known to Keras.

    Args:
        path: Path of a `.keras` file.
        compile: Whether the optimiser and the loss are restored too.

    Raises:
        FileNotFoundError: when there is no such file.
        ValueError: when it is not a `.keras` file, or a damaged one.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"No model at {path}. Expected a .keras file written by a run")
    with reading(path, "Take it from a copy, or train it again"):
        return keras.saving.load_model(path, compile=compile)


def load_weights(model, path):
    """Reads the weights of a whole model, its head included.

    Args:
        model: A `keras.Model`, which is changed.
        path: Path of a `.keras` or `.weights.h5` file of the same model.

    Raises:
        FileNotFoundError: when there is no such file.
        ValueError: for another kind of file, or one that does not fit the model.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"No weights at {path}. Received: weights={str(path)!r}")
    if not path.name.endswith((".keras", ".weights.h5")):
        raise ValueError(f"Expected .keras or .weights.h5. Received: weights={str(path)!r}")
    try:
        with warnings.catch_warnings():
            # Keras 3.15 gives this warning for each layer that does not fit, before the error itself.
            warnings.filterwarnings("ignore", "Skipping nested container")
            model.load_weights(path)
    except (ValueError, KeyError, OSError, zipfile.BadZipFile) as error:
        outputs = "classes" if len(model.output.shape) == 2 else "channels"
        raise ValueError(
            f"{path} does not fit {model.name} with {model.output.shape[-1]} {outputs}: {error}"
        ) from error


def check_finite(model, path):
    """Raises `ValueError` for a model with weights that are NaN or infinite.

    Args:
        model: A `keras.Model`.
        path: Path of the file that they come from, for the error.
    """
    for weight in model.weights:
        if not np.isfinite(keras.ops.convert_to_numpy(weight)).all():
            raise ValueError(f"{path}: {weight.path} holds NaN or infinity. Give another file")


def take_over_weights(model, trained):
    """Copies the weights of layers that have one name and the same shapes in both models.

    Args:
        model: A `keras.Model`, which is changed.
        trained: A `keras.Model` with the same backbone, and perhaps another head; or one whose last layer is
            within `model`, as a restorer's is.

    Returns:
        Names of the layers of `model` that keep their own weights.

    Raises:
        ValueError: when a layer below the head is not in `trained`, or has other shapes there.
    """
    known, kept = _weighted(trained), []
    for name, layer in _weighted(model).items():
        if name in known and _shapes(known[name]) == _shapes(layer):
            layer.set_weights(known[name].get_weights())
        else:
            kept.append(layer.name)
    new = _new_layers(model, trained)
    if below := [name for name in kept if name not in new]:
        rest = len(below) - 1
        lacking = f"and {rest} other layers are missing or have" if rest else "is missing or has"
        raise ValueError(
            f"{model.name} cannot start from the weights of {trained.name}: expected there the layers of its "
            f"backbone. Received: {below[0]} {lacking} another shape"
        )
    return kept


def _weighted(model):
    """The layers with weights by name; Keras' own names count through a process, these through the model."""
    found, counts = {}, Counter()
    for layer in (layer for layer in model.layers if layer.weights):
        stem = re.sub(r"_\d+$", "", layer.name)
        if stem.replace("_", "") == type(layer).__name__.lower():
            counts[stem] += 1
            found[stem, counts[stem]] = layer
        else:
            found[layer.name] = layer
    return found


def _new_layers(model, trained):
    """Names of the layers that start anew: the head, or all that reads what the trained model returns."""
    last = trained.layers[-1].name
    if last == model.layers[-1].name or last not in [layer.name for layer in model.layers]:
        return head_layers(model)
    whole = keras.Model(model.inputs, model.get_layer(last).output).layers
    return [layer.name for layer in model.layers if layer not in whole]


def _shapes(layer):
    return [weight.shape for weight in layer.weights]


def layers_above(image, features):
    """Returns the layers that make `features` from `image`, in order, without those below `image`.

    Args:
        image: Symbolic tensor: a `keras.Input`, or computed from one.
        features: Symbolic tensor computed from `image`.
    """
    inputs = keras.utils.get_source_inputs(image)
    below = keras.Model(inputs, image).layers
    return [layer for layer in keras.Model(inputs, features).layers if layer not in below]
