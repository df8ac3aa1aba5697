"""The test images with the largest losses, by class and by wrong answer, and where the model looks."""

from typing import NamedTuple

import cv2
import numpy as np

from skinkit import evaluation, explain
from skinkit.experiments.explain import image_rows
from skinkit.experiments.report.figures import Figure, address
from skinkit.experiments.report.numbers import PAIRS

_OF_A_CLASS = 4
# Longer side in pixels, and quality: 36 images with one map each take less than 1 MB.
_SIDE = 200
# A map whose least value is a larger share of its largest shows no place.
_EVEN = 0.7
_QUALITY = 80
_PLACES = (
    ("top left", "top", "top right"),
    ("left", "middle", "right"),
    ("bottom left", "bottom", "bottom right"),
)


class Look(NamedTuple):
    """An image with its maps, what it is, and what the network says."""

    image_id: str
    truth: str
    called: str
    of_truth: float
    of_called: float
    figures: list


def looks(run, data_dir=None):
    """Returns the `Look`s of the images with the largest losses, largest first.

    They are a few of each class, and the hardest of each of the most frequent wrong answers.

    Args:
        run: `SavedRun`.
        data_dir: Folder of the releases; the environment variable `SKINKIT_DATA` by default.

    Raises:
        FileNotFoundError: when the model or its images are not there.
        ValueError: when the classes do not come from the network alone.
    """
    chosen, truth, probabilities = _largest_losses(run.predictions)
    task, model = run.load_task(data_dir)
    rows = image_rows(run, chosen["image_id"], data_dir)
    found = task.explain(model, rows)
    called = evaluation.predicted_index(probabilities)
    return [
        Look(
            *(chosen["image_id"].iloc[i], run.labels[truth[i]], run.labels[called[i]]),
            *(probabilities[i, truth[i]], probabilities[i, called[i]]),
            _figures(found.images[i], {name: maps[i] for name, maps in found.maps.items()}),
        )
        for i in range(len(chosen))
    ]


def _largest_losses(predictions):
    """Rows of the predictions, largest loss first, with positions of the truth and probabilities."""
    truth, probabilities, _ = evaluation.check_predictions(*evaluation.unpack_predictions(predictions))
    order = np.lexsort((-probabilities.max(axis=1), probabilities[np.arange(len(truth)), truth]))
    ranked = predictions.iloc[order].drop_duplicates("image_id")
    hardest = evaluation.error_pairs(predictions).head(PAIRS)["hardest"]
    kept = ranked.groupby("label", sort=False).cumcount() < _OF_A_CLASS
    kept |= ranked["image_id"].isin(hardest)
    positions = predictions.index.get_indexer(ranked.index[kept])
    return predictions.iloc[positions], truth[positions], probabilities[positions]


def _figures(image, maps):
    plain = [Figure("image", "The image as the network sees it", _jpeg(np.uint8(np.round(255 * image))))]
    over = [
        Figure(name, _where(name, each), _jpeg(explain.overlay_map(image, each)))
        for name, each in maps.items()
    ]
    return plain + over


def _where(name, heatmap):
    if np.min(heatmap) > _EVEN * np.max(heatmap):
        return f"{name}, nearly even over the image"
    (row, column), (height, width) = np.unravel_index(np.argmax(heatmap), heatmap.shape), heatmap.shape
    return f"{name}, strongest at the {_PLACES[3 * row // height][3 * column // width]}"


def _jpeg(image):
    scale = min(1.0, _SIDE / max(image.shape[:2]))
    small = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA) if scale < 1 else image
    _, content = cv2.imencode(".jpg", small[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])
    return address(content.tobytes(), "jpeg")
