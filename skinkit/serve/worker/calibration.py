"""The temperature and the threshold of a served model, from the predictions of its validation images."""

import logging
from dataclasses import dataclass

import numpy as np

from skinkit import evaluation
from skinkit.experiments.predictions import prediction_groups
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
    """How a model's probabilities become a score and a target.

    Args:
        positive: String, class of the score; `None` where no class is.
        temperature: Float above 0, by which the logits are divided for the score.
        threshold: Float, 0 to 1: from this score on the target is true; `None` where nothing says so.
        source: String, a sentence about where the two come from.
    """

    positive: str | None
    temperature: float
    threshold: float | None
    source: str

    def scores(self, probabilities, labels):
        """Returns the calibrated scores of the positive class, `(n,)`, of probabilities `(n, classes)`."""
        softened = evaluation.apply_temperature(probabilities, self.temperature)
        return softened[:, list(labels).index(self.positive)]

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
        ValueError: for a positive class that the run does not have.
    """
    positive = _positive(settings, run)
    if recipe.tta != run.recipe.tta:
        return Calibration(positive, 1.0, settings.threshold, _OTHER_VIEWS)
    try:
        predictions = run.validation_predictions(data_dir)
    except (OSError, ValueError) as error:
        # It may name folders of the server, which are nobody's business.
        _LOG.warning("%s is not calibrated: %s", run.folder, error)
        return Calibration(positive, 1.0, settings.threshold, _NO_PREDICTIONS)
    truth, probabilities, labels = evaluation.unpack_predictions(predictions)
    temperature = evaluation.fit_temperature(truth, probabilities, labels)
    threshold, said = settings.threshold, "the threshold is set"
    if threshold is None and (truth == positive).any():
        softened = evaluation.apply_temperature(probabilities, temperature)
        asked = {
            "sensitivity": SENSITIVITY,
            "positive": positive,
            "groups": prediction_groups(predictions)[0],
        }
        chosen = evaluation.choose_threshold(truth, softened, labels, **asked)
        threshold, said = chosen.value, chosen.doubt or f"a sensitivity of {SENSITIVITY:.0%} for {positive}"
    return Calibration(positive, temperature, threshold, f"{len(predictions)} validation images; {said}.")


def _positive(settings, run):
    if settings.positive is not None:
        check_name("Positive classes", settings.positive, run.labels)
        return settings.positive
    return run.recipe.positive if run.recipe.positive in run.labels else evaluation.positive_label(run.labels)
