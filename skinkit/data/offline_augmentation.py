"""Augmentation of the manifest: rows for turned and flipped copies of an image.

The pixels are made by the pipeline when it reads such a row. "Augment before the split" and "split
before augmenting" are therefore the same two calls in another order.
"""

import pandas as pd

from skinkit.data.manifest import validate
from skinkit.data.splits.split import Split
from skinkit.data.tables.columns import TRANSFORMS
from skinkit.names import check_name


def augment_offline(table, transforms=TRANSFORMS[1:], except_labels=("nv",)):
    """Adds a row for each transform of each image of the classes to be enlarged.

    Source: koefler2023, released notebook: six images for one, but for nevi; 26,565 rows of HAM10000's
    10,015.

    Args:
        table: Manifest table.
        transforms: Strings, the copies to add; of `TRANSFORMS`, without `identity`.
        except_labels: Strings, labels whose images stay single.

    Returns:
        Manifest table with the columns `source_id` and `transform`; a copy is named
        `<source_id>+<transform>` and follows its original, which keeps its id (`identity`).

    Raises:
        ValueError: unknown transforms, unknown labels, or a table that is augmented already.

    Example:
        >>> leaky = koefler2023_split(augment_offline(table))
    """
    for transform in transforms:
        check_name("Transforms", transform, TRANSFORMS[1:])
    if "transform" in table:
        raise ValueError("The table is augmented already: it has a column transform.")
    originals = table.assign(source_id=table["image_id"], transform="identity")
    enlarged = originals[~originals["label"].isin(list(except_labels))]
    copies = [
        enlarged.assign(image_id=enlarged["source_id"] + f"+{name}", transform=name) for name in transforms
    ]
    # A stable sort on the old index puts the copies behind their originals.
    return validate(pd.concat([originals, *copies]).sort_index(kind="stable"))


def augmented_split(split, table, parts=("train",)):
    """Carries a split of photographs over to their augmented table: split first, augment after.

    Args:
        split: `Split` of the table before augmentation.
        table: Manifest table, after `augment_offline`.
        parts: Strings, the parts whose copies are used; the others keep their originals only.

    Returns:
        `Split` in which every copy is in the part of its original.

    Raises:
        ValueError: if the split lacks a photograph of the table.

    Example:
        >>> split = stratified_group_split(table, group="lesion")
        >>> augmented = augment_offline(table)
        >>> sound = augmented_split(split, augmented)
    """
    place = table["source_id"].map(split.parts)
    lost = int(place.isna().sum())
    if lost:
        raise ValueError(f"Split {split.name!r} lacks the photographs of {lost} rows of the table.")
    kept = ((table["transform"] == "identity") | place.isin(list(parts))).to_numpy(dtype=bool)
    chosen = pd.Series(place[kept].tolist(), index=table.loc[kept, "image_id"])
    note = f"{split.note} Copies of {', '.join(parts)} images only.".strip()
    return Split(f"{split.name}+augmented", chosen, split.seed, split.grouped_by, note)
