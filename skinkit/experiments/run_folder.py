"""A run's folder: the files it holds, their damages, and the place of one run taken by another."""

import math
import zipfile

import numpy as np
import pandas as pd

from skinkit.experiments.scoring import predict_parts, score, write_json, write_predictions
from skinkit.files import read_json, reading, remove, remove_matching

MANIFEST, PLAN, AGAIN = "manifest.json", "plan.json", "again"
_NUMBERS = ("metrics.json", "predictions.csv.gz")
_FILES = (
    *(MANIFEST, PLAN, *_NUMBERS, "metrics_best.json", "predictions_best.csv.gz", "history.csv"),
    *("leakage.csv", "model.keras", "classifier.skops", "seen.csv.gz", "overlays.png", "report.html"),
)
_REMEDY = "Give another `out` folder, delete this one, or train anew into it with `--again`"

# Scores whose definition does not change from version to version.
_COMPARED = ("accuracy", "macro_recall", "macro_auc")


def begin(folder, key):
    """Begins a run, or goes on with it: writes its plan where nothing else is at work.

    Only work counts: finished numbers, or the state of an epoch. A plan alone, of a run that failed before
    its first epoch, gives way.

    Args:
        folder: `pathlib.Path` of the run folder.
        key: The key of the `Plan`.

    Returns:
        Whether the run is finished already.

    Raises:
        FileNotFoundError, ValueError: when the folder holds work of another run, or the manifest or plan of
            its work is missing or damaged.
    """
    finished, plan = (folder / MANIFEST).exists(), folder / PLAN
    if finished or list((folder / "checkpoint").glob("epoch-*")):
        path = folder / MANIFEST if finished else plan
        found = read_json(path, f"It says whose work lies there. {_REMEDY}", "key")["key"]
        if found != key:
            raise ValueError(
                f"{folder} holds a run of another recipe, split or data ({path.name}: key {found}, now "
                f"{key}). {_REMEDY}"
            )
    elif not _is_plan_of(plan, key) and (left := [name for name in _NUMBERS if (folder / name).exists()]):
        raise FileNotFoundError(
            f"{folder / MANIFEST} is missing, and {left[0]} of a finished run lies there. Take it from git "
            f"or a copy. {_REMEDY}"
        )
    if not finished:
        write_json(plan, {"key": key, "finished": False})
    return finished


def _is_plan_of(path, key):
    try:
        # In older versions, without `finished`, a plan outlived its run.
        return read_json(path, "", "key", "finished")["key"] == key
    except (FileNotFoundError, ValueError):
        return False


def tidy(folder):
    """Removes what only an unfinished run needs."""
    from skinkit.training import Checkpoint

    Checkpoint(folder / "checkpoint").delete()
    (folder / PLAN).unlink(missing_ok=True)


def mend(run, material, data_dir=None):
    """Makes what a finished run lacks from what is left of it, without training.

    Predictions come from the model, scores from the predictions, the leakage from the split.

    Args:
        run: `SavedRun`.
        material: Its `Material`.
        data_dir: As in `SavedRun.predictor`.

    Returns:
        Names of the files that were made.

    Raises:
        FileNotFoundError, ValueError: naming a file that is missing or damaged and cannot be made, with what
            to do; or when the model makes other scores than the run's.
    """
    _check_what_cannot_be_made(run)
    made = []
    if _problem(lambda: _check_table(run, "leakage.csv", "label")):
        material.leakage.to_csv(run.folder / "leakage.csv")
        made.append("leakage.csv")
    without_scores = _problem(lambda: run.metrics)
    if problem := _problem(lambda: _whole_predictions(run, without_scores)):
        if not (run.folder / "model.keras").exists():
            raise problem
        predictions = predict_parts(run.predictor(data_dir), material)
    elif without_scores:
        predictions = run.predictions
    else:
        return made
    _write_scores(run, predictions, None if without_scores else run.metrics["scores"])
    return [*made, *_NUMBERS]


def _check_what_cannot_be_made(run):
    for name in ("model.keras", "classifier.skops"):
        path = run.folder / name
        if path.exists() and not zipfile.is_zipfile(path):
            raise ValueError(f"{path} is damaged: not a zip archive. {run.remedy}")
    _check_table(run, "history.csv", "epoch")
    if run.recipe.score_best:
        _check_table(run, "predictions_best.csv.gz", "image_id")
        read_json(run.folder / "metrics_best.json", run.remedy, "epoch", "scores")


def _check_table(run, name, column):
    with reading(run.folder / name, run.remedy):
        if column not in pd.read_csv(run.folder / name):
            raise ValueError(f"it lacks the column {column}")


def _whole_predictions(run, without_scores):
    found = len(run.predictions)
    if not without_scores and found != (expected := run.metrics["n"]):
        raise ValueError(
            f"{run.folder / 'predictions.csv.gz'} is damaged: {found} rows, and metrics.json counts "
            f"{expected}. {run.remedy}"
        )


def _problem(read):
    try:
        read()
    except (FileNotFoundError, ValueError) as error:
        return error


def _write_scores(run, predictions, before):
    metrics = score(predictions, run.recipe.positive)
    if before and not all(_equal(metrics["scores"][name], before[name]) for name in _COMPARED):
        raise ValueError(
            f"{run.folder / 'model.keras'} makes other predictions than those behind metrics.json: it is not "
            f"this run's model, or its libraries have other versions here. {run.remedy}"
        )
    write_predictions(predictions, run.folder / "predictions.csv.gz")
    write_json(run.folder / "metrics.json", metrics)


def _equal(one, other):
    # NaN is written as null.
    values = [math.nan if score["value"] is None else score["value"] for score in (one, other)]
    return np.isclose(*values, rtol=0, atol=1e-6, equal_nan=True)


def replace_by_again(folder):
    """Puts the finished run of `again` in the place of the run in `folder`; does nothing where there is none.

    Whenever it is killed, the next call completes it, and one of both runs is whole.

    Args:
        folder: `pathlib.Path` of the run folder.

    Returns:
        Whether there was one.
    """
    new, ready = folder / AGAIN, folder / f"{AGAIN}-ready"
    if (new / MANIFEST).exists():
        tidy(folder)
        remove((folder / name for name in _FILES), folder)
        remove_matching(folder / "evaluations", [f"*/{name}" for name in _NUMBERS])
        new.replace(ready)
    if found := ready.exists():
        # The manifest comes last: it says that all is there.
        for path in sorted(ready.iterdir(), key=lambda path: path.name == MANIFEST):
            path.replace(folder / path.name)
        ready.rmdir()
    return found
