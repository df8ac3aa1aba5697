"""Scores of subgroups of the images, and how far these are from those of all others."""

import numpy as np
import pandas as pd

from skinkit.evaluation.calibration import expected_calibration_error
from skinkit.evaluation.deciding.thresholds import FEWEST, one_class
from skinkit.evaluation.prediction_arrays import predicted_index, unpack_predictions
from skinkit.evaluation.uncertainty.intervals import (
    bootstrap_intervals,
    group_codes,
    interval_table,
    weightings,
)
from skinkit.evaluation.weighted_scores import Predictions, WeightedScores
from skinkit.names import counted

_AGES = {"0-19": 0, "20-39": 20, "40-59": 40, "60-79": 60, "80+": 80}
TOO_FEW = "too few to say"
_COMPARED = ("sensitivity", "specificity", "auc")
_DIFFERENCE = ["difference", "difference_low", "difference_high"]
_TWO = ["other", "it"]


def compare_subgroups(
    predictions, by, metadata=None, threshold=None, positive=None, groups=None, resamples=1000, seed=0
):
    """Errors in one class of each subgroup, and their differences to all other images.

    Both sides of a difference are counted on the same resamples; where a share is decided by too few groups
    to resample, the ends of both sides' own intervals are joined (Newcombe 1998, method 10). Many are looked
    at, so that some are away from 0 by chance: of 20 whose interval is one of 95 %, about one.

    Args:
        predictions: DataFrame of saved predictions (`image_id`, `label`, `p_<class>`, ...).
        by: String, a column: "sex", "age" (bands of 20 years) or "site"; any other column works as it is.
        metadata: Manifest table that holds `by`, if `predictions` does not.
        threshold: `Threshold` from which on an image is called of its class; `None` calls the likeliest
            class.
        positive: As in `summary`; the threshold's own class where one is given.
        groups: As in `bootstrap_intervals`.
        resamples: As in `bootstrap_intervals`.
        seed: As in `bootstrap_intervals`.

    Returns:
        DataFrame, index `by` (the subgroups, and "unknown" where `by` is missing) and `score` ("sensitivity",
        "specificity" and "auc" of the class, and "ece" of all): `n` images that it is about and how many
        `independent` groups these are, `value`, `low`, `high` and `method` as in `bootstrap_intervals`,
        `difference` to all other images with `difference_low` and `difference_high`, and `note`. Of fewer
        than 20 groups, those of the class for a sensitivity or area, no number is given and the note is "too
        few to say".

    Raises:
        ValueError: for a missing column, an image that is not in `metadata`, or a class that is not there.

    Example:
        >>> compare_subgroups(predictions, "sex", metadata=table, groups=predictions["lesion_id"])
    """
    errors = _Errors(predictions, threshold, positive, groups)
    bands = _bands(_attribute(predictions, by, metadata), by)
    tables = {name: errors.of(mask, resamples, seed) for name, mask in bands.items()}
    return pd.concat(tables, names=[by, "score"])


class _Errors:
    """Predictions of one class against the rest, any part of which is scored beside the others."""

    def __init__(self, predictions, threshold, positive, groups):
        self.all = unpack_predictions(predictions)
        positive = threshold.label if threshold else positive
        label, scores, self.is_it = one_class(*self.all, positive)
        likeliest = predicted_index(self.all[1]) == self.all[2].index(label)
        called = scores >= threshold.value if threshold else likeliest
        self.called, self.scores = (np.stack([1.0 - each, each], axis=1) for each in (called * 1.0, scores))
        self.groups = group_codes(groups, len(scores))[0]

    def of(self, mask, resamples, seed):
        own = self._intervals(mask, resamples, seed)
        found = pd.concat([own, self._calibration(mask)])
        found = found.join(self._differences(mask, own, resamples, seed)).assign(note="")
        about = dict.fromkeys(("sensitivity", "auc"), mask & self.is_it)
        about |= {"specificity": mask & ~self.is_it, "ece": mask}
        counts = {name: (int(each.sum()), self._independent(each)) for name, each in about.items()}
        found[["n", "independent"]] = [counts[name] for name in found.index]
        few = found["independent"] < FEWEST
        found.loc[few, ["value", "low", "high", *_DIFFERENCE]], found.loc[few, "note"] = np.nan, TOO_FEW
        return found[["n", "independent", "value", "low", "high", "method", *_DIFFERENCE, "note"]]

    def _independent(self, mask):
        return len(np.unique(self.groups[mask]))

    def _intervals(self, mask, resamples, seed):
        truth, options = np.array(_TWO)[self.is_it[mask] * 1], {"resamples": resamples, "seed": seed}
        shares = bootstrap_intervals(
            truth, self.called[mask], _TWO, self.groups[mask], ["recall:it", "recall:other"], **options
        )
        area = bootstrap_intervals(truth, self.scores[mask], _TWO, self.groups[mask], ["auc:it"], **options)
        return pd.concat([shares, area]).set_axis(_COMPARED)

    def _calibration(self, mask):
        y_true, probabilities, labels = self.all
        error = expected_calibration_error(y_true[mask], probabilities[mask], labels)
        return pd.DataFrame({"value": error, "low": np.nan, "high": np.nan, "method": "none"}, ["ece"])

    def _differences(self, mask, own, resamples, seed):
        """The scores of a part less those of all others; NaN where there are too few of either to say."""
        if mask.all():
            return pd.DataFrame(np.nan, _COMPARED, _DIFFERENCE)
        parts = [(each, self._predictions(each)) for each in (mask, ~mask)]
        one, other = (_values(pair)[0] for _, pair in parts)
        differences = []
        for weights in weightings(self.groups, len(mask), resamples, seed):
            here, there = (_values(pair, weights[:, each]) for each, pair in parts)
            differences.append(here - there)
        table = interval_table(_COMPARED, one - other, differences)[["value", "low", "high"]]
        if not (resampled := own["method"].eq("bootstrap")).all():
            # Of groups that are all called rightly, each resample says the same.
            joined = _joined(own, self._intervals(~mask, resamples, seed))
            table.loc[~resampled] = joined.loc[~resampled]
        few = [self._independent(~mask & each) < FEWEST for each in (self.is_it, ~self.is_it, self.is_it)]
        table.loc[few] = np.nan
        return table.set_axis(_DIFFERENCE, axis=1)

    def _predictions(self, mask):
        truth = self.is_it[mask] * 1
        return [Predictions(truth, each[mask], _TWO, "it") for each in (self.called, self.scores)]


def _joined(own, others):
    """Differences of two tables of scores, with ends by those of both; NaN where one has none."""
    value = own["value"] - others["value"]
    down = np.hypot(own["value"] - own["low"], others["high"] - others["value"])
    up = np.hypot(own["high"] - own["value"], others["value"] - others["low"])
    return pd.DataFrame({"value": value, "low": value - down, "high": value + up})


def _values(pair, weights=None):
    """Sensitivity, specificity and area `(B, 3)` of a part under each of the weightings of its images."""
    called, scores = (WeightedScores(each, weights) for each in pair)
    return np.stack([called.score("recall:it"), called.score("recall:other"), scores.score("auc:it")], axis=1)


def _attribute(predictions, by, metadata):
    if by in predictions.columns:
        return predictions[by]
    if metadata is None or by not in metadata.columns:
        raise ValueError(
            f"Neither predictions nor metadata has the column {by!r}; pass the manifest table as "
            f"metadata. Received: predictions with {list(predictions.columns)}"
        )
    known = metadata.set_index("image_id")[by]
    absent = predictions.loc[~predictions["image_id"].isin(known.index), "image_id"]
    if len(absent):
        raise ValueError(f"metadata has no row for {counted(len(absent), 'image')}, first {absent.iloc[0]!r}")
    return known.loc[predictions["image_id"]].set_axis(predictions.index)


def _bands(values, by):
    """Name -> bool mask, in reading order, "unknown" last; empty bands are left out."""
    if by == "age":
        edges = [*_AGES.values(), np.inf]
        ages = pd.to_numeric(values).to_numpy(float, na_value=np.nan)
        values = pd.Series(pd.cut(ages, edges, right=False, labels=list(_AGES)))
        names = [name for name in _AGES if (values == name).any()]
    else:
        names = sorted(values.dropna().unique())
    masks = {str(name): (values == name).fillna(False).to_numpy(bool) for name in names}
    missing = values.isna().to_numpy()
    return masks | ({"unknown": missing} if missing.any() else {})
