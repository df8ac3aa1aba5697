"""The figure of where a run's model looks."""

from pathlib import Path

import numpy as np
import pandas as pd

from skinkit.experiments.run_folder import SavedRun
from skinkit.files import writing
from skinkit.names import did_you_mean

_IMAGE = "image"


def explain(folder, images=None, data_dir=None, largest_losses=0, surest=0):
    """Draws Grad-CAM, and the attention maps of a model that has them, over images.

    What is drawn over is what the network sees: the whole image, or the centre that single_crop evaluates.
    The maps and weights of several crops are laid over the whole image where the crops lie.

    Args:
        folder: Run folder.
        images: Ids of images of the run, or image files; by default the first test image of each class.
        data_dir: Folder of the releases; the environment variable `SKINKIT_DATA` by default.
        largest_losses: Integer, instead of `images`: how many test images with the largest losses, those
            whose own class has the lowest probabilities.
        surest: Integer, likewise: how many that are classified rightly, with the highest probabilities. They
            come first, where both are asked for.

    Returns:
        `pathlib.Path` of the figure `overlays.png` in the run folder: not for clinical use, and not to be
        committed when it shows real lesions.

    Raises:
        FileNotFoundError: when the run, its model or an image is missing.
        ValueError: for an image id that the run does not know, `images` beside a number of them, more than
            there are, or a run whose classifier is not its network.
    """
    run = SavedRun(Path(folder))
    figure = explanation_figure(run, images, data_dir, largest_losses, surest)
    target = run.folder / "overlays.png"
    with writing(target, ".part.png") as part:
        figure.savefig(part, dpi=110, bbox_inches="tight")
    return target


def explanation_figure(run, images=None, data_dir=None, largest_losses=0, surest=0):
    """Returns the figure of `explain` for a `SavedRun`, and writes nothing."""
    if largest_losses or surest:
        images = _by_loss(run.predictions, images, largest_losses, surest)
    task, model = run.load_task(data_dir)
    rows = image_rows(run, images or run.predictions.drop_duplicates("label")["image_id"], data_dir)
    return draw_overlays(task.explain(model, rows), rows, run.labels)


def _by_loss(predictions, images, largest_losses, surest):
    """The ids of the surest hits, and of the images with the largest losses."""
    from skinkit import evaluation

    if images:
        raise ValueError(
            "Give images, or how many of the largest losses and surest hits: not both. "
            f"Received: {', '.join(map(str, images))}"
        )
    truth, probabilities, _ = evaluation.check_predictions(*evaluation.unpack_predictions(predictions))
    # Of equal losses, as after a gate that decides, the larger is that of the surer answer.
    order = np.lexsort((probabilities.max(axis=1), -probabilities[np.arange(len(truth)), truth]))
    hits = order[(evaluation.predicted_index(probabilities) == truth)[order]]
    for what, asked, there in (("right answers", surest, hits), ("losses", largest_losses, order)):
        if not 0 <= asked <= len(there):
            raise ValueError(
                f"The run has {len(there)} {what} among its {len(truth)} test images. Received: {asked}"
            )
    chosen = predictions["image_id"].iloc[[*hits[:surest], *order[::-1][:largest_losses]]]
    return list(dict.fromkeys(chosen))


def image_rows(run, images, data_dir=None):
    """Returns the manifest rows of images, in their order.

    Args:
        run: `SavedRun`.
        images: Ids of images of the run, or image files.
        data_dir: As in `explain`.

    Raises:
        FileNotFoundError: when the release of the run is not there.
        ValueError: for an image that the run does not know.
    """
    images = list(images)
    files = {image: _row_of_file(image) for image in images if Path(image).is_file()}
    table = pd.DataFrame(columns=["image_id"])
    if len(files) < len(images):
        table = run.run_data(data_dir).table
    asked = table[table["image_id"].isin(images)]
    known = asked.set_index("image_id", drop=False).to_dict(orient="index") | files
    if unknown := sorted({*images} - {*known}):
        near = did_you_mean(unknown[0], table["image_id"])
        raise ValueError(f"The run knows no image {', '.join(unknown)}, and there is no such file.{near}")
    return pd.DataFrame([known[image] for image in images])


def _row_of_file(file):
    unknown = dict.fromkeys(("lesion_id", "patient_id", "label"), pd.NA)
    return {"image_id": Path(file).stem, "path": str(file), **unknown}


def draw_overlays(explanation, rows, labels):
    """Returns the figure: a row per image with the image, its Grad-CAM and its attention maps.

    Args:
        explanation: `skinkit.tasks.Explanation` of the rows.
        rows: Manifest rows; without a label the truth is not shown.
        labels: Classes in the order of the probabilities.
    """
    from skinkit import plots

    columns = {_IMAGE: [None] * len(rows), **explanation.maps}
    texts = {name: _map_titles(explanation, name) for name in explanation.maps}
    texts[_IMAGE] = _titles(rows, explanation.probabilities, labels)
    images = [image for image in explanation.images for _ in columns]
    heatmaps, texts = (
        [each[name][i] for i in range(len(rows)) for name in columns] for each in (columns, texts)
    )
    return plots.overlay_grid(images, heatmaps, texts, columns=len(columns))


def _map_titles(explanation, name):
    """The name of a map over each image, with what its stage answers; "empty" where nothing speaks for it."""
    titles = [f"{name} (empty)" if not heat.any() else name for heat in explanation.maps[name]]
    if name in explanation.answers:
        labels, found = explanation.answers[name]
        titles = [
            f"{title}\n{labels[p.argmax()]} {p.max():.2f}" for title, p in zip(titles, found, strict=True)
        ]
    return titles


def _titles(rows, probabilities, labels):
    """Each image with what it is called, and what it is: where these differ, with the probability of both."""
    found = []
    for image, label, p in zip(rows["image_id"], rows["label"], probabilities, strict=True):
        said = dict(zip(labels, p, strict=True))
        called = max(said, key=said.get)
        missed = f" {said[label]:.2f}" if label in said and label != called else ""
        truth = f" (truth: {label}{missed})" if pd.notna(label) else ""
        found.append(f"{image}{truth}\n{called} {said[called]:.2f}")
    return found
