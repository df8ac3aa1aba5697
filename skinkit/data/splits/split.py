"""Splits of the images into training, validation and test, saved with their hash."""

import dataclasses
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import numpy as np
import pandas as pd

from skinkit.data.splits.grouping import GROUPS, assign, group_keys, missing_note
from skinkit.data.tables.csv_file import read_sheet
from skinkit.files import read_json, writing
from skinkit.names import check_name
from skinkit.values import Count, Natural, Share

PARTS = ("train", "validation", "test")
FRACTIONS = MappingProxyType({"train": 0.7, "validation": 0.15, "test": 0.15})


@dataclass(frozen=True, eq=False)
class Split:
    """A named assignment of images to `train`, `validation` and `test`.

    Args:
        name: String, what it is, e.g. `"gessert2019/fold0"`.
        parts: Series of part names, indexed by image id.
        seed: Integer, the seed it was made with, or `None`.
        grouped_by: String, one of `GROUPS`: no such group is in two parts.
        note: String, what a reader of a result made with it must know.

    Example:
        >>> split = stratified_group_split(table, group="lesion", seed=0)
        >>> train = split.ids("train")
        >>> split.save("data/splits/mine.csv")
    """

    name: str
    parts: pd.Series
    seed: int | None
    grouped_by: str
    note: str = ""

    def __post_init__(self):
        parts = pd.Series(self.parts).astype("string").rename("part")
        parts.index = pd.Index(parts.index.astype("string"), name="image_id")
        twice = parts.index[parts.index.duplicated()]
        if parts.empty or len(twice):
            found = f"{twice[0]!r} twice" if len(twice) else "none"
            raise ValueError(f"Split {self.name!r} has images, each once. Received: {found}")
        for part in parts.unique():
            check_name(f"Split {self.name!r}: Parts", part, PARTS)
        check_name(f"Split {self.name!r}: Values of `grouped_by`", self.grouped_by, GROUPS)
        object.__setattr__(self, "parts", parts)

    def ids(self, part):
        """The image ids of a part, or of several joined by `+`, in the order of the table; `[]` if empty."""
        wanted = part.split("+")
        for name in wanted:
            check_name("Parts", name, PARTS)
        return self.parts.index[self.parts.isin(wanted)].tolist()

    def rows(self, table, part):
        """Returns the rows of a part, or of several joined by `+`, in the order of the split.

        Args:
            table: Manifest table that holds all images of the part.
            part: String, as in `ids`.

        Raises:
            ValueError: for an image that is not in the table, or in it more than once.
        """
        images, ids = pd.Index(table["image_id"]), self.ids(part)
        if images.has_duplicates:
            raise ValueError(
                f"A manifest table has each image once. Received: {images[images.duplicated()][0]!r} twice"
            )
        found = images.get_indexer(ids)
        if len(absent := np.array(ids, dtype=object)[found < 0]):
            raise ValueError(
                f"Split {self.name!r} has {len(absent)} of its {len(ids)} {part} images not in the table, "
                f"first {absent[0]!r}. Was it made from another data set?"
            )
        return table.iloc[found].reset_index(drop=True)

    @property
    def sizes(self):
        """How many images each part has, in words."""
        counts = self.parts.value_counts()
        return ", ".join(f"{counts[part]} {part}" for part in PARTS if part in counts)

    @property
    def hash(self):
        """SHA-256 of the sorted lines `image_id,part`."""
        lines = sorted(f"{image},{part}" for image, part in self.parts.items())
        return hashlib.sha256("\n".join(lines).encode()).hexdigest()

    def save(self, path):
        """Writes a CSV file (image_id, part) and `<stem>.json` beside it (name, seed, hash...).

        Args:
            path: Path of the CSV file; `.csv` is added where it is missing.

        Returns:
            Path of the CSV file.

        Raises:
            ValueError: if there is a `<stem>.json` that is not a split's.
        """
        path = csv_file(path)
        _refuse_foreign(path.with_suffix(".json"))
        path.parent.mkdir(parents=True, exist_ok=True)
        facts = {key: getattr(self, key) for key in ("name", "seed", "grouped_by", "note", "hash")}
        text = json.dumps(facts, indent=2, ensure_ascii=False) + "\n"
        with writing(path.with_suffix(".json")) as file:
            file.write_text(text, encoding="utf-8", newline="\n")
        with writing(path) as file:
            self.parts.to_csv(file, lineterminator="\n")
        return path

    @classmethod
    def load(cls, path):
        """Reads a saved split and checks its hash.

        Args:
            path: Path of the CSV file, as in `save`.

        Raises:
            FileNotFoundError: if the CSV file or its `.json` file is not there.
            ValueError: if a file is damaged, or the rows are not those that were saved.
        """
        path = csv_file(path)
        remedy = "A split is two files, .csv and .json. Take it from a copy, or save the split again"
        facts = read_json(path.with_suffix(".json"), remedy, "name", "seed", "grouped_by", "hash")
        expected = facts.pop("hash")
        split = cls(parts=read_parts(path), **facts)
        if split.hash != expected:
            raise ValueError(
                f"{path} was changed after it was saved: expected hash {expected}. Received: {split.hash}"
            )
        return split


def read_parts(path):
    """Reads a CSV file `image_id, part` into a Series indexed by image id."""
    sheet = read_sheet(path)
    if list(sheet.frame) != ["image_id", "part"]:
        raise ValueError(
            f"{path}: expected the columns image_id, part, and a comma, semicolon or tab between them. "
            f"Received: {', '.join(sheet.frame)}"
        )
    ids = sheet.frame["image_id"]
    sheet.fail_where(ids.isna(), "image_id", "an image id")
    sheet.fail_where(ids.duplicated(keep=False), "image_id", "each image once")
    sheet.fail_where(sheet.frame["part"].isna(), "part", f"a part: {', '.join(PARTS)}")
    return sheet.frame.set_index("image_id")["part"]


def csv_file(path):
    """Returns the path of a split's CSV file, with the ending that was left out."""
    path = Path(path)
    return path if path.suffix.lower() == ".csv" else path.with_name(f"{path.name}.csv")


def _refuse_foreign(facts_file):
    """Nobody asked for the file beside the CSV: what somebody else has there stays."""
    if facts_file.exists() and '"grouped_by"' not in facts_file.read_text(encoding="utf-8", errors="replace"):
        raise ValueError(f"{facts_file} is not a split's, and would be replaced. Save under another name.")


def stratified_group_split(
    table, fractions: Mapping[str, Share] = FRACTIONS, group="lesion+patient", seed: Natural = 0
):
    """Splits a manifest table by class, with no group in two parts.

    Groups are taken from large to small, in an order that comes from their ids and the seed; each goes
    to the part that lacks most of its classes. A missing id is a group of its own.

    Args:
        table: Manifest table.
        fractions: Dictionary, share of the images in `train`, `validation` and `test`; they sum to 1.
        group: String, one of `GROUPS`; `"lesion+patient"` keeps together what shares either, or uses the
            one of the two that the table has.
        seed: Integer.

    Returns:
        `Split`.

    Raises:
        ValueError: for unknown parts or groups, or ids that the table does not have.

    Example:
        >>> split = stratified_group_split(table, {"train": 0.8, "test": 0.2}, group="patient")
    """
    fractions = check_fractions(fractions)
    keys, grouped_by = group_keys(table, group)
    chosen = assign(keys, table["label"], list(fractions.values()), seed)
    names = list(fractions)
    parts = pd.Series([names[i] for i in chosen], index=table["image_id"])
    shares = "-".join(f"{100 * share:g}" for share in fractions.values())
    return Split(f"{grouped_by}-{shares}", parts, seed, grouped_by, missing_note(table, grouped_by))


def group_folds(table, folds=5, group="lesion+patient", seed=0):
    """Makes k splits whose validation parts cover the table once; there is no test part.

    Args:
        table: Manifest table.
        folds: Integer, 2 or more.
        group: As in `stratified_group_split`.
        seed: Integer.

    Returns:
        List of `folds` splits; fold k is the validation part of split k.
    """
    if folds < 2:
        raise ValueError(f"Folds are at least 2. Received: folds={folds}")
    keys, grouped_by = group_keys(table, group)
    chosen = assign(keys, table["label"], [1 / folds] * folds, seed)
    note = missing_note(table, grouped_by)
    return [
        Split(f"{grouped_by}-fold{k}of{folds}", fold_parts(table, chosen, k), seed, grouped_by, note)
        for k in range(folds)
    ]


def out_of_fold_split(table, fold=0, folds: Count = 3, group="lesion+patient", seed: Natural = 0):
    """One of k folds is the test part and the others train, so that the folds test each image once.

    There is no validation part: nothing is chosen on the way.

    Args:
        table: Manifest table.
        fold: Integer, 0 to `folds - 1`.
        folds: Integer, 2 or more.
        group: As in `stratified_group_split`.
        seed: Integer.

    Returns:
        `Split` with the parts `train` and `test`.
    """
    if fold not in range(folds):
        raise ValueError(f"Fold is 0 to {folds - 1}. Received: fold={fold!r}")
    split = group_folds(table, folds, group, seed)[fold]
    return dataclasses.replace(split, parts=split.parts.replace("validation", "test"))


def undivided_split(table):
    """All images train: neither epoch nor threshold is chosen on them, and none of them can be a test.

    Args:
        table: Manifest table.

    Returns:
        `Split` with the part `train` alone.
    """
    return Split("undivided", pd.Series("train", index=table["image_id"]), None, "image")


def with_validation(split, table, fraction=0.15, group="lesion+patient", seed=0):
    """Moves a stratified, grouped share of the training part to validation.

    For the documents that choose their model on the test part: the same test images, but an own
    validation part.

    Args:
        split: `Split` without validation part.
        table: Manifest table with all its images.
        fraction: Float, share of the training images.
        group: As in `stratified_group_split`.
        seed: Integer.

    Returns:
        `Split` with the same test part.
    """
    if (split.parts == "validation").any():
        raise ValueError(f"Split {split.name!r} has a validation part already.")
    rows = table[table["image_id"].isin(split.ids("train"))]
    shares = {"train": 1 - fraction, "validation": fraction}
    inner = stratified_group_split(rows, shares, group=group, seed=seed)
    parts = split.parts.copy()
    parts.update(inner.parts)
    note = f"{split.note} Validation taken from training, by {inner.grouped_by}.".strip()
    return Split(f"{split.name}+validation", parts, seed, split.grouped_by, note)


def fold_parts(table, chosen, fold, test=None):
    """Parts of one fold: `fold` is validation, `test` (if given) is test, the rest training."""
    names = {fold: "validation", test: "test"}
    return pd.Series([names.get(i, "train") for i in chosen], index=table["image_id"])


def check_fractions(fractions):
    """Returns the shares of the parts in the order of `PARTS`; `ValueError` if they are not the whole."""
    for name in fractions or ("none",):
        check_name("`fractions`: Parts", name, PARTS)
    if min(fractions.values(), default=0) <= 0 or abs(sum(fractions.values()) - 1) > 1e-6:
        raise ValueError(f"`fractions` are above 0 and sum to 1. Received: fractions={dict(fractions)}")
    # One order, so that the order they are written in decides no tie.
    return {name: fractions[name] for name in PARTS if name in fractions}
