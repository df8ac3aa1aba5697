"""The printed tables of a document by number, each with our runs beside it."""

import pandas as pd

from skinkit.evaluation import to_markdown
from skinkit.experiments.results.beside import is_repeated, runs_beside, score_cells, table_beside
from skinkit.experiments.results.finished_runs import finished_runs
from skinkit.experiments.results.ledger import COLUMNS, as_written, ledger
from skinkit.experiments.results.pages.table_text import how_to_run, stand_ins_text
from skinkit.papers.places import find_place, places
from skinkit.papers.published import meanings, read_cells, table_body

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
    tables = read_cells(document).groupby("table", sort=False).agg(numbers=("value", "size")).reset_index()
    tables.insert(1, "place", tables["table"].map(places(document)))
    return tables


def printed_table(document, number, runs="results/runs"):
    """Returns a printed table as its document has it, with our runs beside its scores.

    Args:
        document: String, key such as `"gessert2019"`.
        number: String, as in `find_place`: `"II"`, `"Table II"`, `"table2"`.
        runs: Path of the folder of all runs; without runs in it, all is `not run`.

    Returns:
        DataFrame of text: that of `table_beside`, or for a table that no recipe repeats, that of
        `table_body`. Its `attrs["notes"]` are the texts of the marks `[1]`, `[2]` in it,
        `attrs["stand_ins"]` sentences about the runs, `attrs["below"]` lines on its abbreviations and on how
        to fill `not run`, and `attrs["place"]` says where it is printed.

    Raises:
        ValueError: for an unknown document or table, with the nearest names.

    Example:
        >>> printed_table("gessert2019", "II")["printed (%)"][0]
        '63.3 ± 2.4'
    """
    document, name = find_place(f"{document}/{number}")
    printed, cells = read_cells(document).query("table == @name"), score_cells()
    cells = cells[(cells["document"] == document) & (cells["table"] == name)]
    if is_repeated(cells):
        table = table_beside(cells, runs_beside(_ledger(runs)))
        table.attrs["stand_ins"] = stand_ins_text(table.attrs["runs"])
    else:
        table = table_body(printed)
        table.attrs["stand_ins"] = []
    to_run = [how_to_run(cells)] if table.eq("not run").any(axis=None) else []
    table.attrs |= {"below": meanings(printed) + to_run, "place": places(document)[name]}
    return table


def _ledger(runs):
    try:
        finished_runs(runs, verbose=False)
    except FileNotFoundError:
        return pd.DataFrame(columns=COLUMNS)
    return as_written(ledger(runs))
