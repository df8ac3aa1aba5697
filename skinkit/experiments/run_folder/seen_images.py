"""Images that a run has seen: kept in its folder, and looked for in other sets."""

import pandas as pd

from skinkit import data
from skinkit.data.external_test import OVERLAPS
from skinkit.data.overlap import KINDS
from skinkit.experiments.run_data import together
from skinkit.files import read_csv, reading
from skinkit.names import check_name


def seen_images(run_data, recipe):
    """Returns the fingerprints of all images that trained a model, or a member of it, or chose an epoch.

    Args:
        run_data: `RunData` of the run.
        recipe: Its resolved `Recipe`.

    Returns:
        DataFrame in the columns of `skinkit.data.fingerprint`: a row per photograph, whatever the number of
        its copies.
    """
    selected = [
        (run_data, recipe.selection_part),
        *((each, each.selection_part) for each in run_data.members),
    ]
    return data.fingerprint(together(_seen(*each) for each in selected)).drop_duplicates(ignore_index=True)


def _seen(run_data, selection_part):
    return run_data.rows("+".join({"train", "validation", *filter(None, selection_part.split("+"))}))


def read_seen(path):
    """Returns the table of `seen_images` from a run's folder; all columns are text."""
    with reading(path, "Delete it: the images are then compared with those of the release itself"):
        seen = read_csv(path, dtype="string")
        return seen.astype({"bytes": "Int64"})


def without_seen(table, seen, labels, overlap="drop"):
    """Leaves out what a model cannot be asked, and what it has seen; says how many images of each.

    Args:
        table: Manifest table.
        seen: Table of `seen_images`.
        labels: Classes that the model knows.
        overlap: `"drop"` leaves out images whose photograph, lesion or patient is among `seen`, `"keep"`
            only counts them.

    Returns:
        Tuple of the table of the images that are left, and the notes, a list of strings.

    Raises:
        ValueError: for an unknown `overlap`, or when no image is left.
    """
    check_name("Values of `overlap`", overlap, OVERLAPS)
    shared = data.overlap(table, seen)
    notes, dropped = [], pd.Series(False, index=table.index)
    for reason, rows, drops in _reasons(table, shared, labels, overlap == "drop"):
        if new := int((rows & ~dropped).sum()):
            notes.append(f"{'left out' if drops else 'kept'}: {new} of {len(table)} images {reason}")
        dropped |= rows & drops
    if dropped.all():
        raise ValueError(f"No image is left to evaluate on: {'; '.join(notes)}")
    return table[~dropped].reset_index(drop=True), notes


def _reasons(table, shared, labels, drops):
    """Yields why images are left out or kept: words, boolean rows, and whether they are left out."""
    yield "of a class that the model does not know", ~table["label"].isin(labels), True
    for kind in KINDS:
        rows = shared[kind].fillna(False).astype(bool)
        yield f"of a {kind} that it has seen in training or validation", rows, drops
