"""Calibration of probabilities: calibration error, Brier score, temperature scaling."""

import numpy as np
import pandas as pd

from skinkit.evaluation.prediction_arrays import check_predictions, predicted_index

BINS = 15


def expected_calibration_error(y_true, probabilities, labels, bins=BINS):
    """Mean gap between confidence and accuracy of the predicted class (Guo et al. 2017).

    Confidences fall into `bins` bins of equal width, closed on the right; each bin's gap between
    mean confidence and accuracy is weighted by its share of images. It is biased upwards on few
    images, so compare values only at equal `n` and `bins`. It has no interval: resampling adds bias
    to bias, and its percentiles miss the truth.

    Args:
        y_true: As in `summary`.
        probabilities: As in `summary`.
        labels: As in `summary`.
        bins: Integer, number of bins; 15 is the value of the paper and of `summary`.

    Returns:
        float, 0 (perfect) to 1.
    """
    truth, probabilities, _ = check_predictions(y_true, probabilities, labels)
    ones = np.ones((1, len(truth)))
    return float(weighted_calibration_error(truth, probabilities, ones, bins)[0])


def weighted_calibration_error(truth, probabilities, weights, bins=BINS):
    """Calibration errors `(B,)` of positions `truth` under each of the weightings `weights` `(B, n)`."""
    confidence = probabilities.max(axis=1)
    correct = predicted_index(probabilities) == truth
    return _binned_gap(confidence, correct, weights, bins)


def brier_score(y_true, probabilities, labels):
    """Squared distance to the truth, summed over classes and averaged over images.

    0 is perfect, 2 is certain and wrong. For two classes this is twice the one-class Brier score
    that scikit-learn prints.
    """
    truth, probabilities, _ = check_predictions(y_true, probabilities, labels)
    return float(squared_distance(truth, probabilities).mean())


def squared_distance(truth, probabilities):
    """Squared distance of each row to its one-hot truth: `(n,)`, 0 to 2."""
    gaps = probabilities.copy()
    gaps[np.arange(len(truth)), truth] -= 1.0
    return (gaps**2).sum(axis=1)


def log_loss(y_true, probabilities, labels):
    """Mean cross-entropy of the true classes.

    Args:
        y_true: As in `summary`.
        probabilities: As in `summary`.
        labels: As in `summary`.

    Returns:
        float, 0 (perfect) to 16.1: a probability of 0 counts as 1e-7, as in Keras.
    """
    truth, probabilities, _ = check_predictions(y_true, probabilities, labels)
    return float(-np.log(np.maximum(probabilities[np.arange(len(truth)), truth], 1e-7)).mean())


def reliability_table(y_true, probabilities, labels, bins=BINS):
    """Returns the bins of a reliability diagram as a table.

    Args:
        y_true: As in `summary`.
        probabilities: As in `summary`.
        labels: As in `summary`.
        bins: Integer, number of bins of equal width over 0 to 1, closed on the right; by default those of the
            error, which is the mean gap in the diagram.

    Returns:
        DataFrame, one row a bin: `low`, `high`, `n`, `confidence` (mean), `accuracy` (share of
        correct images); the last two are NaN in an empty bin.
    """
    truth, probabilities, _ = check_predictions(y_true, probabilities, labels)
    confidence = probabilities.max(axis=1)
    rows = pd.DataFrame({"confidence": confidence, "accuracy": predicted_index(probabilities) == truth})
    groups = rows.astype(float).groupby(_bin_index(confidence, bins))
    edges = np.linspace(0.0, 1.0, bins + 1)
    table = pd.DataFrame({"low": edges[:-1], "high": edges[1:]})
    table["n"] = groups.size().reindex(range(bins), fill_value=0).to_numpy()
    means = groups.mean().reindex(range(bins))
    return table.join(means[["confidence", "accuracy"]])


def fit_temperature(y_true, probabilities, labels):
    """Temperature that makes validation predictions best calibrated (Guo et al. 2017).

    Minimises the log loss of `apply_temperature(probabilities, T)`. Fit it on validation images and
    apply it to test images; it never changes which class wins.

    Args:
        y_true: As in `summary`, of validation images.
        probabilities: As in `summary`, of validation images.
        labels: As in `summary`, of validation images.

    Returns:
        float `T` between 0.05 and 20; above 1 the network was too sure of itself. Images without
        any error push it to the lower bound.
    """
    from scipy.optimize import minimize_scalar
    from scipy.special import log_softmax

    truth, probabilities, _ = check_predictions(y_true, probabilities, labels)
    logits = _logits(probabilities)
    rows = np.arange(len(truth))

    def loss(log_temperature):
        return -log_softmax(logits / np.exp(log_temperature), axis=1)[rows, truth].mean()

    found = minimize_scalar(loss, bounds=(np.log(0.05), np.log(20.0)), method="bounded")
    return float(np.exp(found.x))


def apply_temperature(probabilities, temperature):
    """Softens (`temperature` > 1) or sharpens (< 1) probabilities; rows sum to one afterwards.

    Works on saved probabilities: their logarithm differs from the logits by a constant per row,
    which the softmax removes.

    Raises:
        ValueError: if `temperature` is not above 0.
    """
    from scipy.special import softmax

    if not temperature > 0:
        raise ValueError(f"temperature must be above 0. Received: temperature={temperature}")
    return softmax(_logits(probabilities) / temperature, axis=1)


def _logits(probabilities):
    # A float32 softmax underflows to 0; its smallest normal number keeps the logarithm finite.
    return np.log(np.maximum(probabilities, np.finfo(np.float32).tiny))


def _binned_gap(confidence, correct, weights, bins):
    index, gap = _bin_index(confidence, bins), confidence - correct
    gaps = np.stack([np.bincount(index, row * gap, minlength=bins) for row in weights])
    return np.abs(gaps).sum(axis=1) / weights.sum(axis=1)


def _bin_index(confidence, bins):
    edges = np.linspace(0.0, 1.0, bins + 1)
    return np.clip(np.searchsorted(edges, confidence, side="left") - 1, 0, bins - 1)
