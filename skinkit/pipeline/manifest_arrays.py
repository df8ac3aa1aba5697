"""Arrays of a manifest table's columns, checked: paths, one-hot labels, weights, orientations."""

import contextlib
from collections.abc import Iterable
from numbers import Integral
from pathlib import Path

import numpy as np

from skinkit.names import counted, one_hot
from skinkit.pipeline.augment.orientation import ORIENTATIONS
from skinkit.pipeline.sampling import Sampler
from skinkit.pipeline.spec import PipelineSpec

_TURNED = [name for name, (transposed, *_) in ORIENTATIONS.items() if transposed]


def check_arguments(rows, spec, labels, training):
    """Raises `ValueError` for arguments of another kind, or without what they need."""
    columns = ["image_id", "path", *(["label"] if labels else [])]
    absent = [column for column in columns if column not in getattr(rows, "columns", ())]
    if absent:
        raise ValueError(
            f"build_dataset: `rows` is a DataFrame with the columns {', '.join(columns)}, such as "
            f"split.rows(table, 'train'). Received: {type(rows).__name__} without {', '.join(absent)}"
        )
    if not isinstance(spec, PipelineSpec):
        raise ValueError(
            "build_dataset: `spec` is a PipelineSpec, such as PipelineSpec(image_size=(64, 64)). "
            f"Received: spec={spec!r}"
        )
    if training and labels == ():
        raise ValueError(
            "build_dataset: a training needs `labels`, the classes in the order of the network's outputs, "
            "such as CLASS_MAPS['isic2018'].labels; labels=None makes batches of images alone"
        )


def class_names(labels):
    """Returns the classes as a tuple of text; raises `ValueError` for what cannot be one."""
    is_sequence = isinstance(labels, Iterable) and not isinstance(labels, str)
    names = tuple(labels) if is_sequence else ()
    if is_sequence and len(set(names)) == len(names) and all(isinstance(name, str) for name in names):
        return names
    of_map = " Pass its `labels`." if hasattr(labels, "labels") else ""
    raise ValueError(
        "build_dataset: `labels` is a sequence of different class codes, such as ('mel', 'nv'). "
        f"Received: labels={labels!r:.60}.{of_map}"
    )


def numbered(rows):
    """Returns the rows with an index from 0; raises `ValueError` where there are none."""
    if len(rows) == 0:
        raise ValueError("build_dataset: no rows to take. Received: an empty table or part of a split.")
    return rows.reset_index(drop=True)


def image_paths(rows):
    """Returns the paths as an array of text, all of existing files."""
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
            f"build_dataset: {counted(len(missing), 'image file')} not there, first {missing[0]}. "
            "Fetch the images, or read the table again with the folder where they are."
        )
    return paths


def check_sides(files, least):
    """Raises `ValueError` for an image with fewer pixels on a side; damaged ones are left to the decoder."""
    from PIL import Image

    for file in files:
        with contextlib.suppress(OSError), Image.open(file) as image:
            if min(image.size) < least:
                raise ValueError(
                    f"build_dataset: distortions need images of at least {least} x {least} pixels. Received: "
                    f"{file}, {image.width} x {image.height} pixels"
                )


def training_targets(rows, labels, sample_weight):
    """Returns one-hot labels, and weights if there are any, as float32 arrays."""
    encoded = one_hot(rows["label"], labels)
    unknown = ~encoded.any(axis=1)
    if unknown.any():
        raise ValueError(
            f"build_dataset: {_name(rows, unknown)} has a label that is not one of "
            f"{', '.join(labels)}. Received: label={rows['label'][np.argmax(unknown)]!r}"
        )
    if sample_weight is None:
        return (encoded,)
    weights = np.asarray(sample_weight, np.float32)
    if weights.shape != (len(rows),) or not np.isfinite(weights).all():
        raise ValueError(
            f"build_dataset: `sample_weight` must be {len(rows)} finite numbers, one for each row. "
            f"Received: shape {weights.shape}, {np.isfinite(weights).sum()} finite"
        )
    return encoded, weights


def orientations(rows, spec):
    """Returns the column `transform` as `{"orientation": bool (n, 3)}`, empty where it changes nothing."""
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
    """Raises `ValueError` for a number that is not whole or too small."""
    if not isinstance(value, Integral) or value < at_least:
        raise ValueError(
            f"build_dataset: `{name}` must be a whole number from {at_least}. Received: {name}={value!r}"
        )


def check_sampler(sampler, count):
    """Raises `ValueError` for what is not a sampler, or one of another number of rows."""
    if sampler is not None and not isinstance(sampler, Sampler):
        raise ValueError(
            "build_dataset: `sampler` is a Sampler, such as SAMPLERS['oversampling'](rows['label']). "
            f"Received: sampler={sampler!r}"
        )
    if sampler is not None and sampler.rows != count:
        raise ValueError(
            f"build_dataset: `sampler` must be one of the {count} chosen rows. "
            f"Received: a sampler of {sampler.rows} rows"
        )
