"""What a run looks at: which images, in which part, with which leakage."""

import functools
import hashlib
import inspect
from dataclasses import dataclass

import pandas as pd

from skinkit import data

_SMOKE_IMAGES = 240
_SYNTHETIC = "synthetic"


@dataclass(frozen=True)
class Material:
    """What a run looks at: the rows, who belongs to which part, and the order of the classes.

    Args:
        table: Manifest table; offline copies are rows of their own.
        split: `skinkit.data.Split` of these rows.
        labels: Classes in the order of the network's outputs.
        source: Name of the release, or `"synthetic"`.
        test_part: Part that the scores come from.
    """

    table: pd.DataFrame
    split: data.Split
    labels: tuple[str, ...]
    source: str
    test_part: str = "test"

    def rows(self, part):
        """Returns the manifest rows of a part, in the order of the table."""
        by_id = self.table.set_index("image_id", drop=False)
        return by_id.loc[self.split.ids(part)].reset_index(drop=True)

    @functools.cached_property
    def leakage(self):
        """The leakage report of the test part."""
        return data.leakage_report(self.table, self.split, part=self.test_part, against="train")

    @property
    def stamp(self):
        """The sentence over every metric of a leaky split, or `None`."""
        return data.leakage_stamp(self.leakage)


def build_material(recipe, profile="full", fold=0, data_dir=None):
    """Reads the images' table, splits it and augments offline, in the order which the protocol says.

    Args:
        recipe: A resolved `Recipe`.
        profile: `smoke` takes synthetic images, the others the release itself.
        fold: Integer, fold of the split; for a split without folds it is added to its seed.
        data_dir: Folder of the releases; the environment variable `SKINKIT_DATA` by default.

    Raises:
        FileNotFoundError: when the release is not there, with what to do.
    """
    source = _SYNTHETIC if profile == "smoke" else recipe.dataset
    table = _read(recipe, source, data_dir)
    labels = data.CLASS_MAPS[recipe.classes].labels
    if recipe.offline and recipe.offline.options.get("before_split"):
        table = _augment_offline(table, recipe)
        return Material(table, _split(table, recipe, fold), labels, source, recipe.test_part)
    split = _split(table, recipe, fold)
    if recipe.offline:
        table = _augment_offline(table, recipe)
        split = data.augmented_split(split, table)
    return Material(table, split, labels, source, recipe.test_part)


def _read(recipe, source, data_dir):
    if source == _SYNTHETIC:
        layout = "isic2020" if recipe.dataset.startswith("isic2020") else "ham10000"
        return data.synthetic(recipe.subset or _SMOKE_IMAGES, seed=0, layout=layout)
    table = data.load(recipe.dataset, root=data_dir)
    if recipe.subset is None or recipe.subset >= len(table):
        return table
    share = recipe.subset / len(table)
    group = recipe.split.options.get("group", "image")
    chosen = data.stratified_group_split(table, {"train": share, "test": 1 - share}, group=group)
    return table[table["image_id"].isin(chosen.ids("train"))].reset_index(drop=True)


def _split(table, recipe, fold):
    make = getattr(data, recipe.split.name)
    options = dict(recipe.split.options)
    if "fold" in inspect.signature(make).parameters:
        options["fold"] = fold
    elif fold:
        options["seed"] = options.get("seed", 0) + fold
    return make(table, **options)


def _augment_offline(table, recipe):
    options = {k: v for k, v in recipe.offline.options.items() if k != "before_split"}
    return data.augment_offline(table, **options)


def available_profile(profile, dataset, data_dir=None):
    """Returns `profile`, or `smoke` with a notice when the images of `dataset` are not there.

    Args:
        profile: `smoke`, `quick` or `full`.
        dataset: Name of the release.
        data_dir: Folder of the releases; the environment variable `SKINKIT_DATA` by default.
    """
    if profile == "smoke":
        return profile
    try:
        data.load(dataset, root=data_dir, verbose=False)
    except FileNotFoundError as error:
        print(f"{error}\nGoing on with synthetic images (profile smoke).")
        return "smoke"
    return profile


def table_hash(table):
    """First 16 hex digits of the SHA-256 over what a manifest table says, wherever its images are."""
    said = table.drop(columns="path").sort_values("image_id").to_csv(index=False, lineterminator="\n")
    return hashlib.sha256(said.encode()).hexdigest()[:16]
