"""Loads models that this kit saved."""

from pathlib import Path

import keras

import skinkit.layers  # noqa: F401 - registers the layers for loading


def load_model(path, compile=False):
    """Returns the model saved at `path`, with the layers of this kit known to Keras.

    Args:
        path: Path of a `.keras` file.
        compile: Whether the optimiser and the loss are restored too.

    Raises:
        FileNotFoundError: when there is no such file.
        ValueError: when it is no `.keras` file.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"No model at {path}. Expected a .keras file written by a run")
    return keras.saving.load_model(path, compile=compile)
