"""Readers of the tables of each release; all return the same tidy columns."""

import pandas as pd

from skinkit.data.classes import CLASS_MAPS
from skinkit.data.tables.columns import COLUMNS, COPY_COLUMNS, common, lower
from skinkit.data.tables.diagnoses import (
    DIAGNOSES,
    KNOWN_LABELS,
    SEVEN_CLASSES,
    archive_label,
    compare_columns,
    own_words,
    translated,
)
from skinkit.data.tables.image_ids import without_ending, without_marks
from skinkit.data.tables.words import WORDS

_DERM7PT_DROPPED = ("melanosis", "miscellaneous")
_HAM_LABELS = CLASS_MAPS["isic2018"].labels
# Numbers of the ids of the challenge's validation and test images, whose training images end before.
_OFFICIAL_TEST = (34321, 36064)
# The only one that the official scorer gives the weight 0.
_SYNTHETIC_IMAGE = "isic_0035068"
_EXPORT_COLUMNS = {"diagnosis_1", "diagnosis_3", "attribution", "copyright_license"}
_OFFICIAL_SETS = ("isic2018_validation", "isic2018_test")


def reader_for(sheet, labels=None):
    """Finds the reader by the columns of a sheet (after `rename_columns`): an own label always wins.

    Raises:
        ValueError: if no reader knows these columns.
    """
    columns = set(sheet.frame.columns)
    if "label" in columns:
        return read_manifest_columns
    if {"diagnosis", "derm"} <= columns:
        return read_derm7pt
    if len(columns & set(KNOWN_LABELS)) > 2:
        return read_one_hot
    if "dx" in columns:
        return read_ham10000
    if "diagnosis_3" in columns and ("target" not in columns or labels == "diagnosis"):
        return read_archive
    if "target" in columns or "benign_malignant" in columns:
        return read_isic2020
    raise ValueError(
        f"{sheet.path}: no known table of diagnoses. Expected a column dx (HAM10000), one column a "
        "class (ISIC 2018, 2019), diagnosis and target (ISIC 2020, re-packs), diagnosis_3 (export of the "
        "ISIC archive), diagnosis and derm (derm7pt), or image_id, label and mostly path; "
        "columns={'image_id': ..., 'label': ...} says which columns of another table these are. "
        f"Received: {', '.join(sheet.frame.columns)}"
    )


def drop_unusable(sheet):
    """Leaves out synthetic images, and of the archive's exports altered ones and those of official tests."""
    if "image_id" not in sheet.frame:
        return
    synthetic = without_marks(sheet.frame["image_id"]).str.lower().str.startswith(_SYNTHETIC_IMAGE)
    sheet.drop(synthetic, "synthetic (ISIC_0035068, which the official scorer leaves out)")
    if "image_manipulation" in sheet.frame:
        altered = sheet.frame["image_manipulation"]
        sheet.drop(altered.notna(), f"altered or synthetic ({_counts(altered)})")
    # ISIC 2024's own table has some of these columns, and ids of any number.
    is_export = not _EXPORT_COLUMNS.isdisjoint(sheet.frame) and "iddx_full" not in sheet.frame
    if is_export and not any(part.startswith(_OFFICIAL_SETS) for part in sheet.path.resolve().parts):
        ids = without_marks(sheet.frame["image_id"])
        number = ids.str.extract(r"(?i)^ISIC_(\d{7})$", expand=False).astype("Int64")
        sheet.drop(
            number.between(*_OFFICIAL_TEST),
            "of the official ISIC 2018 validation and test sets, so that none falls into training (they are "
            f"read in a folder {' or '.join(_OFFICIAL_SETS)})",
        )


def read_ham10000(sheet, labels=None):
    """HAM10000's metadata table (Dataverse), also the official ISIC 2018 test table there."""
    sheet.require("image_id", "dx")
    if "lesion_id" not in sheet.frame:
        sheet.note("no column lesion_id: its lesions are not known")
    lower(sheet, "dx")
    label, known = translated(sheet, "dx", labels), {*_HAM_LABELS, *own_words(labels).values()}
    sheet.fail_where(~label.isin(known), "dx", f"one of {', '.join(_HAM_LABELS)}")
    return common(sheet, label)


def read_archive(sheet, labels=None):
    """The archive's export, in HAM10000's seven classes; `labels="diagnosis"` for the eight of ISIC 2019."""
    sheet.require("image_id", "diagnosis_2", "diagnosis_3")
    frame = sheet.frame
    sheet.frame = frame.assign(diagnosis_3=frame["diagnosis_3"].fillna(frame["diagnosis_2"]))
    joined = {} if labels == "diagnosis" else SEVEN_CLASSES

    def known(word):
        label = archive_label(word)
        return joined.get(label, label)

    label = translated(sheet, "diagnosis_3", labels, known)
    # Kinds of vascular lesions are told apart by some clinics only.
    group = frame["diagnosis_2"].str.lower().map(known, na_action="ignore")
    label = label.fillna(group.astype("string"))
    other = label.isna()
    words = _counts(sheet.frame["diagnosis_3"].fillna("no diagnosis")[other])
    sheet.drop(other, f"in none of the classes ({words})")
    return common(sheet, label[~other])


def _counts(words):
    return ", ".join(f"{word} {count}" for word, count in words.value_counts().items())


def read_one_hot(sheet, labels=None):
    """ISIC 2018 task 3 and ISIC 2019: one column of 0.0/1.0 for each class."""
    sheet.require("image_id")
    codes = [column for column in sheet.frame if column in KNOWN_LABELS]
    values = sheet.frame[codes].apply(pd.to_numeric, errors="coerce")
    for code in codes:
        sheet.fail_where(~values[code].isin([0, 1]), code, "0.0 or 1.0")
    sums = values.sum(axis=1)
    sheet.fail_where(sums != 1, "image_id", "class columns that sum to 1 in each row")
    label = values.idxmax(axis=1).astype("string")
    compare_columns(sheet, label, set(codes))
    return common(sheet, label.replace(own_words(labels)))


def read_isic2020(sheet, labels=None):
    """ISIC 2020 and the re-packs: `labels="binary"` (default) or `"diagnosis"`."""
    # Own words are for the diagnoses unless they are words of the other column.
    by_diagnosis = labels == "diagnosis" or not {*own_words(labels)} <= {"0", "1", "benign", "malignant"}
    sheet.require("image_id", "diagnosis" if by_diagnosis else "target")
    if "tfrecord" in sheet.frame:
        record = pd.to_numeric(sheet.frame["tfrecord"], errors="coerce")
        sheet.fail_where(record.isna(), "tfrecord", "a number (-1 marks a duplicate)")
        sheet.drop(record == -1, "duplicates (tfrecord -1)")
    if by_diagnosis:
        label = translated(sheet, "diagnosis", labels, DIAGNOSES)
        sheet.fail_where(label.isna(), "diagnosis", f"one of {', '.join(DIAGNOSES)}")
        return common(sheet, label)
    if "diagnosis_1" in sheet.frame:
        sheet.note("ISIC 2024: benign and malignant; labels='diagnosis' reads its diagnoses")
    label = _binary(sheet)
    compare_columns(sheet, label, {"target"})
    numbers = {"0": "benign", "1": "malignant"}
    own = {numbers.get(word, word): said for word, said in own_words(labels).items()}
    return common(sheet, label.replace(own))


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
    words = lower(sheet, "diagnosis")
    label = translated(sheet, "diagnosis", labels, _derm7pt_label)
    sheet.fail_where(label.isna() & ~words.isin(_DERM7PT_DROPPED), "diagnosis", "a diagnosis of derm7pt")
    other = label.isna()
    sheet.drop(other, f"in none of the classes ({_counts(words[other])})")
    file = sheet.frame["derm"].str.replace("\\", "/", regex=False)
    sheet.frame = sheet.frame.assign(file=file, image_id=without_ending(file.str.split("/").str[-1]))
    sheet.called["file"] = "derm"
    return common(sheet, label[~other])


def _derm7pt_label(diagnosis):
    return next((label for words, label in WORDS["derm7pt"].items() if words in diagnosis), None)


def read_manifest_columns(sheet, labels=None):
    """A table in the columns of a manifest; paths are relative to its folder, ids serve without them."""
    sheet.require("image_id", "label")
    absent = [column for column in COLUMNS if column not in sheet.frame]
    if absent:
        sheet.note(f"no column(s) {', '.join(absent)}: taken as missing")
    lower(sheet, "label")
    label = translated(sheet, "label", labels)
    # Those of a class map of one's own are known, too.
    if others := sorted({*label.dropna()} - {each for known in CLASS_MAPS.values() for each in known.labels}):
        sheet.note(f"labels outside the documents' classes: {', '.join(others)}")
    ids = sheet.frame["image_id"]
    if "path" not in sheet.frame and ids.str.contains(r"[\\/]").any():
        sheet.frame = sheet.frame.assign(path=ids)
    sheet.frame = sheet.frame.rename(columns={"path": "file"})
    sheet.called["file"] = sheet.called.get("path", "path")
    return common(sheet, label, [name for name in (*COPY_COLUMNS, "dataset") if name in sheet.frame])
