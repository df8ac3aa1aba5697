"""The leakage of the documents' splits, side by side."""

import pandas as pd

from skinkit import data


def compare_splits(table):
    """Returns the leakage report of each document's way to split a table of HAM10000's kind.

    Args:
        table: Manifest table with lesion ids.

    Returns:
        DataFrame: columns `split`, `label` (`all`, then the classes), `n`, and the shares `photograph`,
        `lesion`, `patient` of evaluation images that training has seen too.
    """
    augmented = data.augment_offline(table)
    splits = {
        "koefler2023: copies, then images 67/33": (augmented, data.koefler2023_split(augmented), "test"),
        "butskova2021: images 80/20": (table, data.butskova2021_split(table), "validation"),
        "datta2021: single-image lesions": (table, data.datta2021_split(table), "test"),
        "gessert2019: four parts by lesion": (table, data.gessert2019_split(table), "test"),
        "skinkit: by lesion": (table, data.stratified_group_split(table, group="lesion"), "test"),
    }
    reports = {
        name: data.leakage_report(rows, split, part=part).reset_index()
        for name, (rows, split, part) in splits.items()
    }
    return pd.concat(reports, names=["split"]).reset_index("split").reset_index(drop=True)
