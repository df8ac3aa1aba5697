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
        """Returns numbers whose largest is the decision; they are no calibrated probabilities.

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
        y_true: As in `summary`, of validation images, or of images that other folds trained on.
        probabilities: As in `summary`, of these images.
        labels: As in `summary`.
        shares: As in `Decision`.
        taus: Sequence of floats, 0 to 1.

    Returns:
        `Decision`. On few images its tau is a matter of luck: look at both scores on others.

    Raises:
        ValueError: on bad input.

    Example:
        >>> rule = choose_decision(y, p, labels, training_shares(trained_on, labels))
        >>> score("macro_recall", test_y, rule.apply(test_p, labels), labels)
    """
    check_predictions(y_true, probabilities, labels)
    rules = [Decision(tau, shares) for tau in sorted(taus)]
    return max(
        rules, key=lambda rule: score("macro_recall", y_true, rule.apply(probabilities, labels), labels)
    )


def training_shares(trained_on, labels):
    """Returns the share of each class among labels of training images, by class.

    Example:
        >>> training_shares(["nv", "nv", "nv", "mel"], ["mel", "nv"])
        {'mel': 0.25, 'nv': 0.75}
    """
    trained_on = np.asarray(trained_on, object)
    return {label: float(np.mean(trained_on == label)) for label in labels}
