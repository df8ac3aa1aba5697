"""Figures of predictions and of training: ROC, precision-recall, calibration, learning."""

import numpy as np
import pandas as pd

from skinkit.plots.style import colour_of, grid_of_axes, one_axes, shade


def roc_curves(y_true, probabilities, labels, intervals=None, ax=None):
    """ROC curve of each class against the rest, with its area.

    Args:
        y_true: Sequence of `n` labels.
        probabilities: Array `(n, C)`.
        labels: Sequence of class names in column order.
        intervals: DataFrame of `bootstrap_intervals` with the metrics "auc:<class>", or `None`.
        ax: Matplotlib axes, or `None`.

    Returns:
        Matplotlib Figure. Classes without true images are named, not drawn.
    """
    from sklearn.metrics import auc, roc_curve

    figure, ax = one_axes(ax, (6, 6))
    for label, truth, column in _one_vs_rest(y_true, probabilities, labels, ax):
        x, y, _ = roc_curve(truth, column)
        text = _with_interval(auc(x, y), intervals, f"auc:{label}")
        ax.plot(x, y, color=colour_of(label), label=f"{label} (n = {truth.sum()}): {text}")
    ax.plot([0, 1], [0, 1], color="#BBBBBB", linestyle=":", zorder=0)
    ax.set(xlabel="1 - specificity", ylabel="sensitivity", aspect="equal")
    ax.set_title(f"ROC, one class against the rest (n = {len(probabilities)})")
    ax.legend(title="area", fontsize=8)
    return figure


def precision_recall_curves(y_true, probabilities, labels, intervals=None, ax=None):
    """Precision-recall curve of each class against the rest, with its average precision.

    Args:
        y_true: As in `roc_curves`.
        probabilities: As in `roc_curves`.
        labels: As in `roc_curves`.
        ax: As in `roc_curves`.
        intervals: DataFrame of `bootstrap_intervals` with "average_precision:<class>", or `None`.

    Returns:
        Matplotlib Figure.
    """
    from sklearn.metrics import average_precision_score, precision_recall_curve

    figure, ax = one_axes(ax, (6, 6))
    for label, truth, column in _one_vs_rest(y_true, probabilities, labels, ax):
        precision, recall, _ = precision_recall_curve(truth, column)
        value = average_precision_score(truth, column)
        text = _with_interval(value, intervals, f"average_precision:{label}")
        style = {"color": colour_of(label), "label": f"{label} (n = {truth.sum()}): {text}"}
        ax.step(recall, precision, where="post", **style)
    ax.set(xlabel="recall", ylabel="precision", xlim=(0, 1.02), ylim=(0, 1.02))
    ax.set_title(f"Precision and recall (n = {len(probabilities)})")
    ax.legend(title="average precision", fontsize=8)
    return figure


def reliability_diagram(table, ax=None):
    """Accuracy against confidence, with Wilson's 95 % interval and the images of each bin.

    Args:
        table: Result of `skinkit.evaluation.reliability_table`.
        ax: Matplotlib axes, or `None`.

    Returns:
        Matplotlib Figure.
    """
    from scipy.stats import binomtest

    figure, ax = one_axes(ax, (6, 6))
    rows = table[table["n"] > 0]
    x, y, n = (rows[name].to_numpy(float) for name in ("confidence", "accuracy", "n"))
    ends = [binomtest(round(share * number), round(number)) for share, number in zip(y, n, strict=True)]
    low, high = np.transpose([found.proportion_ci(method="wilson") for found in ends])
    errors = np.clip([y - low, high - y], 0, None)
    ax.plot([0, 1], [0, 1], color="#BBBBBB", linestyle=":", zorder=0)
    ax.errorbar(x, y, yerr=errors, fmt="o", color="#0072B2", capsize=3)
    for point in zip(x, high, n, strict=True):
        ax.annotate(f"{point[2]:.0f}", point[:2], (0, 3), textcoords="offset points", ha="center")
    gap = np.average(np.abs(x - y), weights=n)
    title = f"Calibration (n = {n.sum():.0f}, error {gap:.3f} in {len(table)} bins)"
    ax.set(xlabel="confidence", ylabel="accuracy", xlim=(0, 1), ylim=(0, 1.08), title=title)
    return figure


def learning_curves(history, metrics=("loss", "accuracy"), axes=None):
    """Training and validation curves, one panel a metric; lines lead on over epochs without a score.

    Args:
        history: DataFrame with the metrics and their `val_` twins (missing ones are left out),
            `epoch` if it does not count from 0, and `phase` if training had several.
        metrics: Sequence of names of the panels; those not in `history` are left out.
        axes: Matplotlib axes, one a panel, or `None`.

    Returns:
        Matplotlib Figure.

    Raises:
        ValueError: if no metric is in `history`.
    """
    found = [name for name in metrics if name in history or f"val_{name}" in history]
    if not found:
        raise ValueError(
            f"None of {', '.join(metrics)} is in history. Received: history with {', '.join(history)}"
        )
    figure, axes = grid_of_axes(len(found), axes, (4.5, 3.5))
    epochs = history["epoch"] if "epoch" in history else pd.Series(range(len(history)))
    for name, ax in zip(found, axes, strict=True):
        for column, style in ((name, "-"), (f"val_{name}", "--")):
            if column in history:
                word = "validation" if column.startswith("val_") else "training"
                told = history[column].notna().to_numpy()
                line = epochs[told], history.loc[told, column]
                ax.plot(*line, style, color="#0072B2", label=word, marker=".")
        if "phase" in history:
            starts = history["phase"].ne(history["phase"].shift()).to_numpy()
            for epoch in epochs[starts][1:]:
                ax.axvline(epoch - 0.5, color="#999999", linestyle=":")
        ax.set(xlabel="epoch", title=name)
        ax.legend(fontsize=8)
    return figure


def compared_curves(panels, columns=3):
    """Curves of several trainings: training solid, validation dashed, a colour each.

    Args:
        panels: Mapping from a title to `(metric, histories)`: a name of `learning_curves`, and a mapping from
            names to histories, or to a list of them where one was trained several times.
        columns: Integer, panels side by side.

    Returns:
        Matplotlib Figure. A panel without values is empty.
    """
    figure, axes = grid_of_axes(len(panels), None, (4, 3), columns)
    for ax, (title, (metric, histories)) in zip(axes, panels.items(), strict=True):
        for (name, found), colour in zip(histories.items(), shade(len(histories)), strict=True):
            for history in [found] if isinstance(found, pd.DataFrame) else found:
                for column, style in ((metric, "-"), (f"val_{metric}", "--")):
                    if column in history:
                        told = history.dropna(subset=column)
                        marker = "." if len(told) == 1 else None
                        ax.plot(told["epoch"], told[column], style, color=colour, linewidth=1, marker=marker)
            ax.plot([], [], color=colour, label=name)
        ax.set(title=title, xlabel="epoch", ylabel=metric)
        ax.legend(fontsize=8)
    return figure


def roc_of_runs(runs, ax=None):
    """ROC curves of several models for one class against the rest, from the largest area to the smallest.

    Args:
        runs: Mapping from names to lists of `(truth, score)`, one a training: Boolean and float arrays
            `(n,)`.
        ax: Matplotlib axes, or `None`.

    Returns:
        Matplotlib Figure; an area is the mean over the trainings, with the smallest and the largest.
    """
    from sklearn.metrics import roc_auc_score, roc_curve

    figure, ax = one_axes(ax, (6, 6))
    areas = {name: [roc_auc_score(*each) for each in found] for name, found in runs.items()}
    order = sorted(runs, key=lambda name: -np.mean(areas[name]))
    for name, colour in zip(order, shade(len(order)), strict=True):
        for truth, score in runs[name]:
            ax.plot(*roc_curve(truth, score)[:2], color=colour, linewidth=1)
        found = areas[name]
        spread = f" [{min(found):.3f}, {max(found):.3f}]" if len(found) > 1 else ""
        ax.plot([], [], color=colour, label=f"{name}: {np.mean(found):.3f}{spread}")
    ax.plot([0, 1], [0, 1], color="#BBBBBB", linestyle=":", zorder=0)
    ax.set(xlabel="1 - specificity", ylabel="sensitivity", aspect="equal")
    ax.legend(title="area", fontsize=8)
    return figure


def _one_vs_rest(y_true, probabilities, labels, ax):
    """Yields `(label, truth, column)` of each class that can be ranked against the rest."""
    y_true, probabilities = np.asarray(y_true, dtype=object), np.asarray(probabilities)
    for i, label in enumerate(labels):
        truth = y_true == label
        if truth.any() and not truth.all():
            yield label, truth, probabilities[:, i]
        else:
            ax.plot([], [], color=colour_of(label), label=f"{label} (n = {truth.sum()}): none")


def _with_interval(value, intervals, metric):
    if intervals is None or metric not in intervals.index:
        return f"{value:.3f}"
    low, high = intervals.loc[metric, ["low", "high"]]
    return f"{value:.3f}" if pd.isna(low) else f"{value:.3f} [{low:.3f}, {high:.3f}]"
