"""Synthetic patients and lesions, sampled with the statistics of the releases."""

import tomllib
from pathlib import Path

import numpy as np
import pandas as pd

from skinkit.data.releases.catalog import CATALOG

_STATISTICS = tomllib.loads(Path(__file__).with_name("statistics.toml").read_text(encoding="utf-8"))
_HAM, _ISIC = _STATISTICS["ham10000"], _STATISTICS["isic2020"]
_REPEATS = _HAM["repeats"]
_FEWEST_LESIONS = 6  # so that each part of a 70/15/15 split can have one
_UNKNOWN = 0.006  # share of patients without age, or without sex


def sample_ham10000(n, seed=0, balance=0.25):
    """Samples images of seven classes, with repeats and patients as HAM10000 has them.

    Each class has at least six lesions where `n` allows it. HAM10000 gives no patients; here they
    have one to four lesions.

    Args:
        n: Integer, number of images.
        seed: Integer.
        balance: Float, 0 for the class shares of HAM10000, 1 for equal ones.

    Returns:
        DataFrame with one row an image: `image, lesion, patient` (integers), `dx`, `dx_type`,
        `age` (years, `nan` if unknown), `sex`, `site`.
    """
    rng = np.random.default_rng([seed, n])
    fewest = min(_FEWEST_LESIONS, n // (3 * len(_REPEATS)))
    lesions = [
        (label, size)
        for label, images in _share_out(n, balance, fewest).items()
        for size in _repeats(rng, label, images, fewest)
    ]
    lesions = [lesions[i] for i in rng.permutation(len(lesions))]
    labels = [label for label, _ in lesions]
    people = pd.DataFrame({"lesion": range(len(lesions)), "dx": labels})
    people["dx_type"] = [_choice(rng, _HAM["confirmed"][label]) for label in labels]
    people["age"] = [_age(rng, *_HAM["ages"][label]) for label in labels]
    people["sex"] = rng.choice(["male", "female"], len(people), p=[0.54, 0.46])
    people["site"] = [_choice(rng, _sites(label)) for label in labels]
    people["patient"] = _patients(rng, people)
    _forget(rng, people, unknown_sex="unknown")
    people = people.loc[np.repeat(people.index, [size for _, size in lesions])]
    return _number(people.iloc[rng.permutation(n)])


def sample_isic2020(n, seed=0, balance=0.25):
    """Samples nevi, keratoses and melanomas of patients with many images each, as in ISIC 2020.

    Args:
        n: Integer, number of images.
        seed: Integer.
        balance: Float, 0 for ISIC 2020's share of patients with a melanoma (21 %), 1 for all of them.

    Returns:
        DataFrame as `sample_ham10000`, each image of a lesion of its own.
    """
    rng = np.random.default_rng([seed, n, 2020])
    sizes = []
    while sum(sizes) < n:
        # 2 to 115 images, half of the patients 12 or fewer.
        size = int(np.clip(rng.lognormal(np.log(12), 0.8), 2, min(115, max(2, n // 8))))
        sizes.append(min(size, n - sum(sizes)))
    release, ill_patients = CATALOG["isic2020"], _ISIC["patients_with_melanoma"]
    share = (1 - balance) * ill_patients / release.patients + balance
    ill = rng.permutation(len(sizes))[: max(round(share * len(sizes)), min(6, len(sizes)))]
    patients = pd.DataFrame({"patient": range(len(sizes))})
    patients["age"] = [_age(rng, 49, 14) for _ in sizes]
    patients["sex"] = rng.choice(["male", "female"], len(sizes))
    _forget(rng, patients, unknown_sex=None)
    people = patients.loc[np.repeat(patients.index, sizes)].reset_index(drop=True)
    people["dx"] = rng.choice(["nv", "bkl"], n, p=[0.95, 0.05])
    for patient in ill:
        rows = people.index[people["patient"] == patient]
        more = rng.poisson(release.counts["malignant"] / ill_patients - 1)
        many = min(1 + more, max(1, len(rows) // 2))
        people.loc[rng.choice(rows, many, replace=False), "dx"] = "mel"
    people["lesion"] = range(n)
    people["dx_type"] = None
    people["site"] = [_choice(rng, _ISIC["sites"]) for _ in range(n)]
    return _number(people.iloc[rng.permutation(n)])


def _share_out(n, balance, fewest):
    """Images by class: shares rounded to the largest remainder, raised to the fewest allowed."""
    real = {label: CATALOG["ham10000"].counts[label] for label in _REPEATS}
    total = sum(real.values())
    exact = {
        label: n * ((1 - balance) * count / total + balance / len(real)) for label, count in real.items()
    }
    images = {label: int(share) for label, share in exact.items()}
    by_remainder = sorted(exact, key=lambda label: images[label] - exact[label])
    for label in by_remainder[: n - sum(images.values())]:
        images[label] += 1
    for label in images:
        missing = max(0, fewest - images[label])
        images[label] += missing
        images["nv"] -= missing
    return images


def _repeats(rng, label, images, fewest):
    """Images of each lesion of a class, as HAM10000 has them; the last ones fill up the number."""
    share = np.array(_REPEATS[label]) / sum(_REPEATS[label])
    sizes = []
    while images > 0:
        size = int(rng.choice(np.arange(1, 7), p=share))
        reserved = max(0, fewest - len(sizes) - 1)
        sizes.append(max(1, min(size, images - reserved)))
        images -= sizes[-1]
    return sizes


def _patients(rng, lesions):
    """Groups lesions into patients: those of one patient agree in age and sex."""
    patient = pd.Series(0, index=lesions.index)
    number = 0
    for _, group in lesions.groupby(["age", "sex"], sort=True):
        left = list(group.index)
        while left:
            many = int(rng.choice([1, 2, 3, 4], p=[0.6, 0.25, 0.1, 0.05]))
            patient.loc[left[:many]] = number
            left, number = left[many:], number + 1
    return patient


def _age(rng, mean, deviation):
    # The releases round ages to five years and end at 85.
    return float(np.clip(5 * np.round(rng.normal(mean, deviation) / 5), 5, 85))


def _sites(label):
    more_often = _HAM["more_often"]
    return {site: n * more_often.get(site, {}).get(label, 1) for site, n in _HAM["sites"].items()}


def _choice(rng, counts):
    weights = np.array(list(counts.values()), float)
    return str(rng.choice(list(counts), p=weights / weights.sum()))


def _forget(rng, people, unknown_sex):
    """Leaves a few patients without age and a few without sex, as the releases do."""
    patients = np.sort(people["patient"].unique())
    people["sex"] = people["sex"].astype(object)
    for column, unknown in (("age", np.nan), ("sex", unknown_sex)):
        forgotten = patients[rng.random(len(patients)) < _UNKNOWN]
        people.loc[people["patient"].isin(forgotten), column] = unknown


def _number(people):
    return people.reset_index(drop=True).rename_axis("image").reset_index()
