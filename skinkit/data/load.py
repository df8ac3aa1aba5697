"""Loading of data sets: each release read into one tidy table, one row per image."""

import sys
from pathlib import Path

import pandas as pd

from skinkit.data.manifest import validate
from skinkit.data.overlap import photograph_ids, without_marks
from skinkit.data.releases.catalog import CATALOG
from skinkit.data.tables.csv_file import read_sheet
from skinkit.data.tables.folder import attach_images, data_root, list_files, tables_like
from skinkit.data.tables.readers import (
    read_isic2020,
    read_manifest_columns,
    reader_for,
    rename_columns,
)
from skinkit.names import did_you_mean

# Tables of diagnoses of each release; the first pattern that matches wins.
TABLES = {
    "ham10000": ("ham10000_metadata*", "isic2018_task3_training_groundtruth*"),
    "isic2018_train": ("isic2018_task3_training_groundtruth*",),
    "isic2018_validation": ("isic2018_task3_validation_groundtruth*",),
    "isic2018_test": ("isic2018_task3_test_groundtruth*",),
    "isic2019": ("isic_2019_training_groundtruth*", "train.csv"),
    "isic2019_test": ("isic_2019_test_groundtruth*",),
    "isic2020": ("subset_with_images.csv", "isic_2020_training_groundtruth*", "train.csv"),
    "derm7pt": ("meta.csv",),
}
_ANY = ("manifest.csv", "ham10000_metadata*")
_LABELS = (None, "binary", "diagnosis")
_MISSING_IMAGES = ("error", "drop", "keep")


def load(name, root=None, *, labels=None, table=None, missing_images="error", verbose=True):
    """Reads one data set into a manifest table.

    Looks in the folder `<root>/<name>` for the release's own table and, anywhere below, for its
    images. What was changed or left out is counted in `table.attrs["notices"]`.

    Args:
        name: String, a data set such as `"ham10000"`, or the path of a CSV file.
        root: Folder that holds one folder a data set; default: environment variable
            `SKINKIT_DATA`, else `datasets`.
        labels: ISIC 2020 only: `"binary"` (benign, malignant; its default) or `"diagnosis"` (the
            eight classes of bermeo2023 and `unk`).
        table: String, file name of the table to read, where a folder holds several.
        missing_images: String, what to do with rows whose image is not there: `"error"`, `"drop"`, or
            `"keep"` (path is `<NA>`). A release's folder without any image gives the table alone.
        verbose: Boolean, whether to print the notices to stderr.

    Returns:
        DataFrame with the columns of `skinkit.data.COLUMNS`; missing values are `<NA>`, ages in
        years.

    Raises:
        FileNotFoundError: no such folder, table or images.
        ValueError: a table that does not hold what its release holds, by file, line and column.

    Example:
        >>> table = load("ham10000", root="datasets")
        >>> table["label"].value_counts()
    """
    if str(name).lower().endswith((".csv", ".tsv", ".tab")):
        manifest = read_manifest(name, labels=labels, missing_images=missing_images)
    else:
        folder = release_folder(name, root)
        files = list_files(folder)
        path = _find_table(name, folder, files, table)
        manifest = _read(path, name, files, labels, missing_images)
    if verbose:
        for notice in manifest.attrs["notices"]:
            print(f"skinkit: {notice}", file=sys.stderr)
    return manifest


def read_manifest(path, dataset=None, *, labels=None, missing_images="error"):
    """Reads one table file, of a release or in manifest columns, and the images beside it.

    The columns decide which reader is used. Notices are in `table.attrs["notices"]`.

    Args:
        path: Path of the table file.
        dataset: String, value of the column `dataset`; default: the file's own, else its folder's name.
        labels: As in `load`.
        missing_images: As in `load`.

    Returns:
        Manifest table.

    Raises:
        FileNotFoundError: no such file, or images that are not there.
        ValueError: naming file, line, column, what was expected and what was found.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"{path}: no such table file.")
    dataset = dataset or path.resolve().parent.name
    return _read(path, dataset, list_files(path.parent), labels, missing_images)


def _read(path, dataset, files, labels, missing_images):
    _one_of("labels", labels, _LABELS)
    _one_of("missing_images", missing_images, _MISSING_IMAGES)
    sheet = read_sheet(path)
    rename_columns(sheet)
    _join_companion(sheet, files)
    if labels is None and "isic2019" in dataset:
        labels = "diagnosis"
    reader = reader_for(sheet)
    if labels == "binary" and reader is not read_isic2020:
        raise ValueError(f"labels='binary' is for ISIC 2020. Received: {path}")
    rows = reader(sheet, labels)
    if "target" in sheet.frame and "tfrecord" not in sheet.frame:
        rows = _drop_duplicates(sheet, rows, files)
    release = reader is not read_manifest_columns
    rows = attach_images(sheet, rows, files, missing_images, table_alone=release)
    rows["dataset"] = rows["dataset"].fillna(dataset) if "dataset" in rows else dataset
    manifest = validate(rows)
    manifest.attrs = {"notices": sheet.notices, "table": str(Path(path).resolve())}
    return manifest


def _one_of(name, value, allowed):
    if value not in allowed:
        raise ValueError(f"{name} is one of {allowed}. Received: {name}={value!r}")


def release_folder(name, root=None):
    """Returns the folder of a data set.

    Args:
        name: String, a data set such as `"derm7pt"`.
        root: As in `load`.

    Raises:
        FileNotFoundError: if it is not there, with what to do.
    """
    root = data_root(root)
    folder = root / name
    if not folder.is_dir():
        known = name in CATALOG
        hint = f" `skinkit data fetch {name}` downloads it." if known else did_you_mean(name, CATALOG)
        raise FileNotFoundError(
            f"No data set {name!r} under {root}: expected the folder {folder} with "
            f"{' or '.join(_patterns(name))} and the images.{hint} The environment variable SKINKIT_DATA "
            "names another place than 'datasets'."
        )
    return folder


def _patterns(name):
    keys = [key for key in TABLES if name.startswith(key)]
    return TABLES[max(keys, key=len)] if keys else _ANY


def _find_table(name, folder, files, table):
    patterns = (table,) if table else _patterns(name)
    for pattern in patterns:
        for path in tables_like(files, pattern):
            return path
    raise FileNotFoundError(
        f"{folder}: no table of diagnoses. Expected {' or '.join(patterns)} there or in a folder "
        f"below (upper or lower case). `skinkit data fetch {name}` downloads it."
    )


def _join_companion(sheet, files):
    """Adds what the challenges keep in a second file: lesion ids, confirmation, age, sex, site."""
    name = sheet.path.name.lower()
    if "groundtruth" not in name or {"lesion_id", "dx", "target"} & set(sheet.frame):
        return
    names = [name.replace("groundtruth", word) for word in ("lesiongroupings", "metadata")]
    found = [path for other in names for path in tables_like(files, other)]
    if found:
        _merge(sheet, read_sheet(found[0]))
    else:
        sheet.note("no table LesionGroupings or Metadata beside it: its lesions are not known")


def _merge(sheet, other):
    rename_columns(other)
    other.require("image_id")
    ids, other_ids = sheet.frame["image_id"], other.frame["image_id"]
    other.fail_where(other_ids.isna(), "image_id", "an image id")
    other.fail_where(other_ids.duplicated(keep=False), "image_id", "each image once")
    sheet.notices += other.notices
    absent, unused = int((~ids.isin(other_ids)).sum()), int((~other_ids.isin(ids)).sum())
    if absent or unused:
        sheet.note(f"{other.path.name} lacks {absent} of its images and has {unused} others")
    extra = other.frame.set_index("image_id").reindex(ids)
    for column in extra:
        if column not in sheet.frame:
            sheet.frame[column] = pd.array(extra[column], dtype="string")


def _drop_duplicates(sheet, rows, files):
    """ISIC 2020 lists pairs of equal photographs: the second of each pair goes."""
    found = tables_like(files, "*duplicates*.csv")
    if not found:
        sheet.note("no list of duplicates (ISIC_2020_Training_Duplicates.csv): none dropped")
        return rows
    pairs = read_sheet(found[0], may_be_empty=True)
    pairs.require("image_name_1", "image_name_2")
    names = ("image_name_1", "image_name_2")
    first, second = (without_marks(pairs.frame[name]).str.lower() for name in names)
    ids = photograph_ids(rows)
    both = first.isin(ids) & second.isin(ids)
    again = ids.isin(second[both.to_numpy(dtype=bool)])
    sheet.note(f"{again.sum()} duplicates dropped ({len(pairs.frame)} pairs in {found[0].name})")
    return rows[~again.to_numpy(dtype=bool)]


def merge_bermeo2023(isic2019, isic2020):
    """Merges ISIC 2019 and ISIC 2020 as bermeo2023 does: 31,265 images of the re-packs.

    Source: bermeo2023, code.

    Args:
        isic2019: Manifest table of ISIC 2019 (re-pack or official).
        isic2020: Manifest table of ISIC 2020 read with `labels="diagnosis"`.

    Returns:
        Manifest table in eight classes; rows with the label `unk` are left out.

    Raises:
        ValueError: if ISIC 2020 was read as benign/malignant, or an image is in both.

    Example:
        >>> table = merge_bermeo2023(load("isic2019"), load("isic2020", labels="diagnosis"))
    """
    if isic2020["label"].isin(["benign", "malignant"]).any():
        raise ValueError("Read ISIC 2020 with labels='diagnosis'. Received: benign, malignant")
    both = pd.concat([isic2020, isic2019], ignore_index=True)
    merged = validate(both[both["label"] != "unk"])
    notices = [*isic2019.attrs.get("notices", []), *isic2020.attrs.get("notices", [])]
    notices.append(f"{len(both) - len(merged)} images of unknown diagnosis left out")
    merged.attrs["notices"] = notices
    return merged
