"""Errors that are left where the least sure images go to a colleague."""

import numpy as np

from skinkit.evaluation.prediction_arrays import check_predictions, predicted_index
from skinkit.evaluation.uncertainty.intervals import interval_table, weightings

COVERAGES = (1.0, 0.95, 0.9, 0.85, 0.8, 0.7, 0.6, 0.5)


def risk_coverage(y_true, probabilities, labels, coverages=COVERAGES, groups=None, resamples=1000, seed=0):
    """Share of wrong answers among the surest images (Geifman and El-Yaniv 2017).

    An image is as sure as the probability of its likeliest class. Of equally sure images all are answered or
    none, so that there may be a few more than asked for. In the resamples of an interval the images change,
    and the least probability that is answered does not.

    Args:
        y_true: As in `summary`.
        probabilities: As in `summary`.
        labels: As in `summary`.
        coverages: Sequence of floats above 0 and up to 1, shares of the images that are answered.
        groups: As in `bootstrap_intervals`.
        resamples: As in `bootstrap_intervals`.
        seed: As in `bootstrap_intervals`.

    Returns:
        DataFrame, index `coverage`: `n` answered images, the `least` probability among them, `error`, their
        share of wrong answers, with `low` and `high` (95 %), and `errors_referred`, the share of all wrong
        answers that go to the colleague (NaN where there is none).

    Raises:
        ValueError: on bad input, or a coverage outside 0 to 1.

    Example:
        >>> risk_coverage(y, p, labels, coverages=[0.8], groups=lesions)["error"]
    """
    truth, probabilities, labels = check_predictions(y_true, probabilities, labels)
    shares = np.asarray(coverages, dtype=np.float64)
    if not ((shares > 0) & (shares <= 1)).all():
        raise ValueError(f"coverages must lie above 0 and up to 1. Received: {list(coverages)}")
    sure, wrong = probabilities.max(axis=1), predicted_index(probabilities) != truth
    # The slack forgives rounding: 70 % of 10 images are 7.
    last = np.ceil(shares * len(sure) - 1e-9).astype(int).clip(min=1) - 1
    least = -np.sort(-sure)[last]
    kept = (sure[:, None] >= least).astype(np.float64)

    def errors(weights):
        answered = weights @ kept
        return (weights * wrong) @ kept / np.where(answered > 0, answered, np.nan)

    resampled = [errors(weights) for weights in weightings(groups, len(sure), resamples, seed)]
    table = interval_table(shares, errors(np.ones((1, len(sure))))[0], resampled)
    table = table[["value", "low", "high"]].rename(columns={"value": "error"}).rename_axis("coverage")
    referred = 1 - wrong @ kept / wrong.sum() if wrong.any() else np.nan
    table.insert(0, "n", kept.sum(axis=0).astype(int))
    table.insert(1, "least", least)
    return table.assign(errors_referred=referred)
