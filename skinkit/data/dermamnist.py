"""DermaMNIST: the lesions of its images, and its split as published and without the leak."""

import pandas as pd

from skinkit.data.splits.split import Split
from skinkit.data.tables.columns import rename_columns
from skinkit.data.tables.csv_file import read_sheet

_PARTS = {"train": "train", "val": "validation", "test": "test"}
_IDS, _FACTS = "dermamnist_split_info.csv", "HAM10000_metadata.csv"
_ADDED = ("lesion_id", "dx_type", "age", "sex", "site")


def add_lesions(sheet):
    """Adds what HAM10000 knows of the images of DermaMNIST, whose file does not name them.

    Beside the file must lie `dermamnist_split_info.csv`, which names the image of each row, and
    `HAM10000_metadata.csv`; without them the lesions stay unknown.

    Args:
        sheet: `Sheet` of the unpacked images, with ids such as `train_000000`.

    Raises:
        ValueError: if the diagnosis of a row is not that of the image which the list names.
    """
    paths = [sheet.path.parents[1] / name for name in (_IDS, _FACTS)]
    if not all(path.is_file() for path in paths):
        sheet.note(f"no {_IDS} and {_FACTS} beside the images' file: their lesions are not known")
        return
    listed, facts = map(read_sheet, paths)
    listed.require("split", "index", "image_id")
    rename_columns(facts)
    facts.require("image_id", "dx", "lesion_id")
    image_of = listed.frame.set_index(listed.frame["split"] + "_" + listed.frame["index"].str.zfill(6))
    wanted = image_of["image_id"].reindex(sheet.frame["image_id"])
    known = facts.frame.set_index("image_id").reindex(wanted).set_axis(sheet.frame.index)
    sheet.fail_where(
        known["dx"].fillna("") != sheet.frame["label"],
        "label",
        f"the diagnosis of the image which {paths[0]} names in its place",
    )
    for column in _ADDED:
        if column in known:
            sheet.frame[column] = known[column]


def dermamnist_split(table, leak_free=False):
    """The split that DermaMNIST comes with, 7,007, 1,003 and 2,005 images, or the same without its leak.

    The published one divides images, and lesions are in two parts. Without the leak, all images of such a
    lesion are in training, as in DermaMNIST-C.

    Args:
        table: Manifest table of DermaMNIST.
        leak_free: Boolean; needs the lesion of each image.

    Returns:
        `Split`.

    Raises:
        ValueError: for a table of other images, or without lesions where they are needed.

    Reference:
    - [Abhishek et al., 2025](https://doi.org/10.1038/s41597-025-04382-5)
    """
    words = table["image_id"].str.extract(r"^(train|val|test)_\d{6}$", expand=False)
    if words.isna().any():
        raise ValueError(
            "DermaMNIST's split is in its image ids, train_000000 and so on. "
            f"Received: {table['image_id'][words.isna()].iloc[0]!r}"
        )
    parts = pd.Series(words.map(_PARTS).array, index=table["image_id"])
    if not leak_free:
        return Split("dermamnist", parts, None, "image", "Published split, of images.")
    if table["lesion_id"].isna().any():
        raise ValueError(
            f"Only lesions show the leak. Put {_IDS} and {_FACTS} beside the file, or let "
            '`skinkit.data.get("dermamnist")` do it, and load again.'
        )
    parts_of_lesion = parts.groupby(table["lesion_id"].to_numpy())
    parts[parts_of_lesion.transform("nunique") > 1] = "train"
    note = "Published split; all images of a lesion that it has in two parts are in training."
    return Split("dermamnist/leak-free", parts, None, "lesion", note)
