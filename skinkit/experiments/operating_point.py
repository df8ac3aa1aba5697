"""Operating points of a run: a threshold from its validation images, and what it is worth on others."""

import math

import pandas as pd

from skinkit import evaluation
from skinkit.experiments.predictions import prediction_groups


def operating_point(run, tested=None, data_dir=None, **wanted):
    """Chooses a run's threshold on its validation images, and scores it there and on other images.

    Args:
        run: `SavedRun`.
        tested: Predictions table of the other images; by default those of the run's test images.
        data_dir: Folder of the releases, for the validation images, which are predicted once.
        **wanted: `sensitivity` or `specificity`, from 0 to 1, of the recipe's `positive` class.

    Returns:
        The `skinkit.evaluation.Threshold`, and a DataFrame with the index `images` (`run.chosen_on`, "test",
        and "test, likeliest class" for what is called without a threshold), `metric`, and `value`, `low`,
        `high` and `method` of `skinkit.evaluation.bootstrap_intervals`. Without other images, a run whose
        predictions are out of fold has no "test".

    Raises:
        FileNotFoundError: when the validation images were not predicted, and the model or they are missing.
        ValueError: unless one of both is wanted, or the run has no validation images of its own.

    Example:
        >>> threshold, table = operating_point(SavedRun(folder), sensitivity=0.95)
    """
    validation = prediction_arrays(run.validation_predictions(data_dir))
    tested = tested_arrays(run, tested)
    *chosen_on, groups = validation
    threshold = evaluation.choose_threshold(*chosen_on, positive=run.recipe.positive, groups=groups, **wanted)
    names = {f"recall:{threshold.label}": "sensitivity", f"specificity:{threshold.label}": "specificity"}
    tables = {run.chosen_on: evaluation.scores_at(threshold, *validation)}
    if tested:
        likeliest = evaluation.bootstrap_intervals(*tested, metrics=[*names, "macro_recall"])
        tables["test"] = evaluation.scores_at(threshold, *tested)
        tables["test, likeliest class"] = likeliest.rename(index=names).drop(columns="sd")
    return threshold, pd.concat(tables, names=["images"])


def calibration_text(run, tested=None, data_dir=None):
    """Returns a line on the calibration error before and after a temperature fitted on validation images.

    Args:
        run: As in `operating_point`.
        tested: As in `operating_point`.
        data_dir: As in `operating_point`.
    """
    *fitted_on, _ = prediction_arrays(run.validation_predictions(data_dir))
    others = tested_arrays(run, tested)
    truth, probabilities, labels = others[:3] if others else fitted_on
    temperature = evaluation.fit_temperature(*fitted_on)
    before, after = (
        evaluation.expected_calibration_error(truth, each, labels)
        for each in (probabilities, evaluation.apply_temperature(probabilities, temperature))
    )
    images = "test" if others else f"{run.chosen_on}, which it is fitted on"
    return f"{images}: ece {before:.3f}, and {after:.3f} after a temperature of {temperature:.2f}"


def operating_point_text(run, tested=None, data_dir=None, **wanted):
    """Returns both as text.

    Args:
        run: As in `operating_point`.
        tested: As in `operating_point`.
        data_dir: As in `operating_point`.
        **wanted: As in `operating_point`.
    """
    threshold, table = operating_point(run, tested, data_dir, **wanted)
    rule = f"p_{threshold.label} >= {threshold.value:.4g}"
    lines = [f"\n{rule}, chosen on {run.chosen_on} for a {threshold.wanted} of {threshold.at_least:g}"]
    lines += [f"DOUBTFUL: {threshold.doubt}"] if threshold.doubt else []
    for images, rows in table.groupby("images", sort=False):
        said = (f"{name} {with_ends(row)}" for (_, name), row in rows.iterrows())
        lines.append(f"{images}: {', '.join(said)}")
    return "\n".join([*lines, calibration_text(run, tested, data_dir)])


def tested_arrays(run, tested=None):
    """Returns `prediction_arrays` of what a rule is scored on.

    Args:
        run: As in `operating_point`.
        tested: As in `operating_point`.

    Returns:
        A tuple; `None` where the run's own predictions are those that rules are chosen on.
    """
    if tested is None and run.recipe.out_of_fold:
        return None
    return prediction_arrays(run.predictions if tested is None else tested)


def prediction_arrays(predictions):
    """Returns truth, probabilities, labels and groups of a predictions table."""
    return *evaluation.unpack_predictions(predictions), prediction_groups(predictions)[0]


def with_ends(row):
    """Returns a value with the ends of its interval, where it has one, as text."""
    ends = "" if math.isnan(row["low"]) else f" ({row['low']:.3f} to {row['high']:.3f})"
    return f"{row['value']:.3f}{ends}"
