"""Strict checks of a manifest table that somebody made by hand or changed."""

import pandas as pd

from skinkit.data.tables.columns import AGES, COLUMNS, DX_TYPES, SEXES
from skinkit.data.tables.missing import known_ids

_IDS = ("image_id", "lesion_id", "patient_id", "source_id")
TRANSFORMS = ("identity", "rot90cw", "rot90ccw", "rot180", "flip_up_down", "flip_left_right")


def validate(table, labels=None):
    """Checks a manifest table and gives it the right types.

    Args:
        table: DataFrame with the columns `COLUMNS`, and `source_id` and `transform` where images
            are augmented offline.
        labels: Strings, the only labels allowed; default: any.

    Returns:
        The table with a fresh index, columns in order, strings as `string`, age as `Float64`, ids without
        a word for a missing one ("unknown", "-1", ...: `<NA>`).

    Raises:
        ValueError: naming the row, the column, what was expected and what was found.

    Example:
        >>> table = validate(pd.read_csv("mine.csv", dtype="string"), labels=CLASS_MAPS["isic2018"].labels)
    """
    absent = [column for column in COLUMNS if column not in table]
    if absent:
        raise ValueError(
            f"A manifest table has the columns {', '.join(COLUMNS)}. Missing: {', '.join(absent)}"
        )
    if table.empty:
        raise ValueError("A manifest table has at least one row. Received: none")
    extra = [column for column in ("source_id", "transform") if column in table]
    if len(extra) == 1:
        raise ValueError(f"source_id and transform come together. Received: {extra[0]} only")
    checked = table[[*COLUMNS, *extra]].reset_index(drop=True)
    strings = {column: "string" for column in checked if column != "age"}
    checked = checked.assign(**{name: known_ids(checked[name]) for name in _IDS if name in checked})
    checked = checked.astype(strings)
    checked["age"] = _years(checked["age"])
    _check_values(checked, labels)
    checked.attrs = {**table.attrs}
    return checked


def _years(ages):
    years = pd.to_numeric(ages, errors="coerce").astype("Float64")
    _refuse(ages, years.isna() & ages.notna(), "age", "a number of years")
    return years


def _check_values(table, labels):
    ids, label = table["image_id"], table["label"]
    _refuse(ids, ids.isna(), "image_id", "an image id")
    _refuse(ids, ids.str.lower().duplicated(keep=False), "image_id", "each image once")
    if "source_id" in table:
        source = table["source_id"]
        _refuse(
            source, source.isna(), "source_id", "the id of the photograph in every row, also of originals"
        )
    _refuse(label, label.isna(), "label", "a diagnosis")
    _refuse(label, label != label.str.lower(), "label", "a lower-case code")
    if labels is not None:
        _refuse(label, ~label.isin(list(labels)), "label", f"one of {', '.join(labels)}")
    for column, allowed in (("sex", SEXES), ("dx_type", DX_TYPES), ("transform", TRANSFORMS)):
        if column in table:
            values = table[column]
            wrong = ~values.isin(allowed) & (values.notna() | (column == "transform"))
            _refuse(values, wrong, column, f"one of {', '.join(allowed)}")
    inside = table["age"].between(*AGES).fillna(True)
    _refuse(table["age"], ~inside, "age", f"years from {AGES[0]} to {AGES[1]}")


def _refuse(values, wrong, column, expected):
    rows = values.index[wrong.fillna(False).to_numpy(dtype=bool)]
    if len(rows):
        more = f" ({len(rows)} such rows)" if len(rows) > 1 else ""
        raise ValueError(
            f"Manifest table, row {rows[0]}, column {column!r}: expected {expected}. "
            f"Received: {values[rows[0]]!r}{more}"
        )
