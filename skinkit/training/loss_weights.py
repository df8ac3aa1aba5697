"""Weights which balance the classes in the loss."""

import math
from collections.abc import Mapping

import numpy as np
import pandas as pd

from skinkit.names import check_name

_FACTORS = {"consensus": 1.0, "follow_up": 2.0, "confocal": 3.0, "histo": 4.0}
_BENIGN = ("nv", "bkl", "df", "vasc")
# The labels that get their factor; None for all.
DIAGNOSIS_MODES = {
    "benign": _BENIGN,
    "nevus": ("nv",),
    "all": None,
    "as_released": None,
    "shuffled": _BENIGN,
}


def class_weights(labels, classes, power=1.0, normalise=False, decimals=None):
    """Returns one weight per class that grows with its rarity: `(N / N_i) ** power`.

    Gessert et al. 2019 (gessert2019, loss weighting and Table III). Count only the training
    images: Köfler 2023 counted the test images too.

    Args:
        labels: Sequence of labels, one per training image.
        classes: Sequence of all class labels, which fixes the order of the result.
        power: Float, 0 for equal weights, 1 for inverse frequency.
        normalise: Whether the weights are scaled so that their mean over `labels` is 1. With
            `power=1` this is the "balanced" `N / (C * N_i)` of scikit-learn, used by koefler2023.
        decimals: Integer, to how many places the weights are rounded, as koefler2023 does; `None` for not.

    Returns:
        Dictionary from class label to weight, in the order of `classes`.

    Raises:
        ValueError: for a label that is not a class, or a class without images.

    Example:
        >>> class_weights(["nv", "nv", "nv", "mel"], ["mel", "nv"], power=0.5)
        {'mel': 2.0, 'nv': 1.15470053837925...}
    """
    counts = _counts(labels, classes)
    weights = (counts.sum() / counts) ** power
    if normalise:
        weights = weights * (counts.sum() / (counts * weights).sum())
    weights = weights if decimals is None else weights.round(decimals)
    return {label: float(weight) for label, weight in weights.items()}


def sample_weights(labels, weights):
    """Returns the weight of each image.

    Args:
        labels: Sequence of labels, one per image.
        weights: Dictionary from class label to weight.

    Returns:
        float32 array with one weight per label.

    Raises:
        ValueError: for a label without weight.
    """
    if not isinstance(weights, Mapping):
        raise ValueError(
            "`weights` is a dictionary from labels to weights, as class_weights(labels, classes) makes it. "
            f"Received: {weights!r}"
        )
    found = pd.Series(np.asarray(labels, dtype=object)).map(weights)
    if found.isna().any():
        missing = sorted({str(label) for label in np.asarray(labels, dtype=object)[found.isna()]})
        raise ValueError(f"No weight for {missing}. Received: weights for {list(weights)}")
    return found.to_numpy(dtype="float32")


def diagnosis_factors(rows, mode="benign", seed=0, table=None):
    """Returns one factor per image: the more costly its diagnosis was to confirm, the larger.

    Gessert et al. 2019 (gessert2019, II-F): expert consensus 1, serial imaging 2, confocal microscopy 3,
    histopathology 4, on the thought that what needs a biopsy is hard to see. The text has it for benign
    lesions, a comment of the released code for nevi; as executed, that code gives every class its factor,
    and in training reads it at a wrong place, which leaves it next to no correlation with the image.

    Args:
        rows: Manifest rows of the training images: `image_id`, `label`, `dx_type`.
        mode: `"benign"` (nv, bkl, df, vasc; all others 1), `"nevus"` (nv alone), `"all"` classes,
            `"as_released"` (`"all"`, read at an image's position among the training images from the
            table of all images, both sorted by image id), or `"shuffled"` (the factors of `"benign"`
            given to random images, as a control).
        seed: Integer, for `"shuffled"`.
        table: Manifest table of all images, training and other, for `"as_released"`.

    Returns:
        float64 array with one factor per row, 1 to 4.

    Raises:
        ValueError: for an unknown mode, a needed `dx_type` that is missing, or a missing `table`.
    """
    check_name("Modes", mode, DIAGNOSIS_MODES)
    if mode == "as_released":
        return _misplaced_factors(rows, table)
    factors = _factors(rows, DIAGNOSIS_MODES[mode])
    return np.random.default_rng(seed).permutation(factors) if mode == "shuffled" else factors


def diagnosis_weights(rows, classes, mode="benign", normalise=True, seed=0, table=None):
    """Returns the weight of each image: `N / N_i` times its factor (gessert2019, Table V).

    Args:
        rows: As in `diagnosis_factors`.
        classes: Sequence of all class labels.
        mode: As in `diagnosis_factors`.
        normalise: Whether the weights are scaled to mean 1, so that the factors do not raise the learning
            rate. The released code does not, and averages over the images of a batch.
        seed: As in `diagnosis_factors`.
        table: As in `diagnosis_factors`.

    Returns:
        float32 array with one weight per row.

    Raises:
        ValueError: as `diagnosis_factors`, and for a label that is not a class, or a class without images.

    Example:
        >>> rows = pd.DataFrame({"label": ["nv", "nv", "mel"], "dx_type": ["histo", "consensus", "histo"]})
        >>> diagnosis_weights(rows, ["mel", "nv"], normalise=False)
        array([6. , 1.5, 3. ], dtype=float32)
    """
    weights = sample_weights(rows["label"], class_weights(rows["label"], classes))
    weights = weights * diagnosis_factors(rows, mode, seed, table)
    return (weights / weights.mean() if normalise else weights).astype("float32")


def effective_weights(labels, strategies, batch_size):
    """Returns how much each class weighs in the updates of an epoch, for several strategies.

    Oversampling, loss weights and their reduction all come down to this: what an image's loss is
    multiplied by, summed over an epoch. (What the gradient makes of it depends on the images.)

    Args:
        labels: Sequence of labels, one per training image.
        strategies: Dictionary from a name to a dictionary of `order`, the row positions of an epoch in
            order; and where wanted `weights`, one loss weight per training image, and `reduction` as in
            `build_loss`.
        batch_size: Integer.

    Returns:
        DataFrame with one row per strategy: `updates`, then the share of each class in the total weight
        (0 to 1).

    Example:
        >>> effective_weights(["nv", "nv", "nv", "mel"], {
        ...     "none": {"order": [0, 1, 2, 3]}, "oversampling": {"order": [0, 3, 1, 3, 2, 3]}}, batch_size=2)
                      updates   mel    nv
        none                2  0.25  0.75
        oversampling        3  0.50  0.50
    """
    labels = np.asarray(labels, dtype=object)
    shares = {name: _shares(labels, batch_size, **parts) for name, parts in strategies.items()}
    table = pd.DataFrame(shares).fillna(0.0).T
    updates = [math.ceil(len(parts["order"]) / batch_size) for parts in strategies.values()]
    table.insert(0, "updates", updates)
    return table


def _shares(labels, batch_size, order, weights=None, reduction="sum_over_batch_size"):
    weights = np.ones(len(order)) if weights is None else np.asarray(weights, dtype=float)[order]
    batch = np.arange(len(order)) // batch_size
    divisors = weights if reduction == "mean_with_sample_weight" else np.ones(len(order))
    weights = weights / np.bincount(batch, divisors)[batch]
    return pd.Series(weights).groupby(labels[order]).sum() / weights.sum()


def _factors(rows, labels=None):
    """Factors by `dx_type`; 1 for labels other than these."""
    factors = pd.Series(np.asarray(rows["dx_type"], dtype=object)).map(_FACTORS).to_numpy(dtype=float)
    if labels is not None:
        factors = np.where(rows["label"].isin(labels), factors, 1.0)
    if (missing := np.isnan(factors)).any():
        first = int(np.argmax(missing))
        raise ValueError(
            f"Diagnosis weights need a `dx_type` of {', '.join(_FACTORS)}. Received: {missing.sum()} rows "
            f"without, first row {first} with dx_type={rows['dx_type'].iloc[first]}"
        )
    return factors


def _misplaced_factors(rows, table):
    if table is None:
        raise ValueError("Mode 'as_released' reads the factors of all images. Received: table=None")
    position = np.argsort(np.argsort(rows["image_id"].to_numpy(dtype=str)))
    return _factors(table.sort_values("image_id"))[position]


def _counts(labels, classes):
    if np.ndim(labels) != 1 or isinstance(classes, str):
        raise ValueError(
            "`labels` has one label an image, such as rows['label'], and `classes` is a sequence of all. "
            f"Received: labels of shape {np.shape(labels)}, classes={classes!r}"
        )
    counts = pd.Series(np.asarray(labels, dtype=object)).value_counts(dropna=False)
    if unknown := [label for label in counts.index if label not in set(classes)]:
        raise ValueError(f"Labels {unknown} are not classes. Received: classes={list(classes)}")
    counts = counts.reindex(classes, fill_value=0).astype(float)
    if empty := list(counts.index[counts == 0]):
        raise ValueError(
            f"No training image of {empty}, so no weight can balance it. Take a larger subset or "
            "drop the class"
        )
    return counts
