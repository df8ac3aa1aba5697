"""Two decisions in a row: a gate for one class, and a second stage for the others (butskova2021)."""

from typing import Annotated, NamedTuple

import numpy as np
import pandas as pd

from skinkit.evaluation.confusion import confusion_scores
from skinkit.evaluation.prediction_arrays import check_probabilities
from skinkit.names import check_name
from skinkit.values import check_options


def soft(gate, rest):
    """Returns the products of both stages: the gate may be overruled."""
    return gate, (1 - gate)[:, None] * rest


def hard(gate, rest, threshold: Annotated[float, (0.5, 1)] = 0.5):
    """Returns the products where the gate is above the threshold; else the second stage alone.

    The likeliest class obeys the gate: above one half, its product is larger than all the others together.
    """
    passes = gate > threshold
    return np.where(passes, gate, 0), np.where(passes, 1 - gate, 1)[:, None] * rest


# Functions of both stages' probabilities, `(n,)` and `(n, C - 1)`, that return those of all classes likewise.
RULES = {"hard": hard, "soft": soft}


def combine(gate, rest, labels, rule="hard", **options):
    """Joins the probabilities of two stages.

    butskova2021, Section 4: nv against the rest, then the other six. With p of the gate and q of the second
    stage, `soft` is (p, (1 - p) q); `hard` is the same where p is above the threshold, and (0, q) elsewhere.

    Args:
        gate: Series of probabilities by image id, named after the gate's class.
        rest: DataFrame of the second stage's probabilities by image id, a column for each other class.
        labels: All classes, in the order of the result.
        rule: String, `"hard"` or `"soft"`.
        **options: Of the rule: `threshold` of `hard`, from 0.5 to 1.

    Returns:
        DataFrame of float64 probabilities, rows as in `gate`; they sum to 1 where those of `rest` do.

    Raises:
        ValueError: for an unknown rule, a threshold below 0.5, other classes or images in one stage than in
            the other, or probabilities outside 0 to 1.

    Example:
        >>> combine(pd.Series([0.75], name="nv"), pd.DataFrame({"mel": [1.0]}), ["mel", "nv"])
            mel    nv
        0  0.25  0.75
    """
    check_name("Rules of two stages", rule, RULES)
    check_options(rule, (RULES[rule],), options, ("gate", "rest"))
    _check_stages(gate, rest, labels)
    rest = rest.loc[gate.index]
    both = rest.assign(**{gate.name: gate})[list(labels)]
    check_probabilities(both.to_numpy(), labels, gate.index)
    p, q = RULES[rule](gate.to_numpy(np.float64), rest.to_numpy(np.float64), **options)
    return pd.DataFrame(q, gate.index, rest.columns).assign(**{gate.name: p})[list(labels)]


def _check_stages(gate, rest, labels):
    if not (isinstance(gate, pd.Series) and isinstance(gate.name, str) and isinstance(rest, pd.DataFrame)):
        raise ValueError(
            "`gate` is a Series by image id that is named after its class, and `rest` a DataFrame. "
            f"Received: {type(gate).__name__} named {getattr(gate, 'name', None)!r} and {type(rest).__name__}"
        )
    if sorted([gate.name, *rest.columns]) != sorted(labels):
        raise ValueError(
            f"The gate has one of the classes and the second stage all others of {', '.join(labels)}. "
            f"Received: {gate.name} and {', '.join(rest.columns)}"
        )
    first, second = gate.index, rest.index
    if not (first.is_unique and second.is_unique and len(first) == len(second) == len(first.union(second))):
        raise ValueError(
            "Both stages must have the same images, each once; predict all of them with both networks. "
            f"Received: {len(first)} at the gate and {len(second)} in the second stage, "
            f"{len(first.intersection(second))} of them in both"
        )


class StageErrors(NamedTuple):
    """Images that two decisions in a row lose.

    Args:
        by_class: DataFrame with the labels as index and the counts `images`, `lost_at_gate` (of the gate's
            class: sent on; of others: kept) and `lost_in_second_stage` (sent on rightly, then confused).
        second_stage: Dictionary of the scores of `confusion_scores`, of the images that are sent on rightly.
    """

    by_class: pd.DataFrame
    second_stage: dict[str, float]


def stage_errors(matrix, labels, label="nv"):
    """Tells errors of the gate from errors of the second stage, as the predicted classes show them.

    Args:
        matrix: Array `(C, C)` of counts, rows truth, columns prediction, such as `confusion_matrix` returns.
        labels: Sequence of the `C` class names.
        label: String, the gate's class.

    Returns:
        `StageErrors`.

    Raises:
        ValueError: for a matrix of another shape or with anything but counts, or a `label` that is not a
            class.

    Example:
        >>> stage_errors([[3, 1, 0], [2, 4, 1], [0, 0, 5]], ["nv", "mel", "bcc"]).second_stage["accuracy"]
        0.9
    """
    check_name("Classes", label, labels)
    if np.shape(matrix) != (len(labels), len(labels)):
        raise ValueError(
            f"Expected a row and a column for each of {', '.join(labels)}. "
            f"Received: a matrix of shape {np.shape(matrix)}"
        )
    counts = pd.DataFrame(matrix, list(labels), list(labels))
    if not (counts.ge(0) & counts.eq(counts.round())).all(axis=None):
        raise ValueError(f"The matrix counts images, so that shares do not do. Received: {matrix}")
    sent_on = counts.drop(index=label, columns=label)
    images, kept = counts.sum(axis=1), counts[label]
    at_gate = kept.where(kept.index != label, images - kept)
    later = sent_on.sum(axis=1) - np.diag(sent_on)
    by_class = pd.DataFrame({"images": images, "lost_at_gate": at_gate, "lost_in_second_stage": later})
    scores = {name: float(value) for name, value in confusion_scores(sent_on.to_numpy()).items()}
    return StageErrors(by_class.loc[list(labels)].fillna(0).astype(int), scores)
