"""Net benefit of acting on a class' probability, against acting on all images and on none."""

import numpy as np

from skinkit.evaluation.deciding.thresholds import one_class
from skinkit.evaluation.uncertainty.intervals import interval_table, weightings

THRESHOLDS = tuple(percent / 100 for percent in range(1, 51))


def decision_curve(
    y_true, probabilities, labels, thresholds=THRESHOLDS, positive=None, groups=None, resamples=1000, seed=0
):
    """Net benefit of taking out what reaches a threshold of its probability (Vickers and Elkin 2006).

    Whoever takes out lesions from a probability `t` on holds a missed one for `(1 - t) / t` times as bad as
    one that is cut in vain. So the net benefit is `found / n - in_vain / n * t / (1 - t)`. A model is of use
    at a threshold where it lies above both that of taking out all and 0, that of none. It holds for
    calibrated probabilities, and where the class is as frequent as among these images.

    Args:
        y_true: As in `summary`.
        probabilities: As in `summary`.
        labels: As in `summary`.
        thresholds: Sequence of floats between 0 and 1.
        positive: As in `summary`.
        groups: As in `bootstrap_intervals`.
        resamples: As in `bootstrap_intervals`.
        seed: As in `bootstrap_intervals`.

    Returns:
        DataFrame, index `threshold`: `net_benefit`, `low` and `high` (95 %), `all` (the net benefit of taking
        out all), and `gain`, `gain_low` and `gain_high`: net benefit less the better of all and none, whose
        interval is above 0 where the images show a use.

    Raises:
        ValueError: on bad input, or a threshold outside 0 to 1.

    Example:
        >>> decision_curve(y, p, labels, thresholds=[0.1], groups=lesions)["gain"]
    """
    _, scores, is_it = one_class(y_true, probabilities, labels, positive)
    t = np.asarray(thresholds, dtype=np.float64)
    if not ((t > 0) & (t < 1)).all():
        raise ValueError(f"thresholds must lie between 0 and 1. Received: {list(thresholds)}")
    each = np.where(is_it[:, None], 1.0, -t / (1 - t))
    called = np.where(scores[:, None] >= t, each, 0.0)

    def benefits(weights):
        share = weights / weights.sum(axis=1, keepdims=True)
        model, everyone = share @ called, share @ each
        return np.concatenate([model, everyone, model - np.maximum(everyone, 0)], axis=1)

    resampled = [benefits(weights) for weights in weightings(groups, len(scores), resamples, seed)]
    found = interval_table(np.tile(t, 3), benefits(np.ones((1, len(scores))))[0], resampled)
    model, everyone, gain = (found.iloc[i * len(t) : (i + 1) * len(t)] for i in range(3))
    table = (
        model[["value", "low", "high"]].rename(columns={"value": "net_benefit"}).assign(all=everyone["value"])
    )
    gain = gain[["value", "low", "high"]].set_axis(["gain", "gain_low", "gain_high"], axis=1)
    return table.join(gain).rename_axis("threshold")
