"""Synthetic data sets: drawn images in the files and tables of the real releases.

With them every flaw of the documents can be shown without a download.
"""

import hashlib
import json
import math
import os
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Annotated, Literal

import numpy as np

from skinkit.data.load import read_manifest
from skinkit.data.synthetic.drawing import draw_lesion, photograph
from skinkit.data.synthetic.patients import sample_ham10000, sample_isic2020
from skinkit.data.synthetic.traits import MALIGNANT, sample_patient, sample_traits
from skinkit.files import locked, writing
from skinkit.values import Count, Natural, Share, check_options

__all__ = ["draw_lesion", "synthetic"]

_VERSION = 1  # raised when the same parameters draw other images
_PARAMETERS = "synthetic.json"
_TABLES = {"ham10000": "HAM10000_metadata.csv", "isic2020": "ISIC_2020_Training_GroundTruth.csv"}
_HAM_COLUMNS = ["lesion_id", "image_id", "dx", "dx_type", "age", "sex", "localization", "patient_id"]
_DIAGNOSES = {"mel": "melanoma", "nv": "nevus", "bkl": "seborrheic keratosis"}
# One random stream for each purpose, so that a lesion looks the same in all its photographs.
_PATIENT, _LESION, _PHOTOGRAPH, _MARK = range(4)
_MARKED = 0.35  # share of lesions that carry the source's mark where it tells nothing
_LARGE = 1000
_Side = Annotated[int, (16, math.inf)]
_Size = tuple[_Side, _Side]
_Layout = Literal[tuple(_TABLES)]


def synthetic(
    n: Count = 600,
    seed: Natural = 0,
    folder=None,
    size: _Size = (225, 300),
    *,
    layout: _Layout = "ham10000",
    balance: Share = 0.25,
    overlap: Share = 0.25,
    source_artefact: Share = 0.0,
    context: Share = 0.0,
    workers=None,
    progress=None,
):
    """Draws dermoscopy-like images and returns their manifest table.

    Lesions are photographed one to six times and belong to patients, as in HAM10000;
    confirmation, age, sex and site follow its rules. Equal parameters give equal files. A folder
    that is complete is read again; one that was interrupted is completed.

    Args:
        n: Integer, number of images.
        seed: Integer.
        folder: Folder that `images/*.jpg`, `masks/*_segmentation.png` and the release's own table go;
            default: a folder of its own below the environment variable `SKINKIT_CACHE`, else
            `~/.cache/skinkit`.
        size: Integers, height and width of the images in pixels.
        layout: String, `"ham10000"` (seven classes) or `"isic2020"` (benign and malignant; patients with
            many images, no lesion ids).
        balance: Float, 0 for the class shares of the release, 1 for equal ones (`isic2020`: for a melanoma
            in every patient).
        overlap: Float, share of lesions that look much like another diagnosis.
        source_artefact: Float, share of lesions whose mark of a source (dark corners, warm light) tells
            malignant from benign; the others carry it by chance.
        context: Float, 0 to 1: at 0 an image tells all there is to know; at 1 the nevi of a patient share a
            look, and a melanoma is a nevus with the opposite look, which only the patient's other images can
            tell.
        workers: Integer, threads; default: number of processors. The images do not depend on it.
        progress: Boolean, whether to show a bar; default: from 1,000 images on.

    Returns:
        Manifest table.

    Raises:
        ValueError: a parameter out of its range, or a folder that holds something else.

    Example:
        >>> table = synthetic(120, seed=1)
        >>> table["label"].value_counts()
    """
    size = tuple(int(side) for side in size)
    parameters = {"n": n, "seed": seed, "size": size, "layout": layout, "balance": balance}
    parameters |= {"overlap": overlap, "source_artefact": source_artefact, "context": context}
    check_options("synthetic", (synthetic,), parameters)
    drawing = SimpleNamespace(**parameters)
    folder = Path(folder) if folder else _cache_folder(drawing)
    folder.mkdir(parents=True, exist_ok=True)
    with locked(folder / ".lock"):
        _claim(folder, drawing)
        _write_all(folder, drawing, workers, n >= _LARGE if progress is None else progress)
    return read_manifest(folder / _TABLES[layout], dataset="synthetic")


def _cache_folder(drawing):
    cache = Path(os.environ.get("SKINKIT_CACHE") or Path.home() / ".cache" / "skinkit")
    return cache / f"synthetic-{hashlib.sha256(_to_json(drawing)).hexdigest()[:12]}"


def _to_json(drawing):
    return json.dumps({"version": _VERSION, **vars(drawing)}, sort_keys=True).encode()


def _claim(folder, drawing):
    """Writes the parameters into an empty folder, or finds the same ones there."""
    said, expected = folder / _PARAMETERS, _to_json(drawing)
    if said.is_file() and said.read_bytes() == expected:
        return
    ours = {".lock", f"{_PARAMETERS}.part"}
    if said.is_file() or any(path.name not in ours for path in folder.iterdir()):
        raise ValueError(
            f"{folder} is not empty and was not drawn with these parameters. Give another folder, "
            f"or delete this one. Expected in {_PARAMETERS}: {expected.decode()}"
        )
    _write(said, expected)


def _write_all(folder, drawing, workers, progress):
    """Draws the images that are not there yet; the table comes last."""
    from tqdm.contrib.concurrent import thread_map

    people = (sample_isic2020 if drawing.layout == "isic2020" else sample_ham10000)(
        drawing.n, drawing.seed, drawing.balance
    )
    people["image_id"] = [f"SYN_{image + 1:07d}" for image in people["image"]]
    for name in ("images", "masks"):
        (folder / name).mkdir(exist_ok=True)
    rows = [row for row in people.itertuples() if not all(map(Path.is_file, _paths(folder, row)))]
    bar = {"desc": "drawing", "unit": "image", "disable": not (progress and rows)}
    thread_map(partial(_write_image, folder, drawing), rows, max_workers=workers or os.cpu_count(), **bar)
    table = _isic2020_table(people) if drawing.layout == "isic2020" else _ham10000_table(people)
    text = table.to_csv(index=False, lineterminator="\n")
    _write(folder / _TABLES[drawing.layout], text.encode())


def _paths(folder, row):
    return folder / "images" / f"{row.image_id}.jpg", folder / "masks" / f"{row.image_id}_segmentation.png"


def _write_image(folder, drawing, row):
    import cv2

    image, mask = _draw(drawing, row)
    image_path, mask_path = _paths(folder, row)
    quality = [cv2.IMWRITE_JPEG_QUALITY, 90]
    _write(image_path, cv2.imencode(".jpg", cv2.cvtColor(image, cv2.COLOR_RGB2BGR), quality)[1])
    _write(mask_path, cv2.imencode(".png", mask, [cv2.IMWRITE_PNG_BILEVEL, 1])[1])


def _draw(drawing, row):
    patient = sample_patient(_stream(drawing, _PATIENT, row.patient))
    rng = _stream(drawing, _LESION, row.lesion)
    lesion = sample_traits(rng, row.dx, patient, drawing.overlap, drawing.context)
    rng = _stream(drawing, _PHOTOGRAPH, row.image)
    return photograph(rng, lesion, patient, drawing.size, _is_marked(drawing, row))


def _is_marked(drawing, row):
    malignant = ("mel",) if drawing.layout == "isic2020" else MALIGNANT
    agrees, by_chance = _stream(drawing, _MARK, row.lesion).random(2)
    return row.dx in malignant if agrees < drawing.source_artefact else by_chance < _MARKED


def _stream(drawing, purpose, number):
    return np.random.default_rng([drawing.seed, purpose, number])


def _write(path, content):
    with writing(path) as part:
        part.write_bytes(content)


def _ham10000_table(people):
    table = people.rename(columns={"site": "localization"})
    table["lesion_id"] = [f"SYNL_{lesion + 1:07d}" for lesion in people["lesion"]]
    table["patient_id"] = [f"SYNP_{patient + 1:07d}" for patient in people["patient"]]
    return table[_HAM_COLUMNS]


def _isic2020_table(people):
    malignant = people["dx"] == "mel"
    columns = {
        "image_name": people["image_id"],
        "patient_id": [f"SYNP_{patient + 1:07d}" for patient in people["patient"]],
        "sex": people["sex"],
        "age_approx": people["age"],
        "anatom_site_general_challenge": people["site"],
        "diagnosis": people["dx"].map(_DIAGNOSES),
        "benign_malignant": np.where(malignant, "malignant", "benign"),
        "target": malignant.astype(int),
    }
    return people.iloc[:, :0].assign(**columns)
