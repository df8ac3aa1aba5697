"""The temperature and the threshold of a served model, from the predictions of its validation images."""

from dataclasses import dataclass

import numpy as np

from skinkit import evaluation
from skinkit.experiments.predictions import predictor, read_predictions, write_predictions
from skinkit.names import check_name

# Share of the positive validation images that lie at or above the threshold (bermeo2023 asks for 90 to 98 %).
SENSITIVITY = 0.9


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

    @property
    def said(self):
        """The same as a card says it."""
        return {
            "positive": self.positive,
            "temperature": self.temperature,
            "threshold": self.threshold,
            "calibration": self.source,
        }

    def score(self, probabilities, labels):
        """Returns the calibrated scores of the positive class, `(n,)`, of probabilities `(n, classes)`."""
        softened = evaluation.apply_temperature(probabilities, self.temperature)
        return softened[:, labels.index(self.positive)]


def calibrate(settings, run, task, model, cache, data_dir=None):
    """Returns the `Calibration` of a run; what the settings say counts more than what validation says.

    Args:
        settings: `skinkit.serve.settings.ModelSettings`.
        run: `skinkit.experiments.SavedRun`.
        task: Its `skinkit.tasks.Task`, with the views that are served.
        model: Its trained model.
        cache: `pathlib.Path` of a folder, in which the predictions are kept for the next start.
        data_dir: Folder of the releases.

    Raises:
        ValueError: for a positive class that the run does not have.
    """
    positive = _positive(settings, run, task.recipe)
    predictions, why = _validation(run, task, model, cache, data_dir)
    if predictions is None:
        return Calibration(positive, 1.0, settings.threshold, f"Not calibrated: {why}")
    truth, probabilities, labels = evaluation.unpack_predictions(predictions)
    found = Calibration(positive, evaluation.fit_temperature(truth, probabilities, labels), None, "")
    threshold, said = settings.threshold, "threshold by the settings"
    if threshold is None and positive is not None:
        scores = found.score(probabilities, labels)[truth == positive]
        threshold, said = (
            _threshold(scores),
            f"sensitivity {SENSITIVITY:.0%} on its {len(scores)} of {positive}",
        )
    return Calibration(
        positive, found.temperature, threshold, f"{len(predictions)} validation images; {said}."
    )


def _positive(settings, run, recipe):
    if settings.positive is not None:
        check_name("Positive classes", settings.positive, run.labels)
        return settings.positive
    return recipe.positive if recipe.positive in run.labels else evaluation.positive_label(run.labels)


def _threshold(scores):
    """The largest threshold that as many of the positive scores reach; `None` without any."""
    return float(np.quantile(scores, 1 - SENSITIVITY, method="lower")) if len(scores) else None


def _validation(run, task, model, cache, data_dir):
    """The predictions of the validation images, or `None` and why there are none."""
    views = task.recipe.tta.name if task.recipe.tta else "none"
    path = cache / f"validation-{run.manifest['key']}-{views}.csv.gz"
    if path.exists():
        return read_predictions(path), ""
    try:
        run_data = run.run_data(data_dir)
    except (FileNotFoundError, ValueError) as error:
        return None, f"the run's own images are needed once. {error}"
    rows = run_data.rows("validation")
    if run_data.split.hash != run.manifest["split_hash"] or rows.empty:
        return None, "the run's validation images are not those that are here, or there are none."
    cache.mkdir(parents=True, exist_ok=True)
    write_predictions(predictor(task, model)(rows), path)
    return read_predictions(path), ""
