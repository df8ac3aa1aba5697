"""Columns of the manifest table: their names in the releases, and the check of what all tables share."""

import pandas as pd

from skinkit.data.tables.csv_file import column_name
from skinkit.data.tables.image_ids import without_ending
from skinkit.data.tables.missing import known_ids, unknown_as_missing
from skinkit.names import check_name

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

_ALIASES = {
    "image_id": ("image", "image_name", "isic_id"),
    "lesion_id": ("case_num",),
    "dx_type": ("diagnosis_confirm_type",),
    "age": ("age_approx",),
    "sex": ("gender",),
    "site": (
        "localization",
        "anatom_site_general_challenge",
        "anatom_site_general",
        "location",
    ),
    "target": ("malignant",),
    # ISIC 2024 has the archive's diagnoses under another name.
    **{f"diagnosis_{level}": (f"iddx_{level}",) for level in range(1, 6)},
}
# The challenge and the Dataverse release name the confirmation differently.
_DX_TYPES = {
    **{name: name for name in DX_TYPES},
    "histopathology": "histo",
    "serial imaging showing no change": "follow_up",
    "single image expert consensus": "consensus",
    "confocal microscopy with consensus dermoscopy": "confocal",
}
# The archive has it for some images of HAM10000; the release does not know it, and no weight is known for it.
_FIFTH_DX_TYPE = "single contributor clinical assessment"


def rename_columns(sheet, columns=None):
    """Gives the columns of a sheet the names of the manifest: the user's, then those of the releases.

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
    sheet.frame = sheet.frame.drop(columns=[*columns.values()]).assign(**chosen)
    sheet.called |= columns
    names = {}
    for name, aliases in _ALIASES.items():
        found = [alias for alias in aliases if alias in sheet.frame]
        if name not in sheet.frame and found:
            names[found[0]] = name
    sheet.frame = sheet.frame.rename(columns=names)


def common(sheet, label, strip_notice=True):
    """The columns all releases share, checked; index = line in the file, `file` where given."""
    frame = sheet.frame
    out = pd.DataFrame(index=frame.index)
    out["image_id"] = _image_ids(sheet, strip_notice)
    out["file"] = _column(frame, "file")
    out["label"] = label
    for name in ("lesion_id", "patient_id"):
        out[name] = _known_ids(sheet, name)
    out["dx_type"] = _dx_types(sheet)
    out["age"] = _ages(sheet)
    out["sex"] = _sexes(sheet)
    out["site"] = unknown_as_missing(lower(sheet, "site"))
    return out


def _column(frame, name):
    if name in frame:
        return frame[name]
    return pd.Series(pd.NA, index=frame.index, dtype="string")


def lower(sheet, name):
    """A column in lower case; says how many values that changed."""
    values = _column(sheet.frame, name)
    low = values.str.lower()
    changed = int((values != low).fillna(False).sum())
    if changed:
        sheet.note(f"column {name!r}: {changed} values written in lower case")
    return low


def _known_ids(sheet, name):
    """A column of ids without words for a missing one; says how many there were."""
    ids = _column(sheet.frame, name)
    known = known_ids(ids)
    words = int((known.isna() & ids.notna()).sum())
    if words:
        sheet.note(f"column {name!r}: {words} values (unknown, -1 and the like) taken as missing")
    return known


def _image_ids(sheet, strip_notice):
    ids = sheet.frame["image_id"]
    sheet.fail_where(known_ids(ids).isna(), "image_id", "an image id")
    plain = without_ending(ids)
    stripped = int((plain != ids).sum())
    if stripped and strip_notice:
        sheet.note(f"column 'image_id': file name ending removed from {stripped} ids")
    again = plain.str.lower().duplicated(keep=False)
    sheet.fail_where(again, "image_id", "each image once")
    return plain


def _dx_types(sheet):
    values = _column(sheet.frame, "dx_type")
    fifth = (values.str.lower() == _FIFTH_DX_TYPE).fillna(False)
    if fifth.any():
        sheet.note(f"column 'dx_type': {fifth.sum()} values ({_FIFTH_DX_TYPE}) taken as missing")
    canonical = values.str.lower().map(_DX_TYPES).astype("string")
    wrong = canonical.isna() & values.notna() & ~fifth
    sheet.fail_where(wrong, "dx_type", f"one of {', '.join(_DX_TYPES)}")
    return canonical


def _ages(sheet):
    values = _column(sheet.frame, "age")
    values = unknown_as_missing(values)
    # Tables with semicolons usually have decimal commas.
    years = pd.to_numeric(values.str.replace(",", ".", regex=False), errors="coerce")
    years = years.astype("Float64")
    outside = (years.isna() & values.notna()) | ~years.between(*AGES).fillna(True)
    sheet.fail_where(outside, "age", f"years from {AGES[0]} to {AGES[1]}, or nothing")
    return years


def _sexes(sheet):
    values = lower(sheet, "sex").replace({"m": "male", "f": "female", "unknown": pd.NA})
    other = (~values.isin(SEXES) & values.notna()).fillna(False)
    if other.any():
        names = ", ".join(sorted(values[other].unique()))
        sheet.note(f"column 'sex': {int(other.sum())} values ({names}) taken as missing")
    return values.mask(other)
