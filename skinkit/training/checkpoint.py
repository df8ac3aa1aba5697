"""The state of a training after each epoch, on disk: a kill at any moment loses at most one epoch."""

import errno
import json
import math
import shutil
from pathlib import Path

import numpy as np

from skinkit.files import read_json, reading, remove_matching, writing
from skinkit.training.feature_store import FEATURE_FILES

_KEYS = ("epoch", "best", "best_file", "history")
_STATE = ("last.weights.h5", "seeds.npz", "state.json")
_EPOCH, _BEST = (f"{name}-{'[0-9]' * 5}" for name in ("epoch", "best"))
# All that a training writes into its folder. A glob by these names finds no file of anybody else.
_WRITTEN = (
    *(f"{place}/{name}" for place in (_EPOCH, "state.part") for name in _STATE),
    *(f"{_BEST}.{ending}" for ending in ("npz", "npz.part")),
    *(f"context/{name}" for name in FEATURE_FILES),
    "state.part",
    "context",
)


class Checkpoint:
    """Keeps the newest state of a training and the best weights in a folder.

    Every state is written beside the old one and renamed when it is whole, so the folder always holds
    one complete state, whatever happens while writing.

    Args:
        folder: Folder of the checkpoints; made when the first state is saved.
    """

    def __init__(self, folder):
        self.folder = Path(folder)

    def latest(self):
        """Returns the newest state as a dictionary (`epoch`, `best`, `best_file`, `history`), or `None`.

        Raises:
            FileNotFoundError, ValueError: when the state is there, but not whole.
        """
        newest = self._newest()
        return newest and read_json(newest / "state.json", self._remedy, *_KEYS)

    def save(self, model, state):
        """Saves weights, optimiser and random states of `model`, and `state`, which holds the `epoch`.

        Raises:
            OSError: when the state cannot be written; the last good state is kept.
        """
        target = self.folder / f"epoch-{state['epoch']:05d}"
        part = self.folder / "state.part"
        try:
            remove_matching(part, _STATE)
            part.mkdir(parents=True, exist_ok=True)
            _check_space(part, [*model.variables, *model.optimizer.variables])
            model.save_weights(part / "last.weights.h5")
            np.savez(part / "seeds.npz", *[variable.numpy() for variable in _seeds(model)])
            (part / "state.json").write_text(json.dumps(state))
            part.replace(target)
        except OSError as error:
            remove_matching(part, _STATE)
            raise self._not_written(error, state["epoch"]) from error
        self._drop_all_but(target, state["best_file"])

    def save_best(self, model, epoch):
        """Saves the bare weights of the best epoch so far and returns the name of their file."""
        self.folder.mkdir(parents=True, exist_ok=True)
        target = self.folder / f"best-{epoch:05d}.npz"
        try:
            with writing(target) as part, part.open("wb") as file:
                np.savez(file, *model.get_weights())
        except OSError as error:
            raise self._not_written(error, epoch) from error
        return target.name

    def load_last(self, model):
        """Puts the newest state back into a compiled `model`, its optimiser and its random generators."""
        weights, seeds = (self._newest() / name for name in ("last.weights.h5", "seeds.npz"))
        model.optimizer.build(model.trainable_variables)
        with reading(weights, self._remedy):
            model.load_weights(weights)
        # Opened here: NumPy leaves a file open that it cannot read.
        with reading(seeds, self._remedy), seeds.open("rb") as file, np.load(file) as saved:
            for variable, name in zip(_seeds(model), saved.files, strict=True):
                variable.assign(saved[name])

    def load_best(self, model):
        """Puts the weights of the best epoch into `model` and returns its number."""
        best = self.folder / self.latest()["best_file"]
        with reading(best, self._remedy), best.open("rb") as file, np.load(file) as saved:
            model.set_weights([saved[name] for name in saved.files])
        return int(best.stem.removeprefix("best-"))

    def delete(self):
        """Removes all states, which have been for something that is saved elsewhere; other files stay."""
        remove_matching(self.folder, _WRITTEN)

    def _newest(self):
        """The folder of the newest state, or `None`."""
        states = (path for path in self.folder.glob(_EPOCH) if any((path / name).exists() for name in _STATE))
        return max(states, default=None)

    @property
    def _remedy(self):
        return f"Delete {self.folder} and give the same command again: the training begins anew"

    def _drop_all_but(self, target, best_file):
        for old in self.folder.glob(_EPOCH):
            if old != target:
                remove_matching(old, _STATE)
        for old in self.folder.glob(f"{_BEST}.npz"):
            if old.name != best_file:
                old.unlink()

    def _not_written(self, error, epoch):
        kept = self.latest()
        kept = f"the last good state is epoch {kept['epoch']}" if kept else "no earlier state exists"
        return OSError(
            error.errno,
            f"The state of epoch {epoch} could not be written to {self.folder} ({error}); {kept}. "
            "Free some space and give the same command again: it goes on from there",
        )


def _seeds(model):
    """States of the random generators (dropout), which Keras does not save with the weights."""
    return [v for v in model.variables if v.path.endswith("seed_generator_state")]


def _check_space(folder, variables):
    # HDF5 ends the whole process where the disk is full.
    needed = sum(4 * math.prod(variable.shape) for variable in variables)
    if shutil.disk_usage(folder).free < needed:
        raise OSError(errno.ENOSPC, f"{needed:,} bytes are needed", str(folder))
