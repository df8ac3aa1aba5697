"""Class maps: the diagnoses that a source knows, their spelling and their order."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from skinkit.names import one_hot
from skinkit.registration import calling_place, register


@dataclass(frozen=True)
class ClassMap:
    """Names and order of the classes of one source.

    The order of the columns is the most frequent silent error between the documents;
    tables and plots take labels, and only this object turns them into positions.

    Args:
        key: String, key of `CLASS_MAPS`.
        labels: Strings, canonical lower-case codes in the order of the source.
        names: Strings, the same as the source spells them.

    Example:
        >>> CLASS_MAPS["isic2018"].encode(["nv", "mel"])
        array([1, 0])
    """

    key: str
    labels: tuple[str, ...]
    names: tuple[str, ...]

    def __post_init__(self):
        if len(self.labels) != len(self.names):
            raise ValueError(
                f"Class map {self.key!r} needs one name a label. "
                f"Received: labels={self.labels}, names={self.names}"
            )
        if len(set(self.labels)) != len(self.labels):
            raise ValueError(f"Class map {self.key!r} repeats a label. Received: {self.labels}")

    def __len__(self):
        return len(self.labels)

    def index(self, label: str) -> int:
        """Returns the position of one label.

        Raises:
            ValueError: if this map does not know the label.
        """
        return int(self.encode([label])[0])

    def encode(self, labels: Iterable[str]) -> np.ndarray:
        """Turns labels into positions.

        Args:
            labels: Strings, n canonical codes.

        Returns:
            int64 array `(n,)`, values from 0 to `len(self) - 1`.

        Raises:
            ValueError: naming every label that this map does not know, and those it knows.
        """
        labels = list(labels)
        positions = {label: position for position, label in enumerate(self.labels)}
        unknown = {str(label) for label in labels if label not in positions}
        if unknown:
            raise ValueError(
                f"Class map {self.key!r} does not know {', '.join(sorted(unknown))}. "
                f"Known: {', '.join(self.labels)}."
            )
        return np.array([positions[label] for label in labels], dtype=np.int64)

    def one_hot(self, labels: Iterable[str]) -> np.ndarray:
        """Turns n labels into a float32 array `(n, len(self))` of zeros and ones.

        Raises:
            ValueError: as `encode`.
        """
        labels = list(labels)
        # Here, an unknown label is an error, and not a row of zeros.
        self.encode(labels)
        return one_hot(labels, self.labels)

    def decode(self, indices: Iterable[int]) -> list[str]:
        """Turns positions back into labels.

        Raises:
            ValueError: if an index lies outside 0 .. `len(self) - 1`.
        """
        indices = [int(index) for index in indices]
        wrong = sorted({index for index in indices if not 0 <= index < len(self)})
        if wrong:
            raise ValueError(f"Class map {self.key!r} has positions 0 to {len(self) - 1}. Received: {wrong}")
        return [self.labels[index] for index in indices]


_CODES = {"melanoma": "mel", "nevus": "nv", "unknown": "unk"}


def _map(key: str, names: str) -> ClassMap:
    spellings = tuple(names.split())
    labels = (name.lower() for name in spellings)
    return ClassMap(key, tuple(_CODES.get(label, label) for label in labels), spellings)


# HAM10000's class holds actinic keratosis and Bowen's disease; ISIC 2019 has the first alone.
SAME_CLASS = {"ak": "akiec"}

# The orders of the sources, and the two classes of ISIC 2020.
CLASS_MAPS: dict[str, ClassMap] = {
    class_map.key: class_map
    for class_map in (
        _map("isic2018", "MEL NV BCC AKIEC BKL DF VASC"),
        _map("alphabetical", "akiec bcc bkl df mel nv vasc"),
        _map("koefler2023", "nv mel bkl bcc akiec vasc df"),
        # Python sorts capitals first, which puts melanoma at position 6.
        _map("bermeo2023", "AK BCC BKL DF SCC VASC melanoma nevus"),
        _map("haqishen", "AK BCC BKL DF SCC VASC melanoma nevus unknown"),
        _map("isic2019", "MEL NV BCC AK BKL DF VASC SCC UNK"),
        _map("isic2020", "benign malignant"),
        # gessert2019's SPC: no actinic keratoses.
        _map("derm7pt", "MEL NV BCC BKL DF VASC"),
    )
}


def register_classes(key, names):
    """Makes a class map of one's own known under a key, for `classes=key` in a recipe.

    Args:
        key: String, its key in `CLASS_MAPS`.
        names: Mapping from the labels, in the order of the network's outputs, to what tables and plots call
            them.

    Returns:
        `ClassMap`.

    Raises:
        ValueError: for a key that is taken, or labels that are not lower-case words.

    Example:
        >>> register_classes("clinic", {"mel": "Melanoma", "nv": "Naevus", "other": "Other"}).labels
        ('mel', 'nv', 'other')
    """
    if wrong := [label for label in names if not label or label != label.strip().lower()]:
        raise ValueError(f"Labels of class map {key!r} are lower-case words. Received: {wrong[0]!r}")
    made = ClassMap(key, tuple(names), tuple(names.values()))
    register("Class maps", CLASS_MAPS, key, made, calling_place())
    return made
