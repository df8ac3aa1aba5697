"""Figures of decisions: net benefit, and errors of what is answered."""

from skinkit.plots.style import OTHER, one_axes, shade


def decision_curves(tables, ax=None):
    """Net benefit against the threshold, beside that of taking out all images and none.

    Args:
        tables: Mapping from names to DataFrames of `skinkit.evaluation.decision_curve`, of the same images.
        ax: Matplotlib axes, or `None`.

    Returns:
        Matplotlib Figure; the band of a single model is its interval.
    """
    figure, ax = one_axes(ax, (6, 5))
    _lines(ax, tables, "net_benefit")
    everyone = next(iter(tables.values()))["all"]
    ax.plot(everyone.index, everyone, color=OTHER, linestyle="--", label="take out all")
    ax.axhline(0, color=OTHER, linestyle=":", label="take out none")
    highest = max(0.01, everyone.max(), *(table["net_benefit"].max() for table in tables.values()))
    # All would fall without end.
    ax.set(xlabel="threshold", ylabel="net benefit", ylim=(-0.3 * highest, 1.15 * highest))
    ax.legend(fontsize=8)
    return figure


def risk_coverage_curves(tables, ax=None):
    """Share of wrong answers against the share of images that are answered.

    Args:
        tables: Mapping from names to DataFrames of `skinkit.evaluation.risk_coverage`.
        ax: Matplotlib axes, or `None`.

    Returns:
        Matplotlib Figure; the band of a single model is its interval.
    """
    figure, ax = one_axes(ax, (6, 5))
    _lines(ax, tables, "error")
    ax.set(xlabel="share of the images that are answered", ylabel="wrong answers among them", ylim=(0, None))
    ax.legend(fontsize=8)
    return figure


def _lines(ax, tables, column):
    for (name, table), colour in zip(tables.items(), shade(len(tables)), strict=True):
        ax.plot(table.index, table[column], color=colour, label=name)
        if len(tables) == 1:
            ax.fill_between(table.index, table["low"], table["high"], color=colour, alpha=0.2, linewidth=0)
