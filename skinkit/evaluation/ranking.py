"""Scores of a ranking (one class against the rest), under one or many weightings at a time.

A curve is made once for a class; area, average precision and sensitivity at a specificity are read
from it. Equal scores share one threshold, so the order of rows never matters.
"""

import numpy as np


def weighted_curve(scores, positive, weights):
    """Counts above each threshold, from the highest score to the lowest.

    Args:
        scores: array `(n,)`.
        positive: bool array `(n,)`, True for images of the class.
        weights: array `(B, n)`: how often each image counts in each of `B` weightings.

    Returns:
        `(hits, false_alarms)`, both `(B, T)` for the `T` different scores, cumulative.
    """
    order = np.argsort(-scores, kind="stable")
    ordered = scores[order]
    last = np.append(np.flatnonzero(ordered[1:] != ordered[:-1]), len(ordered) - 1)
    everything = np.cumsum(weights[:, order], axis=1)[:, last]
    hits = np.cumsum(np.where(positive, weights, 0.0)[:, order], axis=1)[:, last]
    return hits, everything - hits


def area_under_roc(hits, false_alarms):
    """Chance that an image of the class outranks another one; ties count half.

    Equal to `sklearn.metrics.roc_auc_score`. NaN where images of the class, or others, are absent.
    """
    steps = np.diff(false_alarms, axis=1, prepend=0.0)
    before = np.concatenate([np.zeros_like(hits[:, :1]), hits[:, :-1]], axis=1)
    area = np.einsum("bt,bt->b", steps, (hits + before) / 2)
    return _divide(area, hits[:, -1] * false_alarms[:, -1])


def average_precision(hits, false_alarms):
    """Precision averaged over the steps of recall, without interpolation.

    Equal to `sklearn.metrics.average_precision_score`. NaN where the class is absent.
    """
    flagged = hits + false_alarms
    precision = np.divide(hits, flagged, out=np.zeros_like(hits), where=flagged > 0)
    steps = np.diff(hits, axis=1, prepend=0.0)
    return _divide(np.einsum("bt,bt->b", steps, precision), hits[:, -1])


def sensitivity_at(hits, false_alarms, specificity):
    """Highest sensitivity among thresholds that keep at least this specificity.

    Only thresholds at observed scores count (nothing is interpolated); flagging nobody is always
    allowed, so the least value is 0. NaN where images of the class, or others, are absent.
    """
    # The slack forgives rounding: 90 % of 10 negatives must allow exactly one false alarm.
    allowed = (1 - specificity) * false_alarms[:, -1:] + 1e-9
    best = np.where(false_alarms <= allowed, hits, 0.0).max(axis=1)
    value = _divide(best, hits[:, -1])
    return np.where(false_alarms[:, -1] > 0, value, np.nan)


def _divide(numerator, denominator):
    out = np.full(numerator.shape, np.nan)
    return np.divide(numerator, denominator, out=out, where=denominator > 0)
