"""The figures in front of the results, drawn from the tables beside them."""

from pathlib import Path

import pandas as pd

from skinkit.papers.recipe import PROTOCOLS


def draw_figures(ledger, results):
    """Draws `figures/*.png` into the folder of the results; what has no numbers yet is left out.

    Args:
        ledger: DataFrame of `skinkit.experiments.ledger.ledger`.
        results: Folder with `leakage.csv` (`skinkit data leakage --out`).
    """
    from skinkit import plots

    results = Path(results)
    figures = {}
    if (results / "leakage.csv").exists():
        table = pd.read_csv(results / "leakage.csv")
        reports = {
            split.split(":")[0]: rows.set_index("label") for split, rows in table.groupby("split", sort=False)
        }
        figures["leakage"] = plots.leakage_bars(reports)
    if (ledger["published"].notna() & ledger["measured"].notna()).any():
        figures["published_against_measured"] = plots.published_against_measured(ledger)
    if protocols := _by_protocol(ledger):
        figures["protocols"] = plots.score_intervals(protocols)
    for document, (tables, rows) in rows_of_documents(ledger).items():
        figures[document] = plots.score_intervals(tables, rows)
    for name, figure in figures.items():
        (results / "figures").mkdir(exist_ok=True)
        # Without the software version in it, the same numbers give the same bytes.
        figure.savefig(results / "figures" / f"{name}.png", dpi=120, metadata={"Software": None})


def rows_of_documents(ledger):
    """Returns what a document's own figure shows: the main score of its rows under `corrected`.

    Returns:
        Dictionary from a document with two such rows or more to `(tables, rows)`: a table of scores per
        profile, and the rows' names, from the highest score to the lowest.
    """
    found = {}
    shown = ledger[ledger["measured"].notna() & (ledger["class"] == "all")]
    for document, rows in shown[shown["protocol"] == "corrected"].groupby("document"):
        metric = "auc" if "auc" in set(rows["metric"]) else "macro_recall"
        rows = rows[rows["metric"] == metric].rename(columns={"measured": "value"})
        rows = rows.assign(name=rows["table"] + "/" + rows["row"]).sort_values("value", ascending=False)
        if rows["name"].nunique() > 1:
            tables = {
                f"{metric}, {profile}": part.set_index("name") for profile, part in rows.groupby("profile")
            }
            found[document] = tables, list(rows["name"].unique())
    return found


def _by_protocol(ledger):
    """Scores of the rows that were run under several protocols: a table per protocol, as measured."""
    rows = ledger[ledger["measured"].notna() & (ledger["class"] == "all")]
    rows = rows[rows["metric"].isin(["accuracy", "macro_recall"])]
    rows = rows.rename(columns={"measured": "value"}).assign(
        name=[f"{r.document}/{r.table}/{r.row}\n{r.profile}, {r.metric}" for r in rows.itertuples()]
    )
    several = rows.groupby("name")["protocol"].transform("nunique") > 1
    tables = dict(list(rows[several].groupby("protocol")))
    return {
        protocol: tables[protocol].set_index("name")[["value", "low", "high"]]
        for protocol in PROTOCOLS
        if protocol in tables
    }
