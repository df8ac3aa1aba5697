"""Splits by name, as a recipe asks for them."""

from skinkit.data.splits import stratified_group_split
from skinkit.data.splits_of_documents import (
    bermeo2023_split,
    butskova2021_split,
    datta2021_split,
    derm7pt_split,
    gessert2019_split,
    hernandez2020_split,
    koefler2023_split,
)

SPLITS = {
    make.__name__: make
    for make in (
        stratified_group_split,
        bermeo2023_split,
        butskova2021_split,
        datta2021_split,
        derm7pt_split,
        gessert2019_split,
        hernandez2020_split,
        koefler2023_split,
    )
}
# Splits that are there in so many forms, unless the option `folds` says otherwise. The official one is one.
_FOLDS = {"derm7pt_split": 1, "gessert2019_split": 3, "hernandez2020_split": 5}


def split_folds(name, folds=None, **_):
    """Returns how many folds a split has, or `None` for one without: there, another fold is another draw.

    Args:
        name: Key of `SPLITS`.
        folds: Integer, option of a split that can be made with several numbers of folds.

    Example:
    >>> split_folds("gessert2019_split")
    3
    """
    return folds or _FOLDS.get(name)
