"""Plateaus of a score: a lower learning rate, and the end of the phase."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Plateau:
    """Lowers the learning rate on a plateau, then stops the phase.

    The autoencoder of hernandez2020 (its reference 40). The decision follows from the saved scores of the
    phase alone, so that a resumed phase goes on as an undisturbed one. Keras' own callbacks count in memory
    and begin anew.

    Args:
        monitor: Name of the score of `validate`, the larger the better.
        factor: Float in (0, 1), of the rate.
        patience: Integer, epochs without improvement after which the rate is lowered, and again after as
            many more.
        stop: Integer, epochs without improvement after which the phase ends.

    Example:
        >>> Plateau("psnr", factor=0.8, patience=2, stop=3).stops([1.0, 2.0, 1.5, 2.0, 1.9])
        True
    """

    monitor: str
    factor: float
    patience: int
    stop: int

    def __post_init__(self):
        if not 0 < self.factor < 1 or self.patience < 1 or self.stop < 1:
            raise ValueError(
                "A plateau has a factor between 0 and 1, and a patience and a stop of 1 epoch or more. "
                f"Received: {self}"
            )

    def lowers(self, scores: Sequence[float]) -> bool:
        """Returns whether the rate is lowered after the last of these epochs' scores."""
        waited = _without_improvement(scores)
        return waited > 0 and waited % self.patience == 0

    def stops(self, scores: Sequence[float]) -> bool:
        """Returns whether the phase ends after the last of these epochs' scores."""
        return _without_improvement(scores) >= self.stop


@dataclass(frozen=True)
class EarlyStop:
    """Stops the phase on a plateau, whatever its rate does; by the saved scores, as `Plateau` does.

    Args:
        monitor: Name of the score of `validate`, the larger the better.
        stop: Integer, epochs without improvement after which the phase ends. As good is not better.
    """

    monitor: str
    stop: int

    def lowers(self, scores: Sequence[float]) -> bool:
        """Returns `False`: the rate is that of the schedule."""
        return False

    def stops(self, scores: Sequence[float]) -> bool:
        """Returns whether the phase ends after the last of these epochs' scores."""
        return _without_improvement(scores) >= self.stop


def _without_improvement(scores):
    """Epochs since the best one; of equals the first is the best."""
    return len(scores) - 1 - max(range(len(scores)), key=scores.__getitem__) if scores else 0
