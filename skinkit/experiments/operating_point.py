"""The rule of a run, fitted on its validation images, and what it is worth on others."""

import math
from dataclasses import dataclass

import pandas as pd

from skinkit import evaluation
from skinkit.experiments.predictions import melanoma_alone, prediction_groups

SENSITIVITIES = (0.9, 0.95, 0.99)
_DECIDED = ("macro_recall", "accuracy")


@dataclass(frozen=True)
class Rule:
    """How the probabilities of a run are read: the service, the card and all pages read them so.

    Args:
        temperature: Float above 0, by which the logits are divided; 1 leaves the probabilities as they are.
        images: Integer, on how many validation images all of this was fitted.
        threshold: `skinkit.evaluation.Threshold` of the probability after the temperature, or `None`.
        decision: `skinkit.evaluation.Decision` about the probabilities as they are; `None` decides for the
            likeliest class.
    """

    temperature: float = 1.0
    images: int = 0
    threshold: evaluation.Threshold | None = None
    decision: evaluation.Decision | None = None

    def calibrated(self, predictions):
        """Returns a predictions table with the probabilities after the temperature."""
        if self.temperature == 1:
            return predictions
        _, probabilities, labels = evaluation.unpack_predictions(predictions)
        softened = evaluation.apply_temperature(probabilities, self.temperature)
        return predictions.assign(**{f"p_{label}": softened[:, i] for i, label in enumerate(labels)})

    def decided(self, predictions):
        """Returns a predictions table whose largest number is the decision: see `Decision.apply`."""
        if self.decision is None:
            return predictions
        _, probabilities, labels = evaluation.unpack_predictions(predictions)
        raised = self.decision.apply(probabilities, labels)
        return predictions.assign(**{f"p_{label}": raised[:, i] for i, label in enumerate(labels)})


def fit_rule(run, data_dir=None, tested=None, balanced=False, positive=None, **wanted):
    """Returns the `Rule` of a run.

    Args:
        run: `SavedRun`.
        data_dir: Folder of the releases, for the validation images, which are predicted once.
        tested: Predictions table of the images that it is for; where these are of the two classes of
            `melanoma_alone`, the rule is about these two.
        balanced: Boolean, whether it decides for macro recall.
        positive: String, class of the threshold; the run's own by default.
        **wanted: `sensitivity` or `specificity` that the threshold has on validation, 0 to 1; nothing for
            a rule without threshold.

    Raises:
        FileNotFoundError: when the validation images were not predicted, and the model or they are missing.
        ValueError: for both shares, and when the run has no validation images of its own, none of the class,
            or, where it decides for macro recall, a class none in training.

    Example:
        >>> fit_rule(SavedRun(folder), sensitivity=0.95).threshold.value
    """
    chosen_on = _validation(run, tested, data_dir)
    arrays = evaluation.unpack_predictions(chosen_on)
    temperature, labels = evaluation.fit_temperature(*arrays), arrays[2]
    threshold = decision = None
    if wanted:
        calibrated = prediction_arrays(Rule(temperature).calibrated(chosen_on))
        asked = {"positive": positive or run.positive_of(labels), "groups": calibrated[3], **wanted}
        threshold = evaluation.choose_threshold(*calibrated[:3], **asked)
    if balanced:
        decision = evaluation.choose_decision(*arrays, _shares(run, labels, data_dir))
    return Rule(temperature, len(chosen_on), threshold, decision)


def _validation(run, tested, data_dir):
    found = run.validation_predictions(data_dir)
    is_other = tested is not None and "p_malignant" in tested and "p_malignant" not in found
    return melanoma_alone(found) if is_other else found


def _shares(run, labels, data_dir):
    """The share of each class among the training images, which a run of an older version counts again."""
    trained_on = run.manifest.get("trained_on")
    counts = pd.Series(trained_on or run.run_data(data_dir).rows("train")["label"].value_counts().to_dict())
    if not set(counts.index) <= set(labels):
        found = counts.get("mel", 0)
        counts = pd.Series({"malignant": found, "benign": counts.sum() - found})
    return (counts.reindex(labels, fill_value=0) / counts.sum()).to_dict()


def operating_point(run, tested=None, data_dir=None, **wanted):
    """Chooses a run's threshold on its validation images, and scores it there and on other images.

    Args:
        run: `SavedRun`.
        tested: Predictions table of the other images; by default those of the run's test images.
        data_dir: As in `fit_rule`.
        **wanted: As in `fit_rule`, of the run's positive class.

    Returns:
        The `skinkit.evaluation.Threshold`, which probabilities after the temperature reach, and a DataFrame
        with the index `images` ("validation", "test", and "test, likeliest class" for what is called without
        a threshold), `metric`, and `value`, `low`, `high` and `method` of
        `skinkit.evaluation.bootstrap_intervals`.

    Raises:
        FileNotFoundError, ValueError: as in `fit_rule`.

    Example:
        >>> threshold, table = operating_point(SavedRun(folder), sensitivity=0.95)
    """
    tested = run.predictions if tested is None else tested
    rule = fit_rule(run, data_dir, tested, **wanted)
    label = rule.threshold.label
    names = {f"recall:{label}": "sensitivity", f"specificity:{label}": "specificity"}
    parts = {"validation": _validation(run, tested, data_dir), "test": tested}
    tables = {name: _scores_at(rule, each) for name, each in parts.items()}
    likeliest = _scores(tested, [*names, "macro_recall"]).rename(index=names)
    return rule.threshold, pd.concat(tables | {"test, likeliest class": likeliest}, names=["images"])


def decision(run, tested=None, data_dir=None):
    """Chooses the rule by which a run decides for macro recall, and scores it on validation and other images.

    The probabilities, and all that is said of their calibration, stay as they are.

    Args:
        run: `SavedRun`.
        tested: As in `operating_point`.
        data_dir: As in `fit_rule`.

    Returns:
        The `skinkit.evaluation.Decision`, and a DataFrame as that of `operating_point`; its `images` are
        "validation", "test", and both again with ", likeliest class", for what is decided without the rule.

    Raises:
        FileNotFoundError, ValueError: as in `fit_rule`.

    Example:
        >>> rule, table = decision(SavedRun(folder))
        >>> rule.apply(probabilities, labels).argmax(axis=1)
    """
    tested = run.predictions if tested is None else tested
    rule, tables = fit_rule(run, data_dir, tested, balanced=True), {}
    for images, predictions in (("validation", _validation(run, tested, data_dir)), ("test", tested)):
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
        where no validation image is of the class, or none of the others.

    Raises:
        FileNotFoundError, ValueError: as in `fit_rule`.
    """
    tested, rows = run.predictions if tested is None else tested, {}
    label = run.positive_of(evaluation.unpack_predictions(tested)[2])
    if label is None or not _validation(run, tested, data_dir)["label"].eq(label).any():
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
        DataFrame, index `temperature`, 1 and, where the folder holds predictions of validation images, the fitted one: `n`, `ece`, and
        `brier` with `low` and `high`.
    """
    tested, rules, rows = run.predictions if tested is None else tested, [Rule()], []
    if run.has_validation_predictions:
        rules.append(fit_rule(run, data_dir, tested))
    for rule in rules:
        found = _scores(rule.calibrated(tested), ("ece", "brier"))
        brier, said = found.loc["brier"], {"temperature": rule.temperature, "n": len(tested)}
        said |= {"ece": found.loc["ece", "value"], "brier": brier["value"]}
        rows.append(said | {"low": brier["low"], "high": brier["high"]})
    return pd.DataFrame(rows).set_index("temperature")


def calibrated_arrays(run, tested=None):
    """Returns truth, probabilities, labels and groups, calibrated where the folder says how.

    Args:
        run: `SavedRun`.
        tested: As in `operating_point`.
    """
    tested = run.predictions if tested is None else tested
    rule = fit_rule(run, tested=tested) if run.has_validation_predictions else Rule()
    return prediction_arrays(rule.calibrated(tested))


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
    lines = [f"\n{rule}, chosen on validation for a {threshold.wanted} of {threshold.at_least:g}"]
    lines += [f"DOUBTFUL: {threshold.doubt}"] if threshold.doubt else []
    return "\n".join([*lines, *_told(table), calibration_text(run, tested, data_dir)])


def calibration_text(run, tested=None, data_dir=None):
    """Returns `calibration_table` as a line.

    Args:
        run: As in `operating_point`.
        tested: As in `operating_point`.
        data_dir: As in `operating_point`.
    """
    said = []
    for row in calibration_table(run, tested, data_dir).reset_index().to_dict("records"):
        after = f"after a temperature of {row['temperature']:.2f}: " if said else ""
        said.append(f"{after}ece {row['ece']:.3f}, brier {with_ends(row, 'brier')}")
    return f"test: {'; '.join(said)}"


def decision_text(run, tested=None, data_dir=None):
    """Returns a decision and what it is worth as text.

    Args:
        run: As in `decision`.
        tested: As in `decision`.
        data_dir: As in `decision`.
    """
    rule, table = decision(run, tested, data_dir)
    said = f"\nlargest log p - {rule.tau:g} log(training share), chosen on validation for macro recall"
    return "\n".join([said, *_told(table)])


def _told(table):
    for images, rows in table.groupby("images", sort=False):
        said = (f"{name} {with_ends(row)}" for (_, name), row in rows.iterrows())
        yield f"{images}: {', '.join(said)}"


def prediction_arrays(predictions):
    """Returns truth, probabilities, labels and groups of a predictions table."""
    return *evaluation.unpack_predictions(predictions), prediction_groups(predictions)[0]


def with_ends(row, name="value", prefix="", digits=3):
    """Returns a value with the ends of its interval, where it has one, as text.

    Args:
        row: Mapping with the value and its ends.
        name: String, key of the value.
        prefix: String, with which the keys of `low` and `high` begin.
        digits: Integer, decimals.
    """
    low, high = row[f"{prefix}low"], row[f"{prefix}high"]
    ends = "" if math.isnan(low) else f" ({low:.{digits}f} to {high:.{digits}f})"
    return f"{row[name]:.{digits}f}{ends}"
