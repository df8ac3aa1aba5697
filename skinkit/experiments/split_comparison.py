"""The leakage of the documents' splits, side by side."""

import pandas as pd

from skinkit import data


def compare_splits(table, index_file=None):
    """Returns the leakage report of each document's way to split a table of HAM10000's kind.

    Args:
        table: Manifest table.
        index_file: gessert2019's released division of HAM10000 (`gessert2019_index_file`); `None` for an own
            division in four.

    Returns:
        DataFrame: columns `split`, `label` (`all`, then the classes), `n`, and the shares `photograph`,
        `lesion`, `patient` of evaluation images that training has seen too, `<NA>` where ids lack.
        `attrs["not_made"]` says of each split that the table does not allow, why.

    Raises:
        ValueError: when it allows none.
    """
    reports, not_made = {}, {}
    for name, (make, part) in _splits(index_file).items():
        try:
            rows, split = make(table)
        except ValueError as error:
            not_made[name] = str(error)
        else:
            reports[name] = data.leakage_report(rows, split, part=part).reset_index()
    if not reports:
        raise ValueError(f"No document's split can be made: {next(iter(not_made.values()))}")
    found = pd.concat(reports, names=["split"]).reset_index("split").reset_index(drop=True)
    found.attrs["not_made"] = not_made
    return found


def _copies_first(table):
    augmented = data.augment_offline(table)
    return augmented, data.koefler2023_split(augmented)


def _splits(index_file):
    """The function of a table that returns the rows and their split, and the part that is evaluated."""
    gessert2019 = "gessert2019: four parts by lesion" + (", as released" if index_file else "")
    return {
        "koefler2023: copies, then images 67/33": (_copies_first, "test"),
        "butskova2021: images 80/20": (lambda table: (table, data.butskova2021_split(table)), "validation"),
        "datta2021: single-image lesions": (lambda table: (table, data.datta2021_split(table)), "test"),
        gessert2019: (lambda table: (table, data.gessert2019_split(table, index_file=index_file)), "test"),
        "skinkit: by lesion": (
            lambda table: (table, data.stratified_group_split(table, group="lesion")),
            "test",
        ),
    }
