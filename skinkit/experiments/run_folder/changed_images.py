"""The image files of an unfinished run, so that a changed one is noticed before the run goes on."""

from pathlib import Path

import pandas as pd

from skinkit.files import file_hash, reading, writing

NAME = "images.csv.gz"


def note_images(table, folder):
    """Writes size, time and content hash of each image file into the run folder.

    Args:
        table: Manifest table of the run.
        folder: `pathlib.Path` of the run folder.
    """
    files = _files(table)
    files["content"] = files["path"].map(file_hash)
    with writing(folder / NAME, ".part.csv.gz") as part:
        files.drop(columns="path").to_csv(part, index=False)


def check_unchanged(table, folder):
    """Raises `ValueError` when an image has another content than when the run was begun.

    Content is read only where size or time differ, as they do where the images lie in another place.

    Args:
        table: Manifest table of the run.
        folder: `pathlib.Path` of the run folder.
    """
    remedy = "Give the image back as it was, or train again with `--again`"
    with reading(folder / NAME, "Train again with `--again`"):
        noted = pd.read_csv(folder / NAME, dtype={"image_id": str}, keep_default_na=False)
        files = _files(table).merge(noted, on="image_id", suffixes=("", "_noted"), validate="1:1")
    touched = (files["bytes"] != files["bytes_noted"]) | (files["changed"] != files["changed_noted"])
    for row in files[touched].itertuples():
        if file_hash(row.path) != row.content:
            raise ValueError(f"{row.path} has changed since the run in {folder} was begun. {remedy}")


def _files(table):
    """Each image file once, with its size and the time of its last change."""
    if table["path"].isna().any():
        named = ", ".join(table["dataset"].unique())
        raise FileNotFoundError(f"The table of {named} has no images beside it, and training needs them")
    files = table[["image_id", "path"]].drop_duplicates("path", ignore_index=True)
    stats = [Path(path).stat() for path in files["path"]]
    return files.assign(bytes=[s.st_size for s in stats], changed=[s.st_mtime_ns for s in stats])
