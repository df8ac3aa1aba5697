"""The documents' claims, in our own words, and the tests that each is put to.

`<document>/claims.csv` holds one row a claim and test. A test is one of three:

- a difference between two recipes on the same test images: that of the `metric` of `first` from that of
  `second`, under a `protocol`, is expected to be as `expects` says; `what` names what only `first` has;
- a printed number: the `metric` of the `published` row, whose check was found from printed numbers alone;
- none, and `not_tested` says why.
"""

import pandas as pd

from skinkit.names import check_name
from skinkit.papers.published import DOCUMENTS, FOLDER, published_row
from skinkit.papers.registry import comparisons
from skinkit.papers.registry import recipe as find_recipe

COLUMNS = (
    *("claim", "place", "what", "first", "second", "protocol", "metric", "expects"),
    *("published", "not_tested"),
)
EXPECTS = ("higher", "lower", "not higher", "not lower")
_TESTS = (
    {"what", "first", "second", "protocol", "metric", "expects"},
    {"published", "metric"},
    {"not_tested"},
)


def load_claims(document=None):
    """Returns the claims of one document, or of all, one row a claim and test.

    Args:
        document: String, key such as `"gessert2019"`, or `None`.

    Returns:
        DataFrame of strings, `""` where empty: `document`, then `COLUMNS`.

    Raises:
        ValueError: for a document without claims, or a row that is not a claim with a place and one test, or
            that names an unknown recipe, pair or number: with the file and the row.

    Example:
        >>> load_claims("koefler2023")["claim"].nunique()
        13
    """
    known = [key for key in DOCUMENTS if (FOLDER / key / "claims.csv").is_file()]
    if document is not None:
        check_name("Documents with claims", document, known)
    return pd.concat([_read(key) for key in known if document in (None, key)], ignore_index=True)


def _read(document):
    path = FOLDER / document / "claims.csv"
    table = pd.read_csv(path, dtype=str, keep_default_na=False)
    for name in table.columns.symmetric_difference(COLUMNS):
        raise ValueError(f"{path} has the columns {', '.join(COLUMNS)}. Missing or unknown: {name!r}")
    for row in table.itertuples():
        try:
            _check(row)
        except ValueError as error:
            # The first line names the columns, and lines are counted from 1.
            raise ValueError(f"{path}, row {row.Index + 2}: {error}") from None
    places = table.groupby("claim")["place"].nunique()
    if (places > 1).any():
        raise ValueError(f"{path}: a claim has one place. Received several: {places.idxmax()!r}")
    table.insert(0, "document", document)
    return table


def _check(row):
    filled = {name for name in COLUMNS if getattr(row, name)}
    if not {"claim", "place"} <= filled or filled - {"claim", "place"} not in _TESTS:
        tests = "; or ".join(", ".join(name for name in COLUMNS if name in test) for test in _TESTS)
        raise ValueError(
            f"A row has claim and place, and one test: {tests}. Received: {', '.join(sorted(filled))}"
        )
    if row.first:
        _check_pair(row)
    elif row.published:
        printed_check(row.published, row.metric)


def _check_pair(row):
    first, _ = (find_recipe(name) for name in (row.first, row.second))
    check_name(f"Protocols of {row.first}", row.protocol, first.known_protocols)
    check_name("Expectations", row.expects, EXPECTS)
    if (row.first, row.second) not in comparisons():
        raise ValueError(
            f"{row.first} and {row.second} are not compared. Add the pair to COMPARISONS beside the recipes"
        )


def printed_check(row, metric):
    """Returns what the checks found about the numbers of a published row, as `skinkit published` shows it.

    Args:
        row: String, `document/table/row`.
        metric: String, what the numbers are of.

    Raises:
        ValueError: for an unknown row or metric, or where nothing was there to check.
    """
    rows = published_row(row)
    check_name(f"Numbers of {row}", metric, list(dict.fromkeys(rows["metric"])))
    found = list(dict.fromkeys(rows.loc[rows["metric"] == metric, "check"].dropna()))
    if not found:
        raise ValueError(f"No rule checks the {metric} of {row}. `skinkit published` shows what is checked")
    return "; ".join(found)
