"""Targets: the labels that a network learns, made of the classes of its images."""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass

from skinkit.data.classes import CLASS_MAPS
from skinkit.names import check_name

# All classes but one, as a gate sees them (butskova2021).
REST = "rest"


@dataclass(frozen=True)
class Target:
    """The labels that a network learns.

    Args:
        labels: Strings, in the order of the network's outputs.
        of_class: Mapping from a class to its label. Images of other classes do not belong to it.
    """

    labels: tuple[str, ...]
    of_class: Mapping[str, str]

    def relabel(self, table):
        """Returns a manifest table with these labels; that of an image which does not belong is missing."""
        return table.assign(label=table["label"].map(dict(self.of_class)).astype("string"))

    def apply(self, table, split):
        """Returns a manifest table and its `Split` with these labels, of the images that belong.

        The split was made of all images, so that the targets of one table share it.

        Args:
            table: Manifest table.
            split: `Split` of it.
        """
        table = self.relabel(table)
        table = table[table["label"].notna()].reset_index(drop=True)
        parts = split.parts[split.parts.index.isin(table["image_id"])]
        return table, dataclasses.replace(split, parts=parts)


def target_of(classes, target=None):
    """Returns the `Target` of a class map.

    Args:
        classes: String, key of `CLASS_MAPS`.
        target: `Choice` of one of `TARGETS`; `None` for the classes themselves.

    Raises:
        ValueError: for an unknown class map or target, or a class that the map does not have.

    Example:
        >>> target_of("isic2018", choose("one_against_rest", label="nv")).labels
        ('nv', 'rest')
    """
    check_name("Class maps", classes, CLASS_MAPS)
    labels = CLASS_MAPS[classes].labels
    if target is None:
        return _mapped({label: label for label in labels})
    check_name("Targets", target.name, TARGETS)
    return TARGETS[target.name](labels, **target.options)


def one_against_rest(labels, label: str):
    """Returns the `Target` of one class, first, against all others, which are `"rest"`."""
    check_name("Classes", label, labels)
    return _mapped({label: label} | {other: REST for other in labels if other != label})


def without(labels, label: str):
    """Returns the `Target` of all classes but one, whose images are left out of every part."""
    check_name("Classes", label, labels)
    return _mapped({other: other for other in labels if other != label})


def _mapped(of_class):
    return Target(tuple(dict.fromkeys(of_class.values())), of_class)


# Functions of the labels of a class map; their further parameters are the options of a recipe's `target`.
TARGETS = {
    "one_against_rest": one_against_rest,
    "without": without,
}
