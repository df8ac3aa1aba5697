"""Loading of data sets: releases, tables and folders read into one tidy table of one row an image."""

from collections.abc import Mapping
from fnmatch import fnmatch
from pathlib import Path

import pandas as pd

from skinkit.data.dermamnist import add_lesions
from skinkit.data.manifest import validate
from skinkit.data.releases.catalog import CATALOG
from skinkit.data.tables.columns import rename_columns
from skinkit.data.tables.csv_file import read_sheet
from skinkit.data.tables.folder import (
    attach_images,
    class_folders,
    data_root,
    is_image,
    list_files,
    tables_like,
)
from skinkit.data.tables.packed_images import PACKED_ENDINGS, holds_layers, unpack_images, was_unpacked
from skinkit.data.tables.readers import drop_unusable, read_isic2020, read_manifest_columns, reader_for
from skinkit.data.tables.second_table import drop_duplicates, join_second_table
from skinkit.names import check_name, counted, did_you_mean

# Names of tables in a folder that is not a release's; the first pattern that matches wins.
_ANY = ("manifest.csv", "ham10000_metadata*", "train-metadata.csv")
# What the archive's own client writes beside the images.
_EXPORT = "metadata.csv"
_PACKED = "*image*.hdf5"
# Others may be tables, too, but most often are not.
_TABLE_ENDINGS = (".csv", ".tsv", ".tab")
_LABELS = (None, "binary", "diagnosis")
_MISSING_IMAGES = ("error", "drop", "keep")


def load(name, root=None, *, labels=None, columns=None, table=None, missing_images="error", verbose=True):
    """Reads one data set into a manifest table.

    Looks in the folder `<root>/<name>`, or in the folder of that path, for the release's own table and,
    anywhere below, for its images. What was changed or left out is counted in `table.attrs["notices"]`.

    Args:
        name: String, a data set such as `"ham10000"`, or the path of a table, of a folder with a table or
            with one folder of images a class, or of a file of many images (`.npz` of MedMNIST, `.hdf5`),
            which is unpacked once into a folder beside it.
        root: Folder that holds one folder a data set; default: environment variable
            `SKINKIT_DATA`, else `datasets`.
        labels: Dictionary from the table's words for diagnoses to labels, in any case. Or, where a table says
            both, `"binary"` (benign, malignant; the default of ISIC 2020 and 2024) or `"diagnosis"` (the
            eight classes of bermeo2023 and `unk`; for the archive's exports those of ISIC 2019).
        columns: Dictionary from columns of the manifest table to those read: `{"image_id": "img_id"}`.
        table: String, file name of the table to read, where a folder holds several.
        missing_images: String, what to do with rows whose image is not there: `"error"`, `"drop"`, or
            `"keep"` (path is `<NA>`). A release's folder without any image gives the table alone.
        verbose: Boolean, whether to print the notices.

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
    options = {"labels": labels, "columns": columns, "missing_images": missing_images}
    place = release_folder(name, root)
    if place.is_dir():
        manifest = _read_folder(place, place.resolve().name if _path(name) else name, table, **options)
    else:
        manifest = read_manifest(place, **options)
    if verbose:
        for notice in manifest.attrs["notices"]:
            print(f"skinkit: {notice}")
    return manifest


def _path(name):
    """The name as a path, `None` for the name of a data set."""
    path = Path(name)
    is_name = name in CATALOG or (path.name == str(name) and not path.suffix and not path.is_file())
    return None if is_name else path


def read_manifest(path, dataset=None, *, labels=None, columns=None, missing_images="error"):
    """Reads one table file, of a release or in manifest columns, and the images beside it.

    The columns decide which reader is used. Notices are in `table.attrs["notices"]`.

    Args:
        path: Path of the table file, or of a file of many images.
        dataset: String, value of the column `dataset`; default: the file's own, else its folder's name.
        labels: As in `load`.
        columns: As in `load`.
        missing_images: As in `load`.

    Returns:
        Manifest table.

    Raises:
        FileNotFoundError: no such file, or images that are not there.
        ValueError: naming file, line, column, what was expected and what was found.
    """
    path = _existing(Path(path))
    if path.is_dir():
        raise FileNotFoundError(
            f"{path}: a folder, expected a table file. `skinkit.data.load` reads folders."
        )
    if path.suffix.lower() in PACKED_ENDINGS:
        own = unpack_images(path) / "manifest.csv"
        beside = [other for other in list_files(path.parent) if other.suffix.lower() not in PACKED_ENDINGS]
        path = own if own.is_file() else _find_table(path.parent, "", beside, None)
    dataset = dataset or path.resolve().parent.name
    return _read(read_sheet(path), dataset, list_files(path.parent), labels, columns, missing_images)


def _existing(path):
    if path.exists():
        return path
    beside = [other.name for other in path.parent.glob("*")]
    raise FileNotFoundError(f"{path}: no such table file or folder.{did_you_mean(path.name, beside)}")


def _read_folder(folder, dataset, table, **options):
    files = list_files(folder)
    path = _find_table(folder, dataset, files, table)
    if path.suffix.lower() in PACKED_ENDINGS:
        return read_manifest(path, dataset, **options)
    sheet = class_folders(folder, files) if path == folder else read_sheet(path)
    return _read(sheet, dataset, files, **options)


def _read(sheet, dataset, files, labels, columns, missing_images):
    if not isinstance(labels, Mapping):
        check_name("Values of `labels`", labels, _LABELS)
    check_name("Values of `missing_images`", missing_images, _MISSING_IMAGES)
    if columns is not None and not isinstance(columns, Mapping):
        raise ValueError(f"columns is a dictionary, {{'image_id': 'img_id'}}. Received: columns={columns!r}")
    rename_columns(sheet, columns)
    join_second_table(sheet, files)
    if was_unpacked(sheet.path.parent, "dermamnist"):
        add_lesions(sheet)
    drop_unusable(sheet)
    if labels is None and "isic2019" in dataset:
        labels = "diagnosis"
    reader = reader_for(sheet, labels)
    if labels == "binary" and reader is not read_isic2020:
        raise ValueError(
            f"labels='binary' is for ISIC 2020 and other tables with a column target. Received: {sheet.path}"
        )
    rows = reader(sheet, labels)
    if "target" in sheet.frame and "tfrecord" not in sheet.frame and reader is not read_manifest_columns:
        rows = drop_duplicates(sheet, rows, files)
    release = reader is not read_manifest_columns
    rows = attach_images(sheet, rows, _with_unpacked(files), missing_images, table_alone=release)
    rows["dataset"] = rows["dataset"].fillna(dataset) if "dataset" in rows else dataset
    manifest = validate(rows)
    manifest.attrs = {"notices": sheet.notices, "table": str(Path(sheet.path).resolve())}
    return manifest


def _with_unpacked(files):
    """The files, and where there are no images, those of the images that lie packed among them."""
    packed = () if any(map(is_image, files)) else [p for p in files if fnmatch(p.name.lower(), _PACKED)]
    return [*files, *(image for path in packed for image in list_files(unpack_images(path)))]


def release_folder(name, root=None):
    """Returns the folder of a data set.

    Args:
        name: String, a data set such as `"derm7pt"`, or the path of a folder or table.
        root: As in `load`.

    Raises:
        FileNotFoundError: if it is not there, with what to do.
    """
    if (path := _path(name)) is not None:
        return _existing(path)
    folder = data_root(root) / name
    if not folder.is_dir():
        known = name in CATALOG
        hint = f" `skinkit data fetch {name}` downloads it." if known else did_you_mean(name, CATALOG)
        raise FileNotFoundError(
            f"No data set {name!r} under {folder.parent}: expected the folder {folder.absolute()} with "
            f"{' or '.join(_patterns(name))} and the images.{hint} The environment variable SKINKIT_DATA "
            "names another place than 'datasets'."
        )
    return folder


def _patterns(name):
    keys = [key for key in CATALOG if name.startswith(key)]
    return (*(CATALOG[max(keys, key=len)].tables if keys else _ANY), _EXPORT)


def _find_table(folder, dataset, files, table):
    """The table of a folder, the file of its images, or the folder itself where it has one a class."""
    patterns = (table,) if table else _patterns(dataset)
    if found := [path for pattern in patterns for path in tables_like(files, pattern)]:
        return found[0]
    endings = (_TABLE_ENDINGS, PACKED_ENDINGS, (*_TABLE_ENDINGS, ".txt", ".xlsx"))
    tables, packed, there = ([p for p in files if p.suffix.lower() in each] for each in endings)
    packed = [path for path in packed if not holds_layers(path)]
    is_own = not table and not any(map(dataset.startswith, CATALOG))
    if is_own and len(tables or packed) == 1:
        return (tables or packed)[0]
    if is_own and not tables and class_folders(folder, files) is not None:
        return folder
    raise FileNotFoundError(
        f"{folder}: no table of diagnoses. Expected {' or '.join(patterns)} there or in a folder below "
        f"(upper or lower case){', or one folder of images a class' if is_own else ''}. Received: "
        f"{', '.join(path.name for path in there[:5]) or 'no table'}; table=... names the one to read."
        + (f" `skinkit data fetch {dataset}` downloads it." if dataset in CATALOG else "")
    )


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
    notices.append(f"{counted(len(both) - len(merged), 'image')} of unknown diagnosis left out")
    merged.attrs["notices"] = notices
    return merged
