"""A drawn data set with the structure of the real ones: repeats, patients, sources, their own tables.

Every flaw that the kit shows on real images can be shown on these, without a download and in seconds.
"""

import dataclasses
import hashlib
import json
import os
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pandas as pd

from skinkit.data.manifests import read_manifest

_VERSION = 2  # raise it when the same parameters draw other images

# HAM10000: lesions by class, share of them with one image, and the lesions with 2, 3, ... images.
_LESIONS = {"nv": 5403, "bkl": 727, "mel": 614, "bcc": 327, "akiec": 228, "vasc": 98, "df": 73}
_SINGLE = {"nv": 0.817, "bkl": 0.605, "mel": 0.375, "bcc": 0.535, "akiec": 0.66, "vasc": 0.65, "df": 0.53}
_REPEATS = {2: 1423, 3: 490, 4: 34, 5: 5, 6: 4}
_CONFIRMED = {
    "nv": {"histo": 2498, "follow_up": 3704, "consensus": 503},
    "bkl": {"histo": 766, "consensus": 264, "confocal": 69},
    "mel": {"histo": 1},
    "bcc": {"histo": 1},
    "akiec": {"histo": 1},
    "vasc": {"histo": 67, "consensus": 75},
    "df": {"histo": 55, "consensus": 60},
}
_AGES = {"nv": 45, "bkl": 64, "mel": 61, "bcc": 67, "akiec": 67, "vasc": 52, "df": 52}
_SITES = ("back", "lower extremity", "trunk", "upper extremity", "abdomen", "face", "chest", "foot", "neck")
# The classes of each layout, and those it calls malignant.
_LAYOUTS = {
    "ham10000": (tuple(_LESIONS), ("mel", "bcc", "akiec")),
    "isic2020": (("nv", "bkl", "mel", "df"), ("mel",)),
}


@dataclasses.dataclass(frozen=True)
class Parameters:
    """All that decides what is drawn; see `synthetic`."""

    n: int
    seed: int
    size: tuple[int, int]
    layout: str
    balance: float
    overlap: float
    source_artefact: float
    context: float

    def __post_init__(self):
        if self.layout not in _LAYOUTS:
            raise ValueError(f"Layouts are {', '.join(_LAYOUTS)}. Received: layout={self.layout!r}")
        if len(self.size) != 2 or any(int(side) != side or side < 16 for side in self.size):
            raise ValueError(f"Height and width are whole numbers from 16. Received: size={self.size}")
        if int(self.seed) != self.seed or self.seed < 0:
            raise ValueError(f"The seed is a whole number from 0. Received: seed={self.seed}")
        if int(self.n) != self.n or self.n < 30:
            raise ValueError(
                f"A whole number of at least 30 images, for every class to occur. Received: n={self.n}"
            )
        for name in ("balance", "overlap", "source_artefact", "context"):
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(f"`{name}` lies between 0 and 1. Received: {getattr(self, name)}")

    def to_json(self):
        return json.dumps({"version": _VERSION, **dataclasses.asdict(self)}, sort_keys=True)


def synthetic(
    n=600,
    seed=0,
    folder=None,
    size=(225, 300),
    layout="ham10000",
    balance=0.3,
    overlap=0.35,
    source_artefact=0.0,
    context=0.0,
):
    """Draws a data set and returns its manifest table.

    Lesions recur in several photographs as in HAM10000, belong to patients, and have a confirmation type,
    age, sex and site with the same rules (follow-up for nevi only). The same parameters give the same
    images on every call; an existing folder is used again.

    Args:
        n: Integer, images.
        seed: Integer.
        folder: Folder for `images/*.jpg`, `masks/*_segmentation.png` (their areas) and the table in the
            real release's own columns; by default one below `$SKINKIT_CACHE`, or `~/.cache/skinkit`.
        size: Height and width of the images in pixels.
        layout: `"ham10000"` (seven classes), or `"isic2020"` (melanoma against the rest, by patient).
        balance: 0 for HAM10000's class shares, 1 for equal ones.
        overlap: 0 to 1, how much lesions look like other diagnoses than their own.
        source_artefact: 0 to 1, how well the mark of a source (dark corners, a cast) tells malignant
            from benign; at 0 it tells nothing.
        context: 0 to 1, how much a lesion must be compared with its patient's others: at 1 what counts as
            dark depends on the patient.

    Returns:
        Manifest table.

    Raises:
        ValueError: for parameters out of range, or a folder that holds something else.

    Example:
        >>> table = skinkit.data.synthetic(120, seed=1)
    """
    parameters = Parameters(n, seed, tuple(size), layout, balance, overlap, source_artefact, context)
    folder = Path(folder) if folder else _default_folder(parameters)
    _make(folder, parameters)
    return read_manifest(folder / _table_name(layout), dataset="synthetic")


def draw_lesion(label, seed=0, size=(225, 300)):
    """Draws one typical lesion of a class.

    Args:
        label: A class of HAM10000, e.g. `"mel"`.
        seed: Integer.
        size: Height and width in pixels.

    Returns:
        uint8 RGB image `(height, width, 3)` and boolean mask of the lesion `(height, width)`.
    """
    from skinkit.data import lesion_drawing as drawing

    if label not in drawing.STYLES:
        raise ValueError(f"Classes are {', '.join(drawing.STYLES)}. Received: label={label!r}")
    rng = np.random.default_rng(seed)
    lesion = drawing.draw_canonical(drawing.vary(drawing.STYLES[label], rng), rng)
    return drawing.photograph(lesion, rng.beta(1.2, 4), rng, tuple(size))


def _default_folder(parameters):
    cache = Path(os.environ.get("SKINKIT_CACHE") or Path.home() / ".cache" / "skinkit")
    return cache / f"synthetic-{hashlib.sha256(parameters.to_json().encode()).hexdigest()[:12]}"


def _make(folder, parameters):
    import filelock

    folder.parent.mkdir(parents=True, exist_ok=True)
    with filelock.FileLock(folder.with_name(f".{folder.name}.lock")):
        said = folder / "parameters.json"
        if said.exists() and said.read_text() == parameters.to_json():
            return
        if folder.exists() and any(folder.iterdir()):
            raise ValueError(
                f"{folder} holds something else than these synthetic images; choose another folder"
            )
        part = folder.with_name(f"{folder.name}.part")
        shutil.rmtree(part, ignore_errors=True)
        _draw_all(part, parameters)
        (part / "parameters.json").write_text(parameters.to_json())
        if folder.exists():
            folder.rmdir()
        part.replace(folder)


def _draw_all(folder, parameters):
    from tqdm.auto import tqdm

    for name in ("images", "masks"):
        (folder / name).mkdir(parents=True)
    rows = _rows(parameters)
    lesions = [lesion for _, lesion in rows.groupby("lesion_id", sort=False)]
    with ThreadPoolExecutor() as pool:
        done = pool.map(lambda lesion: _draw_views(folder, lesion, parameters), lesions)
        quiet = None if parameters.n >= 1000 else True
        list(tqdm(done, total=len(lesions), desc="Drawing lesions", unit="lesion", disable=quiet))
    table = _isic2020_table(rows) if parameters.layout == "isic2020" else _ham10000_table(rows)
    table.to_csv(folder / _table_name(parameters.layout), index=False, lineterminator="\n")


def _table_name(layout):
    return {"ham10000": "HAM10000_metadata.csv", "isic2020": "ISIC_2020_Training_GroundTruth.csv"}[layout]


def _rows(parameters):
    """One row per image: ids, label, and what is known of the patient and the lesion."""
    rng = np.random.default_rng([parameters.seed, 1])
    labels = _lesion_labels(parameters, rng)
    sizes = [_repeats(label, rng) for label in labels]
    lesions = pd.DataFrame({"label": labels, "images": sizes})
    lesions = lesions[lesions["images"].cumsum().shift(fill_value=0) < parameters.n].copy()
    lesions.iloc[-1, 1] -= lesions["images"].sum() - parameters.n
    lesions["lesion_id"] = [f"SYN_L{i:06d}" for i in range(len(lesions))]
    lesions["patient_id"] = _patients(len(lesions), rng)
    lesions["tone"] = _per_patient(lesions, rng.beta(1.2, 4, len(lesions)))
    lesions["pigment"] = _per_patient(lesions, rng.normal(0, 1, len(lesions)))
    lesions["sex"] = _per_patient(lesions, rng.choice(["male", "female"], len(lesions)))
    age = [_AGES[label] for label in lesions["label"]] + rng.normal(0, 13, len(lesions))
    lesions["age"] = _per_patient(lesions, np.clip(np.round(age / 5) * 5, 5, 85))
    lesions["site"] = rng.choice(_SITES, len(lesions))
    lesions["dx_type"] = [_confirmed(label, rng) for label in lesions["label"]]
    rows = lesions.loc[lesions.index.repeat(lesions["images"])].reset_index(drop=True)
    rows["image_id"] = [f"SYN_{i:07d}" for i in rng.permutation(len(rows))]
    agrees = 0.3 + parameters.source_artefact * np.where(
        rows["label"].isin(_LAYOUTS[parameters.layout][1]), 0.7, -0.3
    )
    rows["marked"] = rng.random(len(rows)) < agrees
    return rows


def _lesion_labels(parameters, rng):
    """Classes of as many lesions as can be needed, each class among the very first and soon again."""
    names = list(_LAYOUTS[parameters.layout][0])
    real = np.array([_LESIONS[name] for name in names], float)
    shares = (1 - parameters.balance) * real / real.sum() + parameters.balance / len(names)
    first = [*rng.permutation(names), *rng.permutation(names * 2)]
    return [*first, *rng.choice(names, parameters.n, p=shares)]


def _repeats(label, rng):
    if rng.random() < _SINGLE[label]:
        return 1
    counts = np.array(list(_REPEATS.values()), float)
    return int(rng.choice(list(_REPEATS), p=counts / counts.sum()))


def _patients(lesions, rng):
    """Patients with one to several lesions each, about two on average."""
    sizes = rng.geometric(0.45, lesions)
    return [f"SYN_P{i:05d}" for i in np.repeat(np.arange(lesions), sizes)[:lesions]]


def _per_patient(lesions, values):
    """The first value of each patient for all its lesions."""
    return pd.Series(values, index=lesions.index).groupby(lesions["patient_id"]).transform("first")


def _confirmed(label, rng):
    ways = _CONFIRMED[label]
    counts = np.array(list(ways.values()), float)
    return str(rng.choice(list(ways), p=counts / counts.sum()))


def _draw_views(folder, views, parameters):
    """Draws a lesion once and photographs it for each of its rows."""
    import cv2

    from skinkit.data import lesion_drawing as drawing

    first = views.iloc[0]
    rng = np.random.default_rng([parameters.seed, 2, int(first["lesion_id"].removeprefix("SYN_L"))])
    lesion = drawing.draw_canonical(_lesion_style(first, parameters, rng), rng)
    for image_id, tone, marked in zip(views["image_id"], views["tone"], views["marked"], strict=True):
        image, mask = drawing.photograph(lesion, tone, rng, parameters.size, marked)
        picture = cv2.cvtColor(image, cv2.COLOR_RGB2BGR)
        cv2.imwrite(str(folder / "images" / f"{image_id}.jpg"), picture, [cv2.IMWRITE_JPEG_QUALITY, 90])
        area = folder / "masks" / f"{image_id}_segmentation.png"
        cv2.imwrite(str(area), mask.astype(np.uint8) * 255, [cv2.IMWRITE_PNG_BILEVEL, 1])


def _lesion_style(lesion, parameters, rng):
    from skinkit.data import lesion_drawing as drawing

    style = drawing.STYLES[lesion["label"]]
    other = drawing.STYLES[str(rng.choice(list(drawing.STYLES)))]
    style = drawing.blend(style, other, float(rng.beta(1, 2)) * parameters.overlap * 1.6)
    # With context, a melanoma looks like a nevus that is darker than its patient's others.
    is_melanoma = lesion["label"] == "mel"
    if is_melanoma:
        style = drawing.blend(style, drawing.STYLES["nv"], 0.9 * parameters.context)
    darker = parameters.context * (28 * lesion["pigment"] + 30 * is_melanoma)
    return drawing.vary(style, rng, darker=darker)


def _ham10000_table(rows):
    names = {"label": "dx", "site": "localization"}
    columns = ["lesion_id", "image_id", "dx", "dx_type", "age", "sex", "localization", "patient_id"]
    return rows.rename(columns=names)[columns].sort_values("image_id")


def _isic2020_table(rows):
    malignant = rows["label"] == "mel"
    known = {"mel": "melanoma", "nv": "nevus", "bkl": "seborrheic keratosis"}
    table = pd.DataFrame(
        {
            "image_name": rows["image_id"],
            "patient_id": rows["patient_id"],
            "sex": rows["sex"],
            "age_approx": rows["age"],
            "anatom_site_general_challenge": rows["site"],
            "diagnosis": rows["label"].map(known).fillna("unknown"),
            "benign_malignant": np.where(malignant, "malignant", "benign"),
            "target": malignant.astype(int),
        }
    )
    return table.sort_values("image_name")
