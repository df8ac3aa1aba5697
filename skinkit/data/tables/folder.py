"""Files of a data set's folder: tables by name pattern, images by id."""

import filecmp
import os
import unicodedata
from fnmatch import fnmatch
from pathlib import Path

import pandas as pd

from skinkit.data.tables.csv_file import Sheet
from skinkit.data.tables.image_ids import without_marks
from skinkit.data.tables.packed_images import PACKED_ENDINGS
from skinkit.files import IMAGE_ENDINGS
from skinkit.names import counted

_TABLE_ENDINGS = {".csv", ".tab", ".tsv", ".txt", ".npz", ""}


def data_root(root=None):
    """Returns the folder of the data sets: `root`, else the variable `SKINKIT_DATA`, else `datasets`."""
    return Path(root or os.environ.get("SKINKIT_DATA") or "datasets")


def list_files(folder):
    """Returns all files below a folder, the least deep first, without hidden ones and __MACOSX.

    Links are followed, each folder is entered once.
    """
    return sorted(_walk(folder), key=lambda path: (len(path.parts), str(path)))


def has_images(folder):
    """Tells whether a folder holds an image anywhere below it, as a file of its own or in one of many."""
    return any(is_image(path) or path.suffix.lower() in PACKED_ENDINGS for path in _walk(folder))


def _walk(folder):
    entered = set()
    for place, folders, names in os.walk(folder, followlinks=True):
        if (real := Path(place).resolve()) in entered:
            folders.clear()
            continue
        entered.add(real)
        folders[:] = [name for name in folders if name != "__MACOSX" and not name.startswith(".")]
        paths = (Path(place, name) for name in names if not name.startswith("."))
        # A link to nothing is not a file.
        yield from (path for path in paths if path.exists())


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
    no_images = not any(map(is_image, files))
    if no_images and table_alone and missing_images == "error":
        sheet.note("no images beside it: the table alone (path is <NA>)")
        return rows
    if missing_images == "drop":
        sheet.note(f"{counted(missing.sum(), 'row')} without an image dropped")
        return rows[~missing]
    lost = rows.loc[missing, "image_id"]
    raise FileNotFoundError(
        f"{missing.sum()} of the {len(rows)} images in {sheet.path} are not there "
        f"({', '.join(lost.head(3))}, ...).{_unreadable(lost, files)} Complete the images, or "
        "pass missing_images='drop' (leave these rows out) or 'keep' (path is <NA>)."
    )


def _unreadable(ids, files):
    """A sentence about a file of one of these ids that no room can read."""
    wanted = set(ids.str.lower())
    found = next((path for path in files if path.stem.lower() in wanted and not is_image(path)), None)
    return f" {found} is there, but only JPEG and PNG files are read: convert it." if found else ""


def is_image(path):
    """Tells whether a file is a photograph, by its name."""
    # Masks of the lesions' areas come beside some releases; they are not photographs.
    return path.suffix.lower() in IMAGE_ENDINGS and not path.stem.endswith("_segmentation")


def _by_file(sheet, rows):
    places = [sheet.path.parent, sheet.path.parent / "images", sheet.path.parent.parent / "images"]
    paths = rows["file"].map(lambda file: _find(places, file), na_action="ignore").astype("string")
    endings = paths.str.lower().str.extract(r"(\.[a-z]+)$", expand=False)
    wrong = (endings.notna() & ~endings.isin(IMAGE_ENDINGS)).reindex(sheet.frame.index)
    sheet.fail_where(wrong, "file", f"a JPEG or PNG file ({', '.join(IMAGE_ENDINGS)})")
    return paths


def _find(places, file):
    # Tables that were written on Windows separate folders by backslashes; files of macOS may have letters
    # and accents apart.
    names = (file, file.replace("\\", "/"), unicodedata.normalize("NFD", file))
    return next((str(p / name) for name in names for p in places if (p / name).is_file()), pd.NA)


def _by_id(sheet, rows, files):
    images = {}
    for path in filter(is_image, files):
        images.setdefault(unicodedata.normalize("NFC", path.stem).lower(), []).append(path)
    ids = rows["image_id"].str.lower()
    again = sum(_equal_files(images[image]) for image in ids if image in images)
    if again:
        sheet.note(f"{counted(again, 'image occurs', 'images occur')} in a second folder: the first is used")
    unused = len(images.keys() - set(ids) - sheet.left_out)
    if unused:
        sheet.note(f"{counted(unused, 'image')} without a row in the table: not used")
    return [str(images[image][0]) if image in images else None for image in ids]


def _equal_files(paths):
    """Returns how many files of one id there are beside the first; raises ValueError if they differ."""
    first, *again = paths
    for path in again:
        if not filecmp.cmp(first, path, shallow=False):
            raise ValueError(
                f"{first} and {path} have one image id and are not equal. Move away the one that is not the "
                "photograph, or name the file of each row in a column `path`"
            )
    return len(again)


_OTHER_IMAGES = {".bmp", ".gif", ".tif", ".tiff", ".webp", ".dcm", ".heic"}


def class_folders(folder, files):
    """Returns a sheet of images that lie in one folder a class, `None` unless there are two such folders.

    The id of an image is the name of its file; where names are used in several folders anew, its path.

    Raises:
        ValueError: if one photograph lies in two folders: an id that is known by itself, as `ISIC_0024306`;
            or for images in another format.
    """
    paths = [path.relative_to(folder) for path in files if is_image(path)]
    if len({path.parent for path in paths}) < 2 or any(len(path.parts) < 2 for path in paths):
        return None
    if other := [path for path in files if path.suffix.lower() in _OTHER_IMAGES]:
        raise ValueError(f"{other[0]}: only JPEG and PNG files are read. Convert it, or move it away")
    whole = pd.Series([path.with_suffix("").as_posix() for path in paths], dtype="string")
    stems = pd.Series([path.stem for path in paths], dtype="string")
    ids = whole if stems.str.lower().duplicated().any() else stems
    again = without_marks(whole).str.lower().duplicated(keep=False).to_numpy(dtype=bool)
    if again.any():
        first, other = [path for path, twice in zip(paths, again, strict=True) if twice][:2]
        raise ValueError(f"{folder}: {first} and {other} have one image id. Leave one of them")
    labels = [unicodedata.normalize("NFC", path.parent.name) for path in paths]
    rows = {"image_id": ids, "path": [path.as_posix() for path in paths], "label": labels}
    return Sheet(folder / "class folders", pd.DataFrame(rows, dtype="string"))
