"""Training in phases that can be killed at any moment and goes on with the same result."""

import math
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import keras
import pandas as pd

from skinkit.files import writing
from skinkit.names import check_name
from skinkit.training.averaging import averaged_weights, keep_average
from skinkit.training.checkpoint import Checkpoint
from skinkit.training.plateau import Plateau


@dataclass(frozen=True)
class TrainingPhase:
    """A stretch of training with one optimiser.

    Args:
        epochs: Integer, number of epochs; the most there can be with a `plateau`.
        optimiser: Function that makes a new `keras.optimizers.Optimizer`.
        loss: A `keras.losses.Loss`, or a dictionary of them by output.
        loss_weights: Dictionary of numbers by output, by which their losses are added up; `None` for 1 each.
        trainable: Names of the layers that train, or `None` for all. The others are frozen, and frozen
            batch normalisation uses its stored statistics.
        plateau: `Plateau`, which may end the phase earlier, or `None`.
        metrics: Names of Keras metrics to watch, or a dictionary of them by output.
    """

    epochs: int
    optimiser: Callable[[], keras.optimizers.Optimizer]
    loss: keras.losses.Loss | Mapping[str, keras.losses.Loss]
    trainable: Collection[str] | None = None
    plateau: Plateau | None = None
    metrics: Sequence[str] | Mapping[str, Sequence[str]] = ("accuracy",)
    loss_weights: Mapping[str, float] | None = None


def fit(
    model,
    phases,
    batches,
    folder,
    *,
    validate=None,
    validate_every=1,
    monitor=None,
    end_with="best",
    callbacks=(),
    verbose=1,
):
    """Trains `model` phase by phase and saves its whole state after each epoch.

    Where an optimiser averages the weights (`use_ema`), the average is validated, selected, saved as the best
    and kept at the end of its phase, with batch statistics of its own; the training goes on with the others.

    Called again with the same folder it goes on after the last complete epoch. Epochs are counted through
    all phases.

    Args:
        model: A built `keras.Model`; with several outputs, a dictionary of them by name.
        phases: Sequence of `TrainingPhase`.
        batches: Function of the first epoch that returns `(dataset, steps_per_epoch)`; the endless dataset
            depends on the epoch and on nothing that happened before it.
        folder: Folder for `history.csv` and the state.
        validate: Function of the model that returns scores by name; in the history their names start with
            `val_`.
        validate_every: Integer n: `validate` is called after the first epoch and after every n-th; only
            these epochs can be selected.
        monitor: Name of the score of `validate` that selects the best epoch, the larger the better; `None`
            selects none, and the model ends with the last.
        end_with: `"best"`, the model ends with the weights of the selected epoch; or `"last"`, with those of
            the last one, and `Checkpoint.load_best` gives the selected ones.
        callbacks: Further Keras callbacks. What they do must follow from the weights and the epoch alone, or
            a training that goes on would end in another result.
        verbose: As in `keras.Model.fit`.

    Returns:
        The history: a DataFrame with one row per epoch.

    Raises:
        FloatingPointError: when the loss is not finite any more.
        OSError: when a state cannot be written; the last good one is kept.
        ValueError: for a phase with a plateau that is not validated after every epoch, an unknown layer in
            `trainable`, an output without a loss or its weight, or a `monitor` that `validate` does not give.
    """
    _check_looks(phases, validate, validate_every, monitor)
    recorder = EpochRecorder(folder, batches, validate, validate_every, monitor)
    done, start = recorder.state["epoch"], 0
    for number, phase in enumerate(phases, start=1):
        end = start + phase.epochs
        if done <= end:
            _prepare(model, phase)
        if start < done <= end:
            recorder.checkpoint.load_last(model)
        recorder.enter(number, phase)
        if done < end and not recorder.has_stopped():
            _fit_phase(model, batches, max(done, start), end, [recorder, *callbacks], verbose)
        if done <= end and recorder.state["epoch"] > start:
            keep_average(model, batches, recorder.state["epoch"])
        start = end
    if end_with == "best" and recorder.state["best_file"]:
        recorder.checkpoint.load_best(model)
    return recorder.write_history()


def _check_looks(phases, validate, validate_every, monitor):
    """Raises `ValueError` where scores that are needed would not be there."""
    if validate_every != 1 and any(phase.plateau for phase in phases):
        raise ValueError(
            f"A plateau needs the scores of every epoch. Received: validate_every={validate_every}"
        )
    if monitor is not None and validate is None:
        raise ValueError(
            f"A monitored score comes from `validate`. Received: monitor={monitor!r}, no validate"
        )


def _prepare(model, phase):
    known = [layer.name for layer in model.layers]
    for name in phase.trainable or ():
        check_name("Layers", name, known)
    if isinstance(phase.loss, Mapping) or len(model.outputs) > 1:
        _check_losses(model, phase)
    for layer in model.layers:
        layer.trainable = phase.trainable is None or layer.name in phase.trainable
    # Keras 3.13 takes no tuple.
    metrics = phase.metrics if isinstance(phase.metrics, Mapping) else list(phase.metrics)
    weights = phase.loss_weights and dict(phase.loss_weights)
    model.compile(optimizer=phase.optimiser(), loss=phase.loss, loss_weights=weights, metrics=metrics)
    _build(model)


def _check_losses(model, phase):
    """Raises `ValueError` for an output without a loss, which Keras would leave untrained, or one for all."""
    loss, outputs = phase.loss, ", ".join(model.output_names)
    given = [name for name, each in loss.items() if each is not None] if isinstance(loss, Mapping) else []
    if {*given} != {*model.output_names}:
        raise ValueError(f"Each output needs a loss: {outputs}. Received: loss={loss!r}")
    if phase.loss_weights is not None and {*phase.loss_weights} != {*model.output_names}:
        raise ValueError(
            f"Each output needs a weight of its loss: {outputs}. Received: loss_weights={phase.loss_weights}"
        )


def _build(model):
    """Creates optimiser and metric variables now, so that the first step is traced once."""
    model.optimizer.build(model.trainable_variables)
    blanks = [keras.ops.zeros([size or 1 for size in output.shape]) for output in model.outputs]
    blank = blanks[0] if len(blanks) == 1 else dict(zip(model.output_names, blanks, strict=True))
    model.compute_loss(y=blank, y_pred=blank)
    model.compute_metrics(None, blank, blank)
    model.reset_metrics()


def _fit_phase(model, batches, first, end, callbacks, verbose):
    data, steps = batches(first)
    model.fit(
        data,
        steps_per_epoch=steps,
        initial_epoch=first,
        epochs=end,
        shuffle=False,
        callbacks=callbacks,
        verbose=verbose,
    )


class EpochRecorder(keras.callbacks.Callback):
    """Validates, selects, saves and writes the history after each epoch; stops on a bad loss."""

    def __init__(self, folder, batches, validate=None, validate_every=1, monitor=None):
        super().__init__()
        self.folder = Path(folder)
        self.checkpoint = Checkpoint(self.folder / "checkpoint")
        self.state = self.checkpoint.latest() or {
            "epoch": 0,
            "best": None,
            "best_file": None,
            "history": [],
        }
        self.batches, self.validate, self.monitor = batches, validate, monitor
        self.validate_every = validate_every
        self.phase, self.plateau = 1, None

    def on_epoch_begin(self, epoch, logs=None):
        """Starts the clock."""
        self._started = time.perf_counter()

    def on_train_batch_end(self, batch, logs=None):
        """Raises `FloatingPointError` when the loss is not finite any more."""
        loss = (logs or {}).get("loss", 0.0)
        if not math.isfinite(loss):
            done = self.state["epoch"]
            kept = f"The state of epoch {done} is kept in {self.checkpoint.folder}. " if done else ""
            raise FloatingPointError(
                f"The loss became {loss} at step {batch + 1} of epoch {done + 1}. {kept}Usual causes: a "
                "learning rate that is too high, or pixels in another scale than the weights expect"
            )

    def on_epoch_end(self, epoch, logs=None):
        """Validates where it is due, selects, saves the state and writes the history."""
        scores = self._look(epoch + 1)
        # Keras' own progress line and writers come after this callback and show what is in `logs`.
        logs |= {f"val_{name}": float(value) for name, value in scores.items()}
        logs["learning_rate"] = float(self.model.optimizer.learning_rate)
        row = {
            "epoch": epoch + 1,
            "phase": self.phase,
            "learning_rate": logs["learning_rate"],
            **{name: float(value) for name, value in logs.items()},
            "seconds": round(time.perf_counter() - self._started, 2),
        }
        self.state |= {"epoch": epoch + 1, "history": [*self.state["history"], row]}
        self._watch_plateau()
        self.checkpoint.save(self.model, self.state)
        self.write_history()

    def _look(self, epoch):
        """The scores of an epoch, where they are due, by which it may be selected."""
        if self.validate is None or (epoch > 1 and epoch % self.validate_every):
            return {}
        with averaged_weights(self.model, self.batches, epoch):
            scores = self.validate(self.model)
            if self.monitor is not None:
                self._select(scores, epoch)
        return scores

    def _select(self, scores, epoch):
        check_name("Scores of `validate`", self.monitor, scores)
        score, best = scores[self.monitor], self.state["best"]
        # Any score beats one that is not a number.
        if best is None or math.isnan(best) or score > best:
            self.state |= {"best": score, "best_file": self.checkpoint.save_best(self.model, epoch)}

    def enter(self, number, phase):
        """Begins, or goes on with, a phase."""
        self.phase, self.plateau = number, phase.plateau

    def has_stopped(self):
        """Returns whether the plateau of this phase has ended it before its last epoch."""
        return self.plateau is not None and self.plateau.stops(self._watched())

    def _watch_plateau(self):
        if self.plateau is None:
            return
        if self.plateau.lowers(self._watched()):
            optimizer = self.model.optimizer
            optimizer.learning_rate = float(optimizer.learning_rate) * self.plateau.factor
        self.model.stop_training = self.has_stopped()

    def _watched(self):
        """The scores of this phase that its plateau looks at."""
        rows = [row for row in self.state["history"] if row["phase"] == self.phase]
        return [row[f"val_{self.plateau.monitor}"] for row in rows]

    def write_history(self):
        """Writes `history.csv` and returns it as a DataFrame, without rows where there was no epoch."""
        columns = None if self.state["history"] else ["epoch", "phase", "learning_rate", "loss", "seconds"]
        history = pd.DataFrame(self.state["history"], columns=columns)
        self.folder.mkdir(parents=True, exist_ok=True)
        with writing(self.folder / "history.csv") as part:
            history.to_csv(part, index=False)
        return history
