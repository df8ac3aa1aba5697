"""The images that a run has learned from, kept in its folder, and what of another set is among them."""

import pandas as pd

from skinkit import data
from skinkit.data.external import OVERLAPS
from skinkit.data.leakage import KINDS
from skinkit.files import reading


def seen_images(material, recipe):
    """Returns the fingerprints of all images that trained a model or chose its epoch.

    Args:
        material: `Material` of the run.
        recipe: Its resolved `Recipe`.

    Returns:
        DataFrame in the columns of `skinkit.data.fingerprint`: a row per photograph, whatever the number of
        its copies.
    """
    rows = material.rows("+".join({"train", "validation", *recipe.selection_part.split("+")}))
    return data.fingerprint(rows).drop_duplicates(ignore_index=True)


def read_seen(path):
    """Returns the table of `seen_images` from a run's folder; all columns are text."""
    with reading(path, "Delete it: the images are then compared with those of the release itself"):
        # The fingerprints' missing values are empty: "NA" would be an id.
        seen = pd.read_csv(path, dtype="string", keep_default_na=False, na_values=[""])
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
        Tuple of the table of the images that are left; the notes, a list of strings; and the leakage of what
        is left: a DataFrame `photograph, lesion, patient` as of `skinkit.data.overlap`.

    Raises:
        ValueError: for an unknown `overlap`, or when no image is left.
    """
    if overlap not in OVERLAPS:
        raise ValueError(f"`overlap` is one of {', '.join(OVERLAPS)}. Received: overlap={overlap!r}")
    shared = data.overlap(table, seen)
    notes, dropped = [], pd.Series(False, index=table.index)
    for reason, rows, drops in _reasons(table, shared, labels, overlap == "drop"):
        if new := int((rows & ~dropped).sum()):
            notes.append(f"{'left out' if drops else 'kept'}: {new} of {len(table)} images {reason}")
        dropped |= rows & drops
    if dropped.all():
        raise ValueError(f"No image is left to evaluate on: {'; '.join(notes)}")
    left = shared[~dropped].reset_index(drop=True)
    known = ", ".join(f"{kind} of {n}" for kind, n in left.notna().sum().items())
    notes.append(f"compared with {len(seen)} images of training and validation: {known} of {len(left)}")
    return table[~dropped].reset_index(drop=True), notes, left


def _reasons(table, shared, labels, drops):
    """Yields why images are left out or kept: words, boolean rows, and whether they are left out."""
    yield "of a class that the model does not know", ~table["label"].isin(labels), True
    for kind in KINDS:
        rows = shared[kind].fillna(False).astype(bool)
        yield f"of a {kind} that it has seen in training or validation", rows, drops


def seen_stamp(table, shared, seen):
    """Returns the sentence over the scores of images of another set, or `None` where nothing is shared.

    Args:
        table: Manifest rows.
        shared: Their leakage, as `without_seen` returns it.
        seen: Table of `seen_images`.
    """
    stamp = data.leakage_stamp(leakage_rates(shared))
    unknown = shared["photograph"].isna() | (shared["lesion"].isna() & shared["patient"].isna())
    if (stamp or "").startswith("LEAKY") or not unknown.any():
        return stamp
    return f"LEAKAGE UNKNOWN: of {unknown.sum()} of {len(table)} images, {_reason(table[unknown], seen)}"


def leakage_rates(shared):
    """Returns the one row `all` of a leakage report: shares from 0 to 1, `<NA>` where none is known."""
    rates = shared.sum() / len(shared)
    return rates.where(shared.notna().any()).to_frame("all").T.astype("Float64")


def _reason(rows, seen):
    ids = ["lesion_id", "patient_id"]
    if rows[ids].isna().all(axis=None):
        return "which have neither lesion nor patient ids"
    if seen[ids].isna().all(axis=None):
        return "because those of training and validation have neither lesion nor patient ids"
    return "whose ids cannot be compared with those of training and validation: other naming schemes"
