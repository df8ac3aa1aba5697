"""Scores of saved predictions: pure functions of labels and probabilities.

All take `(y_true, probabilities, labels)`. Rules: the highest probability wins and ties go to the
first class in label order; a class without true images gets NaN and is left out of macro means; NaN
probabilities raise. `skinkit.evaluation.confusion` and `ranking` hold the arithmetic.
"""

import pandas as pd

from skinkit.evaluation.prediction_arrays import check_predictions, count_ties
from skinkit.evaluation.weighted_scores import CLASS_SCORES, Predictions, WeightedScores, summary_names


def summary(y_true, probabilities, labels, positive=None):
    """Every overall score, under the names used throughout the kit.

    `macro_recall` (= `balanced_accuracy`) and `macro_specificity` are the MC-sensitivity and
    MC-specificity of gessert2019; `weighted_f1_by_pred` is the F1 of its tables.

    Args:
        y_true: Sequence of `n` labels.
        probabilities: Array `(n, C)`, 0 to 1, columns in the order of `labels`.
        labels: Sequence of the `C` class names.
        positive: String, class of the sensitivity at 90 and 95 % specificity and, with two classes, of
            `auc`, `precision`, `recall`, `average_precision`. None takes "mel", "malignant" or the
            second of two classes; without any of these the two sensitivities are left out.

    Returns:
        Dictionary of floats: the names of `summary_names`, then `n` (images) and `ties` (images whose
        highest probability is shared; they count for the first of these classes). What cannot be
        computed is NaN.

    Raises:
        ValueError: on bad input, see `check_predictions`.

    Example:
        >>> summary(["nv", "mel"], [[0.2, 0.8], [0.9, 0.1]], ["mel", "nv"])["accuracy"]
        1.0
    """
    truth, probabilities, labels = check_predictions(y_true, probabilities, labels)
    weighted_scores = WeightedScores(Predictions(truth, probabilities, labels, positive))
    values = {name: float(weighted_scores.score(name)[0]) for name in summary_names(labels, positive)}
    return values | {"n": float(len(truth)), "ties": float(count_ties(probabilities))}


def score(name, y_true, probabilities, labels, positive=None):
    """One score by its name.

    Args:
        name: String, a name of `summary_names`, "SCORE:LABEL" with SCORE one of precision, recall, f1,
            specificity, auc, average_precision, or "LABEL_sensitivity_at_80_specificity" with any
            whole percentage ("melanoma" stands for "mel").
        y_true: As in `summary`.
        probabilities: As in `summary`.
        labels: As in `summary`.
        positive: As in `summary`.

    Returns:
        float, NaN where it cannot be computed.

    Raises:
        ValueError: on bad input or an unknown name.
    """
    truth, probabilities, labels = check_predictions(y_true, probabilities, labels)
    return float(WeightedScores(Predictions(truth, probabilities, labels, positive)).score(name)[0])


def per_class(y_true, probabilities, labels):
    """One-vs-rest scores of each class.

    Args:
        y_true: As in `summary`.
        probabilities: As in `summary`.
        labels: As in `summary`.

    Returns:
        DataFrame with the labels as index: `precision`, `recall`, `f1`, `specificity`, `auc`,
        `average_precision` (0 to 1, NaN for a class without true images), and the counts
        `support` (true) and `predicted`.
    """
    truth, probabilities, labels = check_predictions(y_true, probabilities, labels)
    weighted_scores = WeightedScores(Predictions(truth, probabilities, labels))
    table = pd.DataFrame({name: weighted_scores.class_scores(name)[0] for name in CLASS_SCORES}, index=labels)
    for name, axis in (("support", 1), ("predicted", 0)):
        table[name] = weighted_scores.confusion[0].sum(axis=axis).astype(int)
    return table.rename_axis("class")


def confusion_matrix(y_true, probabilities, labels):
    """Counts `(C, C)`, rows truth, columns prediction, both in the order of `labels`."""
    truth, probabilities, labels = check_predictions(y_true, probabilities, labels)
    return WeightedScores(Predictions(truth, probabilities, labels)).confusion[0].astype(int)
