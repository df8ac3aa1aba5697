"""Samplers: the images of an epoch, and their order.

A sampler is made from columns of the training rows and given to `build_dataset`. Its epochs are functions
of (seed, epoch) alone, so a resumed run samples what an undisturbed one samples.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from skinkit.values import Count, Share, check_value

_MELANOMA = ("malignant", "mel")


@dataclass(frozen=True)
class Sampler:
    """The rows of every epoch.

    Args:
        rows: Integer, number of rows to sample from.
        length: Integer, number of places in an epoch.
        order: Function of seed and epoch, integers from 0, that returns the epoch's row positions in their
            order, int64 `(length,)`.

    Example:
        >>> oversampling(["nv", "nv", "nv", "mel"]).order(seed=0, epoch=0)  # 3 is there three times
    """

    rows: int
    length: int
    order: Callable[[int, int], np.ndarray]


def oversampling(labels, length="released"):
    """Each class repeated to the size of the largest one, in random order (gessert2019).

    Args:
        labels: Sequence of one label for each row.
        length: String. `"released"`: an epoch is the whole pool (C times the largest class: 4.7 times the
            images of HAM10000, so as many times the updates). `"equal"`: the same rows cut into epochs
            as long as there are rows, for a fair comparison.

    Returns:
        `Sampler`. In a pool, the images of a class differ by one place at most.

    Raises:
        ValueError: for an unknown `length`.
    """
    classes = _positions_by_class(labels)
    largest = max(map(len, classes))
    pool = np.concatenate([np.resize(rows, largest) for rows in classes])
    lengths = {"released": len(pool), "equal": len(labels)}
    if length not in lengths:
        raise ValueError(
            f"oversampling: `length` must be one of {', '.join(lengths)}. Received: length={length!r}"
        )
    count = lengths[length]

    def order(seed, epoch):
        return _endless(pool, epoch * count, count, key=[seed])

    return Sampler(len(labels), count, order)


def balanced_batches(labels):
    """The classes in turn, one image each, without end (gessert2019).

    A batch holds equally many images of each class only if the number of classes divides its size; the
    last one of an epoch may be cut off. A class takes its images in random order, all of them before any
    comes again, and goes on where the epoch before stopped.

    Args:
        labels: Sequence of one label for each row.

    Returns:
        `Sampler` as long as there are rows.
    """
    classes, count = _positions_by_class(labels), len(labels)

    def order(seed, epoch):
        first = epoch * count
        whose = np.arange(first, first + count) % len(classes)
        result = np.empty(count, np.int64)
        for number, rows in enumerate(classes):
            mine = whose == number
            before = (first + len(classes) - 1 - number) // len(classes)
            result[mine] = _endless(rows, before, mine.sum(), key=[seed, number])
        return result

    return Sampler(count, count, order)


def weighted_random(labels):
    """Samples with replacement, by inverse class frequency (hernandez2020 3.2.1).

    Args:
        labels: Sequence of one label for each row.

    Returns:
        `Sampler` as long as there are rows; each class has the same chance at each place.
    """
    chances = _inverse_frequency(labels)
    count = len(chances)

    def order(seed, epoch):
        return np.random.default_rng([seed, epoch]).choice(count, count, p=chances)

    return Sampler(count, count, order)


def contextual(
    labels,
    patients,
    patients_per_batch: Count = 8,
    images_per_patient: Count = 4,
    malignant_fraction: Share = 0.5,
):
    """Groups of images of one patient, every other patient with a melanoma (hernandez2020 3.2.2).

    Of the images of a patient with melanoma, `malignant_fraction` are malignant, so that by default 25 %
    of all are. Where a patient has fewer images of a kind than are asked for, they come repeatedly;
    where none, the other kind takes their place. All patients with (without) melanoma come before one of
    them comes again.

    With `images_per_patient=1` this is the listing of appendix A, which differs from the text: patients
    are sampled with replacement by inverse frequency, so that half of them have a melanoma in expectation
    only, and no batch holds a patient's context. Its epoch was as long as there are patients.

    Args:
        labels: Sequence of one label for each row; `"malignant"` and `"mel"` are melanomas.
        patients: Sequence of one patient id for each row.
        patients_per_batch: Integer, groups in a batch, an even number.
        images_per_patient: Integer, images in a group.
        malignant_fraction: Float, above 0 and below 1; a fraction of an image is rounded at random.

    Returns:
        `Sampler`. Places `i * images_per_patient` and those that follow are of one patient; the length is
        the number of rows, rounded up to whole batches of `patients_per_batch * images_per_patient`.

    Raises:
        ValueError: for a number out of its range, a row without patient, or no patient with (or without)
            melanoma.
    """
    _check_contextual(patients_per_batch, images_per_patient, malignant_fraction)
    people, is_ill = _images_by_patient(labels, patients)
    size = patients_per_batch * images_per_patient
    groups = patients_per_batch * math.ceil(len(labels) / size)
    choose_patients = _patients_as_listed if images_per_patient == 1 else _patients_in_turn

    def order(seed, epoch):
        rng = np.random.default_rng([seed, 2, epoch])
        chosen = choose_patients(is_ill, groups, seed, epoch)
        images = [_sample_group(*people[i], images_per_patient, malignant_fraction, rng) for i in chosen]
        return np.concatenate(images)

    return Sampler(len(labels), groups * images_per_patient, order)


SAMPLERS = {
    "oversampling": oversampling,
    "balanced_batches": balanced_batches,
    "weighted_random": weighted_random,
    "contextual": contextual,
}


def _positions_by_class(labels):
    labels = np.asarray(labels, dtype=str)
    return [np.flatnonzero(labels == label) for label in np.unique(labels)]


def _inverse_frequency(values):
    """The chance of each value's row: equal for all values, and for all rows of a value."""
    _, code, counts = np.unique(np.asarray(values, dtype=str), return_inverse=True, return_counts=True)
    return 1 / (len(counts) * counts[code])


def _endless(values, start, count, key):
    """`count` of an endless sequence from `start` on: all values, in a new random order each time."""
    first, last = start // len(values), math.ceil((start + count) / len(values))
    orders = [np.random.default_rng([*key, number]).permutation(values) for number in range(first, last)]
    skipped = start - first * len(values)
    return np.concatenate(orders)[skipped : skipped + count]


def _check_contextual(patients_per_batch, images_per_patient, malignant_fraction):
    if patients_per_batch < 2 or patients_per_batch % 2:
        raise ValueError(
            "contextual: half of the patients have a melanoma, so `patients_per_batch` must be an even "
            f"number from 2. Received: patients_per_batch={patients_per_batch}"
        )
    check_value("contextual", "images_per_patient", images_per_patient, Count)
    if not 0 < malignant_fraction < 1:
        raise ValueError(
            "contextual: `malignant_fraction` must be above 0 and below 1, or some images would never "
            f"come. Received: malignant_fraction={malignant_fraction}"
        )


def _images_by_patient(labels, patients):
    """(malignant positions, benign positions) of each patient, and whether there are malignant ones."""
    patients = pd.Series(np.asarray(patients, dtype=object))
    if patients.isna().any():
        raise ValueError(
            f"contextual: every row needs a patient. Received: {patients.isna().sum()} of {len(patients)} "
            "rows without"
        )
    malignant = np.isin(np.asarray(labels, dtype=str), _MELANOMA)
    rows = patients.groupby(patients).indices.values()
    people = [(own[malignant[own]], own[~malignant[own]]) for own in rows]
    is_ill = np.array([len(own) > 0 for own, _ in people])
    if is_ill.all() or not is_ill.any():
        raise ValueError(
            "contextual: expected patients with and without melanoma (a label of "
            f"{', '.join(_MELANOMA)}). Received: {is_ill.sum()} of {len(people)} patients with one"
        )
    return people, is_ill


def _patients_in_turn(is_ill, groups, seed, epoch):
    """With and without melanoma by turns, so that half of any even number has one."""
    half = groups // 2
    ill, well = (
        _endless(np.flatnonzero(is_ill == kind), epoch * half, half, key=[seed, int(kind)])
        for kind in (True, False)
    )
    return np.stack([ill, well], axis=1).ravel()


def _patients_as_listed(is_ill, groups, seed, epoch):
    rng = np.random.default_rng([seed, 3, epoch])
    return rng.choice(len(is_ill), groups, p=_inverse_frequency(is_ill))


def _sample_group(malignant, benign, count, fraction, rng):
    """`count` images of a patient, each again only after all others of its kind."""
    wanted = int(count * fraction + rng.random())
    if len(malignant) == 0 or len(benign) == 0:
        wanted = count if len(benign) == 0 else 0
    kinds = ((malignant, wanted), (benign, count - wanted))
    images = np.concatenate([np.resize(rng.permutation(own), n) for own, n in kinds])
    # Shuffled, so that no place in a group tells the label.
    return rng.permutation(images)
