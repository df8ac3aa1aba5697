"""The documents' figures: what each shows, and what it is drawn from or why it cannot be drawn.

`<document>/figures.csv` holds one row a figure. `drawing` is the name of the function that draws it, `of`
what that is asked for, and `runs` the recipes whose runs it shows: names or globs, and after `|` those that
stand in where these have no run. Without a drawing, `why` says why not.
"""

import pandas as pd

from skinkit.papers.places import FOLDER, find_document, find_place

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
    path = FOLDER / find_document(document, "figure") / "figures.csv"
    return pd.read_csv(path, dtype=str, keep_default_na=False)


def figure_row(document, number):
    """Returns one row of `load_figures`, with the key of its `document`.

    Args:
        document: As in `load_figures`.
        number: String, as in `find_place`: `"8.13"`, or `"Figure 8.13"`.

    Raises:
        ValueError: for an unknown document or figure, with the nearest.
    """
    key, name = find_place(f"{document}/{number}", "figure")
    return load_figures(key).assign(document=key).set_index("figure", drop=False).loc[name]
