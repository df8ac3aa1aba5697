"""The figures of the results page, drawn from the tables beside it."""

from pathlib import Path

import pandas as pd

from skinkit.data import target_of
from skinkit.experiments.results.beside import runs_beside
from skinkit.experiments.results.pages.page_text import leak_text, leakage, metric_words
from skinkit.files import writing
from skinkit.papers.koefler2023.recipes import SPLIT_FIRST_OF
from skinkit.papers.registry import recipes

# How an exam was held; the second is a control, in which one step of the first has another place.
_WAYS = ("as_published", "split_then_augment", "as_described", "corrected")
_PANELS = ("accuracy", "macro_recall")
_PRINTED = "printed"
_PRINTED_TOO = ", beside the printed one; a line without a point: the range over several networks"


def results_figures(ledger, results):
    """Returns the figures of the results with what they show; what has no numbers yet is left out.

    Args:
        ledger: DataFrame of `skinkit.experiments.ledger`.
        results: Folder with `leakage.csv` (`skinkit data leakage --out`).

    Returns:
        Dictionary from a name to `(figure, text)`; one that begins with a document's key belongs to its page.
    """
    from skinkit import plots

    found, fresh = {}, _of_today(ledger)
    if (Path(results) / "leakage.csv").exists():
        table = pd.read_csv(Path(results) / "leakage.csv")
        reports = {
            split.split(":")[0]: rows.set_index("label") for split, rows in table.groupby("split", sort=False)
        }
        found["leakage"] = plots.leakage_bars(reports), "Test images whose lesion is also in training"
    beside = runs_beside(ledger).query("`class` == 'all' or metric == 'auc'")
    leaks = leakage(beside).map(leak_text)
    beside = beside.assign(group=beside["document"] + ", " + beside["protocol"] + ", leak " + leaks)
    if not beside.empty:
        text = "Printed scores and ours; hollow: stand-ins, which cannot be compared"
        found["published_against_measured"] = plots.published_against_measured(beside), text
    if protocols := _by_protocol(fresh):
        text = "What the protocol is worth: the same rows under several"
        found["protocols"] = _protocols_figure(protocols), text
    for section, (tables, rows) in rows_of_sections(ledger).items():
        text = "Main score of the rows under `corrected`" + _PRINTED_TOO * (_PRINTED in tables)
        found[figure_name(section)] = plots.score_intervals(tables, rows), text
    return found


def save_figures(figures, results):
    """Writes figures to `figures/*.png` in the folder of the results.

    Args:
        figures: Dictionary from a name to `(figure, text)`.
        results: Folder.
    """
    for name, (figure, _) in figures.items():
        (Path(results) / "figures").mkdir(exist_ok=True)
        # Without the software version in it, the same numbers give the same bytes.
        with writing(Path(results) / "figures" / f"{name}.png") as part:
            figure.savefig(part, format="png", dpi=120, metadata={"Software": None})


def sections(ledger):
    """Returns the heading that each row stands under: its document's, recipes on drawn images apart."""
    drawn = ledger["dataset"].eq("synthetic")
    return ledger["document"].mask(drawn, ledger["document"] + ", drawn images")


def figure_name(section):
    """Returns the name of a section's own figure, without its ending."""
    return section.replace(", ", "-").replace(" ", "-")


def rows_of_sections(ledger):
    """Returns what the own figure of a section shows: the main score of its rows under `corrected`.

    Returns:
        Dictionary from a section with two such rows or more to `(tables, rows)`: a table of the printed
        scores, where there are some, and one of ours per profile; and the rows' names, table by table from
        the highest score to the lowest.
    """
    found, shown, beside = {}, _of_today(ledger), runs_beside(ledger)
    shown = shown[(shown["class"] == "all") & (shown["protocol"] == "corrected")]
    # One stage of several, or a pretext, tells other things apart, and is not a rival.
    shown = shown[~shown["recipe"].isin({each.name for each in recipes() if _learns_others(each)})]
    for section, rows in shown.groupby(sections(shown)):
        of_two = rows["recipe"].isin(rows.loc[rows["metric"] == "auc", "recipe"])
        metric = "auc" if of_two.all() else "macro_recall"
        rows = rows[rows["metric"] == metric]
        rows = rows.rename(columns={"measured": "value"})
        rows = rows.assign(name=_names(rows)).sort_values(["table", "value"], ascending=[True, False])
        if rows["name"].nunique() > 1:
            tables = {
                f"{metric}, {profile}": part.set_index("name") for profile, part in rows.groupby("profile")
            }
            printed = _printed_of(rows, beside)
            if not printed.empty:
                tables = {_PRINTED: printed, **tables}
            found[section] = tables, list(rows["name"].unique())
    return found


def _printed_of(rows, beside):
    """The printed scores of rows of the ledger: a point, or a range where they stand for several networks."""
    keys = ["recipe", "metric", "class"]
    rows = rows.loc[rows["dataset"] != "synthetic", [*keys, "name"]]
    found = rows.merge(beside.astype({"published": float})[[*keys, "published"]], on=keys)
    printed = found.groupby("name")["published"].agg(["min", "max"])
    value = printed["min"].where(printed["min"] == printed["max"])
    return pd.DataFrame({"value": value, "low": printed["min"], "high": printed["max"]})


def _learns_others(recipe):
    """Whether a recipe learns other labels than those of its class map."""
    return target_of(recipe.classes, recipe.target).labels != target_of(recipe.classes).labels


def _of_today(ledger):
    """The rows that runs of today's recipes measured."""
    return ledger[ledger["measured"].notna() & (ledger["stale"] == "")]


def _names(rows):
    """A name for each row; where runs of one recipe differ in more than profile and protocol, it says so."""
    names = recipes = rows["table"] + "/" + rows["row"]
    for column in ("weights", "precision", "lacking"):
        several = rows.groupby(recipes)[column].transform("nunique") > 1
        names = names.mask(several, names + f", {column}: " + rows[column].replace("", "default"))
    return names


def _by_protocol(ledger):
    """Scores of the rows that were run in several of `_WAYS`: by metric, a table per way, as measured."""
    rows = ledger[(ledger["class"] == "all") & ledger["metric"].isin(_PANELS)]
    name = rows["document"] + "/" + _names(rows)
    split_first = name.map(SPLIT_FIRST_OF)
    rows = rows.rename(columns={"measured": "value"}).assign(
        name=split_first.fillna(name) + "\n" + rows["profile"],
        way=rows["protocol"].mask(split_first.notna(), "split_then_augment"),
    )
    rows = rows[rows["way"].isin(_WAYS)]
    rows = rows[rows.groupby("name")["way"].transform("nunique") > 1].set_index("name")
    ways = [way for way in _WAYS if way in set(rows["way"])]
    return {
        metric: {way: part.loc[part["way"] == way, ["value", "low", "high"]] for way in ways}
        for metric, part in rows.groupby("metric")
    }


def _protocols_figure(protocols):
    """A panel for each metric; the rows are named, and the colours explained, at the first."""
    from skinkit import plots
    from skinkit.plots.style import grid_of_axes

    names = pd.concat([table for tables in protocols.values() for table in tables.values()]).index.unique()
    figure, axes = grid_of_axes(len(protocols), None, (6, 1 + 0.5 * len(names)))
    for ax, (metric, tables) in zip(axes, protocols.items(), strict=True):
        plots.score_intervals(tables, list(names), ax)
        ax.set_xlabel(metric_words(metric))
    for ax in axes[1:]:
        ax.set_yticklabels([])
        ax.get_legend().remove()
    return figure
