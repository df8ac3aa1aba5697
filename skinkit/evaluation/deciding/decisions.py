"""Decisions that make up for how often each class was in training, chosen on validation images."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from skinkit.evaluation.prediction_arrays import check_predictions, check_probabilities
from skinkit.evaluation.scores import score
from skinkit.values import Share, check_value

TAUS = tuple(step / 20 for step in range(21))


@dataclass(frozen=True)
class Decision:
    """A rule: of all classes, the one whose log p - tau log(training share) is largest.

    Args:
        tau: Float, 0 to 1; 0 decides for the likeliest class.
        shares: Mapping from each class to its share of the training images, above 0.

    Reference:
    - [Menon et al.: Long-tail learning via logit adjustment](https://arxiv.org/abs/2007.07314)
    """

    tau: Share
    shares: Mapping[str, float]

    def __post_init__(self):
        check_value("Decision", "tau", self.tau, Share)
        if lacking := [label for label, share in self.shares.items() if not 0 < share <= 1]:
            raise ValueError(
                f"Decision: a class that was not in training has no share to make up for. Received: "
                f"{', '.join(lacking)} with {self.shares[lacking[0]]}"
            )

    def apply(self, probabilities, labels):
        """Returns numbers whose largest is the decision; they are not calibrated probabilities.

        Args:
            probabilities: Array `(n, C)`, values 0 to 1.
            labels: Sequence of the `C` class names, in the order of the columns.

        Returns:
            float64 array `(n, C)`, rows that sum to 1.

        Raises:
            ValueError: for a class without a share, or bad probabilities.
        """
        probabilities = check_probabilities(probabilities, labels)
        if lacking := [label for label in labels if label not in self.shares]:
            raise ValueError(f"Decision: {lacking[0]} has no share. Received: {', '.join(self.shares)}")
        # p / share ** tau has the same order as its logarithm, and p may be 0.
        raised = probabilities / np.array([self.shares[label] for label in labels]) ** self.tau
        sums = raised.sum(axis=1, keepdims=True)
        return raised / np.where(sums > 0, sums, 1)


def choose_decision(y_true, probabilities, labels, shares, taus=TAUS):
    """Chooses the `Decision` with the best macro recall; of equals the one with the least tau.

    Args:
        y_true: As in `summary`, of validation images.
        probabilities: As in `summary`, of these images.
        labels: As in `summary`.
        shares: As in `Decision`.
        taus: Sequence of floats, 0 to 1.

    Returns:
        `Decision`. On few images its tau is a matter of luck: look at both scores on others.

    Raises:
        ValueError: on bad input.

    Example:
        >>> shares = trained_on["label"].value_counts(normalize=True).to_dict()
        >>> rule = choose_decision(y, p, labels, shares)
        >>> score("macro_recall", test_y, rule.apply(test_p, labels), labels)
    """
    check_predictions(y_true, probabilities, labels)
    rules = [Decision(tau, shares) for tau in sorted(taus)]
    return max(
        rules, key=lambda rule: score("macro_recall", y_true, rule.apply(probabilities, labels), labels)
    )


def decide_out_of_fold(y_true, probabilities, labels, folds, taus=TAUS):
    """Applies to the images of each fold the rule, and the shares, of those of all others.

    So no image has a say in its own decision but by the networks of the other folds, which trained on it.

    Args:
        y_true: As in `summary`, of images out of fold.
        probabilities: As in `summary`, each row by the network that did not train on the image.
        labels: As in `summary`.
        folds: Sequence of `n` folds, two different ones at least.
        taus: As in `choose_decision`.

    Returns:
        float64 array `(n, C)`, as `Decision.apply` returns it.

    Raises:
        ValueError: on bad input.
    """
    _, probabilities, labels = check_predictions(y_true, probabilities, labels)
    truth, folds, found = np.asarray(y_true, object), np.asarray(folds), np.empty_like(probabilities)
    if folds.shape != truth.shape or len(np.unique(folds)) < 2:
        raise ValueError(
            f"`folds` holds one of two folds or more for each of the {len(truth)} images. "
            f"Received: {len(folds)} with {len(np.unique(folds))} different ones"
        )
    for fold in np.unique(folds):
        inside = folds == fold
        names, counts = np.unique(truth[~inside].astype(str), return_counts=True)
        shares = dict(zip(names.tolist(), (counts / counts.sum()).tolist(), strict=True))
        rule = choose_decision(truth[~inside], probabilities[~inside], labels, shares, taus)
        found[inside] = rule.apply(probabilities[inside], labels)
    return found
