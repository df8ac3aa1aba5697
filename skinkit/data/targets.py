"""Targets: the labels that a network learns, made of the classes of its images."""

import dataclasses
import math
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any

from skinkit.data.classes import CLASS_MAPS, SAME_CLASS
from skinkit.names import check_name
from skinkit.values import Count, Natural, NonNegative

# All classes but one, as a gate sees them (butskova2021).
REST = "rest"


@dataclass(frozen=True)
class Target:
    """The labels that a network learns.

    Args:
        labels: Strings, in the order of the network's outputs.
        of_class: Mapping from a class to its label. Images of other classes do not belong to it.
        pretext: Mapping of what is done to the images: fields of `skinkit.pipeline.Turn` or `Disorder`.
    """

    labels: tuple[str, ...]
    of_class: Mapping[str, str]
    pretext: Mapping[str, Any] = field(default_factory=dict)

    def relabel(self, table):
        """Returns a manifest table with these labels; that of an image which does not belong is missing.

        Where only the second class of `SAME_CLASS` is known, the first is one of it.
        """
        same = {one: self.of_class[other] for one, other in SAME_CLASS.items() if other in self.of_class}
        return table.assign(label=table["label"].map({**same, **self.of_class}).astype("string"))

    def apply(self, table, split):
        """Returns a manifest table and its `Split` with these labels, of the images that belong.

        The split was made of all images, so that the targets of one table share it.

        Args:
            table: Manifest table.
            split: `Split` of it.
        """
        labelled = self.relabel(table)
        # An image without a label is an error, which is told where all of them are.
        left_out = labelled["label"].isna() & table["label"].notna()
        table = labelled[~left_out].reset_index(drop=True)
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
        return _classes(labels, pretext={})
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


def rotation(
    labels,
    angles: Annotated[int, (2, math.inf)] = 6,
    disc: bool = True,
    joint: bool = False,
    weight: NonNegative = 1.0,
):
    """Returns the `Target` of turned images: their angles in degrees, or their classes where `joint`.

    An image is scored at an angle that its id decides, the same in every run. `weight` is that of the loss of
    the angle, beside 1 for that of the class.
    """
    _check_weight(joint, weight)
    pretext = {"angles": angles, "disc": disc}
    if joint:
        return _classes(labels, pretext)
    return _Angles(tuple(f"{360 * number / angles:g}" for number in range(angles)), {}, pretext)


def pixels(labels, patch: Count = 8, swaps: Natural = 20, joint: bool = False, weight: NonNegative = 1.0):
    """Returns the `Target` of disordered images: what they were; where `joint`, their classes beside it.

    `weight` is that of the loss of the pixels, beside 1 for that of the class.
    """
    _check_weight(joint, weight)
    return _classes(labels, {"patch": patch, "swaps": swaps})


def _check_weight(joint, weight):
    if weight != 1 and not joint:
        raise ValueError(f"`weight` is beside the class, with joint=True. Received: weight={weight}")


class _Angles(Target):
    """Labels that images have by their ids, whatever their classes."""

    def relabel(self, table):
        numbers = [zlib.crc32(name.encode()) % len(self.labels) for name in table["image_id"]]
        return table.assign(label=[self.labels[number] for number in numbers]).astype({"label": "string"})


def _classes(labels, pretext):
    return dataclasses.replace(_mapped({label: label for label in labels}), pretext=pretext)


def _mapped(of_class):
    return Target(tuple(dict.fromkeys(of_class.values())), of_class)


# Functions of the labels of a class map; their further parameters are the options of a recipe's `target`.
TARGETS = {
    "one_against_rest": one_against_rest,
    "without": without,
    "rotation": rotation,
    "pixels": pixels,
}
