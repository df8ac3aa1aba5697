"""Pictures of where a run's model looks."""

from pathlib import Path

import numpy as np
import pandas as pd

from skinkit.experiments.run_folder import SavedRun
from skinkit.names import did_you_mean

_IMAGE = "image"


def explain(folder, images=None, data_dir=None):
    """Draws Grad-CAM, and the attention maps of a model that has them, over images.

    What is drawn over is what the network sees: the whole image, or the centre that single_crop evaluates.
    The maps and weights of several crops are laid over the whole image where the crops lie.

    Args:
        folder: Run folder.
        images: Ids of images of the run, or image files; by default the first test image of each class.
        data_dir: Folder of the releases; the environment variable `SKINKIT_DATA` by default.

    Returns:
        `pathlib.Path` of the figure `overlays.png` in the run folder: not for clinical use, and not to be
        committed when it shows real lesions.

    Raises:
        FileNotFoundError: when the run, its model or an image is missing.
        ValueError: for an image id that the run does not know, or a run whose classifier is not its network.
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


def _rows(run, images, data_dir):
    if images and all(Path(image).is_file() for image in images):
        return _rows_of_files(images, run.labels)
    table = run.run_data(data_dir).table
    if not images:
        images = run.predictions.drop_duplicates("label")["image_id"]
    if unknown := sorted(set(images) - set(table["image_id"])):
        near = did_you_mean(unknown[0], table["image_id"])
        raise ValueError(f"The run knows no image {', '.join(unknown)}, and there is no such file.{near}")
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
    """Returns the figure: a row per image with the image, its Grad-CAM and its attention maps."""
    from skinkit import plots
    from skinkit.models import image_alone

    # One picture at a time: a network with patient context is asked what it makes of the image alone.
    model = image_alone(model)
    inputs = _pixels(run.recipe, rows, run.labels)
    several = {"crops": None} if inputs.ndim == 5 else {}
    shown = _pixels(run.recipe, rows, run.labels, channel_order="rgb", scaling="unit", **several)
    answers, maps = maps_of_crops(model, inputs, run.recipe) if several else _maps(model, inputs)
    columns = {_IMAGE: [None] * len(rows), **maps}
    images, heatmaps, texts = [], [], []
    for i, title in enumerate(_titles(rows, answers, run.labels)):
        for name, each in columns.items():
            images.append(shown[i])
            heatmaps.append(each[i])
            texts.append(title if name == _IMAGE else name)
    return plots.overlay_grid(images, heatmaps, texts, columns=len(columns))


def _maps(model, inputs):
    """Class probabilities of images, and their maps by name."""
    from skinkit.explain import attention_maps, grad_cam, has_attention

    maps = {"Grad-CAM": grad_cam(model, inputs)}
    if has_attention(model):
        maps["soft attention"] = attention_maps(model, inputs)
    return model.predict(inputs, verbose=0), maps


def maps_of_crops(model, crops, recipe):
    """Returns class probabilities and maps of images that a network sees as several crops.

    Args:
        model: A `crop_classifier`, or a network that sees one crop.
        crops: Array `(n, crops, height, width, 3)`, scaled as the model expects.
        recipe: The resolved `Recipe` of the model.

    Returns:
        Tuple of an array `(n, classes)` and a dictionary by name, of Grad-CAM and of the weights of each
        patch attention, of arrays `(n, height, width)` over the whole images, whose largest values are 1.
    """
    from skinkit.explain import crop_weighting_layers, crop_weights, grad_cam

    if crops.ndim == len(model.input_shape):
        answers, cams = model.predict(crops, verbose=0), grad_cam(model, crops, normalise=False)
    else:
        answers, cams = _one_crop_at_a_time(model, crops)
    maps = {"Grad-CAM": _whole(cams, recipe)}
    for layer in crop_weighting_layers(model):
        weights = crop_weights(model, crops, layer)
        maps[layer.replace("_", " ")] = _whole(weights[..., None, None], recipe)
    return answers, maps


def _one_crop_at_a_time(model, crops):
    """Mean class probabilities over the crops of each image, and their Grad-CAM for its likeliest class."""
    from skinkit.evaluation import mean_over_views
    from skinkit.explain import grad_cam

    count, stacked = crops.shape[1], crops.reshape(-1, *crops.shape[2:])
    each = model.predict(stacked, verbose=0)
    answers = mean_over_views(each.reshape(-1, count, each.shape[-1]))
    cams = grad_cam(model, stacked, np.repeat(answers.argmax(axis=1), count), normalise=False)
    return answers, cams.reshape(-1, count, *cams.shape[1:])


def _whole(maps, recipe):
    """Maps of whole images, with 1 as their largest value, from those of their crops."""
    from skinkit.explain import join_crops
    from skinkit.pipeline import crop_corners

    corners = crop_corners(recipe.image_size, recipe.crop_size, maps.shape[1])
    joined = join_crops(maps, corners, recipe.crop_size, recipe.image_size)
    largest = joined.max(axis=(1, 2), keepdims=True)
    return joined / np.where(largest > 0, largest, 1)


def _titles(rows, probabilities, labels):
    best = probabilities.argmax(axis=1)
    truth = [f" (truth: {label})" if pd.notna(label) else "" for label in rows["truth"]]
    return [
        f"{image}{known}\n{labels[b]} {p[b]:.2f}"
        for image, known, b, p in zip(rows["image_id"], truth, best, probabilities, strict=True)
    ]


def _pixels(recipe, rows, labels, **changes):
    from skinkit.experiments.build import evaluation_batches

    batches = evaluation_batches(recipe, rows, labels, **changes)
    return np.concatenate([batch[0].numpy() for batch in batches])
