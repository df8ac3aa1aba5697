"""Decisions of a run for macro recall: a rule from its validation images, and what it is worth on others."""

import pandas as pd

from skinkit import evaluation
from skinkit.experiments.operating_point import prediction_arrays, tested_arrays, with_ends

_METRICS = ("macro_recall", "accuracy")


def decision(run, tested=None, data_dir=None):
    """Chooses the rule by which a run decides for macro recall, and scores it on validation and other images.

    The probabilities, and all that is said of their calibration, stay as they are.

    Args:
        run: `SavedRun`.
        tested: Predictions table of the other images; by default those of the run's test images.
        data_dir: Folder of the releases, for the validation images, which are predicted once.

    Returns:
        The `skinkit.evaluation.Decision`, and a DataFrame with the index `images` (`run.chosen_on` and "test"
        as in `operating_point`, and each again with ", likeliest class", for what is decided without it),
        `metric`, and `value`, `low`, `high` and `method` of `skinkit.evaluation.bootstrap_intervals`.

    Raises:
        FileNotFoundError: when the validation images were not predicted, and the model or they are missing.
        ValueError: when the run has no validation images of its own, or a class none in training.

    Example:
        >>> rule, table = decision(SavedRun(folder))
        >>> rule.apply(p, labels).argmax(axis=1)
    """
    validation = prediction_arrays(run.validation_predictions(data_dir))
    tested = tested_arrays(run, tested)
    *chosen_on, _ = validation
    trained_on = run.manifest.get("trained_on") or _counted(run.run_data(data_dir))
    total = sum(trained_on.values())
    shares = {label: trained_on.get(label, 0) / total for label in chosen_on[2]}
    rule = evaluation.choose_decision(*chosen_on, shares)
    tables = {}
    for images, arrays in ((run.chosen_on, validation), *([("test", tested)] if tested else [])):
        for name, asked in ((images, rule), (f"{images}, likeliest class", None)):
            tables[name] = _scores(arrays, asked)
    return rule, pd.concat(tables, names=["images"])


def _counted(run_data):
    """How many training images each class has, of a run of an older version."""
    return run_data.rows("train")["label"].value_counts().to_dict()


def _scores(arrays, rule):
    truth, probabilities, labels, groups = arrays
    if rule:
        probabilities = rule.apply(probabilities, labels)
    found = evaluation.bootstrap_intervals(truth, probabilities, labels, groups, metrics=list(_METRICS))
    return found.drop(columns="sd")


def decision_text(run, tested=None, data_dir=None):
    """Returns both as text.

    Args:
        run: As in `decision`.
        tested: As in `decision`.
        data_dir: As in `decision`.
    """
    rule, table = decision(run, tested, data_dir)
    lines = [
        f"\nlargest log p - {rule.tau:g} log(training share), chosen on {run.chosen_on} for macro recall"
    ]
    for images, rows in table.groupby("images", sort=False):
        said = (f"{name} {with_ends(row)}" for (_, name), row in rows.iterrows())
        lines.append(f"{images}: {', '.join(said)}")
    return "\n".join(lines)
