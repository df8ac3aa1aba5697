"""The rule of a run at work: what threshold, decision and temperature are worth, and the words for it."""

import math

import pandas as pd

from skinkit import evaluation
from skinkit.experiments.deciding.rule import RANKS, Rule, fit_rule, prediction_arrays, validation_like

SENSITIVITIES = (0.9, 0.95, 0.99)
_DECIDED = ("macro_recall", "accuracy")
# Of out-of-fold predictions there are no others to score a rule on.
SAME_IMAGES = "Chosen and scored on the same images, which flatters: on others it does worse as a rule"


def operating_point(run, tested=None, data_dir=None, **wanted):
    """Chooses a run's threshold on its validation images, and scores it there and on other images.

    Args:
        run: `SavedRun`.
        tested: Predictions table of the other images; by default those of the run's test images.
        data_dir: As in `fit_rule`.
        **wanted: As in `fit_rule`, of the run's positive class.

    Returns:
        The `skinkit.evaluation.Threshold`, which probabilities after the temperature reach, and a DataFrame
        with the index `images` (`run.chosen_on`, "test", and "test, likeliest class" for what is called
        without a threshold), `metric`, and `value`, `low`, `high` and `method` of
        `skinkit.evaluation.bootstrap_intervals`. Without other images, a run whose predictions are out of
        fold has no "test".

    Raises:
        FileNotFoundError, ValueError: as in `fit_rule`.

    Example:
        >>> threshold, table = operating_point(SavedRun(folder), sensitivity=0.95)
    """
    parts = _parts(run, tested, data_dir)
    rule = fit_rule(run, data_dir, tested, **wanted)
    label = rule.threshold.label
    names = {f"recall:{label}": "sensitivity", f"specificity:{label}": "specificity"}
    tables = {name: _scores_at(rule, each) for name, each in parts.items()}
    if "test" in parts:
        likeliest = _scores(parts["test"], [*names, "macro_recall"]).rename(index=names)
        tables["test, likeliest class"] = likeliest
    return rule.threshold, pd.concat(tables, names=["images"])


def _parts(run, tested, data_dir):
    """The predictions that a rule is chosen on, and others that it is scored on, where there are others."""
    chosen_on = {run.chosen_on: validation_like(run, tested, data_dir)}
    if tested is None and run.recipe.out_of_fold:
        return chosen_on
    return chosen_on | {"test": run.predictions if tested is None else tested}


def decision(run, tested=None, data_dir=None):
    """Chooses the rule by which a run decides for macro recall, and scores it on validation and other images.

    The probabilities, and all that is said of their calibration, stay as they are.

    Args:
        run: `SavedRun`.
        tested: As in `operating_point`.
        data_dir: As in `fit_rule`.

    Returns:
        The `skinkit.evaluation.Decision`, and a DataFrame as that of `operating_point`; its `images` are
        those of `operating_point`, each again with ", likeliest class", for what is decided without the rule.

    Raises:
        FileNotFoundError, ValueError: as in `fit_rule`.

    Example:
        >>> rule, table = decision(SavedRun(folder))
        >>> rule.apply(p, labels).argmax(axis=1)
    """
    rule, tables = fit_rule(run, data_dir, tested, balanced=True), {}
    for images, predictions in _parts(run, tested, data_dir).items():
        tables[images] = _scores(rule.decided(predictions), _DECIDED)
        tables[f"{images}, likeliest class"] = _scores(predictions, _DECIDED)
    return rule.decision, pd.concat(tables, names=["images"])


def _scores(predictions, metrics):
    truth, probabilities, labels, groups = prediction_arrays(predictions)
    found = evaluation.bootstrap_intervals(truth, probabilities, labels, groups, metrics=list(metrics))
    return found.drop(columns="sd")


def _scores_at(rule, predictions):
    return evaluation.scores_at(rule.threshold, *prediction_arrays(rule.calibrated(predictions)))


def threshold_table(run, tested=None, data_dir=None, sensitivities=SENSITIVITIES):
    """Returns what several sensitivities, asked for on validation, cost on other images.

    Args:
        run: `SavedRun`.
        tested: As in `operating_point`.
        data_dir: As in `fit_rule`.
        sensitivities: Sequence of floats, 0 to 1.

    Returns:
        DataFrame, index `wanted`: `threshold`, of the probability after the temperature; `sensitivity` and
        `specificity` of the other images, each with `_low` and `_high`; `missed` and `in_vain`, how many
        images of the class are not called and how many others are; `doubt`, of `Threshold`. Without rows
        where no validation image, or none of the others, is of the class.

    Raises:
        FileNotFoundError, ValueError: as in `fit_rule`.
    """
    tested, rows = run.predictions if tested is None else tested, {}
    label = run.positive_of(evaluation.unpack_predictions(tested)[2])
    parts = (validation_like(run, tested, data_dir), tested)
    if label is None or not all(part["label"].eq(label).any() for part in parts):
        return pd.DataFrame()
    for wanted in sensitivities:
        rule = fit_rule(run, data_dir, tested, sensitivity=wanted)
        found, row = _scores_at(rule, tested), {"threshold": rule.threshold.value}
        for name, each in found.iterrows():
            row |= {name: each["value"], f"{name}_low": each["low"], f"{name}_high": each["high"]}
        others = ((1 - found["value"]) * found["n"]).round()
        rows[wanted] = {**row, "missed": others["sensitivity"], "in_vain": others["specificity"]}
        rows[wanted]["doubt"] = rule.threshold.doubt
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("wanted")


def calibration_table(run, tested=None, data_dir=None):
    """Returns how far probabilities are from the truth, before and after the temperature of validation.

    Args:
        run: `SavedRun`.
        tested: As in `operating_point`.
        data_dir: As in `fit_rule`.

    Returns:
        DataFrame, index `temperature`, 1 and, where the folder holds predictions of validation images, the
        fitted one: `n`, `ece`, and `brier` with `low` and `high`. Without rows for ranks.
    """
    if run.is_of_ranks:
        return pd.DataFrame()
    tested, rules, rows = run.predictions if tested is None else tested, [Rule()], []
    if run.has_validation_predictions:
        rules.append(fit_rule(run, data_dir, tested))
    for rule in rules:
        found = _scores(rule.calibrated(tested), ("ece", "brier"))
        brier, said = found.loc["brier"], {"temperature": rule.temperature, "n": len(tested)}
        said |= {"ece": found.loc["ece", "value"], "brier": brier["value"]}
        rows.append(said | {"low": brier["low"], "high": brier["high"]})
    return pd.DataFrame(rows).set_index("temperature")


def gain_text(table):
    """Returns at which thresholds of a `decision_curve` the model is of use, in words."""
    good = table.index[table["gain_low"] > 0]
    if not len(good):
        return "at no threshold do these images show that it is better than taking out all and none"
    return (
        f"better than taking out all and none at {len(good)} of {len(table)} thresholds, "
        f"{100 * good[0]:.0f} to {100 * good[-1]:.0f} %, where the interval of its gain lies above 0"
    )


def referral_text(table):
    """Returns the errors of all images, and of those that are left without the least sure fifth, as text.

    Args:
        table: DataFrame of `skinkit.evaluation.risk_coverage` with the coverages 1 and 0.8.
    """
    whole, rest = table.loc[1.0], table.loc[0.8]
    share = 100 * (1 - rest["n"] / whole["n"])
    referred = f"the {share:.0f} % that it is least sure of go to a colleague"
    error, left = with_ends(whole, "error"), with_ends(rest, "error")
    return f"wrong answers: {error} of all images, {left} of the others where {referred}"


def operating_point_text(run, tested=None, data_dir=None, **wanted):
    """Returns an operating point, and the calibration that it rests on, as text.

    Args:
        run: As in `operating_point`.
        tested: As in `operating_point`.
        data_dir: As in `operating_point`.
        **wanted: As in `operating_point`.
    """
    threshold, table = operating_point(run, tested, data_dir, **wanted)
    rule = f"calibrated p_{threshold.label} >= {threshold.value:.4g}"
    lines = [f"\n{rule}, chosen on {run.chosen_on} for a {threshold.wanted} of {threshold.at_least:g}"]
    lines += [f"DOUBTFUL: {threshold.doubt}"] if threshold.doubt else []
    return "\n".join([*lines, *_told(table, run), calibration_text(run, tested, data_dir)])


def calibration_text(run, tested=None, data_dir=None):
    """Returns `calibration_table` as a line.

    Args:
        run: As in `operating_point`.
        tested: As in `operating_point`.
        data_dir: As in `operating_point`.
    """
    if run.is_of_ranks:
        return RANKS
    said = []
    for row in calibration_table(run, tested, data_dir).reset_index().to_dict("records"):
        after = f"after a temperature of {row['temperature']:.2f}: " if said else ""
        said.append(f"{after}ece {row['ece']:.3f}, brier {with_ends(row, 'brier')}")
    return f"{run.scored_on if tested is None else 'test'}: {'; '.join(said)}"


def decision_text(run, tested=None, data_dir=None):
    """Returns a decision and what it is worth as text.

    Args:
        run: As in `decision`.
        tested: As in `decision`.
        data_dir: As in `decision`.
    """
    found, table = decision(run, tested, data_dir)
    said = f"\n{Rule(decision=found).words}, chosen on {run.chosen_on} for macro recall"
    return "\n".join([said, *_told(table, run)])


def _told(table, run):
    for images, rows in table.groupby("images", sort=False):
        said = (f"{name} {with_ends(row)}" for (_, name), row in rows.iterrows())
        yield f"{images}: {', '.join(said)}"
    if run.recipe.out_of_fold and not any(images.startswith("test") for images, _ in table.index):
        yield SAME_IMAGES


def with_ends(row, name="value", prefix="", sign=""):
    """Returns a value with the ends of its interval, where it has one, as text; "–" where it is missing.

    Args:
        row: Mapping with the value and its ends.
        name: String, key of the value.
        prefix: String, with which the keys of `low` and `high` begin.
        sign: String, "+" for a sign before each number.
    """
    low, high = row[f"{prefix}low"], row[f"{prefix}high"]
    ends = "" if math.isnan(low) else f" ({low:{sign}.3f} to {high:{sign}.3f})"
    return "–" if math.isnan(row[name]) else f"{row[name]:{sign}.3f}{ends}"
