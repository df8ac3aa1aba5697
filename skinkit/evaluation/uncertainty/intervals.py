"""Intervals by resampling whole lesions or patients, and what stands in where that fails.

Photographs of one lesion are not independent; resampling images one by one gives intervals that are
too narrow. So groups are resampled with replacement, as many as there are, and every image counts as
often as its group was taken. Intervals are percentiles of the resampled scores (the percentile
method). Four things they cannot do:

- A share that few lesions decide gets Wilson's interval, and means over classes follow: see
  `skinkit.evaluation.uncertainty.few_lesions`.
- Resampling adds to a calibration error, so that its percentiles miss it: `ece` has no interval.
- Areas under curves of a class with few lesions have intervals that are too short: with 23 lesions, 92 of 100
  cover an area of 0.9, and 84 one of 0.98.
- One group cannot be resampled: its scores have no interval.
"""

import math

import numpy as np
import pandas as pd

from skinkit.evaluation.prediction_arrays import check_predictions
from skinkit.evaluation.uncertainty.few_lesions import parts_of_means, with_few_lesions
from skinkit.evaluation.weighted_scores import Predictions, WeightedScores, summary_names

# Few enough numbers at a time to stay in the processor's cache, and memory flat in `resamples`.
_CHUNK = 250_000


def bootstrap_intervals(
    y_true,
    probabilities,
    labels,
    groups=None,
    metrics=None,
    resamples=1000,
    confidence=0.95,
    seed=0,
    positive=None,
):
    """Scores with intervals.

    A class that vanishes from a resample is left out of its macro means; a resample in which a
    score is undefined is left out of that score's interval.

    Args:
        y_true: As in `summary`.
        probabilities: As in `summary`.
        labels: As in `summary`.
        positive: As in `summary`.
        groups: Sequence of `n` lesion or patient ids, resampled as a whole; a missing id is a group of its
            own. None resamples single images.
        metrics: Names as in `score` (also "recall:mel", "f1:nv"), or `None` for all of `summary`.
        resamples: Integer, number of resamples.
        confidence: Float, share of resamples inside the interval.
        seed: Integer, of the resamples; equal seeds give equal intervals.

    Returns:
        DataFrame, index `metric`: `value` (on all images), `low`, `high`, `sd` (of the resamples), and
        `method`: "bootstrap", or what stands in for it (`few_lesions.with_few_lesions`): "wilson",
        "combined", "none" (NaN), as for all scores of a single group, and for areas under curves where a
        class has a single one.

    Raises:
        ValueError: on bad input or unknown names.

    Example:
        >>> bootstrap_intervals(y, p, labels, groups=lesions, metrics=["macro_recall"])
    """
    truth, probabilities, labels = check_predictions(y_true, probabilities, labels)
    metrics = _names(metrics, labels, positive)
    parts = parts_of_means(metrics, labels)
    asked = list(dict.fromkeys([*metrics, *(name for each in parts.values() for name in each)]))
    predictions = Predictions(truth, probabilities, labels, positive)
    values = WeightedScores(predictions).scores(asked)[0]
    taken = weightings(groups, len(truth), resamples, seed)
    resampled = [_resampled(WeightedScores(predictions, weights), asked) for weights in taken]
    table = interval_table(asked, values, resampled, confidence)
    codes, count = group_codes(groups, len(truth))
    if count < 2:
        return table.assign(method="none").loc[metrics]
    table = with_few_lesions(table, parts, predictions, codes, confidence).loc[metrics]
    alone = {
        label
        for i, label in enumerate(labels)
        if 1 in (len(set(codes[truth == i])), len(set(codes[truth != i])))
    }
    unknown = [_ranks_one_group(name, alone) for name in metrics]
    table.loc[unknown, ["low", "high", "method"]] = math.nan, math.nan, "none"
    return table


def _ranks_one_group(name, alone):
    """Whether a score ranks the images of a class, which or whose others are all of one lesion or patient.

    A resample holds all of them or none, and says nothing of those that were left out.
    """
    kind, _, label = name.partition(":")
    ranks = kind.removeprefix("macro_") in ("auc", "average_precision") or "_sensitivity_at_" in kind
    return ranks and (label in alone if label else bool(alone))


def paired_difference(
    y_true,
    first,
    second,
    labels,
    groups=None,
    metrics="macro_recall",
    resamples=1000,
    confidence=0.95,
    seed=0,
    positive=None,
):
    """Returns by how much the first model is better than the second on the same images, with intervals.

    Both models are scored on the same resamples, so what they find hard together cancels. An
    interval that holds 0 says that these images cannot tell the models apart. Differences in a class
    with few lesions have intervals that are too short; `ece` has none (see `bootstrap_intervals`).

    Args:
        y_true: Sequence of `n` labels.
        first: Array `(n, C)`, probabilities of a model for the same images.
        second: Array `(n, C)`, probabilities of a model for the same images.
        labels: As in `bootstrap_intervals`.
        groups: As in `bootstrap_intervals`.
        resamples: As in `bootstrap_intervals`.
        confidence: As in `bootstrap_intervals`.
        seed: As in `bootstrap_intervals`.
        positive: As in `bootstrap_intervals`.
        metrics: One name, several, or `None` for all of `summary`.

    Returns:
        DataFrame, index `metric`: `value` (first minus second), `low`, `high`, `sd`; the last three are NaN
        for a single group.

    Raises:
        ValueError: as `bootstrap_intervals`.
    """
    truth, first, labels = check_predictions(y_true, first, labels)
    _, second, _ = check_predictions(y_true, second, labels)
    metrics = _names(metrics, labels, positive)

    pair = [Predictions(truth, each, labels, positive) for each in (first, second)]

    def resampled(weights):
        one, other = (_resampled(WeightedScores(each, weights), metrics) for each in pair)
        return one - other

    one, other = (WeightedScores(each).scores(metrics)[0] for each in pair)
    differences = [resampled(w) for w in weightings(groups, len(truth), resamples, seed)]
    return interval_table(metrics, one - other, differences, confidence)


def _names(metrics, labels, positive):
    if metrics is None:
        return list(summary_names(labels, positive))
    return [metrics] if isinstance(metrics, str) else list(metrics)


def _resampled(weighted_scores, metrics):
    """Scores of resamples `(B, len(metrics))`; NaN for the calibration error, which resampling shifts."""
    unknown = np.full(len(weighted_scores.weights), np.nan)
    return np.stack([unknown if name == "ece" else weighted_scores.score(name) for name in metrics], axis=1)


def weightings(groups, n, resamples=1000, seed=0):
    """Yields arrays `(B, n)`: how often each image is in the next `B` resamples; none of one group.

    Args:
        groups: As in `bootstrap_intervals`.
        n: Integer, number of images.
        resamples: As in `bootstrap_intervals`.
        seed: As in `bootstrap_intervals`.

    Raises:
        ValueError: for fewer than 2 resamples, or another number of ids than images.
    """
    if resamples < 2:
        raise ValueError(f"resamples must be at least 2. Received: resamples={resamples}")
    codes, count = group_codes(groups, n)
    if count < 2:
        return
    rng = np.random.Generator(np.random.PCG64(seed))
    # The numbers of a resample must not depend on the chunk size: row after row from one stream.
    size = max(1, _CHUNK // n)
    for start in range(0, resamples, size):
        rows = min(size, resamples - start)
        chosen = rng.integers(count, size=(rows, count)) + count * np.arange(rows)[:, None]
        times = np.bincount(chosen.ravel(), minlength=rows * count).reshape(rows, count)
        yield times.astype(np.float64)[:, codes]


def group_codes(groups, n):
    """Returns the number of each image's group, an array `(n,)`, and how many groups there are.

    Args:
        groups: As in `bootstrap_intervals`.
        n: Integer, number of images.

    Raises:
        ValueError: for another number of ids than images.
    """
    if groups is None:
        codes, count = np.arange(n), n
    else:
        groups = np.asarray(groups, dtype=object)
        if groups.shape != (n,):
            raise ValueError(f"groups must hold {n} ids. Received: shape {groups.shape}")
        codes, names = pd.factorize(groups)
        alone = codes < 0
        codes = codes.copy()
        codes[alone] = len(names) + np.arange(alone.sum())
        count = len(names) + int(alone.sum())
    return codes, count


def interval_table(metrics, values, resampled, confidence=0.95):
    """Returns values with the ends of their intervals, by the percentiles of their resamples.

    Args:
        metrics: Sequence of `k` names, the index.
        values: Sequence of `k` floats.
        resampled: Sequence of arrays `(B, k)`, the values of the resamples of `weightings`.
        confidence: As in `bootstrap_intervals`.

    Returns:
        DataFrame, index `metric`: `value`, `low`, `high`, `sd`; NaN where nothing was resampled.
    """
    if not 0 < confidence < 1:
        raise ValueError(f"confidence must lie between 0 and 1. Received: confidence={confidence}")
    ends = [(1 - confidence) / 2, (1 + confidence) / 2]
    columns = np.concatenate([np.empty((0, len(metrics))), *resampled]).T
    rows = []
    for value, column in zip(values, columns, strict=True):
        defined = column[~np.isnan(column)]
        if len(defined) < 2 or np.isnan(value):
            rows.append((value, np.nan, np.nan, np.nan))
        else:
            rows.append((value, *np.quantile(defined, ends), defined.std(ddof=1)))
    index = pd.Index(metrics, name="metric")
    return pd.DataFrame(rows, columns=["value", "low", "high", "sd"], index=index)
