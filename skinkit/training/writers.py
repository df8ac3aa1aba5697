"""Writers of a training's numbers, epoch by epoch, for programs that show those of many trainings.

`history.csv` is written anyway, by `fit`; so the writer `csv` adds nothing. Where to write, and as whom, the
others read from their own environment variables alone (`MLFLOW_TRACKING_URI`, `WANDB_API_KEY`, ...). A
training that goes on writes on: its folder keeps the id of what was begun.
"""

import contextlib
import importlib.util
import os
import uuid

import keras

from skinkit.files import writing
from skinkit.names import check_name

_PROJECT = "skinkit"


def check_writer(name):
    """Raises an error for a writer that cannot be used.

    Raises:
        ValueError: for an unknown one.
        RuntimeError: when its package is not installed.
    """
    check_name("Writers", name, WRITERS)
    if name in _PACKAGES and not _is_installed(name):
        raise RuntimeError(f"The writer {name!r} needs {_PACKAGES[name]}: pip install 'skinkit[{name}]'")


def _is_installed(name):
    # A folder of that name, such as the one that W&B makes, is found, too, but has no origin.
    return getattr(importlib.util.find_spec(name), "origin", None) is not None


@contextlib.contextmanager
def open_writer(name, folder, about):
    """Opens a writer for the time of a training.

    Args:
        name: String, a key of `WRITERS`.
        folder: `pathlib.Path` for what it keeps, below the run's own folder; made where it is needed.
        about: Mapping of texts and numbers that say which training it is, among them the `recipe`.

    Yields:
        List of the Keras callbacks that write, for `fit`; empty for `csv`.

    Raises:
        RuntimeError: when it cannot begin, because a server does not answer, for instance.

    Example:
        >>> with open_writer("tensorboard", folder / "writers", {"recipe": recipe.name}) as callbacks:
        ...     model.fit(batches, callbacks=callbacks, shuffle=False)
    """
    with contextlib.ExitStack() as stack:
        try:
            write = stack.enter_context(WRITERS[name](folder, about))
        except Exception as error:
            # Those of other programs, which have no type in common.
            raise RuntimeError(f"The writer {name!r} cannot begin: {error}") from error
        yield [keras.callbacks.LambdaCallback(on_epoch_end=_writing(write))] if write else []


def _writing(write):
    """What Keras calls after an epoch, when `fit` has added its own scores."""
    return lambda epoch, logs: write({name: float(value) for name, value in logs.items()}, epoch + 1)


def _csv(folder, about):
    return contextlib.nullcontext()


@contextlib.contextmanager
def _tensorboard(folder, about):
    import tensorflow as tf

    # Not `tf.summary.scalar`: it needs the package of the reader.
    kind = tf.compat.v1.SummaryMetadata(plugin_data={"plugin_name": "scalars"}, data_class=1)

    def write(scores, epoch):
        for name, value in scores.items():
            tf.summary.write(name, tf.constant(value, tf.float32), epoch, kind)
        tf.summary.flush()

    with tf.summary.create_file_writer(str(folder)).as_default():
        yield write


@contextlib.contextmanager
def _mlflow(folder, about):
    import mlflow

    mlflow.set_experiment(os.environ.get("MLFLOW_EXPERIMENT_NAME", _PROJECT))
    path = folder / "mlflow.id"
    begun = path.read_text(encoding="utf-8") if path.exists() else None
    try:
        run = mlflow.start_run(begun, run_name=about["recipe"])
    except mlflow.MlflowException as error:
        remedy = (
            f". {path} names a run that was begun before: give its MLFLOW_TRACKING_URI, delete this file to "
            "begin another one, or go on with `--writer csv`"
        )
        raise RuntimeError(f"{error}{remedy if begun else ''}") from error
    with run:
        _keep(run.info.run_id, path)
        mlflow.log_params(about)
        yield mlflow.log_metrics


@contextlib.contextmanager
def _wandb(folder, about):
    import wandb

    path = folder / "wandb.id"
    begun = path.read_text(encoding="utf-8") if path.exists() else uuid.uuid4().hex
    _keep(begun, path)
    # Without a key it would ask for one.
    mode = os.environ.get("WANDB_MODE") or ("online" if "WANDB_API_KEY" in os.environ else "offline")
    project = os.environ.get("WANDB_PROJECT", _PROJECT)
    which = {"project": project, "name": about["recipe"], "config": dict(about), "dir": str(folder)}
    with wandb.init(id=begun, resume="allow", mode=mode, **which) as run:
        yield run.log


def _keep(identity, path):
    path.parent.mkdir(parents=True, exist_ok=True)
    with writing(path) as part:
        part.write_text(identity, encoding="utf-8")


WRITERS = {"csv": _csv, "tensorboard": _tensorboard, "mlflow": _mlflow, "wandb": _wandb}
_PACKAGES = {"mlflow": "MLflow", "wandb": "Weights & Biases"}
