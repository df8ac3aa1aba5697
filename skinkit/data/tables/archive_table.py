"""Exports of the ISIC archive that lie beside other tables: the archive's own ids of their lesions."""

import functools
from pathlib import Path

import pandas as pd

from skinkit.data.tables.folder import list_files, tables_like


def archive_tables(files):
    """Returns those of the files that are tables with `isic_id` and `lesion_id`."""
    return [path for path in tables_like(files, "*.csv") if {"isic_id", "lesion_id"} <= _header(path)]


def _header(path):
    with path.open(encoding="utf-8-sig", errors="replace") as file:
        return {name.strip(' "\n').lower() for name in file.readline().split(",")}


def lesions_of_archive(tables):
    """Returns the archive's lesion of each image, in lower case, from the exports beside some table files.

    Args:
        tables: Paths of table files; `None` among them is passed over.

    Returns:
        Series of lesion ids by image id.
    """
    places = {Path(table).parent for table in tables if table}
    found = [
        _lesions(path, path.stat().st_mtime_ns) for p in places for path in archive_tables(list_files(p))
    ]
    lesions = pd.concat(found) if found else pd.Series(dtype="string")
    return lesions[~lesions.index.duplicated()]


@functools.cache
def _lesions(path, changed):
    names = {"isic_id", "lesion_id"}
    table = pd.read_csv(path, dtype="string", usecols=lambda name: name.strip().lower() in names)
    table = table.rename(columns=lambda name: name.strip().lower()).dropna()
    return pd.Series(table["lesion_id"].str.lower().array, index=table["isic_id"].str.lower())
