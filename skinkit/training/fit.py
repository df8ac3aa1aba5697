"""Training in phases that can be killed at any moment and goes on with the same result."""

import math
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path

import keras
import pandas as pd

from skinkit.training.checkpoint import Checkpoint


@dataclass(frozen=True)
class TrainingPhase:
    """A stretch of training with one optimiser.

    Args:
        epochs: Integer, number of epochs.
        optimiser: Function that makes a new `keras.optimizers.Optimizer`.
        loss: A `keras.losses.Loss`.
        trainable: Names of the layers that train, or `None` for all. The others are frozen, and frozen
            batch normalisation uses its stored statistics.
    """

    epochs: int
    optimiser: Callable[[], keras.optimizers.Optimizer]
    loss: keras.losses.Loss
    trainable: Collection[str] | None = None


def fit(model, phases, batches, folder, *, validate=None, monitor=None, verbose=1):
    """Trains `model` phase by phase and saves its whole state after each epoch.

    Called again with the same folder it goes on after the last complete epoch. Epochs are counted through
    all phases.

    Args:
        model: A built `keras.Model` with one output of class probabilities.
        phases: Sequence of `TrainingPhase`.
        batches: Function of the first epoch that returns `(dataset, steps_per_epoch)`; the endless dataset
            depends on the epoch and on nothing that happened before it.
        folder: Folder for `history.csv` and the state.
        validate: Function of the model that returns scores by name, called after each epoch; in the
            history their names start with `val_`.
        monitor: Name of the score of `validate` that selects the epoch whose weights the model ends with,
            the larger the better; `None` for the last epoch.
        verbose: As in `keras.Model.fit`.

    Returns:
        The history: a DataFrame with one row per epoch.

    Raises:
        FloatingPointError: when the loss is not finite any more.
        OSError: when a state cannot be written; the last good one is kept.
    """
    recorder = EpochRecorder(folder, validate, monitor)
    done, start = recorder.state["epoch"], 0
    for number, phase in enumerate(phases, start=1):
        end = start + phase.epochs
        if done <= end:
            _prepare(model, phase)
        if start < done <= end:
            recorder.checkpoint.load_last(model)
        if done < end:
            recorder.phase = number
            _fit_phase(model, batches, max(done, start), end, recorder, verbose)
        start = end
    if monitor is not None:
        recorder.checkpoint.load_best(model)
    return pd.DataFrame(recorder.state["history"])


def _prepare(model, phase):
    for layer in model.layers:
        layer.trainable = phase.trainable is None or layer.name in phase.trainable
    model.compile(optimizer=phase.optimiser(), loss=phase.loss, metrics=["accuracy"])


def _fit_phase(model, batches, first, end, recorder, verbose):
    data, steps = batches(first)
    model.fit(
        data,
        steps_per_epoch=steps,
        initial_epoch=first,
        epochs=end,
        shuffle=False,
        callbacks=[recorder],
        verbose=verbose,
    )


class EpochRecorder(keras.callbacks.Callback):
    """Validates, selects, saves and writes the history after each epoch; stops on a bad loss."""

    def __init__(self, folder, validate=None, monitor=None):
        super().__init__()
        self.folder = Path(folder)
        self.checkpoint = Checkpoint(self.folder / "checkpoint")
        self.state = self.checkpoint.latest() or {
            "epoch": 0,
            "best": None,
            "best_file": None,
            "history": [],
        }
        self.validate, self.monitor = validate, monitor
        self.phase = 1

    def on_epoch_begin(self, epoch, logs=None):
        self._started = time.perf_counter()

    def on_train_batch_end(self, batch, logs=None):
        loss = (logs or {}).get("loss", 0.0)
        if not math.isfinite(loss):
            done = self.state["epoch"]
            raise FloatingPointError(
                f"The loss became {loss} at step {batch + 1} of epoch {done + 1}. The state of epoch {done} "
                f"is kept in {self.checkpoint.folder}. Usual causes: a learning rate that is too high, or "
                "pixels in another scale than the weights expect"
            )

    def on_epoch_end(self, epoch, logs=None):
        scores = self.validate(self.model) if self.validate else {}
        # Keras' own progress line comes after this callback and shows what is in `logs`.
        logs |= {f"val_{name}": float(value) for name, value in scores.items()}
        row = {
            "epoch": epoch + 1,
            "phase": self.phase,
            "learning_rate": float(self.model.optimizer.learning_rate),
            **{name: float(value) for name, value in logs.items()},
            "seconds": round(time.perf_counter() - self._started, 2),
        }
        self._select(scores, epoch + 1)
        self.state |= {"epoch": epoch + 1, "history": [*self.state["history"], row]}
        self.checkpoint.save(self.model, self.state)
        self._write_history()

    def _select(self, scores, epoch):
        if self.monitor is None:
            return
        score = scores[self.monitor]
        if self.state["best"] is None or score > self.state["best"]:
            self.state |= {"best": score, "best_file": self.checkpoint.save_best(self.model, epoch)}

    def _write_history(self):
        part = self.folder / "history.csv.part"
        pd.DataFrame(self.state["history"]).to_csv(part, index=False)
        part.replace(self.folder / "history.csv")
