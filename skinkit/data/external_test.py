"""Another set of images in the place of a split's test part, without what training has seen."""

import pandas as pd

from skinkit.data.classes import SAME_CLASS
from skinkit.data.manifest import validate
from skinkit.data.overlap import of_one_file
from skinkit.data.overlap import overlap as overlap_of
from skinkit.data.releases.catalog import CATALOG
from skinkit.data.splits.split import Split
from skinkit.data.tables.image_ids import without_marks
from skinkit.names import check_name
from skinkit.values import Count, Natural

OVERLAPS = ("drop", "keep")


def external_test(table, split, other, overlap="drop", sample: Count | None = None, seed: Natural = 0):
    """Makes the images of another set the test part of a split.

    Source: koefler2023, Section 5.1, tests on 501 files of ISIC 2019, a release that contains the
    photographs of HAM10000. Which files is not known: in the order of their names they would have two
    classes, and its Table 5 has seven.

    Args:
        table: Manifest table of the split, with or without offline copies.
        split: `Split` of it. Its test part becomes the validation part if it has none, and is left out
            otherwise.
        other: Manifest table of the other set. Its `ak` is `akiec` here; other classes that `table` does
            not have are left out.
        overlap: `"drop"` leaves out images whose photograph, lesion or patient is known to be in `table`
            (`skinkit.data.overlap`), `"keep"` takes them all, as the document does.
        sample: Integer, most images taken of `other`; `None` for all.
        seed: Integer, of the choice.

    Returns:
        Manifest table and `Split`, whose note counts what was left out, what is shared and what is not
        known to be shared or not. An image of `other` whose photograph or id is in `table` too is named
        `<image_id>+external`; `source_id` tells the photograph. A data set that is called as one of `table`
        is named `<dataset>+external`, unless it is known to be the same.

    Raises:
        ValueError: for an unknown `overlap`, or when no image is left.

    Example:
        >>> table, split = external_test(ham, koefler2023_split(ham), load("isic2019"))
    """
    check_name("Values of `overlap`", overlap, OVERLAPS)
    inner = _without_test(split)
    known = table[table["image_id"].isin(inner.index)]
    if "source_id" not in known:
        known = known.assign(source_id=known["image_id"], transform="identity")
    count = len(other) if sample is None else min(sample, len(other))
    chosen = other.sample(count, random_state=seed)
    test, note = _choose(table, chosen.sort_values("image_id"), overlap)
    parts = pd.concat([inner, pd.Series("test", index=test["image_id"], dtype="string")])
    both = validate(pd.concat([known, test], ignore_index=True))
    return both, Split(f"{split.name}+external", parts, split.seed, "image", f"{split.note} {note}".strip())


def _without_test(split):
    if (split.parts == "validation").any():
        return split.parts[split.parts != "test"]
    return split.parts.replace("test", "validation")


def _choose(table, rows, overlap):
    rows = rows.assign(label=rows["label"].replace(SAME_CLASS))
    if "source_id" not in rows:
        rows = rows.assign(source_id=without_marks(rows["image_id"]), transform="identity")
    foreign = ~rows["label"].isin(table["label"])
    found = overlap_of(rows, table)
    shared = found.any(axis=1)
    unknown = ~shared & found["lesion"].isna() & found["patient"].isna()
    named_alike = rows["image_id"].str.lower().isin(table["image_id"].str.lower())
    taken = found["photograph"].fillna(False) | named_alike
    rows = rows.assign(
        image_id=rows["image_id"].where(~taken, rows["image_id"] + "+external"),
        dataset=_dataset(table, rows),
    )
    kept = ~foreign & (~shared if overlap == "drop" else True)
    if not kept.any():
        raise ValueError(f"No image of {len(rows)} is left for the test part (overlap={overlap!r}).")
    dealt = "left out" if overlap == "drop" else "kept"
    note = (
        f"Test part: {kept.sum()} of {len(rows)} images of another set; {foreign.sum()} of other classes "
        f"left out; {(shared & ~foreign).sum()} of a photograph, lesion or patient of the first set {dealt}."
    )
    if count := (unknown & kept).sum():
        note += f" It is not known of {count} of them whether their lesion or patient is in the first set."
    return rows[kept], note


def _dataset(table, rows):
    """Names of the data sets, other than those of the first set unless they are known to be the same."""
    names = rows["dataset"].astype("string").fillna("")
    alike = names.str.lower().isin(table["dataset"].astype("string").fillna("").str.lower())
    known = of_one_file(rows, table) | names.str.lower().isin(CATALOG)
    return rows["dataset"].astype("string").mask(alike & ~known, names + "+external")
