"""Bars, matrices and intervals: counts, confusions, leakage, scores, the ledger."""

from collections.abc import Mapping
from itertools import cycle

import numpy as np
import pandas as pd

from skinkit.plots.style import OTHER, colour_of, one_axes, shade

_VERDICTS = {
    **{"reproduced": ("#009E73", "o"), "not reproduced": ("#D55E00", "X")},
    **{"within": ("#009E73", "."), "outside": ("#D55E00", "x")},
}


def class_counts(table, labels=None, ax=None):
    """Images and lesions of each class.

    Args:
        table: Manifest table, or any with `label` and, if known, `lesion_id`.
        labels: Sequence of classes in the order wanted; `None` for the most frequent first.
        ax: Matplotlib axes, or `None`.

    Returns:
        Matplotlib Figure.
    """
    figure, ax = one_axes(ax)
    images = table["label"].value_counts()
    labels = list(images.index if labels is None else labels)
    counts = pd.DataFrame({"images": images.reindex(labels, fill_value=0)})
    if "lesion_id" in table.columns and table["lesion_id"].notna().any():
        lesions = table.groupby("label")["lesion_id"].nunique()
        counts["lesions"] = lesions.reindex(labels, fill_value=0)
    width = 0.8 / counts.shape[1]
    for i, (name, values) in enumerate(counts.items()):
        bars = ax.bar(
            np.arange(len(labels)) + i * width,
            values.to_numpy(int),
            width,
            color=[colour_of(label) for label in labels],
            hatch=None if name == "images" else "///",
            edgecolor="white",
        )
        ax.bar_label(bars, fontsize=8)
    ax.set_xticks(np.arange(len(labels)) + (counts.shape[1] - 1) * width / 2, labels)
    hatched = ", lesions hatched" if "lesions" in counts else ""
    ax.set(ylabel="number", title=f"Images of each class (n = {len(table)}{hatched})")
    return figure


def confusion_matrix(matrix, labels, ax=None):
    """Confusion matrix, coloured by the share of the true class.

    Args:
        matrix: Array of counts `(C, C)`, or DataFrame of `confusion_table`, rows truth.
        labels: Sequence of class names in this order.
        ax: Matplotlib axes, or `None`.

    Returns:
        Matplotlib Figure.
    """
    import seaborn as sns

    figure, ax = one_axes(ax, (6.5, 5.5))
    matrix = np.asarray(matrix)
    support = matrix.sum(axis=1, keepdims=True)
    shares = matrix / np.maximum(support, 1)
    pairs = zip(matrix.ravel(), shares.ravel(), strict=True)
    notes = np.array([f"{count:g}\n{share:.0%}" for count, share in pairs]).reshape(matrix.shape)
    rows = [f"{label}\nn = {n:g}" for label, n in zip(labels, support[:, 0], strict=True)]
    style = {"cmap": "Blues", "vmin": 0, "vmax": 1, "annot_kws": {"fontsize": 8}}
    sns.heatmap(shares, annot=notes, fmt="", xticklabels=labels, yticklabels=rows, ax=ax, **style)
    ax.tick_params(axis="y", rotation=0)
    right = np.trace(matrix) / max(matrix.sum(), 1)
    title = f"{right:.1%} of {matrix.sum():g} images right; shares of the true class"
    ax.set(xlabel="predicted", ylabel="true", title=title)
    return figure


def leakage_bars(reports, kind="lesion", ax=None):
    """Share of evaluation images that training has seen, for each class.

    Args:
        reports: DataFrame, one leakage report (index "all" and the classes, columns `n`, `photograph`,
            `lesion`, `patient`), which shows its three kinds; or a mapping of split names to
            reports, which compares them in `kind`.
        kind: String, "photograph", "lesion" or "patient", for several reports.
        ax: Matplotlib axes, or `None`.

    Returns:
        Matplotlib Figure. What is not known is left out.
    """
    figure, ax = one_axes(ax, (8, 4))
    if isinstance(reports, Mapping):
        shares = pd.DataFrame({name: _floats(report[kind]) for name, report in reports.items()})
        shares = shares.reindex(next(iter(reports.values())).index)
        title = f"Evaluation images whose {kind} is also in training"
    else:
        shares = _floats(reports[["photograph", "lesion", "patient"]])
        shares.index = [f"{name}\nn = {n}" for name, n in reports["n"].items()]
        title = "Evaluation images of which training has seen ..."
    shares = 100 * shares.dropna(axis="columns", how="all")
    if not shares.empty:
        colours = shade(shares.shape[1])
        shares.plot.bar(ax=ax, width=0.8, rot=0, color=colours, edgecolor="white")
        for bars in ax.containers:
            ax.bar_label(bars, fmt="%.0f", fontsize=7)
        # Below the bars, which may reach the top anywhere.
        ax.legend(loc="upper center", bbox_to_anchor=(0.5, -0.13), ncols=5, frameon=False)
    ax.set(ylabel="% of images", ylim=(0, 108), title=title, xlabel="")
    return figure


def score_intervals(tables, metrics=None, ax=None):
    """Scores with intervals, one colour a run or protocol (a forest plot).

    Args:
        tables: Mapping of names to DataFrames of `bootstrap_intervals` (index metric; `value`, `low`,
            `high`).
        metrics: Sequence of rows from top to bottom; `None` for those of the first table.
        ax: Matplotlib axes, or `None`.

    Returns:
        Matplotlib Figure.
    """
    metrics = list(next(iter(tables.values())).index if metrics is None else metrics)
    figure, ax = one_axes(ax, (7, 1 + 0.35 * len(metrics) * max(len(tables), 2) / 2))
    colours = shade(len(tables))
    for i, (name, table) in enumerate(tables.items()):
        rows = table.reindex(metrics)
        y = np.arange(len(metrics)) + (i - (len(tables) - 1) / 2) * 0.6 / len(tables)
        ax.hlines(y, rows["low"], rows["high"], color=colours[i])
        ax.plot(rows["value"], y, "o", color=colours[i], label=name, markersize=5)
    ax.set_yticks(range(len(metrics)), metrics)
    ax.set(xlabel="score with its interval", ylim=(len(metrics) - 0.5, -0.5))
    ax.grid(axis="x", color="#DDDDDD")
    # Below the label of the axis, whatever the height: within the axes it would lie on an interval.
    ax.legend(
        loc="upper center", bbox_to_anchor=(0.5, 0), borderaxespad=4.5, ncols=3, fontsize=8, frameon=False
    )
    return figure


def published_against_measured(ledger, ax=None):
    """Every measured score against the published one; on the line they agree.

    What can be compared has the colour of its verdict, its interval and its name. What cannot is hollow, one
    shape a group, and the legend tells how far it lies from the line.

    Args:
        ledger: DataFrame with `published` and `measured`, and if known `low`, `high` (interval of the
            measured score), `verdict`, `target` (its name) and `group`. Rows without either number are left
            out.
        ax: Matplotlib axes, or `None`.

    Returns:
        Matplotlib Figure.
    """
    figure, ax = one_axes(ax, (7, 6))
    rows = ledger.dropna(subset=["published", "measured"])
    rows = rows.astype({"published": float, "measured": float})
    usual = {"verdict": "", "group": "", "target": "", "low": np.nan, "high": np.nan}
    rows = rows.assign(**{name: rows.get(name, value) for name, value in usual.items()})
    compared = rows["verdict"].isin(_VERDICTS)
    for verdict, part in rows[compared].groupby("verdict"):
        colour, marker = _VERDICTS[verdict]
        ax.vlines(part["published"], part["low"].astype(float), part["high"].astype(float), color=colour)
        ax.plot(*_points(part), marker, color=colour, label=f"{verdict} ({len(part)})")
        for row in part.itertuples():
            ax.annotate(
                row.target, (row.published, row.measured), (4, 4), "data", "offset points", fontsize=7
            )
    for (group, part), marker in zip(rows[~compared].groupby("group"), cycle("os^Dv<>"), strict=False):
        gap = (part["measured"] - part["published"]).median()
        label = f"not comparable: {group} ({len(part)}), median {gap:+.2f}"
        ax.plot(*_points(part), marker, markerfacecolor="none", color=OTHER, label=label)
    ax.axline((0.5, 0.5), slope=1, color="#BBBBBB", linestyle=":", zorder=0)
    title = f"{compared.sum()} of {len(rows)} scores can be compared"
    ax.set(xlabel="published", ylabel="measured", xlim=(0, 1), ylim=(0, 1), aspect="equal", title=title)
    if len(rows):
        ax.legend(loc="upper center", bbox_to_anchor=(0.5, -0.1), fontsize=8, frameon=False)
    return figure


def _points(rows):
    return rows["published"], rows["measured"]


def _floats(values):
    # Reports read back from CSV or JSON hold None or <NA>, which float alone does not take.
    return values.astype("Float64").astype(float)
