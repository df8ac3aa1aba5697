"""Splits read from CSV files: saved ones, and lists of one's own."""

import dataclasses

import pandas as pd

from skinkit.data.splits.split import Split, csv_file, read_parts
from skinkit.names import counted


def read_split(path):
    """Returns the `Split` of a CSV file: one that was saved, or a list of one's own.

    Args:
        path: Path of a file that `Split.save` wrote; or of a CSV file `image_id, part` alone, in UTF-8 with
            commas, semicolons or tabs, of which it is not known whether it keeps lesions and patients
            together.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: as in `Split.load`.
    """
    path = csv_file(path)
    if not path.exists():
        raise FileNotFoundError(f"No split at {path}: expected a CSV file with the columns image_id, part")
    if path.with_suffix(".json").exists():
        return Split.load(path)
    return Split(path.stem, read_parts(path), None, "image", f"{path.name} does not say how it was grouped.")


def split_from_file(table, path: str):
    """The split of a file, as far as the table has its images; images that are in no part are left out.

    Args:
        table: Manifest table.
        path: As in `read_split`.

    Returns:
        `Split`, whose note counts what only one of the two has.

    Raises:
        FileNotFoundError, ValueError: as in `read_split`, and when the table has none of the images.
    """
    split, images = read_split(path), pd.Index(table["image_id"])
    parts = split.parts[split.parts.index.isin(images)]
    if parts.empty:
        raise ValueError(
            f"{path} holds none of the images of the data set. Received: "
            f"{split.parts.index[0]!r} in the file, {images[0]!r} in the data set"
        )
    lost, unused = len(split.parts) - len(parts), len(images) - len(parts)
    only = {"file": lost, "data set": unused}
    notes = [f"Only in the {where}: {counted(number, 'image')}." for where, number in only.items() if number]
    return dataclasses.replace(split, parts=parts, note=" ".join(filter(None, [split.note, *notes])))
