"""Intervals of shares that few lesions decide, where resampling fails.

Of 6 lesions all found, every resample finds all: the bootstrap says [1, 1]. With fewer than about ten hits
or ten misses its intervals are too short. Wilson's interval is not; beside at most two hits or misses its
limit is Poisson's (Brown, Cai and DasGupta 2001, Statistical Science 16, 101-133). Images of one lesion count
as one where they agree, and as several where they do not (Fleiss and Cuzick 1979).
"""

from statistics import NormalDist

import numpy as np

# Fewer hits or fewer misses than this are few.
FEW = 10
_ENDS = ["low", "high", "method"]
_MEANS = {f"macro_{name}": name for name in ("recall", "precision", "f1", "specificity")}
_MEANS["balanced_accuracy"] = "recall"


def parts_of_means(metrics, labels):
    """Names of the class scores behind those of `metrics` that are means over classes, by metric."""
    return {name: [f"{_MEANS[name]}:{label}" for label in labels] for name in metrics if name in _MEANS}


def with_few_lesions(table, parts, predictions, groups, confidence=0.95):
    """Replaces the intervals of resampling where few lesions decide, and says by which.

    Args:
        table: DataFrame, index metric: `value`, and `low` and `high` of the resamples.
        parts: Result of `parts_of_means`; the class scores are rows of `table`, too.
        predictions: `skinkit.evaluation.weighted_scores.Predictions`.
        groups: Integer array `(n,)`, lesion or patient of each image, from 0.
        confidence: Float, share of the intervals that hold the truth.

    Returns:
        The table with new ends and the column `method`: "bootstrap" (the resamples); "wilson" for accuracy
        and a class' recall, precision, specificity or F1 with few hits or misses; "combined" for a mean over
        classes, in whose squared width those of such classes are exchanged, and for a sensitivity at a
        specificity, where the farther end of both counts; "none" (NaN) without resamples, or where all agree.
    """
    mended = table.assign(method="bootstrap")
    for name, row in table[table["value"].notna()].iterrows():
        if (ends := _few_ends(name, row, predictions, groups, confidence)) is not None:
            mended.loc[name, _ENDS] = ends
    change = (_squares(mended) - _squares(table)).fillna(0)
    for name, classes in parts.items():
        if mended.loc[classes, "method"].eq("wilson").any():
            added = change.loc[classes].sum() / table.loc[classes, "value"].notna().sum() ** 2
            low, high = np.sqrt((_squares(table).loc[name] + added).clip(lower=0))
            value = table.loc[name, "value"]
            mended.loc[name, _ENDS] = max(0.0, value - low), min(1.0, value + high), "combined"
    agree = mended["method"].eq("bootstrap") & ~(mended["low"] < mended["high"])
    mended.loc[agree, _ENDS] = np.nan, np.nan, "none"
    return mended


def _squares(table):
    return table[["low", "high"]].sub(table["value"], axis=0) ** 2


def _few_ends(name, row, predictions, groups, confidence):
    """The new `low`, `high` and `method` of one score, or None where the resamples do."""
    member, hit = predictions.share(name) or (None, None)
    if member is None or not member.any():
        return None
    value, is_f1 = row["value"], name.startswith("f1:")
    number = effective_number(member, member if hit is None else hit, groups)
    ends = few_interval(value / (2 - value) if is_f1 else value, number, confidence)
    if ends is None:
        return None
    if hit is None:
        return np.fmin(ends[0], row["low"]), np.fmax(ends[1], row["high"]), "combined"
    return *((2 * end / (1 + end) for end in ends) if is_f1 else ends), "wilson"


def few_interval(share, number, confidence=0.95):
    """Interval of a share where few lesions decide it; None where there are enough to resample.

    Args:
        share: Float, 0 to 1.
        number: Result of `effective_number`.
        confidence: Float, share of such intervals that hold the truth.

    Returns:
        `(low, high)`, or None.
    """
    # The slack forgives rounding: 10 hits are enough.
    if min(share, 1 - share) * number >= FEW - 1e-9:
        return None
    return wilson_interval(share, number, confidence)


def effective_number(member, hit, groups):
    """Number of independent images that would tell as much as these images of lesions.

    Args:
        member: Boolean array `(n,)`, images that the share counts.
        hit: Boolean array `(n,)`, which of them are hits.
        groups: Integer array `(n,)`, lesion or patient of each image, from 0.

    Returns:
        float: the images, where those of a lesion agree by chance only; the lesions (fewer, where some are
        larger than others), where they agree, and where all images are hits or none is, so that nobody can
        tell.
    """
    sizes = np.bincount(groups[member])
    hits = np.bincount(groups[member], weights=hit[member])[sizes > 0]
    sizes = sizes[sizes > 0]
    images, share = sizes.sum(), hits.sum() / sizes.sum()
    by_chance = (images - len(sizes)) * share * (1 - share)
    disagree = (hits * (sizes - hits) / sizes).sum()
    agreement = max(0.0, 1 - disagree / by_chance) if by_chance else 1.0
    return images / (1 + ((sizes**2).sum() / images - 1) * agreement)


def wilson_interval(share, number, confidence=0.95):
    """Wilson's score interval; with at most two hits or misses the limit beside them is Poisson's.

    Args:
        share: Float, 0 to 1.
        number: Float above 0, whole or not.
        confidence: Float, 0 to 1.

    Returns:
        `(low, high)`.

    Example:
        >>> [round(float(end), 3) for end in wilson_interval(1.0, 6)]
        [0.61, 1.0]
    """
    z = NormalDist().inv_cdf((1 + confidence) / 2)
    middle = (share + z**2 / (2 * number)) / (1 + z**2 / number)
    half = z * np.sqrt(share * (1 - share) / number + (z / (2 * number)) ** 2) / (1 + z**2 / number)
    low, high = _poisson(number * share, confidence), _poisson(number * (1 - share), confidence)
    return (
        max(0.0, middle - half) if low is None else low / number,
        min(1.0, middle + half) if high is None else 1 - high / number,
    )


def _poisson(count, confidence):
    """Lower limit of a mean of which `count` are seen; None for more than two."""
    from scipy.special import gammaincinv

    if count > 2:
        return None
    return gammaincinv(count, 1 - confidence) if count > 0 else 0.0
