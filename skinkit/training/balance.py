"""Weights which balance the classes in the loss."""

import numpy as np
import pandas as pd


def class_weights(labels, classes, power=1.0, normalise=False):
    """Returns one weight per class that grows with its rarity: `(N / N_i) ** power`.

    Gessert et al. 2019 (gessert2019, loss weighting and Table III). Count only the training
    images: Köfler 2023 counted the test images too.

    Args:
        labels: Sequence of labels, one per training image.
        classes: Sequence of all class labels, which fixes the order of the result.
        power: Float, 0 for equal weights, 1 for inverse frequency.
        normalise: Whether the weights are scaled so that their mean over `labels` is 1. With
            `power=1` this is the "balanced" `N / (C * N_i)` of scikit-learn, used by koefler2023.

    Returns:
        Dictionary from class label to weight, in the order of `classes`.

    Raises:
        ValueError: for a label that is no class, or a class without images.

    Example:
    >>> class_weights(["nv", "nv", "nv", "mel"], ["mel", "nv"], power=0.5)
    {'mel': 2.0, 'nv': 1.1547005383792517}
    """
    counts = _counts(labels, classes)
    weights = (counts.sum() / counts) ** power
    if normalise:
        weights = weights * (counts.sum() / (counts * weights).sum())
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
    found = pd.Series(np.asarray(labels, dtype=object)).map(weights)
    if found.isna().any():
        missing = sorted({str(label) for label in np.asarray(labels, dtype=object)[found.isna()]})
        raise ValueError(f"No weight for {missing}. Received: weights for {list(weights)}")
    return found.to_numpy(dtype="float32")


def _counts(labels, classes):
    counts = pd.Series(np.asarray(labels, dtype=object)).value_counts(dropna=False)
    if unknown := [label for label in counts.index if label not in set(classes)]:
        raise ValueError(f"Labels {unknown} are no classes. Received: classes={list(classes)}")
    counts = counts.reindex(classes, fill_value=0).astype(float)
    if empty := list(counts.index[counts == 0]):
        raise ValueError(
            f"No training image of {empty}, so no weight can balance it. Take a larger subset or "
            "drop the class"
        )
    return counts
