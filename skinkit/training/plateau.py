"""Plateaus of a score: a lower learning rate, and the end of the phase."""

import math
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Plateau:
    """Ends a phase on a plateau of a score, and before that may lower its learning rate.

    The autoencoder of hernandez2020 (its reference 40) does both. The decision follows from the saved scores
    of the phase alone, so that a resumed phase goes on as an undisturbed one. Keras' own callbacks count in
    memory and begin anew.

    Args:
        monitor: Name of the score of `validate`, the larger the better.
        stop: Integer, epochs without improvement after which the phase ends. As good is not better.
        factor: Float in (0, 1), of a constant rate; `None` leaves the rate to its schedule.
        patience: Integer, epochs without improvement after which the rate is lowered, and again after as
            many more; `None` without a factor.

    Example:
        >>> Plateau("psnr", factor=0.8, patience=2, stop=3).stops([1.0, 2.0, 1.5, 2.0, 1.9])
        True
    """

    monitor: str
    stop: int
    factor: float | None = None
    patience: int | None = None

    def __post_init__(self):
        lowers = self.factor is not None and 0 < self.factor < 1 and (self.patience or 0) >= 1
        if self.stop < 1 or not (lowers or self.factor is self.patience is None):
            raise ValueError(
                "A plateau has a stop of 1 epoch or more, and to lower the rate a factor between 0 and 1 and "
                f"a patience of 1 epoch or more. Received: {self}"
            )

    def lowers(self, scores: Sequence[float]) -> bool:
        """Returns whether the rate is lowered after the last of these epochs' scores."""
        waited = _without_improvement(scores)
        return self.patience is not None and waited > 0 and waited % self.patience == 0

    def stops(self, scores: Sequence[float]) -> bool:
        """Returns whether the phase ends after the last of these epochs' scores."""
        return _without_improvement(scores) >= self.stop


def _without_improvement(scores):
    """Epochs since the best one: of equals the first; any score beats one that is not a number."""
    known = [-math.inf if math.isnan(score) else score for score in scores]
    return len(known) - 1 - known.index(max(known)) if known else 0
