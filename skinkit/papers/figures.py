"""The documents' figures: what each shows, and what it is drawn from or why it cannot be drawn.

`<document>/figures.csv` holds one row a figure. `drawing` is the name of the function that draws it, `of`
what that is asked for, and `runs` the recipes whose runs it shows: names or globs, and after `|` those that
stand in where these have no run. Without a drawing, `why` says why not.
"""

import pandas as pd

from skinkit.names import check_name
from skinkit.papers.published import DOCUMENTS, FOLDER

COLUMNS = ("figure", "shows", "drawing", "of", "runs", "why")


def load_figures(document):
    """Returns the figures of a document in its order, one row each.

    Args:
        document: String, key such as `"gessert2019"`.

    Returns:
        DataFrame of strings, `""` where empty: `COLUMNS`.

    Raises:
        ValueError: for a document without figures.

    Example:
        >>> load_figures("gessert2019")["figure"].tolist()
        ['1', '2', '3', '4', '5']
    """
    known = [key for key in DOCUMENTS if (FOLDER / key / "figures.csv").is_file()]
    check_name("Documents with figures", document, known)
    return pd.read_csv(FOLDER / document / "figures.csv", dtype=str, keep_default_na=False)


def figure_row(document, number):
    """Returns one row of `load_figures`.

    Args:
        document: As in `load_figures`.
        number: String, the figure's number as printed.

    Raises:
        ValueError: for an unknown document or figure, with the nearest.
    """
    figures = load_figures(document).set_index("figure", drop=False)
    check_name(f"Figures of {document}", number, figures.index.tolist())
    return figures.loc[number]
