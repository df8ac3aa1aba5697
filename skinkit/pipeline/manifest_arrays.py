"""What the pipeline takes from a manifest table, checked."""

from pathlib import Path

import numpy as np
import pandas as pd

from skinkit.pipeline.augment import ORIENTATIONS

_TURNED = [name for name, (transposed, *_) in ORIENTATIONS.items() if transposed]


def choose_rows(table, split):
    """The rows of a table with these ids, in this order."""
    if split is None:
        rows = table
    else:
        positions = pd.Index(table["image_id"])
        if not positions.is_unique:
            twice = positions[positions.duplicated()][0]
            raise ValueError(f"build_dataset: image id '{twice}' is in the table more than once.")
        ids = list(split)
        found = positions.get_indexer(ids)
        if (found < 0).any():
            absent = [name for name, position in zip(ids, found, strict=True) if position < 0]
            raise ValueError(
                f"build_dataset: {len(absent)} of {len(ids)} ids are not in the table, first "
                f"'{absent[0]}'. Was the split made from another data set?"
            )
        rows = table.iloc[found]
    if len(rows) == 0:
        raise ValueError("build_dataset: no rows to take. Received: an empty table or split.")
    return rows.reset_index(drop=True)


def image_paths(rows):
    """Paths as an array of text, all of existing files."""
    without = rows["path"].isna()
    if without.any():
        raise ValueError(
            f"build_dataset: {_name(rows, without)} has no path. Expected: the path of its image; "
            "read the table together with its image folder."
        )
    paths = rows["path"].to_numpy(dtype=str)
    missing = [path for path in np.unique(paths) if not Path(path).is_file()]
    if missing:
        raise FileNotFoundError(
            f"build_dataset: {len(missing)} image files are missing, first {missing[0]}. "
            "Fetch the images, or read the table again with the folder where they are."
        )
    return paths


def training_targets(rows, labels, sample_weight):
    """One-hot labels, and weights if there are any, as float32 arrays."""
    classes = pd.Index(list(labels)).get_indexer(rows["label"])
    if (classes < 0).any():
        raise ValueError(
            f"build_dataset: {_name(rows, classes < 0)} has a label that is not one of "
            f"{', '.join(labels)}. Received: label={rows['label'][np.argmax(classes < 0)]!r}"
        )
    one_hot = np.eye(len(labels), dtype=np.float32)[classes]
    if sample_weight is None:
        return (one_hot,)
    weights = np.asarray(sample_weight, np.float32)
    if weights.shape != (len(rows),) or not np.isfinite(weights).all():
        raise ValueError(
            f"build_dataset: `sample_weight` must be {len(rows)} finite numbers, one for each chosen "
            f"row. Received: shape {weights.shape}, {np.isfinite(weights).sum()} finite"
        )
    return one_hot, weights


def orientations(rows, spec):
    """The rows' `transform` column as bool (n, 3) under its key; empty where none does anything."""
    if "transform" not in rows:
        return {}
    names = rows["transform"].fillna("identity")
    unknown = ~names.isin(ORIENTATIONS)
    if unknown.any():
        raise ValueError(
            f"build_dataset: {_name(rows, unknown)} has an unknown transform. Expected: one of "
            f"{', '.join(ORIENTATIONS)}. Received: {names[unknown].iloc[0]!r}"
        )
    turned = names.isin(_TURNED)
    if turned.any() and not spec.is_square:
        raise ValueError(
            f"build_dataset: {_name(rows, turned)} is turned by 90 degrees, which needs a square "
            f"`image_size`. Received: image_size={spec.image_size}"
        )
    if (names == "identity").all():
        return {}
    return {"orientation": np.array([ORIENTATIONS[name] for name in names])}


def _name(rows, mask):
    position = int(np.argmax(np.asarray(mask)))
    return f"row {position} (image_id {rows['image_id'][position]})"


def check_whole(name, value, at_least):
    if int(value) != value or value < at_least:
        raise ValueError(
            f"build_dataset: `{name}` must be a whole number from {at_least}. Received: {name}={value}"
        )


def check_sampler(sampler, count):
    if sampler is not None and sampler.rows != count:
        raise ValueError(
            f"build_dataset: `sampler` must be one of the {count} chosen rows. "
            f"Received: a sampler of {sampler.rows} rows"
        )
