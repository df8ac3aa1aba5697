"""The printed tables of a document by number, each with our runs beside it."""

import re

import pandas as pd

from skinkit.evaluation import to_markdown
from skinkit.experiments.results.beside import is_repeated, runs_beside, score_cells, table_beside
from skinkit.experiments.results.finished_runs import finished_runs
from skinkit.experiments.results.ledger import COLUMNS, as_written, ledger
from skinkit.experiments.results.pages.table_text import stand_ins_text
from skinkit.names import check_name
from skinkit.papers.published import read_cells, table_body

# How pandas, or we, write a table of text.
FORMS = {
    "text": lambda table: table.to_string(index=False),
    "markdown": lambda table: to_markdown(table).rstrip(),
    "csv": lambda table: table.to_csv(index=False, lineterminator="\n").rstrip(),
    "latex": lambda table: table.to_latex(index=False, escape=True).rstrip(),
}


def list_tables(document):
    """Returns the printed tables of a document, in its order.

    Args:
        document: String, key such as `"gessert2019"`.

    Returns:
        DataFrame with `table`, its name; `place`, where it is printed; and `numbers`, how many it holds.

    Raises:
        ValueError: for an unknown document.
    """
    cells = read_cells(document)
    cells["place"] = cells["source"].str.split(", ", n=1).str[1]
    tables = cells.groupby("table", sort=False).agg(place=("place", "first"), numbers=("value", "size"))
    tables["place"] = tables["place"].mask(tables.index == "text", "the running text")
    return tables.reset_index()


def printed_table(document, number, runs="results/runs"):
    """Returns a printed table as its document has it, with our runs beside its scores.

    Args:
        document: String, key such as `"gessert2019"`.
        number: String, as printed (`"II"`, `"4a"`), or a name of `list_tables`.
        runs: Path of the folder of all runs; without runs in it, all is `not run`.

    Returns:
        DataFrame of text: that of `table_beside`, or for a table that no recipe repeats, that of
        `table_body`. Its `attrs["notes"]` are the texts of the marks `[1]`, `[2]` in it,
        `attrs["stand_ins"]` sentences about the runs, and `attrs["place"]` says where it is printed.

    Raises:
        ValueError: for an unknown document or table, with the nearest names.

    Example:
        >>> printed_table("gessert2019", "II")["printed (%)"][0]
        '63.3 ± 2.4'
    """
    tables = list_tables(document)
    name = _name(document, str(number), tables)
    cells = score_cells()
    cells = cells[(cells["document"] == document) & (cells["table"] == name)]
    if is_repeated(cells):
        table = table_beside(cells, runs_beside(_ledger(runs)))
        table.attrs["stand_ins"] = stand_ins_text(table.attrs["runs"])
    else:
        table = table_body(read_cells(document).query("table == @name"))
        table.attrs["stand_ins"] = []
    table.attrs["place"] = tables.set_index("table").loc[name, "place"]
    return table


def _name(document, number, tables):
    """The name of the table that is called `number`."""
    known = {}
    for name, place in zip(tables["table"], tables["place"].str.lower(), strict=True):
        for said in (name, place):
            known |= {said: name, re.sub("^(table|figure) ?", "", said): name}
    if number.lower() not in known:
        check_name(f"Tables of {document}", number, tables["table"].tolist())
    return known[number.lower()]


def _ledger(runs):
    try:
        finished_runs(runs, verbose=False)
    except FileNotFoundError:
        return pd.DataFrame(columns=COLUMNS)
    return as_written(ledger(runs))
