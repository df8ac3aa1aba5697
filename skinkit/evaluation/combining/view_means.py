"""Means of the predictions of several views or crops of an image."""

import numpy as np

from skinkit.names import check_name

MEANS = ("probabilities", "logits")


def check_mean(of="probabilities"):
    """Raises `ValueError` for a mean that `mean_over_views` does not know."""
    check_name("Means", of, MEANS)


def mean_over_views(probabilities, of="probabilities"):
    """Returns the mean prediction of several views or crops of each image.

    Args:
        probabilities: Array `(n, views, classes)`, each row summing to 1.
        of: `"probabilities"` (gessert2019, section II-D), or `"logits"` (bermeo2023, released code): the
            softmax of the mean logits, which is the geometric mean of the probabilities made to sum to 1.

    Returns:
        Array `(n, classes)`, each row summing to 1.

    Raises:
        ValueError: for an unknown mean.
    """
    check_mean(of)
    if of == "probabilities":
        return probabilities.mean(axis=1)
    smallest = np.finfo(probabilities.dtype).tiny
    means = np.exp(np.log(np.maximum(probabilities, smallest)).mean(axis=1))
    return means / means.sum(axis=-1, keepdims=True)
