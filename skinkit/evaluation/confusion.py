"""Scores of a confusion matrix, or of a stack of matrices with any leading axes.

Rows are the truth, columns the prediction; entries may be weighted counts. Rules, in all of them:

- A class without true images has no score: NaN in its row, and left out of every macro mean.
- A class that is there but never predicted has precision 0 and F1 0, as scikit-learn's
  `zero_division=0`.
- Specificity is NaN where every image belongs to the class.
"""

import numpy as np


def class_confusion_scores(matrix):
    """One-vs-rest scores of each class.

    Args:
        matrix: Array `(..., C, C)` of counts.

    Returns:
        Dictionary of arrays `(..., C)`: `precision`, `recall`, `f1`, `specificity` (0 to 1 or NaN),
        `support` (true images) and `predicted` (images given to the class).
    """
    matrix = np.asarray(matrix, dtype=np.float64)
    hits = np.diagonal(matrix, axis1=-2, axis2=-1)
    support, predicted = matrix.sum(axis=-1), matrix.sum(axis=-2)
    negatives = matrix.sum(axis=(-2, -1))[..., None] - support
    false_alarms = predicted - hits
    scores = {
        "precision": divide(hits, predicted, empty=0.0),
        "recall": divide(hits, support),
        "f1": _f1(hits, support, predicted),
        "specificity": divide(negatives - false_alarms, negatives),
    }
    scores = {name: np.where(support > 0, value, np.nan) for name, value in scores.items()}
    return scores | {"support": support, "predicted": predicted}


def confusion_scores(matrix):
    """Every score of the kit that follows from the confusion matrix alone.

    `balanced_accuracy` and `macro_recall` are the same number (the MC-sensitivity of gessert2019)
    under its two names. `weighted_f1` weighs F1 by the true class counts, `weighted_f1_by_pred` by
    the predicted ones: the released code of gessert2019 swaps truth and prediction in the call, so
    its tables print the latter.

    Args:
        matrix: Array `(..., C, C)`, rows truth, columns prediction.

    Returns:
        Dictionary of arrays `(...)` (floats for one matrix).

    Example:
        >>> float(confusion_scores([[3, 1], [0, 4]])["accuracy"])
        0.875
    """
    matrix = np.asarray(matrix, dtype=np.float64)
    if matrix.ndim < 2 or matrix.shape[-1] != matrix.shape[-2]:
        raise ValueError(
            "`matrix` has a row and a column for each class: confusion_matrix makes it. "
            f"Received: shape {matrix.shape}"
        )
    per_class = class_confusion_scores(matrix)
    hits = np.diagonal(matrix, axis1=-2, axis2=-1)
    support, predicted = per_class["support"], per_class["predicted"]
    f1 = _f1(hits, support, predicted)
    macro_recall = mean_defined(per_class["recall"])
    return {
        "accuracy": divide(hits.sum(axis=-1), support.sum(axis=-1)),
        "balanced_accuracy": macro_recall,
        "macro_recall": macro_recall,
        "macro_specificity": mean_defined(per_class["specificity"]),
        "macro_precision": mean_defined(per_class["precision"]),
        "macro_f1": mean_defined(per_class["f1"]),
        "weighted_f1": weighted_mean(f1, support),
        "weighted_f1_by_pred": weighted_mean(f1, predicted),
        "weighted_precision": weighted_mean(per_class["precision"], support),
        "cohen_kappa": kappa_from_confusion(matrix),
        "mcc": _matthews(hits, support, predicted),
    }


def kappa_from_confusion(matrix):
    """Cohen's kappa: agreement beyond chance, 1 is perfect, 0 is chance.

    Args:
        matrix: Array `(..., C, C)`.

    Returns:
        Array `(...)`; NaN where truth and prediction both hold one and the same class only.
    """
    matrix = np.asarray(matrix, dtype=np.float64)
    wrong = 1.0 - np.eye(matrix.shape[-1])
    chance = matrix.sum(axis=-1)[..., :, None] * matrix.sum(axis=-2)[..., None, :]
    observed = (wrong * matrix).sum(axis=(-2, -1)) * matrix.sum(axis=(-2, -1))
    return 1.0 - divide(observed, (wrong * chance).sum(axis=(-2, -1)))


def mean_defined(values):
    """Mean over the last axis of what is not NaN; NaN where nothing is left."""
    defined = ~np.isnan(values)
    return divide(np.where(defined, values, 0.0).sum(axis=-1), defined.sum(axis=-1))


def weighted_mean(values, weights):
    """Weighted mean over the last axis of what is not NaN; NaN where no weight is left."""
    defined = ~np.isnan(values)
    weights = np.where(defined, weights, 0.0)
    return divide((np.where(defined, values, 0.0) * weights).sum(axis=-1), weights.sum(axis=-1))


def _f1(hits, support, predicted):
    return divide(2 * hits, support + predicted, empty=0.0)


def _matthews(hits, support, predicted):
    # Gorodkin's multi-class form; 0 where it is 0/0, as scikit-learn has it.
    total = support.sum(axis=-1)
    covariance = hits.sum(axis=-1) * total - (support * predicted).sum(axis=-1)
    spread = (total**2 - (support**2).sum(axis=-1)) * (total**2 - (predicted**2).sum(axis=-1))
    return divide(covariance, np.sqrt(spread), empty=0.0)


def divide(numerator, denominator, empty=np.nan):
    """Quotient of arrays of shapes that fit each other, `empty` where the denominator is 0."""
    numerator, denominator = np.broadcast_arrays(
        np.asarray(numerator, dtype=np.float64), np.asarray(denominator, dtype=np.float64)
    )
    out = np.full(numerator.shape, empty)
    return np.divide(numerator, denominator, out=out, where=denominator != 0)
