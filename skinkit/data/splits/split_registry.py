"""Splits by name, called in one way, as a recipe asks for them."""

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass

from skinkit.data.load import release_folder
from skinkit.data.splits import splits_of_documents as documents
from skinkit.data.splits.split import Split, out_of_fold_split, stratified_group_split, undivided_split
from skinkit.data.splits.split_files import read_split, split_from_file
from skinkit.registration import calling_place, register


def _seeded(make, table, fold, folder, **options):
    if not fold:
        return make(table, **options)
    options["seed"] = options.get("seed", 0) + fold
    split = make(table, **options)
    note = f"{split.note} Split made with seed {options['seed']}."
    return dataclasses.replace(split, note=note.strip())


def _in_folds(make, table, fold, folder, **options):
    return make(table, fold=fold, **options)


def _gessert2019(make, table, fold, folder, **options):
    index_file = folder and documents.gessert2019_index_file(folder)
    return make(table, fold=fold, index_file=index_file, **options)


def _derm7pt(make, table, fold, folder, **options):
    # An official split is a list of the release's own images, and drawn ones are not in it.
    if folder is None:
        return stratified_group_split(table)
    return make(table, folder=release_folder(table["dataset"].iat[0], folder), **options)


def _from_file(make, table, fold, folder, path):
    # A saved split, too, is a list of images, and drawn ones are not in it.
    if folder is None and not table["image_id"].isin(read_split(path).parts.index).any():
        split = stratified_group_split(table)
        return dataclasses.replace(split, note=f"{split.note} Drawn images: not the split of {path}.".strip())
    return make(table, path)


@dataclass(frozen=True)
class SplitEntry:
    """A split under its name.

    Args:
        function: function of a manifest table that returns a `Split`; its parameters are the options.
        call: function `(function, table, fold, folder, **options)` that calls it.
        folds: number of its folds, unless the option `folds` says otherwise. `None` for a split without:
            there, another fold is another split, with the fold added to the option `seed`, or to 0.
    """

    function: Callable[..., Split]
    call: Callable[..., Split] = _seeded
    folds: int | None = None

    def __call__(self, table, *, fold=0, folder=None, **options):
        """Returns the `Split` of a table.

        Args:
            table: manifest table.
            fold: from 0 on.
            folder: folder of the data sets, for the files of a released split; `None` for drawn images.
            **options: of `function`, such as `seed`.

        Example:
            >>> split = SPLITS["hernandez2020_split"](table, fold=2, seed=1, test=True)
        """
        return self.call(self.function, table, fold, folder, **options)


SPLITS = {
    "stratified_group_split": SplitEntry(stratified_group_split),
    "file": SplitEntry(split_from_file, _from_file, folds=1),
    "out_of_fold_split": SplitEntry(out_of_fold_split, _in_folds, folds=3),
    "undivided_split": SplitEntry(undivided_split, folds=1),
    "bermeo2023_split": SplitEntry(documents.bermeo2023_split),
    "butskova2021_split": SplitEntry(documents.butskova2021_split),
    "datta2021_split": SplitEntry(documents.datta2021_split),
    "derm7pt_split": SplitEntry(documents.derm7pt_split, _derm7pt, folds=1),
    "gessert2019_split": SplitEntry(documents.gessert2019_split, _gessert2019, folds=3),
    "hernandez2020_split": SplitEntry(documents.hernandez2020_split, _in_folds, folds=5),
    "koefler2023_split": SplitEntry(documents.koefler2023_split),
}


def register_split(name, folds=None):
    """Decorator that makes a function of one's own the split `name` of recipes.

    Args:
        name: String, for `split=choose(name, ...)` in a recipe.
        folds: Integer, how many folds the split has; the function then takes an argument `fold`. `None` for a
            split without, which has an option `seed`: another fold is another seed.

    Returns:
        Decorator of a function of a manifest table that returns a `Split`; its further parameters are the
        options.

    Raises:
        ValueError: for a name that is taken.

    Example:
        >>> @register_split("last_year_tests")
        ... def last_year_tests(table, seed=0):
        ...     parts = table["image_id"].str.contains("2024").map({True: "test", False: "train"})
        ...     return Split("last-year", parts.set_axis(table["image_id"]), seed, "image")
        >>> SPLITS["last_year_tests"](pd.DataFrame({"image_id": ["2023-1", "2024-1"]})).ids("test")
        ['2024-1']
    """
    place = calling_place()

    def add(function):
        entry = SplitEntry(function, _seeded if folds is None else _in_folds, folds)
        register("Splits", SPLITS, name, entry, place)
        return function

    return add


def split_folds(name, folds=None, **_):
    """Returns how many folds a split has, or `None` for one without: there, another fold is another split.

    Args:
        name: Key of `SPLITS`; an unknown one has no folds.
        folds: Integer, option of a split that can be made with several numbers of folds.

    Example:
        >>> split_folds("gessert2019_split")
        3
    """
    return folds or (SPLITS[name].folds if name in SPLITS else None)
