"""Repair of a finished run: missing or damaged files are made again without training."""

import math
import zipfile

import numpy as np

from skinkit import evaluation
from skinkit.experiments.predictions import save_scored

# Scores whose definition does not change from version to version.
_COMPARED = ("accuracy", "macro_recall", "macro_auc")


def mend(run, run_data, predict):
    """Makes what a finished run lacks from what is left of it, without training.

    Predictions come from the model, scores from the predictions, the leakage from the split.

    Args:
        run: `SavedRun`.
        run_data: Its `RunData`.
        predict: Function without arguments that makes its predictions table from the model, or from the folds
            that stand for it.

    Returns:
        Names of the files that were made.

    Raises:
        FileNotFoundError, ValueError: naming a file that is missing or damaged and cannot be made, with what
            to do; or when the model makes other scores than the run's.
    """
    _check_what_cannot_be_made(run)
    made = []
    if _problem(lambda: run.leakage):
        run_data.leakage.to_csv(run.folder / "leakage.csv")
        made.append("leakage.csv")
    without_scores = _problem(lambda: run.metrics)
    if problem := _problem(lambda: _whole_predictions(run, without_scores)):
        if not (run.folder / "model.keras").exists():
            raise problem
        predictions = predict()
    elif without_scores:
        predictions = run.predictions
    else:
        return made
    _write_scores(run, predictions, None if without_scores else run.metrics["scores"])
    return [*made, "metrics.json", "predictions.csv.gz"]


def _check_what_cannot_be_made(run):
    for name in ("model.keras", "classifier.skops"):
        path = run.folder / name
        if path.exists() and not zipfile.is_zipfile(path):
            raise ValueError(f"{path} is damaged: not a zip archive. {run.remedy}")
    _ = run.history
    if run.recipe.score_best:
        _ = run.predictions_best, run.metrics_best


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
    found = evaluation.summary(*evaluation.unpack_predictions(predictions), positive=run.recipe.positive)
    if before and not all(_equal(found[name], before[name]["value"]) for name in _COMPARED):
        raise ValueError(
            f"{run.folder / 'model.keras'} makes other predictions than those behind metrics.json: it is not "
            f"this run's model, or its libraries have other versions here. {run.remedy}"
        )
    save_scored(predictions, run.recipe.positive, run.folder, of_ranks=run.is_of_ranks)


def _equal(found, saved):
    # NaN is written as null.
    return np.isclose(found, math.nan if saved is None else saved, rtol=0, atol=1e-6, equal_nan=True)
