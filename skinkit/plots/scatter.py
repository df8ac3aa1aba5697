"""Figure of features in the plane."""

import numpy as np
import pandas as pd

from skinkit.plots.style import colour_of, one_axes


def embedding(points, labels, separability=None, ax=None):
    """Feature vectors in the plane, coloured by class; rare classes lie on top.

    Figures 24 to 26 of hernandez2020. The axes have no unit, and gaps between the clouds mean nothing: the
    number beside the figure does.

    Args:
        points: Array `(n, 2)` of `skinkit.explain.embed`.
        labels: Sequence of `n` class names.
        separability: Row of `skinkit.evaluation.bootstrap_intervals` (`value`, `low`, `high`) for the ROC
            AUC of `skinkit.explain.linear_probe`, or None.
        ax: Matplotlib axes, or `None`.

    Returns:
        Matplotlib Figure.
    """
    figure, ax = one_axes(ax, (5.5, 5))
    points, labels = np.asarray(points), pd.Series(np.asarray(labels, dtype=object))
    size = float(np.clip(3000 / len(points), 3, 40))
    for order, (label, count) in enumerate(labels.value_counts().items()):
        chosen = points[(labels == label).to_numpy()]
        style = {"s": size, "color": colour_of(label), "alpha": 0.7, "linewidths": 0, "zorder": order + 1}
        ax.scatter(chosen[:, 0], chosen[:, 1], label=f"{label} (n = {count})", **style)
    ax.set(xticks=[], yticks=[], aspect="equal")
    if separability is not None:
        value, low, high = (separability[name] for name in ("value", "low", "high"))
        ends = "" if pd.isna(low) else f" [{low:.2f}, {high:.2f}]"
        ax.set_title(f"linear probe: AUC {value:.2f}{ends}", fontsize=10)
    ax.legend(fontsize=8)
    return figure
