"""Columns of the manifest table: their names in the releases, and the check of what all tables share."""

import pandas as pd

from skinkit.data.tables.csv_file import column_name
from skinkit.data.tables.image_ids import without_ending
from skinkit.data.tables.missing import id_text, known_ids, unknown_as_missing, words_as_missing
from skinkit.data.tables.words import WORDS
from skinkit.names import check_name, counted

COLUMNS = (
    "image_id",
    "path",
    "label",
    "lesion_id",
    "patient_id",
    "dx_type",
    "age",
    "sex",
    "site",
    "dataset",
)
DX_TYPES = ("histo", "follow_up", "consensus", "confocal")
SEXES = ("female", "male")
AGES = (0, 120)
# A table that was augmented offline has these, too.
COPY_COLUMNS = ("source_id", "transform")
TRANSFORMS = ("identity", "rot90cw", "rot90ccw", "rot180", "flip_up_down", "flip_left_right")

# The archive has a fifth one for some images of HAM10000, which the release does not know: no weight is known
# for it.
_DX_TYPES = {**WORDS["dx_types"], "single contributor clinical assessment": pd.NA}
IMAGE_IDS = ("image_id", "source_id")
_SHARED = ("image_id", "file", "lesion_id", "patient_id", "dx_type", "age", "sex", "site")


def rename_columns(sheet, columns=None):
    """Gives the columns of a sheet the names of the manifest: the user's, then those of the releases.

    Words for a missing value become `<NA>`, but as the name of an image or of a folder.

    Args:
        sheet: `Sheet` to change.
        columns: As in `skinkit.data.load`.

    Raises:
        ValueError: if the manifest has no such column, or the sheet.
    """
    columns = {new: column_name(old) for new, old in (columns or {}).items()}
    for new, old in columns.items():
        check_name("Columns of the manifest table", new, (*COLUMNS, *COPY_COLUMNS))
        check_name(f"Columns of {sheet.path}", old, list(sheet.frame))
    chosen = {new: sheet.frame[old] for new, old in columns.items()}
    frame = sheet.frame.drop(columns=[*columns.values()]).assign(**chosen)
    sheet.called |= columns
    names = pd.Series(WORDS["columns"])
    names = names[names.index.isin(frame.columns) & ~names.isin(frame.columns)]
    sheet.frame = frame.rename(columns=names.drop_duplicates())
    words = [name for name in sheet.frame if name not in IMAGE_IDS] if sheet.path.is_file() else []
    sheet.frame = sheet.frame.assign(**{name: words_as_missing(sheet.frame[name]) for name in words})


def common(sheet, label, others=()):
    """The columns all releases share, and others, checked; index = line in the file, `file` where given."""
    rows = sheet.frame.reindex(columns=[*_SHARED, *others]).astype("string").assign(label=label)
    rows["image_id"] = without_ending(rows["image_id"])
    if stripped := int((rows["image_id"] != sheet.frame["image_id"]).sum()):
        sheet.note(f"column 'image_id': file name ending removed from {counted(stripped, 'id')}")
    for name in ("lesion_id", "patient_id"):
        rows[name] = sheet.note_missing(name, rows[name], known_ids(rows[name]))
    dx_type = rows["dx_type"].str.lower()
    rows["dx_type"] = sheet.note_missing("dx_type", dx_type, dx_type.replace(_DX_TYPES))
    # Tables with semicolons usually have decimal commas.
    rows["age"] = unknown_as_missing(rows["age"]).str.replace(",", ".", regex=False)
    sex = unknown_as_missing(lower(sheet, "sex"))
    known = sex.replace(WORDS["sexes"])
    rows["sex"] = sheet.note_missing("sex", sex, known.where(known.isin(SEXES)), (*SEXES, *WORDS["sexes"]))
    rows["site"] = unknown_as_missing(lower(sheet, "site"))
    check_rows(rows, sheet.fail_where)
    return rows


def lower(sheet, name):
    """A column in lower case; says how many values that changed."""
    values = sheet.frame.reindex(columns=[name])[name].astype("string")
    low = values.str.lower()
    if changed := int((values != low).sum()):
        sheet.note(f"column {name!r}: {counted(changed, 'value')} written in lower case")
    return low


def check_rows(rows, fail):
    """Checks the values of manifest rows.

    Args:
        rows: DataFrame with columns of a manifest table.
        fail: Function `(wrong, column, expected)` that raises an error if any row of a mask is true.
    """
    ids, label, age = rows["image_id"], rows["label"], rows["age"]
    fail(id_text(ids).isna(), "image_id", "an image id")
    fail(ids.str.lower().duplicated(keep=False), "image_id", "each image once")
    if "source_id" in rows:
        photograph = "the id of the photograph in every row, also of originals"
        known = known_ids(rows["source_id"]).notna() | rows["source_id"].isin(ids.dropna())
        fail(~known, "source_id", photograph)
    fail(label.isna(), "label", "a diagnosis")
    fail(label != label.str.lower(), "label", "a lower-case code")
    for column, allowed in (("sex", SEXES), ("dx_type", DX_TYPES)):
        wrong = rows[column].notna() & ~rows[column].isin(allowed)
        fail(wrong, column, f"one of {', '.join(allowed)}")
    if "transform" in rows:
        fail(~rows["transform"].isin(TRANSFORMS), "transform", f"one of {', '.join(TRANSFORMS)}")
    years = pd.to_numeric(age, errors="coerce").astype("Float64")
    inside = years.between(*AGES).fillna(False)
    fail(age.notna() & ~inside, "age", f"years from {AGES[0]} to {AGES[1]}, or nothing")
