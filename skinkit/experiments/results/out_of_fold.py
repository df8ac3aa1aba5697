"""Runs on folds, scored out of fold on all images, and what each of a row of ingredients is worth."""

import functools
import math
from dataclasses import dataclass

import numpy as np
import pandas as pd

from skinkit import evaluation
from skinkit.experiments.deciding.rule import prediction_arrays, with_numbers
from skinkit.experiments.results.finished_runs import alike, staleness

METRICS = ("macro_recall", "accuracy", "recall:mel")
DECISION = "decision for macro recall"


@dataclass(frozen=True)
class OutOfFold:
    """The predictions of a recipe for all images, each by the network that did not train on it.

    Args:
        name: String, of the recipe.
        predictions: Predictions table in the order of the image ids.
        folds: Array, the fold of each image.
        runs: List of the `SavedRun`s, one a fold.
    """

    name: str
    predictions: pd.DataFrame
    folds: np.ndarray
    runs: list

    @functools.cached_property
    def scores(self):
        """`METRICS` with intervals over lesions, as `bootstrap_intervals` gives them."""
        truth, probabilities, labels, groups = prediction_arrays(self.predictions)
        return evaluation.bootstrap_intervals(truth, probabilities, labels, groups, list(METRICS))


def runs_by_fold(runs, name, profile):
    """Returns the runs of today's recipe `name`, one a fold: with the seed like the fold, or else the least.

    Runs with other weights, precision, images or split are not mixed with them: the most folds count, and of
    equally many the recipe's own.

    Args:
        runs: List of `SavedRun`.
        name: String, of the recipe.
        profile: String.
    """
    found, asked = {}, {"recipe": name, "profile": profile, "protocol": "corrected"}
    same = [run for run in runs if asked.items() <= run.manifest.items() and not staleness(run)]
    for run in sorted(same, key=_own_first):
        found.setdefault(tuple(alike(run).values()), {}).setdefault(run.manifest["fold"], run)
    return max(found.values(), key=len, default={})


def _own_first(run):
    said, seed = alike(run), run.manifest["seed"]
    is_other = said["precision"] != "float32" or any(said[name] for name in ("weights", "lacking"))
    return is_other, seed != run.manifest["fold"], seed


def out_of_fold(by_fold, recipe):
    """Returns the `OutOfFold` of a recipe, or `None` where a fold has no run.

    Args:
        by_fold: Result of `runs_by_fold`.
        recipe: `Recipe` whose split is `out_of_fold_split`.

    Raises:
        ValueError: where an image is tested in two folds.
    """
    if set(by_fold) != set(range(recipe.split.options["folds"])):
        return None
    parts = [run.predictions.assign(fold=fold) for fold, run in sorted(by_fold.items())]
    found = pd.concat(parts, ignore_index=True).sort_values("image_id", ignore_index=True)
    if (twice := found["image_id"].duplicated()).any():
        raise ValueError(
            f"{recipe.name}: {found['image_id'][twice].iloc[0]} is tested in two folds, so that these are "
            "not folds of one split. Run them again with one version of skinkit"
        )
    return OutOfFold(recipe.name, found.drop(columns="fold"), found["fold"].to_numpy(), [*by_fold.values()])


def balanced(found):
    """Returns the same with decisions for macro recall, in each fold by a rule from all others."""
    truth, probabilities, labels = evaluation.unpack_predictions(found.predictions)
    decided = evaluation.decide_out_of_fold(truth, probabilities, labels, found.folds)
    predictions = with_numbers(found.predictions, labels, decided)
    return OutOfFold(f"{found.name}, {DECISION}", predictions, found.folds, found.runs)


def difference(found, other, metric="macro_recall"):
    """Returns a difference out of fold, with a paired bootstrap of whole lesions.

    Args:
        found: `OutOfFold`.
        other: `OutOfFold` that is subtracted.
        metric: String, a score.

    Returns:
        Dictionary: `difference`, `low`, `high`, `by_fold`, a list of the same in each fold, and `verdict` for
        these trainings: "helped" or "did harm" where the interval leaves out 0 and all folds have its sign;
        else "open".

    Raises:
        ValueError: when the two were not tested on the same images.
    """
    if not found.predictions["image_id"].equals(other.predictions["image_id"]):
        raise ValueError(
            f"{found.name} and {other.name} were not tested on the same images, so their difference would "
            "mix models and images. Run both again with one version of skinkit"
        )
    truth, p, labels, groups = prediction_arrays(found.predictions)
    q = evaluation.unpack_predictions(other.predictions)[1]
    value, low, high, _ = evaluation.paired_difference(truth, p, q, labels, groups, metric).loc[metric]
    by_fold = [
        evaluation.score(metric, truth[inside], p[inside], labels)
        - evaluation.score(metric, truth[inside], q[inside], labels)
        for inside in (found.folds == fold for fold in np.unique(found.folds))
    ]
    said = {"difference": value, "low": low, "high": high, "by_fold": by_fold}
    return said | {"verdict": _verdict(low, high, by_fold)}


def _verdict(low, high, by_fold):
    if not math.isnan(low) and low > 0 and min(by_fold) > 0:
        return "helped"
    return "did harm" if not math.isnan(high) and high < 0 and max(by_fold) < 0 else "open"
