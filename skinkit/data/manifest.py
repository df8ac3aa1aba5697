"""Strict checks of a manifest table that somebody made by hand or changed."""

import functools

import pandas as pd

from skinkit.data.tables.columns import COLUMNS, COPY_COLUMNS, IMAGE_IDS, check_rows
from skinkit.data.tables.csv_file import refuse_rows
from skinkit.data.tables.missing import id_text, known_ids


def validate(table):
    """Checks a manifest table and gives it the right types.

    Args:
        table: DataFrame with the columns `COLUMNS`, and `source_id` and `transform` where images
            are augmented offline.

    Returns:
        The table with a fresh index, columns in order, strings as `string`, age as `Float64`, ids of
        lesions and patients without a word for a missing one ("unknown", "-1", ...: `<NA>`).

    Raises:
        ValueError: naming the row, the column, what was expected and what was found.

    Example:
        >>> table = validate(table)
    """
    absent = [column for column in COLUMNS if column not in table]
    if absent:
        raise ValueError(
            f"A manifest table has the columns {', '.join(COLUMNS)}. Missing: {', '.join(absent)}"
        )
    if table.empty:
        raise ValueError("A manifest table has at least one row. Received: none")
    extra = [column for column in COPY_COLUMNS if column in table]
    if len(extra) == 1:
        raise ValueError(f"{' and '.join(COPY_COLUMNS)} come together. Received: {extra[0]} only")
    checked = table[[*COLUMNS, *extra]].reset_index(drop=True)
    readers = {name: id_text if name in IMAGE_IDS else known_ids for name in checked if name.endswith("_id")}
    checked = checked.assign(**{name: read(checked[name]) for name, read in readers.items()})
    checked = checked.astype({column: "string" for column in checked if column != "age"})
    check_rows(checked, functools.partial(refuse_rows, "Manifest table, row", checked))
    checked["age"] = pd.to_numeric(checked["age"], errors="coerce").astype("Float64")
    checked.attrs = {**table.attrs}
    return checked
