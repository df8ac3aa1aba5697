"""Ensembles: the predictions of several networks joined into one."""

import numpy as np

from skinkit.evaluation.prediction_arrays import check_predictions, check_probabilities, unpack_predictions
from skinkit.names import check_name

_FOLDS = 5
# Below it a network's probability is 0: it computes in float32.
_SMALLEST = np.finfo(np.float32).tiny


def mean(probabilities, weights):
    """Returns the weighted mean of probabilities."""
    return np.tensordot(weights, probabilities, axes=1)


def geometric_mean(probabilities, weights):
    """Returns the product of probabilities to the power of their weights, made to sum to 1."""
    logarithms = np.log(np.maximum(probabilities, _SMALLEST))
    means = np.exp(np.tensordot(weights, logarithms, axes=1))
    return means / means.sum(axis=-1, keepdims=True)


def rank_mean(probabilities, weights):
    """Returns the weighted mean of each image's rank in a class among all images, from 1 / n to 1.

    Equal probabilities share the mean of their ranks. Rows do not sum to 1, and the answer for an image
    depends on the others: it is for scores of a class that count order alone, such as the AUC.
    """
    from scipy.stats import rankdata

    return mean(rankdata(probabilities, axis=1) / probabilities.shape[1], weights)


# Functions of members' probabilities `(members, n, classes)` and of their weights, which sum to 1.
ENSEMBLE_RULES = {"mean": mean, "geometric_mean": geometric_mean, "rank_mean": rank_mean}


def join_members(predictions, rule="mean", weights=None):
    """Returns the predictions table of an ensemble from those of its members.

    Args:
        predictions: Mapping from the name of each member to its predictions table.
        rule: String, a key of `ENSEMBLE_RULES`.
        weights: Sequence of numbers from 0 on that sum to 1, one for each member; `None` for equal ones.

    Returns:
        DataFrame, rows and other columns as in the first table.

    Raises:
        ValueError: for no member, other classes or labels, images that a member lacks, with counts, an
            unknown rule, or bad weights.

    Example:
        >>> both = join_members({"seed0": predictions, "seed1": predictions}, "geometric_mean")
    """
    if not predictions:
        raise ValueError("An ensemble has one member or more. Received: none")
    check_name("Rules of ensembles", rule, ENSEMBLE_RULES)
    weights = check_weights(weights, len(predictions))
    first = next(iter(predictions.values())).reset_index(drop=True)
    _, _, labels = unpack_predictions(first)
    columns = [f"p_{label}" for label in labels]
    stacked = [_aligned(name, table, first, columns) for name, table in predictions.items()]
    found = ENSEMBLE_RULES[rule](np.stack(stacked), weights)
    return first.assign(**dict(zip(columns, found.T, strict=True)))


def _aligned(name, table, first, columns):
    """The probabilities of a member in the order of the first one's images."""
    _, _, labels = unpack_predictions(table)
    if [f"p_{label}" for label in labels] != columns:
        expected = ", ".join(column.removeprefix("p_") for column in columns)
        raise ValueError(
            f"Members of an ensemble have equal classes: {expected}. Received: {', '.join(labels)} of {name}"
        )
    images, table = first["image_id"], table.set_index("image_id")
    lacking = images[~images.isin(table.index)]
    others, repeated = len(table.index.difference(images)), int(table.index.duplicated().sum())
    if len(lacking) or others or repeated:
        named = f" (first {lacking.iat[0]})" if len(lacking) else ""
        raise ValueError(
            f"All members predict the same images, each once. Received: {name}, which lacks {len(lacking)} "
            f"of {len(images)} images{named}, has {others} others and {repeated} repeated"
        )
    table = table.loc[images]
    if wrong := int((table["label"].to_numpy() != first["label"].to_numpy()).sum()):
        raise ValueError(f"Members know the same labels. Received: {wrong} other labels in {name}")
    return check_probabilities(table[columns].to_numpy(), labels, images.to_numpy())


def check_weights(weights, count):
    """Returns the weights of `count` members as an array; equal ones for `None`.

    Raises:
        ValueError: unless there is one for each, from 0 on, and they sum to 1.
    """
    if weights is None:
        return np.full(count, 1 / count)
    found = np.asarray(weights, float)
    if found.shape != (count,) or not (found >= 0).all() or abs(found.sum() - 1) > 1e-6:
        raise ValueError(
            f"The weights of {count} members are {count} numbers from 0 on that sum to 1. "
            f"Received: {np.ravel(weights).tolist()}"
        )
    return found


def choose_weights(y_true, probabilities, labels, groups, rule="mean"):
    """Chooses the weights of an ensemble's members by the likelihood of validation images.

    They are not negative and sum to 1. Each of five inner folds is first scored with weights chosen on the
    others; where that is not better than equal weights, the weights stay equal.

    Args:
        y_true: As in `summary`, of images that no member was trained on.
        probabilities: Array `(members, n, classes)`.
        labels: As in `summary`.
        groups: Sequence of `n` keys, such as lesions: a group is in one inner fold. Two at least.
        rule: String, `"mean"` or `"geometric_mean"`; ranks have no likelihood.

    Returns:
        float64 array `(members,)`.

    Raises:
        ValueError: for another rule, fewer than two groups, or bad input.

    Example:
        >>> weights = choose_weights(y, np.stack([p, p]), labels, lesions)
        >>> ENSEMBLE_RULES["mean"](np.stack([test_p, test_p]), weights)
    """
    from sklearn.model_selection import GroupKFold

    check_name("Rules with a likelihood", rule, [name for name in ENSEMBLE_RULES if name != "rank_mean"])
    probabilities = np.asarray(probabilities, float)
    for each in probabilities:
        truth, _, _ = check_predictions(y_true, each, labels)
    groups = np.asarray(groups)
    if (count := len(np.unique(groups))) < 2:
        raise ValueError(f"Weights are chosen on two groups of images or more. Received: {count}")
    equal = check_weights(None, len(probabilities))
    folds = GroupKFold(min(_FOLDS, count)).split(truth, groups=groups)
    gains = [
        _loss(equal, truth[left], probabilities[:, left], rule)
        - _loss(_fit(truth[kept], probabilities[:, kept], rule), truth[left], probabilities[:, left], rule)
        for kept, left in folds
    ]
    return _fit(truth, probabilities, rule) if sum(gains) > 0 else equal


def _fit(truth, probabilities, rule):
    """The weights with the least loss, which is convex in them."""
    from scipy.optimize import minimize

    def loss(weights):
        return _loss(weights, truth, probabilities, rule) / len(truth)

    equal = check_weights(None, len(probabilities))
    sum_is_one = {"type": "eq", "fun": lambda weights: weights.sum() - 1}
    limits = {"bounds": [(0, 1)] * len(equal), "constraints": sum_is_one, "options": {"ftol": 1e-9}}
    found = minimize(loss, equal, method="SLSQP", **limits).x.clip(min=0).round(6)
    return found / found.sum()


def _loss(weights, truth, probabilities, rule):
    """The summed negative logarithm of what the true classes are given."""
    found = ENSEMBLE_RULES[rule](probabilities, weights)[np.arange(len(truth)), truth]
    return -np.log(np.maximum(found, _SMALLEST)).sum()
