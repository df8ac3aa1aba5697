"""Synthetic patients and lesions, sampled with the statistics of the releases."""

import numpy as np
import pandas as pd

from skinkit.data.releases.catalog import CATALOG

# HAM10000: lesions with 1, 2, ... 6 images (counted in its public table).
_REPEATS = {
    "akiec": (151, 57, 18, 2, 0, 0),
    "bcc": (175, 118, 33, 1, 0, 0),
    "bkl": (440, 220, 55, 8, 2, 2),
    "df": (39, 26, 8, 0, 0, 0),
    "mel": (230, 278, 100, 4, 1, 1),
    "nv": (4415, 699, 268, 18, 2, 1),
    "vasc": (64, 25, 8, 1, 0, 0),
}
# HAM10000: images by confirmation.
_CONFIRMED = {
    "akiec": {"histo": 327},
    "bcc": {"histo": 514},
    "bkl": {"histo": 766, "consensus": 264, "confocal": 69},
    "df": {"histo": 55, "consensus": 60},
    "mel": {"histo": 1113},
    "nv": {"histo": 2498, "follow_up": 3704, "consensus": 503},
    "vasc": {"histo": 67, "consensus": 75},
}
# HAM10000: mean and deviation of the age in years (counted in its public table).
_AGES = {
    "akiec": (67, 11),
    "bcc": (67, 14),
    "bkl": (64, 14),
    "df": (53, 14),
    "mel": (61, 15),
    "nv": (46, 15),
    "vasc": (51, 22),
}
# HAM10000: images by site, and where a class is seen more often than that.
_SITES = {
    "back": 2192,
    "lower extremity": 2077,
    "trunk": 1404,
    "upper extremity": 1118,
    "abdomen": 1022,
    "face": 745,
    "chest": 407,
    "foot": 319,
    "unknown": 234,
    "neck": 168,
    "scalp": 128,
    "hand": 90,
    "ear": 56,
    "genital": 48,
    "acral": 7,
}
_MORE_OFTEN = {"face": {"akiec": 5, "bkl": 5, "bcc": 3}, "lower extremity": {"df": 6}}
# ISIC 2020: images by site (counted in its public table), melanoma patients.
_SITES_2020 = {
    "torso": 16845,
    "lower extremity": 8417,
    "upper extremity": 4983,
    "head/neck": 1855,
    "palms/soles": 375,
    "oral/genital": 124,
}
_MELANOMA_PATIENTS = 428 / 2056
_MELANOMAS_EACH = 584 / 428
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
    people["dx_type"] = [_draw(rng, _CONFIRMED[label]) for label in labels]
    people["age"] = [_age(rng, *_AGES[label]) for label in labels]
    people["sex"] = rng.choice(["male", "female"], len(people), p=[0.54, 0.46])
    people["site"] = [_draw(rng, _sites(label)) for label in labels]
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
    share = (1 - balance) * _MELANOMA_PATIENTS + balance
    ill = rng.permutation(len(sizes))[: max(round(share * len(sizes)), min(6, len(sizes)))]
    patients = pd.DataFrame({"patient": range(len(sizes))})
    patients["age"] = [_age(rng, 49, 14) for _ in sizes]
    patients["sex"] = rng.choice(["male", "female"], len(sizes))
    _forget(rng, patients, unknown_sex=None)
    people = patients.loc[np.repeat(patients.index, sizes)].reset_index(drop=True)
    people["dx"] = rng.choice(["nv", "bkl"], n, p=[0.95, 0.05])
    for patient in ill:
        rows = people.index[people["patient"] == patient]
        many = min(1 + rng.poisson(_MELANOMAS_EACH - 1), max(1, len(rows) // 2))
        people.loc[rng.choice(rows, many, replace=False), "dx"] = "mel"
    people["lesion"] = range(n)
    people["dx_type"] = None
    people["site"] = [_draw(rng, _SITES_2020) for _ in range(n)]
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
    return {site: n * _MORE_OFTEN.get(site, {}).get(label, 1) for site, n in _SITES.items()}


def _draw(rng, counts):
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
