"""The rule of a served model: that of its run, with what the settings say in its place."""

import logging
from dataclasses import dataclass

import numpy as np

from skinkit import evaluation
from skinkit.experiments.deciding.rule import Rule, fit_rule
from skinkit.names import check_name

_LOG = logging.getLogger(__name__)
# Share of the positive validation images that lie at or above the threshold (bermeo2023 asks for 90 to 98 %).
SENSITIVITY = 0.9
_OTHER_VIEWS = "Not calibrated: it is asked with other views than its validation images were."
_NO_PREDICTIONS = "Not calibrated: it has no predictions of validation images; the server's log says why."
# Thresholds of which a card says what they are worth.
_STEPS = np.linspace(0, 1, 101)


@dataclass(frozen=True)
class Calibration:
    """How a model's probabilities become a score, a target and a class.

    Args:
        positive: String, class of the score; `None` where no class is.
        rule: `skinkit.experiments.deciding.rule.Rule`, with the temperature of the score and the decision.
        threshold: Float, 0 to 1: from this score on the target is true; `None` where nothing says so.
        source: String, a sentence about where these come from.
    """

    positive: str | None
    rule: Rule
    threshold: float | None
    source: str

    def classes(self, probabilities, labels):
        """Returns the positions `(n,)` of the classes that are decided for."""
        return evaluation.predicted_index(self.rule.weigh(probabilities, labels))

    def scores(self, probabilities, labels):
        """Returns the calibrated scores of the positive class, `(n,)`, of probabilities `(n, classes)`."""
        return self.rule.soften(probabilities)[:, list(labels).index(self.positive)]

    def operating_points(self, predictions):
        """Returns sensitivity and specificity of thresholds from 0 to 1 on a predictions table.

        Args:
            predictions: Predictions table of images that chose neither epoch nor threshold.

        Returns:
            Dictionary of three lists, `None` where there is no image to be found, or to be left.
        """
        truth, probabilities, labels = evaluation.unpack_predictions(predictions)
        is_it = truth == self.positive
        if is_it.all() or not is_it.any():
            return None
        called = self.scores(probabilities, labels) >= _STEPS[:, None]
        return {
            "threshold": _STEPS.tolist(),
            "sensitivity": called[:, is_it].mean(axis=1).tolist(),
            "specificity": (~called[:, ~is_it]).mean(axis=1).tolist(),
        }


def calibrate(settings, run, recipe, data_dir=None):
    """Returns the `Calibration` of a run; what the settings say counts more than what validation says.

    Args:
        settings: `skinkit.serve.settings.ModelSettings`.
        run: `skinkit.experiments.SavedRun`.
        recipe: Its `Recipe`, with the views that are served.
        data_dir: Folder of the releases, for the validation images, which are predicted once.

    Raises:
        ValueError: for a positive class that the run does not have, and where the settings ask for what only
            validation images say, and these are not known.
    """
    positive, needed = _positive(settings, run), settings.sensitivity or settings.decision == "balanced"
    other_views = recipe.tta != run.recipe.tta
    if other_views and not needed:
        return Calibration(positive, Rule(), settings.threshold, _OTHER_VIEWS)
    try:
        if other_views:
            raise ValueError(_OTHER_VIEWS)
        rule = _fitted(settings, run, positive, data_dir)
    except (OSError, ValueError) as error:
        if needed:
            raise ValueError(f"{run.folder}: no decision or sensitivity can be asked for: {error}") from error
        # It may name folders of the server, which are nobody's business.
        _LOG.warning("%s is not calibrated: %s", run.folder, error)
        return Calibration(positive, Rule(), settings.threshold, _NO_PREDICTIONS)
    said, threshold = _said(settings, rule)
    folds = run.recipe.out_of_fold
    source = f"out-of-fold predictions of {folds}" if folds else "validation images"
    return Calibration(positive, rule, threshold, f"{rule.images} {source}; {said}.")


def _fitted(settings, run, positive, data_dir):
    shows_it = run.validation_predictions(data_dir)["label"].eq(positive).any()
    asked = settings.sensitivity or (SENSITIVITY if shows_it else None)
    wanted = {"sensitivity": asked} if asked else {}
    return fit_rule(run, data_dir, balanced=settings.decision == "balanced", positive=positive, **wanted)


def _said(settings, rule):
    """Where the threshold comes from, and the threshold."""
    if settings.threshold is not None:
        return "the threshold is set", settings.threshold
    if rule.threshold is None:
        return "none of them shows a threshold", None
    found = rule.threshold
    return found.doubt or f"a sensitivity of {100 * found.at_least:g}% for {found.label}", found.value


def _positive(settings, run):
    if settings.positive is None:
        return run.positive
    check_name("Positive classes", settings.positive, run.labels)
    return settings.positive
