"""The rule of a run: how its probabilities are read, fitted on its validation images."""

from dataclasses import dataclass

import pandas as pd

from skinkit import evaluation
from skinkit.experiments.predictions import melanoma_alone, prediction_groups

RANKS = (
    "ranks are not probabilities, so that they have neither a temperature nor a threshold; their order alone "
    "counts, as in the AUC"
)


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

    @property
    def words(self):
        """How it decides for a class."""
        if self.decision is None:
            return "likeliest class"
        return f"largest log p - {self.decision.tau:g} log(training share)"

    def soften(self, probabilities):
        """Returns probabilities `(n, classes)` after the temperature."""
        if self.temperature == 1:
            return probabilities
        return evaluation.apply_temperature(probabilities, self.temperature)

    def weigh(self, probabilities, labels):
        """Returns numbers `(n, classes)` whose largest is the decision: see `Decision.apply`."""
        return probabilities if self.decision is None else self.decision.apply(probabilities, labels)

    def calibrated(self, predictions):
        """Returns a predictions table with the probabilities after the temperature."""
        _, probabilities, labels = evaluation.unpack_predictions(predictions)
        return with_numbers(predictions, labels, self.soften(probabilities))

    def decided(self, predictions):
        """Returns a predictions table whose largest number is the decision."""
        _, probabilities, labels = evaluation.unpack_predictions(predictions)
        return with_numbers(predictions, labels, self.weigh(probabilities, labels))


def with_numbers(predictions, labels, numbers):
    """Returns a predictions table with other numbers `(n, classes)` in the place of its probabilities."""
    return predictions.assign(**{f"p_{label}": numbers[:, i] for i, label in enumerate(labels)})


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
        ValueError: for ranks, for both shares, and when the run has no validation images of its own, none of
            the class, or, where it decides for macro recall, a class none in training.

    Example:
        >>> fit_rule(SavedRun(folder), sensitivity=0.95).threshold.value
    """
    check_probabilities(run)
    chosen_on = validation_like(run, tested, data_dir)
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


def check_probabilities(run):
    """Raises `ValueError` for a run of ranks."""
    if run.is_of_ranks:
        raise ValueError(f"{run.folder}: {RANKS}. Join the members by `mean` for these")


def validation_like(run, tested, data_dir=None):
    """Returns predictions of a run's validation images, in the classes of the predictions `tested`."""
    found = run.validation_predictions(data_dir)
    is_other = tested is not None and "p_malignant" in tested and "p_malignant" not in found
    return melanoma_alone(found) if is_other else found


def _shares(run, labels, data_dir):
    """The share of each class among the training images, which a run of an older version counts again."""
    trained_on = run.manifest.get("trained_on")
    counts = pd.Series(trained_on or run.run_data(data_dir).rows("train")["label"].value_counts().to_dict())
    if "malignant" in labels and "malignant" not in counts:
        found = counts.get("mel", 0)
        counts = pd.Series({"malignant": found, "benign": counts.sum() - found})
    return (counts.reindex(labels, fill_value=0) / counts.sum()).to_dict()


def calibrated_arrays(run, tested=None):
    """Returns truth, probabilities, labels and groups, calibrated where the folder says how.

    Args:
        run: `SavedRun`.
        tested: As in `operating_point`.
    """
    tested = run.predictions if tested is None else tested
    rule = fit_rule(run, tested=tested) if run.has_validation_predictions else Rule()
    return prediction_arrays(rule.calibrated(tested))


def prediction_arrays(predictions):
    """Returns truth, probabilities, labels and groups of a predictions table."""
    return *evaluation.unpack_predictions(predictions), prediction_groups(predictions)[0]
