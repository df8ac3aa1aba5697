"""Readers of the tables of each release; all return the same tidy columns."""

import pandas as pd

from skinkit.data.classes import CLASS_MAPS
from skinkit.data.overlap import without_ending
from skinkit.data.tables.missing import known_ids, unknown_as_missing

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
SOURCE_EXPECTED = "the id of the photograph in every row, also of originals"

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
}
# The challenge and the Dataverse release name the confirmation differently.
_DX_TYPES = {
    **{name: name for name in DX_TYPES},
    "histopathology": "histo",
    "serial imaging showing no change": "follow_up",
    "single image expert consensus": "consensus",
    "confocal microscopy with consensus dermoscopy": "confocal",
}
# ISIC 2020 and the re-packs of 2019 and 2020.
_DIAGNOSES = {
    **{label: label for label in CLASS_MAPS["isic2019"].labels},
    "nevus": "nv",
    "melanoma": "mel",
    "seborrheic keratosis": "bkl",
    "lichenoid keratosis": "bkl",
    "solar lentigo": "bkl",
    "lentigo nos": "bkl",
    "cafe-au-lait macule": "unk",
    "atypical melanocytic proliferation": "unk",
    "unknown": "unk",
}
# derm7pt: the first match wins, in this order.
_DERM7PT = (
    ("basal cell", "bcc"),
    ("nevus", "nv"),
    ("dermatofibroma", "df"),
    ("lentigo", "bkl"),
    ("melanoma", "mel"),
    ("seborrheic keratosis", "bkl"),
    ("vascular lesion", "vasc"),
)
_DERM7PT_DROPPED = ("melanosis", "miscellaneous")
_HAM_LABELS = CLASS_MAPS["isic2018"].labels
_KNOWN_LABELS = sorted({label for item in CLASS_MAPS.values() for label in item.labels})


def reader_for(sheet):
    """Finds the reader by the columns of a sheet (after `rename_columns`).

    Raises:
        ValueError: if no reader knows these columns.
    """
    columns = set(sheet.frame.columns)
    if {"diagnosis", "derm"} <= columns:
        return read_derm7pt
    if len(columns & set(_KNOWN_LABELS)) > 2:
        return read_one_hot
    if "dx" in columns:
        return read_ham10000
    if "target" in columns or "benign_malignant" in columns:
        return read_isic2020
    if "label" in columns:
        return read_manifest_columns
    raise ValueError(
        f"{sheet.path}: no known table of diagnoses. Expected a column dx (HAM10000), one column a "
        "class (ISIC 2018, 2019), diagnosis and target (ISIC 2020, re-packs), diagnosis and derm "
        f"(derm7pt), or image_id, path, label. Received: {', '.join(sheet.frame.columns)}"
    )


def rename_columns(sheet):
    """Gives the columns of a sheet the names of the manifest where a release has its own."""
    names = {}
    for name, aliases in _ALIASES.items():
        found = [alias for alias in aliases if alias in sheet.frame]
        if name not in sheet.frame and found:
            names[found[0]] = name
    sheet.frame = sheet.frame.rename(columns=names)


def read_ham10000(sheet, labels=None):
    """HAM10000's metadata table (Dataverse), also the official ISIC 2018 test table there."""
    sheet.require("image_id", "dx", "lesion_id")
    label = lower(sheet, "dx")
    sheet.fail_where(~label.isin(_HAM_LABELS), "dx", f"one of {', '.join(_HAM_LABELS)}")
    return common(sheet, label)


def read_one_hot(sheet, labels=None):
    """ISIC 2018 task 3 and ISIC 2019: one column of 0.0/1.0 for each class."""
    sheet.require("image_id")
    codes = [column for column in sheet.frame if column in _KNOWN_LABELS]
    values = sheet.frame[codes].apply(pd.to_numeric, errors="coerce")
    for code in codes:
        sheet.fail_where(~values[code].isin([0, 1]), code, "0.0 or 1.0")
    sums = values.sum(axis=1)
    sheet.fail_where(sums != 1, "image_id", "class columns that sum to 1 in each row")
    return common(sheet, values.idxmax(axis=1).astype("string"))


def read_isic2020(sheet, labels=None):
    """ISIC 2020 and the re-packs: `labels="binary"` (default) or `"diagnosis"`."""
    frame = sheet.frame
    sheet.require("image_id", "diagnosis" if labels == "diagnosis" else "target")
    if "tfrecord" in frame:
        record = pd.to_numeric(frame["tfrecord"], errors="coerce")
        sheet.fail_where(record.isna(), "tfrecord", "a number (-1 marks a duplicate)")
        sheet.note(f"{int((record == -1).sum())} duplicates (tfrecord -1) dropped")
        sheet.frame = frame = frame[(record != -1).to_numpy(dtype=bool)]
    if labels == "diagnosis":
        found = frame["diagnosis"].str.lower().map(_DIAGNOSES).astype("string")
        expected = f"one of {', '.join(_DIAGNOSES)}"
        sheet.fail_where(found.isna(), "diagnosis", expected)
        return common(sheet, found)
    return common(sheet, _binary(sheet))


def _binary(sheet):
    frame = sheet.frame
    target = pd.to_numeric(frame["target"], errors="coerce")
    sheet.fail_where(~target.isin([0, 1]), "target", "0 (benign) or 1 (malignant)")
    label = target.map({0: "benign", 1: "malignant"}).astype("string")
    if "benign_malignant" in frame:
        differs = frame["benign_malignant"].str.lower() != label
        sheet.fail_where(differs, "benign_malignant", "the word that agrees with target")
    return label


def read_derm7pt(sheet, labels=None):
    """derm7pt's meta.csv: the dermoscopic image of each case, in gessert2019's classes."""
    diagnosis = lower(sheet, "diagnosis")
    label = pd.Series(pd.NA, index=diagnosis.index, dtype="string")
    for words, code in reversed(_DERM7PT):
        label[diagnosis.str.contains(words, regex=False).fillna(False).astype(bool)] = code
    unknown = label.isna() & ~diagnosis.isin(_DERM7PT_DROPPED)
    sheet.fail_where(unknown, "diagnosis", "a diagnosis of derm7pt")
    dropped = diagnosis[label.isna()].value_counts().sort_index()
    if len(dropped):
        names = ", ".join(f"{name} {count}" for name, count in dropped.items())
        sheet.note(f"{dropped.sum()} of {len(label)} cases are in none of the classes ({names})")
    kept = label.notna().to_numpy(dtype=bool)
    sheet.frame = sheet.frame[kept].copy()
    sheet.frame["file"] = sheet.frame["derm"].str.replace("\\", "/", regex=False)
    sheet.frame["image_id"] = sheet.frame["file"].str.split("/").str[-1]
    return common(sheet, label[kept], strip_notice=False)


def read_manifest_columns(sheet, labels=None):
    """A table that already has the columns of a manifest; paths are relative to its folder."""
    sheet.require("image_id", "path", "label")
    absent = [column for column in COLUMNS if column not in sheet.frame]
    if absent:
        sheet.note(f"no column(s) {', '.join(absent)}: taken as missing")
    label = lower(sheet, "label")
    sheet.fail_where(label.isna(), "label", "a diagnosis")
    others = sorted(set(label) - set(_KNOWN_LABELS))
    if others:
        sheet.note(f"labels outside the documents' classes: {', '.join(others)}")
    if "source_id" in sheet.frame:
        sheet.fail_where(known_ids(sheet.frame["source_id"]).isna(), "source_id", SOURCE_EXPECTED)
    sheet.frame = sheet.frame.rename(columns={"path": "file"})
    own = [name for name in ("source_id", "transform", "dataset") if name in sheet.frame]
    return common(sheet, label).join(sheet.frame[own])


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
    canonical = values.str.lower().map(_DX_TYPES).astype("string")
    wrong = canonical.isna() & values.notna()
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
