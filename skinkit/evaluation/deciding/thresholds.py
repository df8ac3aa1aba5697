"""Thresholds of one class: chosen on validation images for a sensitivity or specificity, then applied."""

import math
from dataclasses import dataclass

import numpy as np

from skinkit.evaluation.prediction_arrays import check_predictions, positive_label
from skinkit.evaluation.uncertainty.intervals import bootstrap_intervals, group_codes
from skinkit.names import counted
from skinkit.values import Share, check_value

# Of 20 images that are all found, Wilson's interval still reaches down to 0.84.
FEWEST = 20
# Shares like 0.9 of 10 images, where rounding would ask for one more.
_SLACK = 1e-9


@dataclass(frozen=True)
class Threshold:
    """A probability from which on an image is called of a class.

    Args:
        label: String, the class.
        value: Float, the least probability; infinity calls no image.
        wanted: String, `"sensitivity"` or `"specificity"`.
        at_least: Float, what was asked for, 0 to 1.
        shown_by: Integer, on how many independent images (lesions) of the class it was chosen; for a
            specificity, of the others.
    """

    label: str
    value: float
    wanted: str
    at_least: float
    shown_by: int

    @property
    def doubt(self):
        """Why these images cannot show what was asked for; `""` where they can."""
        # Any images show a share of 0 at least.
        if self.shown_by >= FEWEST or self.at_least == 0:
            return ""
        of = self.label if self.wanted == "sensitivity" else f"not {self.label}"
        return (
            f"{counted(self.shown_by, 'independent image')} of {of}, fewer than {FEWEST}, cannot show a "
            f"{self.wanted} of {100 * self.at_least:g}%: look at its interval"
        )


def choose_threshold(
    y_true, probabilities, labels, *, sensitivity=None, specificity=None, positive=None, groups=None
):
    """Chooses the threshold that keeps a wanted sensitivity, or specificity, and is best in the other.

    Only observed probabilities are thresholds, so what is kept may be a little more than what was asked for.

    Args:
        y_true: As in `summary`, of validation images.
        probabilities: As in `summary`, of validation images.
        labels: As in `summary`.
        sensitivity: Float, least share of the class that is called so, 0 to 1; or `None`.
        specificity: Float, least share of the others that is not, 0 to 1; or `None`.
        positive: As in `summary`.
        groups: Sequence of `n` lesion or patient ids, which only tell how many images agree; or `None`.

    Returns:
        `Threshold`, whose `doubt` says when the images are too few.

    Raises:
        ValueError: on bad input, unless exactly one share is wanted, and without an image to show it.

    Example:
        >>> choose_threshold(y, p, labels, sensitivity=0.95).value
    """
    asked = {"sensitivity": sensitivity, "specificity": specificity}
    given = {name: share for name, share in asked.items() if share is not None}
    if len(given) != 1:
        raise ValueError(f"A threshold keeps a sensitivity or a specificity, one of both. Received: {asked}")
    ((wanted, share),) = given.items()
    check_value("choose_threshold", wanted, share, Share)
    label, scores, is_it = one_class(y_true, probabilities, labels, positive)
    member = is_it if wanted == "sensitivity" else ~is_it
    if not member.any():
        raise ValueError(f"No image can show a {wanted} of {label}. Received: {is_it.sum()} of {len(is_it)}")
    choose = _keeping_sensitivity if wanted == "sensitivity" else _keeping_specificity
    lesions = len(np.unique(group_codes(groups, len(is_it))[0][member]))
    return Threshold(label, float(choose(scores, member, share)), wanted, share, lesions)


def scores_at(threshold, y_true, probabilities, labels, groups=None, **options):
    """Sensitivity and specificity of a threshold, with intervals.

    Args:
        threshold: `Threshold`, from other images than these where they are to show what it is worth.
        y_true: As in `summary`.
        probabilities: As in `summary`.
        labels: As in `summary`.
        groups: As in `bootstrap_intervals`.
        **options: `resamples`, `confidence` and `seed` of `bootstrap_intervals`.

    Returns:
        DataFrame, index `metric` ("sensitivity", "specificity"): `value`, `low`, `high` and `method` as in
        `bootstrap_intervals`, `n`, of how many images the value is a share.
    """
    label, scores, is_it = one_class(y_true, probabilities, labels, threshold.label)
    called, rest = scores >= threshold.value, f"not {label}"
    # The recall of the rest is defined where no image is of the class.
    names = {f"recall:{label}": "sensitivity", f"recall:{rest}": "specificity"}
    two = np.stack([~called, called], axis=1).astype(float)
    truth = np.where(is_it, label, rest)
    table = bootstrap_intervals(truth, two, [rest, label], groups, list(names), **options)
    found = table[["value", "low", "high", "method"]].rename(index=names)
    return found.assign(n=[is_it.sum(), (~is_it).sum()])


def one_class(y_true, probabilities, labels, positive):
    """Returns the name of one class, its probabilities `(n,)`, and which images are of it, bool `(n,)`.

    Args:
        y_true: As in `summary`.
        probabilities: As in `summary`.
        labels: As in `summary`.
        positive: As in `summary`.

    Raises:
        ValueError: on bad input, and where several classes leave open which one is meant.
    """
    truth, probabilities, labels = check_predictions(y_true, probabilities, labels)
    label = positive_label(labels, positive)
    if label is None:
        raise ValueError(f"A threshold belongs to one class: give `positive`. Received: labels={labels}")
    index = labels.index(label)
    return label, probabilities[:, index], truth == index


def _keeping_sensitivity(scores, is_it, share):
    """The highest threshold at which so many of the class are called so."""
    found = np.sort(scores[is_it])
    needed = math.ceil(share * len(found) - _SLACK)
    return found[-needed] if needed else math.inf


def _keeping_specificity(scores, is_other, share):
    """The lowest threshold at which no more of the others are called so."""
    others = np.sort(scores[is_other])
    allowed = math.floor((1 - share) * len(others) + _SLACK)
    highest = others[-1 - allowed] if allowed < len(others) else -math.inf
    return min(scores[scores > highest], default=math.inf)
