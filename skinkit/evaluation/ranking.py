"""Scores of a ranking (one class against the rest), under one or many weightings at a time.

A class is sorted once, whatever the number of weightings. Its curve is made by counting; area, average
precision and sensitivity at a specificity are read from it. Equal scores share one threshold, so the
order of rows never matters.
"""

from typing import NamedTuple

import numpy as np

from skinkit.evaluation.confusion import divide


class Ranking(NamedTuple):
    """Images of a set from the highest score to the lowest."""

    order: np.ndarray  # Positions of the images.
    positive: np.ndarray  # 1.0 for images of the class, in that order.
    starts: np.ndarray  # Where, in that order, the images of each kept threshold begin.


def rank(scores, positive):
    """Sorts images by their score, once for all weightings.

    Only thresholds at which an image of the class is found, and those just before, are kept: between them no
    score that is read from the curve changes. So all classes together have few thresholds.

    Args:
        scores: Array `(n,)`.
        positive: Boolean array `(n,)`, True for images of the class.

    Returns:
        `Ranking`.
    """
    order = np.argsort(-scores, kind="stable")
    ordered, positive = scores[order], positive[order]
    first = np.append(0, np.flatnonzero(ordered[1:] != ordered[:-1]) + 1)
    found = np.logical_or.reduceat(positive, first)
    kept = found | np.append(found[1:], True)
    starts = first[np.append(True, kept[:-1])]
    return Ranking(order, positive.astype(np.float64), starts)


def weighted_curve(ranking, weights):
    """Counts above each kept threshold, from the highest score to the lowest.

    Args:
        ranking: Result of `rank`.
        weights: Array `(B, n)`: how often each image counts in each of `B` weightings.

    Returns:
        `(hits, false_alarms)`, both `(B, T)` for the `T` kept thresholds, cumulative.
    """
    ordered = np.take(weights, ranking.order, axis=1)
    everything = np.cumsum(np.add.reduceat(ordered, ranking.starts, axis=1), axis=1)
    hits = np.cumsum(np.add.reduceat(ordered * ranking.positive, ranking.starts, axis=1), axis=1)
    return hits, everything - hits


def area_under_roc(hits, false_alarms):
    """Chance that an image of the class outranks another one; ties count half.

    Equal to `sklearn.metrics.roc_auc_score`. NaN where images of the class, or others, are absent.
    """
    steps = np.diff(false_alarms, axis=1, prepend=0.0)
    before = np.concatenate([np.zeros_like(hits[:, :1]), hits[:, :-1]], axis=1)
    area = np.einsum("bt,bt->b", steps, (hits + before) / 2)
    return divide(area, hits[:, -1] * false_alarms[:, -1])


def average_precision(hits, false_alarms):
    """Precision averaged over the steps of recall, without interpolation.

    Equal to `sklearn.metrics.average_precision_score`. NaN where the class is absent.
    """
    flagged = hits + false_alarms
    precision = np.divide(hits, flagged, out=np.zeros_like(hits), where=flagged > 0)
    steps = np.diff(hits, axis=1, prepend=0.0)
    return divide(np.einsum("bt,bt->b", steps, precision), hits[:, -1])


def sensitivity_at(hits, false_alarms, specificity):
    """Highest sensitivity among thresholds that keep at least this specificity.

    Only thresholds at observed scores count (nothing is interpolated); flagging nobody is always
    allowed, so the least value is 0. NaN where images of the class, or others, are absent.
    """
    # The slack forgives rounding: 90 % of 10 negatives must allow exactly one false alarm.
    allowed = (1 - specificity) * false_alarms[:, -1:] + 1e-9
    best = np.where(false_alarms <= allowed, hits, 0.0).max(axis=1)
    value = divide(best, hits[:, -1])
    return np.where(false_alarms[:, -1] > 0, value, np.nan)
