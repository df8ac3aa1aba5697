"""Loads models that this kit saved."""

from pathlib import Path

import keras

import skinkit.layers  # noqa: F401 - registers the layers for loading
from skinkit.files import reading
from skinkit.models.head import head_layers


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


def take_over_weights(model, trained):
    """Copies the weights of layers that have one name and the same shapes in both models.

    Args:
        model: A `keras.Model`, which is changed.
        trained: A `keras.Model` with the same backbone, and perhaps another head.

    Returns:
        Names of the layers of `model` that keep their own weights.

    Raises:
        ValueError: when a layer below the head is not in `trained`, or has other shapes there.
    """
    known = {layer.name: layer for layer in trained.layers}
    kept = []
    for layer in (layer for layer in model.layers if layer.weights):
        if layer.name in known and _shapes(known[layer.name]) == _shapes(layer):
            layer.set_weights(known[layer.name].get_weights())
        else:
            kept.append(layer.name)
    if below := [name for name in kept if name not in head_layers(model)]:
        raise ValueError(
            f"{model.name} cannot start from the weights of {trained.name}: expected there the layers of its "
            f"backbone. Received no {below[0]} of the same shape, and {len(below) - 1} others neither"
        )
    return kept


def _shapes(layer):
    return [weight.shape for weight in layer.weights]
