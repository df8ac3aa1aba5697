"""Files of a data set's folder: tables by name pattern, images by id."""

import os
from fnmatch import fnmatch
from pathlib import Path

import pandas as pd

_TABLE_ENDINGS = {".csv", ".tab", ".tsv", ".txt", ""}
_IMAGE_ENDINGS = {".jpg", ".jpeg", ".png"}


def data_root(root=None):
    """Returns the folder of the data sets: `root`, else the variable `SKINKIT_DATA`, else `datasets`."""
    return Path(root or os.environ.get("SKINKIT_DATA") or "datasets")


def list_files(folder):
    """Returns all files below a folder, the least deep first, without hidden ones and __MACOSX."""
    found = []
    for place, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if name != "__MACOSX" and not name.startswith(".")]
        found += [Path(place, name) for name in names if not name.startswith(".")]
    return sorted(found, key=lambda path: (len(path.parts), str(path)))


def tables_like(files, pattern):
    """Returns the tables among files whose lower-case name fits the pattern."""
    return [
        path
        for path in files
        if path.suffix.lower() in _TABLE_ENDINGS and fnmatch(path.name.lower(), pattern.lower())
    ]


def attach_images(sheet, rows, files, missing_images, table_alone):
    """Fills `path` of the tidy rows and treats rows without an image (see `skinkit.data.load`).

    Args:
        sheet: `Sheet` of the table; takes the notices.
        rows: DataFrame of tidy rows; `file` (path relative to the table or its images folder) or ids are
            used.
        files: Paths of all files of the data set (`list_files`).
        missing_images: `"error"`, `"drop"` or `"keep"`.
        table_alone: Boolean, whether a table without any image at all is accepted.

    Raises:
        FileNotFoundError: naming the first images that are not there and what to do.
    """
    named = rows["file"].notna().any()
    paths = _by_file(sheet, rows) if named else _by_id(sheet, rows, files)
    rows = rows.assign(path=pd.array(paths, dtype="string"))
    missing = rows["path"].isna()
    if not missing.any() or missing_images == "keep":
        return rows
    no_images = not any(path.suffix.lower() in _IMAGE_ENDINGS for path in files)
    if no_images and table_alone and missing_images == "error":
        sheet.note("no images beside it: the table alone (path is <NA>)")
        return rows
    if missing_images == "drop":
        sheet.note(f"{missing.sum()} rows without an image dropped")
        return rows[~missing]
    first = ", ".join(rows.loc[missing, "image_id"].head(3))
    raise FileNotFoundError(
        f"{missing.sum()} of the {len(rows)} images in {sheet.path} are not there ({first}, ...). "
        "Complete the download (`skinkit data fetch`), or pass missing_images='drop' (leave these "
        "rows out) or 'keep' (path is <NA>)."
    )


def _by_file(sheet, rows):
    places = [sheet.path.parent, sheet.path.parent / "images", sheet.path.parent.parent / "images"]
    return [
        next((str(place / file) for place in places if (place / file).is_file()), None)
        if pd.notna(file)
        else None
        for file in rows["file"]
    ]


def _by_id(sheet, rows, files):
    images, again = {}, 0
    for path in files:
        # Masks of the lesions' areas come beside some releases; they are not photographs.
        if path.suffix.lower() in _IMAGE_ENDINGS and not path.stem.endswith("_segmentation"):
            again += path.stem.lower() in images
            images.setdefault(path.stem.lower(), str(path))
    if again:
        sheet.note(f"{again} images occur in a second folder: the first is used")
    ids = rows["image_id"].str.lower()
    unused = len(images.keys() - set(ids))
    if unused:
        sheet.note(f"{unused} images without a row in the table are not used")
    return [images.get(image) for image in ids]
