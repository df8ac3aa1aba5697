"""Pictures of where a run's model looks."""

from pathlib import Path

import pandas as pd

from skinkit.experiments.saved import SavedRun

_IMAGE = "image"


def explain(folder, images=None, data_dir=None):
    """Draws Grad-CAM, and the attention maps of a model that has them, over images.

    What is drawn over is what the network sees: the whole image, or the centre that single_crop evaluates.

    Args:
        folder: Run folder.
        images: Ids of images of the run, or image files; by default the first test image of each class.
        data_dir: Folder of the releases; the environment variable `SKINKIT_DATA` by default.

    Returns:
        `pathlib.Path` of the figure `overlays.png` in the run folder: not for clinical use, and not to be
        committed when it shows real lesions.

    Raises:
        FileNotFoundError: when the run, its model or an image is missing.
        ValueError: for an image id that the run does not know, a run that sees an image as several crops, or
            one whose classifier is not its network.
    """
    run = SavedRun(Path(folder))
    _check_input(run.recipe)
    rows = _rows(run, images, data_dir)
    model = run.load_model()
    figure = draw_overlays(model, run, rows)
    target = run.folder / "overlays.png"
    figure.savefig(target, dpi=110, bbox_inches="tight")
    return target


def _check_input(recipe):
    if recipe.classifier is not None:
        raise ValueError(
            "Grad-CAM follows a class through a network; this run's classes come from a classifier beside "
            f"it. Received: classifier={recipe.classifier}"
        )
    if recipe.input.name in ("multi_crop", "ordered_crops"):
        raise ValueError(
            "Maps are drawn for networks that see one picture at a time. This run sees an image as several "
            f"crops, and no single map says where it looks. Received: input={recipe.input}"
        )


def _rows(run, images, data_dir):
    if images and all(Path(image).is_file() for image in images):
        return _rows_of_files(images, run.labels)
    table = run.material(data_dir).table
    if not images:
        images = run.predictions.drop_duplicates("label")["image_id"]
    if unknown := sorted(set(images) - set(table["image_id"])):
        raise ValueError(f"The run knows no image {', '.join(unknown)}, and there is no such file")
    return (
        table.set_index("image_id", drop=False)
        .loc[list(images)]
        .reset_index(drop=True)
        .assign(truth=lambda rows: rows["label"])
    )


def _rows_of_files(files, labels):
    # The pipeline wants a label; that of a single file is unknown and never shown.
    paths = [Path(file) for file in files]
    return pd.DataFrame(
        {"image_id": [p.stem for p in paths], "path": map(str, paths), "label": labels[0]}
    ).assign(lesion_id=pd.NA, patient_id=pd.NA, truth=pd.NA)


def draw_overlays(model, run, rows):
    """Returns the figure: a row per image with the image, its Grad-CAM and its attention map."""
    from skinkit import plots
    from skinkit.explain import attention_maps, grad_cam, has_attention
    from skinkit.models import image_alone

    # One picture at a time: a network with patient context is asked what it makes of the image alone.
    model = image_alone(model)
    inputs = _pixels(run.recipe, rows, run.labels)
    shown = _pixels(run.recipe, rows, run.labels, channel_order="rgb", scaling="unit")
    columns = {_IMAGE: [None] * len(rows), "Grad-CAM": grad_cam(model, inputs)}
    if has_attention(model):
        columns["soft attention"] = attention_maps(model, inputs)
    titles = _titles(rows, model.predict(inputs, verbose=0), run.labels)
    images, heatmaps, texts = [], [], []
    for i, title in enumerate(titles):
        for name, maps in columns.items():
            images.append(shown[i])
            heatmaps.append(maps[i])
            texts.append(title if name == _IMAGE else name)
    return plots.overlay_grid(images, heatmaps, texts, columns=len(columns))


def _titles(rows, probabilities, labels):
    best = probabilities.argmax(axis=1)
    truth = [f" (truth: {label})" if pd.notna(label) else "" for label in rows["truth"]]
    return [
        f"{image}{known}\n{labels[b]} {p[b]:.2f}"
        for image, known, b, p in zip(rows["image_id"], truth, best, probabilities, strict=True)
    ]


def _pixels(recipe, rows, labels, **changes):
    import numpy as np

    from skinkit.experiments.build import evaluation_batches

    batches = evaluation_batches(recipe, rows, labels, **changes)
    return np.concatenate([batch[0].numpy() for batch in batches])
