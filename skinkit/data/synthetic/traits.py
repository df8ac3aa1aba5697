"""Looks of the diagnoses as numbers, chosen at random for each patient and lesion and then photographed.

The amounts are set by eye, so that the classes overlap as real ones do; they claim nothing medical.
"""

from dataclasses import dataclass

import numpy as np

LABELS = ("akiec", "bcc", "bkl", "df", "mel", "nv", "vasc")
MALIGNANT = ("akiec", "bcc", "mel")

# Typical amounts. size: radius as a share of the image height; stretch: long to short axis;
# melanin, blood, deep (melanin seen through skin: blue-grey), keratin (yellow): absorption;
# centre: above 0 darker, below 0 lighter in the middle; the others 0 (none) to 1 (strong).
_AMOUNTS = (
    *("size", "stretch", "asymmetry", "irregularity", "softness"),
    *("melanin", "blood", "deep", "keratin", "variegation", "centre"),
)
_TYPICAL = {
    "akiec": (0.27, 1.30, 0.16, 0.10, 0.70, 0.26, 0.50, 0.02, 0.18, 0.60, 0.0),
    "bcc": (0.23, 1.25, 0.13, 0.08, 0.45, 0.20, 0.36, 0.10, 0.05, 0.50, 0.0),
    "bkl": (0.26, 1.30, 0.11, 0.08, 0.18, 0.70, 0.08, 0.05, 0.45, 0.35, 0.0),
    "df": (0.19, 1.12, 0.07, 0.07, 0.65, 0.42, 0.26, 0.02, 0.10, 0.25, -0.6),
    "mel": (0.27, 1.30, 0.16, 0.08, 0.24, 1.10, 0.22, 0.08, 0.05, 0.75, 0.1),
    "nv": (0.21, 1.30, 0.08, 0.06, 0.32, 0.95, 0.24, 0.03, 0.06, 0.25, 0.35),
    "vasc": (0.17, 1.20, 0.10, 0.06, 0.15, 0.10, 1.50, 0.60, 0.00, 0.30, 0.1),
}
# How often a structure is there.
_STRUCTURES = {
    "network": {"nv": 0.55, "mel": 0.50, "df": 0.60, "bkl": 0.15, "akiec": 0.10},
    "globules": {"nv": 0.35, "mel": 0.45, "bkl": 0.15, "bcc": 0.10},
    "ridges": {"bkl": 0.40},
    "milia": {"bkl": 0.50, "akiec": 0.15},
    "comedones": {"bkl": 0.45, "bcc": 0.05},
    "scale": {"akiec": 0.75, "bkl": 0.15, "bcc": 0.10},
    "follicles": {"akiec": 0.55},
    "vessels": {"bcc": 0.75, "akiec": 0.10, "mel": 0.08},
    "nests": {"bcc": 0.65, "mel": 0.10},
    "veil": {"mel": 0.60, "vasc": 0.20, "bkl": 0.05},
    "lagoons": {"vasc": 0.85},
    "white_centre": {"df": 0.75, "mel": 0.12, "bcc": 0.10},
}
_ANYWHERE = 0.02
_MISTAKEN_FOR = {
    "akiec": ("bkl", "bcc"),
    "bcc": ("akiec", "nv", "mel"),
    "bkl": ("nv", "mel", "akiec"),
    "df": ("nv", "bcc"),
    "mel": ("nv", "nv", "bkl"),
    "nv": ("mel", "bkl", "df"),
    "vasc": ("bcc", "mel"),
}
_PLACEMENTS = 12


@dataclass(frozen=True)
class Patient:
    """The skin that a patient's lesions lie in, and the look that the nevi may share.

    Args:
        tone: Float, melanin of the skin, from 0.03 (fair) to 1 (dark).
        redness: Float, blood of the skin.
        freckles: Float, 0 to 1.
        hair: Float, mean number of hairs in a photograph.
        cast: Floats, colour of the clinic's light, a factor for R, G and B.
        look: Float, angle in radians on the circle of looks: 0 dark, pi/2 red, pi light, 3 pi/2 pale.
    """

    tone: float
    redness: float
    freckles: float
    hair: float
    cast: tuple[float, float, float]
    look: float


@dataclass(frozen=True)
class Lesion:
    """Everything about a lesion that all its photographs share.

    Args:
        traits: Dictionary, amounts and structures by name; a structure that is not there has 0.
        placements: Array `(12, 3)`: where each texture is cut out (x, y in 0..1) and its angle.
        vessels: Arrays `(points, 2)`, polylines in image heights from the lesion's middle.
    """

    traits: dict[str, float]
    placements: np.ndarray
    vessels: tuple[np.ndarray, ...]


def sample_patient(rng):
    """Returns a random patient: mostly fair skin, as in the releases, with a tail of darker tones."""
    warm, green = rng.normal(0, 0.05), rng.normal(0, 0.02)
    return Patient(
        tone=float(np.clip(rng.lognormal(-1.9, 0.6), 0.03, 1.0)),
        redness=float(rng.uniform(0.10, 0.38)),
        freckles=float(rng.beta(0.5, 2.0)),
        hair=float(rng.choice([0.0, 2.0, 12.0], p=[0.5, 0.35, 0.15])),
        cast=(1 + warm, 1 + green, 1 - warm),
        look=float(rng.uniform(0, 2 * np.pi)),
    )


def sample_traits(rng, label, patient, overlap=0.25, context=0.0):
    """Returns a random lesion of a diagnosis.

    Args:
        rng: `np.random.Generator`.
        label: String, one of `LABELS`.
        patient: `Patient` who has it.
        overlap: Float, 0 to 1, share of lesions that look much like another diagnosis.
        context: Float, 0 to 1, how closely a nevus has its patient's look and a melanoma the opposite one;
            also the share of melanomas that nothing else tells from a nevus.

    Returns:
        A `Lesion`.
    """
    other = rng.choice(_MISTAKEN_FOR[label])
    share = rng.uniform(0.35, 0.65) if rng.random() < overlap else rng.uniform(0, 0.15)
    if label == "mel" and rng.random() < context:
        other, share = "nv", 1.0
    amounts = (1 - share) * np.array(_TYPICAL[label]) + share * np.array(_TYPICAL[other])
    amounts = amounts * np.exp(rng.normal(0, 0.18, len(amounts)))
    traits = dict(zip(_AMOUNTS, amounts.tolist(), strict=True))
    for name, often in _STRUCTURES.items():
        chance = (1 - share) * often.get(label, _ANYWHERE) + share * often.get(other, _ANYWHERE)
        strength = rng.uniform(0.4, 1.0)
        traits[name] = strength if rng.random() < chance else 0.0
    angle = _look(rng, label, patient, context)
    traits["melanin"] *= float(np.exp(0.35 * np.cos(angle)))
    traits["blood"] *= float(np.exp(0.5 * np.sin(angle)))
    traits["size"] = float(np.clip(traits["size"], 0.07, 0.42))
    traits["stretch"] = float(np.clip(traits["stretch"], 1.0, 2.2))
    vessels = _branch(rng, traits["size"]) if traits["vessels"] else ()
    return Lesion(traits, rng.random((_PLACEMENTS, 3)), vessels)


def _look(rng, label, patient, context):
    own = rng.uniform(-np.pi, np.pi)
    if label not in ("nv", "mel"):
        return own
    return patient.look + (1 - context) * own + (np.pi if label == "mel" else 0.0)


def _branch(rng, size):
    """Arborizing vessels: stems from the border inwards, each with branches."""
    lines = []
    for _ in range(rng.integers(2, 5)):
        start = rng.uniform(0, 2 * np.pi)
        stem = _wander(rng, size * np.array([np.cos(start), np.sin(start)]), start + np.pi, size)
        lines.append(stem)
        for _ in range(rng.integers(2, 5)):
            point = stem[rng.integers(2, len(stem))]
            lines.append(_wander(rng, point, start + np.pi + rng.normal(0, 0.9), 0.5 * size))
    return tuple(lines)


def _wander(rng, start, angle, length, points=9):
    angles = angle + np.cumsum(rng.normal(0, 0.35, points))
    steps = 1.2 * length / points * np.column_stack([np.cos(angles), np.sin(angles)])
    return np.vstack([start, start + np.cumsum(steps, axis=0)])
