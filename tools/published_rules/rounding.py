"""Can a printed table be true? What rounding and whole numbers of images leave possible.

A printed score stands for every value that rounds to it, and counts are whole numbers; together they
rule out much. Scores are fractions (0 to 1); a value on the edge of two roundings is possible for
both. Single values are checked by `skinkit.evaluation.consistency`.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from typing import NamedTuple

import pandas as pd

from skinkit.evaluation import f1_agrees, harmonic_mean

SCORES = ("precision", "recall", "f1")


class Interval(NamedTuple):
    """A closed range of exact values."""

    low: Fraction
    high: Fraction

    def holds(self, value) -> bool:
        return self.low <= value <= self.high

    def overlaps(self, other: "Interval") -> bool:
        return self.low <= other.high and other.low <= self.high


def printed(value, digits: int = 2) -> Interval:
    """Returns all values that are printed as `value`.

    Args:
        value: Number or text, e.g. `0.34` or `"0.34"`.
        digits: Decimals it was printed with.

    Example:
        >>> printed("0.5", digits=1)
        Interval(low=Fraction(9, 20), high=Fraction(11, 20))
    """
    unit = Fraction(10) ** -digits
    exact = round(Fraction(str(value)) / unit) * unit
    return Interval(exact - unit / 2, exact + unit / 2)


def possible_hits(recall, support: int, digits: int = 2) -> range:
    """Returns every number of hits among `support` images whose share is printed as `recall`.

    Example:
        >>> list(possible_hits(0.86, support=7)), list(possible_hits(0.34, support=7))
        ([6], [])
    """
    low, high = printed(recall, digits)
    return range(max(0, math.ceil(low * support)), min(support, math.floor(high * support)) + 1)


def possible_predictions(precision, hits: int, negatives: int, digits: int = 2) -> range:
    """Returns every number of predictions of a class that gives this precision.

    Args:
        precision: Printed precision.
        hits: Correct predictions of the class.
        negatives: Images of all other classes, the most that can be predicted wrongly.
        digits: Decimals it was printed with.

    Example:
        >>> list(possible_predictions(0.75, hits=3, negatives=10))
        [4]
    """
    low, high = printed(precision, digits)
    if hits == 0:
        return range(negatives + 1) if low <= 0 else range(0)
    most = hits + negatives if low <= 0 else min(hits + negatives, math.floor(hits / low))
    return range(max(hits, math.ceil(hits / high)), most + 1)


def mean_interval(values: Sequence, weights: Sequence | None = None, digits: int = 2) -> Interval:
    """Returns the range in which the mean of printed values lies.

    With recalls as `values` and supports as `weights` this is the accuracy.

    Args:
        values: Printed scores.
        weights: Weight of each score, or `None` for equal weights.
        digits: Decimals the scores were printed with.
    """
    weights = [1] * len(values) if weights is None else [int(w) for w in weights]
    ranges = [(printed(v, digits), w) for v, w in zip(values, weights, strict=True)]
    low, high = (sum(r[end] * w for r, w in ranges) / sum(weights) for end in (0, 1))
    return Interval(low, high)


def check_report(classes: pd.DataFrame, overall: Mapping, digits: int = 2) -> dict:
    """Looks for values of a classification report that cannot stand together.

    Classes are checked for whole numbers of hits and predictions, F1 against precision and recall,
    accuracy and averages against the classes, and the predictions against the number of images.

    Args:
        classes: One row a class, columns `precision`, `recall`, `f1` (printed), `support`.
        overall: Printed `accuracy`, `support` and `macro_` and `weighted_` scores; what is absent is
            not checked.
        digits: Decimals of all scores.

    Returns:
        Dict of texts by `(class, metric)`, with the class `all` for `overall`. A text starts with
        `ok`, `impossible` (by itself) or `disagrees` (with other values).

    Raises:
        ValueError: if a column is missing or there is no class.

    Example:
        >>> row = {"precision": 0.35, "recall": 0.34, "f1": 0.35, "support": 7}
        >>> check_report(pd.DataFrame([row], index=["akiec"]), {})["akiec", "recall"]
        'impossible: 2/7 = 0.29 and 3/7 = 0.43 are the nearest'
    """
    missing = [c for c in (*SCORES, "support") if c not in classes.columns]
    if missing or classes.empty:
        raise ValueError(
            "A report needs a row for each class and the columns precision, recall, f1, support. "
            f"Received: columns={list(classes.columns)}, {len(classes)} rows"
        )
    classes = classes[[*SCORES, "support"]].astype(float).astype({"support": int})
    total = int(classes["support"].sum())
    notes = {}
    for row in classes.itertuples():
        for metric, text in _check_class(row, total, digits):
            notes[row.Index, metric] = text
    for metric, value in overall.items():
        notes["all", metric] = _check_overall(metric, value, classes, overall, digits)
    return notes


def _check_class(row, total: int, digits: int) -> Iterator[tuple[str, str]]:
    negatives = total - row.support
    hits = possible_hits(row.recall, row.support, digits)
    below = math.floor(row.recall * row.support)
    nearest = _nearest((below, row.support), (below + 1, row.support))
    yield "recall", "ok" if hits else f"impossible: {nearest}"
    # An impossible recall says nothing about the hits, so every number of them is tried.
    counts = [
        (k, predicted)
        for k in hits or range(row.support + 1)
        for predicted in possible_predictions(row.precision, k, negatives, digits)
    ]
    nearest = _nearest_precision(row.precision, hits, negatives)
    yield "precision", "ok" if counts else f"impossible: {nearest}"
    yield "f1", _check_f1(row, counts if hits else [], digits)


def _nearest_precision(precision, hits, negatives) -> str:
    if not hits:
        return "no number of hits and predictions gives it"
    most = hits[0] + negatives
    above = min(most, math.ceil(hits[0] / precision)) if precision else most
    return _nearest((hits[0], max(hits[0], above - 1)), (hits[0], above))


def _nearest(*fractions) -> str:
    shown = " and ".join(f"{a}/{b} = {a / b:.2f}" for a, b in fractions if b)
    return f"{shown} are the nearest"


def _check_f1(row, counts, digits: int) -> str:
    if not f1_agrees(row.precision, row.recall, row.f1, digits):
        value = harmonic_mean(row.precision, row.recall)
        return f"disagrees: precision and recall give {value:.{digits}f}"
    f1 = printed(row.f1, digits)
    if counts and not any(f1.holds(Fraction(2 * k, p + row.support)) for k, p in counts):
        return "impossible: no whole numbers give precision, recall and F1 together"
    return "ok"


def _check_overall(metric, value, classes, overall, digits: int) -> str:
    if metric == "support":
        return _check_counts(int(value), classes, digits)
    average, _, score = metric.rpartition("_")
    weights = None if average == "macro" else classes["support"]
    score = "recall" if metric == "accuracy" else score
    expected = mean_interval(list(classes[score]), weights, digits)
    low, middle, high = (
        f"{float(v):.{digits + 1}f}" for v in (expected.low, sum(expected) / 2, expected.high)
    )
    texts = []
    if not printed(value, digits).overlaps(expected):
        texts.append(f"the classes give {middle} ({low} to {high})")
    accuracy = overall.get("accuracy", value) if metric == "weighted_recall" else value
    if not printed(value, digits).overlaps(printed(accuracy, digits)):
        texts.append(f"weighted recall is accuracy, printed {accuracy}")
    return f"disagrees: {'; '.join(texts)}" if texts else f"ok: the classes give {middle}"


def _check_counts(printed_total: int, classes, digits: int) -> str:
    total = int(classes["support"].sum())
    if total != printed_total:
        return f"disagrees: the supports add up to {total}"
    low = high = 0
    for row in classes.itertuples():
        recall, precision = printed(row.recall, digits), printed(row.precision, digits)
        if precision.low <= 0:
            return "ok: the supports add up"
        low += max(recall.low, 0) * row.support / precision.high
        high += min(recall.high, 1) * row.support / precision.low
    if not low <= total <= high:
        span = f"{math.ceil(low)} to {math.floor(high)}"
        return f"disagrees: precisions and recalls make {span} predictions for {total} images"
    return "ok: the supports add up, and so can the predictions"
