"""The data of a run: its images, their parts, and the leakage between these."""

import functools
import hashlib
from dataclasses import dataclass

import pandas as pd

from skinkit import data
from skinkit.data.tables.folder import data_root, has_images
from skinkit.names import check_name

_SMOKE_IMAGES = 240
_SMOKE_EXTERNAL = 80
_SYNTHETIC = "synthetic"
# Readers drop less than 5 % of a release (duplicates, other classes).
_DROPPED = 0.05
_OUT_OF_FOLD = (
    "OUT OF FOLD: scored are the runs of {count} folds, each on images that it did not train on; this run's "
    "own answers come from all these images, and none of {source} can score them"
)


_OF_ONE = "temperature and thresholds come from one network an image, where this run joins several"


@dataclass(frozen=True)
class RunData:
    """The data of a run: manifest rows, the part of each, and the order of the classes.

    Args:
        table: Manifest table; offline copies are rows of their own.
        split: `skinkit.data.Split` of these rows.
        labels: Classes in the order of the network's outputs.
        source: Name of the release, or `"synthetic"`.
        test_part: Part that the scores come from; parts may be joined by `+`.
        lacking: A sentence about what the folder lacks of the release; `""` where it is whole.
        selection_part: Part on which an epoch is selected, here or in a run that is needed; parts may be
            joined by `+`, and `""` stands for none.
        members: Tuple of the `RunData` of what an ensemble is made of; it learned from the images of all.
        folds: Tuple of the `RunData` of the runs whose predictions stand for this one's own.
    """

    table: pd.DataFrame
    split: data.Split
    labels: tuple[str, ...]
    source: str
    test_part: str = "test"
    lacking: str = ""
    selection_part: str = ""
    members: tuple["RunData", ...] = ()
    folds: tuple["RunData", ...] = ()

    def rows(self, part):
        """Returns the manifest rows of a part, in the order of the table."""
        return self.split.rows(self.table, part)

    @functools.cached_property
    def learned(self):
        """Manifest rows that were learned from: the training part, or those of all members together."""
        return together(member.learned for member in self.members) if self.members else self.rows("train")

    @functools.cached_property
    def leakage(self):
        """The leakage report of the test part, or of the parts that the folds left out."""
        if self.folds:
            return data.pool_reports([fold.leakage for fold in self.folds])
        if self.members:
            return self._shared_with(self.learned, self.test_part)
        return data.leakage_report(self.table, self.split, part=self.test_part, against="train")

    @functools.cached_property
    def validation_leakage(self):
        """The leakage report of an ensemble's validation part, `None` without one or without members."""
        if not self.members or self.rows("validation").empty:
            return None
        return self._shared_with(self.learned, "validation")

    def _shared_with(self, seen, part):
        one_table = all(member.source == self.source for member in self.members)
        return data.leakage_between(self.rows(part), seen, self.table["label"].unique(), one_table)

    @property
    def test_hash(self):
        """SHA-256 of the sorted ids of the test part: equal where runs are tested on the same images."""
        return hashlib.sha256("\n".join(sorted(self.split.ids(self.test_part))).encode()).hexdigest()

    @functools.cached_property
    def stamp(self):
        """What makes its metrics doubtful, a leaky split or selection, or scores out of fold; or `None`."""
        if self.folds:
            said = _OUT_OF_FOLD.format(count=len(self.folds), source=self.source)
            of_one = [_OF_ONE] if self.members else []
            stamps = [fold.stamp for fold in self.folds if fold.stamp]
            return "; ".join(dict.fromkeys([*stamps, said, *of_one]))
        seen = "the training of a member" if self.members else "training"
        stamp, selected = data.leakage_stamp(self.leakage, seen), self._leaky_selection()
        return (f"{stamp}; {selected}" if stamp else f"LEAKY: {selected}") if selected else stamp

    @property
    def leakage_line(self):
        """The line over every metric: the stamp, or what is known not to be shared."""
        return data.leakage_line(self.stamp, data.leakage_rate(self.leakage))

    def _leaky_selection(self):
        """What the part that selected the epoch shares with the test part, in words; `""` for nothing."""
        if {*self.selection_part.split("+")} & {*self.test_part.split("+")}:
            return "the epoch was selected on images that it is tested on"
        if (report := self._shared_with_selection()) is None or not any(data.leakage_rate(report).values()):
            return ""
        return data.leakage_stamp(report, "the part that selected the epoch").removeprefix("LEAKY: ")

    def _shared_with_selection(self):
        if chosen := [each.rows(each.selection_part) for each in self.members if each.selection_part]:
            return self._shared_with(together(chosen), self.test_part)
        if not self.selection_part:
            return None
        return data.leakage_report(self.table, self.split, self.test_part, against=self.selection_part)


def together(tables):
    """Returns the manifest rows of several tables, each once.

    Args:
        tables: Iterable of manifest tables.
    """
    found = pd.concat(tables).drop_duplicates(["image_id", "path"], ignore_index=True)
    if "source_id" in found:
        # Only a table with copies of images tells what each is a copy of.
        found["source_id"] = found["source_id"].fillna(found["image_id"])
    return found


def build_run_data(recipe, profile="full", fold=0, data_dir=None, needs=()):
    """Reads the images' table, splits it and augments offline, in the order which the protocol says.

    Its target comes last: recipes that differ in it alone share the split.

    Args:
        recipe: A resolved `Recipe`.
        profile: `smoke` takes synthetic images, the others the release itself.
        fold: Integer, fold of the split; for a split without folds it is added to its seed.
        data_dir: Folder of the releases; the environment variable `SKINKIT_DATA` by default.
        needs: Resolved recipes that are trained first, and may have selected their epochs elsewhere.

    Raises:
        FileNotFoundError: when the release is not there, with what to do.
    """
    source = _SYNTHETIC if profile == "smoke" else recipe.dataset
    table, lacking = _read(recipe, source, data_dir)
    make_split = functools.partial(_split, recipe=recipe, source=source, fold=fold, data_dir=data_dir)
    table, split = _divide(recipe, table, make_split)
    if recipe.external:
        other = _read_external(recipe.external.name, source, data_dir)
        table, split = data.external_test(table, split, other, **recipe.external.options)
    target = data.target_of(recipe.classes, recipe.target)
    if recipe.target:
        table, split = target.apply(table, split)
    selected = {each.selection_part for each in (recipe, *needs) if each.selection == "best"}
    selection_part = "+".join(sorted(selected))
    return RunData(table, split, target.labels, source, recipe.test_part, lacking, selection_part)


def find_images(recipe, profile, data_dir=None, table_alone=False):
    """Raises `FileNotFoundError` when a release that a recipe needs is not there, or without any image.

    Args:
        recipe: As in `build_run_data`.
        profile: As in `build_run_data`.
        data_dir: As in `build_run_data`.
        table_alone: As in `available_profile`.
    """
    names = [recipe.dataset, *([recipe.external.name] if recipe.external else [])]
    for name in names:
        # The smoke profile draws the images, whatever the release: its name must be one.
        if name != _SYNTHETIC and (profile != "smoke" or name not in data.CATALOG):
            folder = data.release_folder(name, data_dir)
            # A table of one's own may name images in any other place.
            if name in data.CATALOG and not table_alone and not has_images(folder):
                raise FileNotFoundError(
                    f"{folder} has no images beside its table. `skinkit data fetch {name}` downloads them."
                )


def _divide(recipe, table, make_split):
    """The table with its offline copies, and its split, made in the protocol's order."""
    if recipe.offline and recipe.offline.options.get("before_split"):
        table = _augment_offline(table, recipe)
        return table, make_split(table)
    split = make_split(table)
    if recipe.offline is None:
        return table, split
    table = _augment_offline(table, recipe)
    return table, data.augmented_split(split, table)


def _read_external(dataset, source, data_dir):
    if source != _SYNTHETIC:
        return data.load(dataset, root=data_dir)
    other = data.synthetic(_SMOKE_EXTERNAL, seed=1)
    # Drawn sets count their images, lesions and patients from 1, whatever the seed. The first letters are
    # the scheme of the ids, so that those of the two sets compare.
    ids = ["image_id", "lesion_id", "patient_id"]
    return other.assign(**{name: other[name] + "_EXT" for name in ids}, dataset=dataset)


def _read(recipe, source, data_dir):
    """The table of the images, and a word about what it lacks of its release."""
    if source == _SYNTHETIC:
        layout = "isic2020" if recipe.dataset.startswith("isic2020") else "ham10000"
        drawing = {"layout": layout, **recipe.drawing}
        table = data.synthetic(recipe.subset or _SMOKE_IMAGES, seed=0, **drawing)
        # A release may lack classes that are drawn: derm7pt has no actinic keratoses.
        known = table["label"].isin(data.CLASS_MAPS[recipe.classes].labels)
        if not known.any():
            drawn = ", ".join(sorted(table["label"].unique()))
            raise ValueError(
                f"The smoke profile draws images of {drawn}, and class map {recipe.classes!r} has none of "
                f"them. Run the profile quick, which reads {recipe.dataset}"
            )
        return table[known].reset_index(drop=True), ""
    table = data.load(recipe.dataset, root=data_dir)
    return _thin_out(table, recipe.subset), _lacking(table, recipe.dataset)


def _lacking(table, dataset):
    release = data.CATALOG.get(dataset)
    if release is None or not release.images or len(table) >= (1 - _DROPPED) * release.images:
        return ""
    return f"subset: {len(table):,} of the {release.images:,} images of {dataset}"


def _thin_out(table, most):
    if most is None or most >= len(table):
        return table
    share = most / len(table)
    # Whole lesions whatever the protocol: all protocols get the same images, and siblings stay together.
    known = table[["lesion_id", "patient_id"]].notna().any(axis=None)
    group = "lesion+patient" if known else "image"
    chosen = data.stratified_group_split(table, {"train": share, "test": 1 - share}, group=group)
    return table[table["image_id"].isin(chosen.ids("train"))].reset_index(drop=True)


def _split(table, recipe, source, fold, data_dir):
    name, options = recipe.split.name, recipe.split.options
    check_name("Splits", name, data.SPLITS)
    folder = None if source == _SYNTHETIC else data_root(data_dir)
    return data.SPLITS[name](table, fold=fold, folder=folder, **options)


def _augment_offline(table, recipe):
    options = {k: v for k, v in recipe.offline.options.items() if k != "before_split"}
    return data.augment_offline(table, **options)


def available_profile(profile, dataset, data_dir=None, table_alone=False):
    """Returns `profile`, or `smoke` with a notice when the images of `dataset` are not there.

    Args:
        profile: `smoke`, `quick` or `full`.
        dataset: Name of the release.
        data_dir: Folder of the releases; the environment variable `SKINKIT_DATA` by default.
        table_alone: Boolean, whether the table will do without any image.
    """
    if profile == "smoke":
        return profile
    try:
        table = data.load(dataset, root=data_dir, verbose=False)
        if table["path"].isna().all() and not table_alone:
            raise FileNotFoundError(f"{table.attrs['table']} has no images beside it.")
    except FileNotFoundError as error:
        print(f"{error}\nGoing on with synthetic images (profile smoke).")
        return "smoke"
    return profile


def table_hash(table):
    """First 16 hex digits of the SHA-256 over what a manifest table says, wherever its images are."""
    said = table.drop(columns="path").sort_values("image_id").to_csv(index=False, lineterminator="\n")
    return hashlib.sha256(said.encode()).hexdigest()[:16]
