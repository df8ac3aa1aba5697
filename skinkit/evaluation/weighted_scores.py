"""One set of predictions, counted under one or many weightings of its images.

Plain scores are the case of one weighting of ones; a bootstrap is the case of many. So each score
is written once, and its interval can never be the interval of something else.
"""

import re
from functools import cached_property

import numpy as np

from skinkit.evaluation import ranking
from skinkit.evaluation.calibration import squared_distance, weighted_calibration_error
from skinkit.evaluation.confusion import class_confusion_scores, confusion_scores, mean_defined
from skinkit.evaluation.prediction_arrays import positive_label, predicted_index

CLASS_SCORES = ("precision", "recall", "f1", "specificity", "auc", "average_precision")
_OF_CURVE = {"auc": ranking.area_under_roc, "average_precision": ranking.average_precision}
_BINARY = ("auc", "precision", "recall", "average_precision")
_NAMES = {"mel": "melanoma"}
_AT_SPECIFICITY = re.compile(r"(.+)_sensitivity_at_(\d+)_specificity")


def summary_names(labels, positive=None):
    """Names of the scores in `summary`, in their order.

    Args:
        labels: Sequence of the class names.
        positive: As in `positive_label`.

    Returns:
        Tuple of names. The sensitivities carry the class' name (`melanoma_...` for "mel",
        `malignant_...` for "malignant"). Two classes add `auc`, `precision`, `recall` and
        `average_precision` of the positive class.
    """
    positive = positive_label(labels, positive)
    name = _NAMES.get(positive, positive)
    at = [f"{name}_sensitivity_at_{percent}_specificity" for percent in (90, 95)]
    return (
        *("accuracy", "balanced_accuracy", "macro_recall", "macro_specificity"),
        *("macro_precision", "macro_f1", "weighted_f1", "weighted_f1_by_pred"),
        *("weighted_precision", "macro_auc", "macro_average_precision"),
        *(at if positive is not None else ()),
        *("cohen_kappa", "mcc", "ece", "brier"),
        *(_BINARY if len(labels) == 2 else ()),
    )


class Predictions:
    """Predictions, and what all weightings of them share: each class is sorted once.

    Args:
        truth: Integer array `(n,)`, positions as `check_predictions` returns them.
        probabilities: float64 array `(n, C)`.
        labels: List of `C` names.
        positive: As in `positive_label`.
    """

    def __init__(self, truth, probabilities, labels, positive=None):
        self.truth, self.probabilities, self.labels = truth, probabilities, labels
        self.positive = positive_label(labels, positive)
        self.predicted = predicted_index(probabilities)
        self._rankings = {}

    @cached_property
    def cell(self):
        """Cell of the confusion matrix of each image, counted along its rows: `(n,)`."""
        return self.truth * len(self.labels) + self.predicted

    @cached_property
    def distance(self):
        """Squared distance of each image to its truth: `(n,)`."""
        return squared_distance(self.truth, self.probabilities)

    def ranking(self, index):
        """The images in the order of a class' probability."""
        if index not in self._rankings:
            self._rankings[index] = ranking.rank(self.probabilities[:, index], self.truth == index)
        return self._rankings[index]

    def share(self, name):
        """Images that a score counts, and which of them are hits: two bool arrays `(n,)`.

        None for scores that are not the share of something, and as hits where a threshold decides. An F1
        score `f` is a share in disguise: of what is of the class or called so, `f / (2 - f)` is both.
        """
        if at := self.at_specificity(name):
            return self.truth == at[0], None
        score, _, label = name.partition(":")
        if name in _BINARY and len(self.labels) == 2:
            label = self.positive
        index = self.labels.index(label) if label in self.labels else None
        is_it, called = self.truth == index, self.predicted == index
        shares = {
            "accuracy": (self.truth >= 0, self.predicted == self.truth),
            "recall": (is_it, called),
            "precision": (called, is_it),
            "specificity": (~is_it, ~called),
            "f1": (is_it | called, is_it & called),
        }
        return shares.get(score)

    def at_specificity(self, name):
        """Position of the class and the specificity in a name like melanoma_sensitivity_at_90_specificity."""
        match = _AT_SPECIFICITY.fullmatch(name)
        by_name = {_NAMES.get(label, label): index for index, label in enumerate(self.labels)}
        if match is None or match[1] not in by_name or int(match[2]) > 100:
            return None
        return by_name[match[1]], int(match[2]) / 100


class WeightedScores:
    """Predictions under `B` weightings; `score(name)` gives `B` values.

    Args:
        predictions: `Predictions`.
        weights: float64 array `(B, n)`, how often each image counts; `None` counts each once.
    """

    def __init__(self, predictions, weights=None):
        self.predictions, self.labels = predictions, predictions.labels
        self.weights = np.ones((1, len(predictions.truth))) if weights is None else weights
        self._curves = {}

    @cached_property
    def confusion(self):
        """Weighted confusion matrices `(B, C, C)`, rows truth, columns prediction."""
        classes = len(self.labels)
        counts = [np.bincount(self.predictions.cell, row, minlength=classes**2) for row in self.weights]
        return np.stack(counts).reshape(-1, classes, classes)

    def scores(self, names):
        """Values `(B, len(names))` of several scores."""
        return np.stack([self.score(name) for name in names], axis=1)

    def score(self, name):
        """Values `(B,)` of a score of `summary`, or of a class as in "recall:mel".

        Raises:
            ValueError: if there is no such score.
        """
        if ":" in name:
            return self._of_class(*name.split(":", 1), name)
        if name in self._from_confusion:
            return self._from_confusion[name]
        if name in ("macro_auc", "macro_average_precision"):
            return mean_defined(self.class_scores(name.removeprefix("macro_")))
        if name == "ece":
            found = self.predictions
            return weighted_calibration_error(found.truth, found.probabilities, self.weights)
        if name == "brier":
            return self.weights @ self.predictions.distance / self.weights.sum(axis=1)
        if name in _BINARY and len(self.labels) == 2:
            return self._of_class(name, self.predictions.positive, name)
        return self._at_specificity(name)

    def class_scores(self, name):
        """Values `(B, C)` of one of `CLASS_SCORES`."""
        if name in _OF_CURVE:
            values = [_OF_CURVE[name](*self._curve(index)) for index in range(len(self.labels))]
            return np.stack(values, axis=1)
        return self._per_class[name]

    def _of_class(self, score, label, name):
        if score not in CLASS_SCORES or label not in self.labels:
            raise self._unknown(name)
        index = self.labels.index(label)
        if score in _OF_CURVE:
            return _OF_CURVE[score](*self._curve(index))
        return self._per_class[score][:, index]

    def _at_specificity(self, name):
        at = self.predictions.at_specificity(name)
        if at is None:
            raise self._unknown(name)
        return ranking.sensitivity_at(*self._curve(at[0]), specificity=at[1])

    @cached_property
    def _from_confusion(self):
        return confusion_scores(self.confusion)

    @cached_property
    def _per_class(self):
        return class_confusion_scores(self.confusion)

    def _curve(self, index):
        if index not in self._curves:
            self._curves[index] = ranking.weighted_curve(self.predictions.ranking(index), self.weights)
        return self._curves[index]

    def _unknown(self, name):
        return ValueError(
            f"There is no score {name!r} for the labels {self.labels}. Choose from "
            f"{', '.join(summary_names(self.labels, self.predictions.positive))}, or SCORE:LABEL with SCORE "
            f"one of {', '.join(CLASS_SCORES)}."
        )
