"""From a model to saved predictions, and from saved predictions to scores with intervals."""

import json
import math

import numpy as np
import pandas as pd


def predict(model, recipe, rows, labels):
    """Returns the predictions table of manifest rows: ids and label, then `p_<label>` for each class.

    Args:
        model: The recipe's model.
        recipe: The resolved `Recipe` the model was built from.
        rows: Manifest rows.
        labels: Classes in the order of the model's outputs.
    """
    from skinkit.experiments import build

    batches = build.evaluation_batches(recipe, rows, labels)
    if recipe.input.name == "multi_crop":
        probabilities = np.concatenate([_mean_over_crops(model, images) for images, _ in batches])
    else:
        probabilities = model.predict(batches, verbose=0)
    ids = rows[["image_id", "lesion_id", "patient_id", "label"]].reset_index(drop=True)
    return ids.join(pd.DataFrame(probabilities, columns=[f"p_{label}" for label in labels]))


def _mean_over_crops(model, images):
    """Class probabilities of images (batch, crops, height, width, 3) from a network that sees one crop.

    gessert2019, section II-D: the mean of the probabilities, not of the logits.
    """
    from keras import ops

    _, crops, *shape = images.shape
    found = model.predict_on_batch(ops.reshape(images, (-1, *shape)))
    return found.reshape(-1, crops, found.shape[-1]).mean(axis=1)


def score(predictions, positive="mel"):
    """Returns all scores of a predictions table with 95 % intervals by lesion, patient or image.

    Returns:
        Dictionary with `n`, `grouped_by`, and `scores`: by name (`f1:nv` for one class) `value`, `low` and
        `high`; NaN where a class has no images.
    """
    from skinkit import evaluation

    truth, probabilities, labels = evaluation.unpack_predictions(predictions)
    groups, grouped_by = prediction_groups(predictions)
    names = [*evaluation.summary_names(labels, positive), *evaluation.table_metrics(labels)]
    intervals = evaluation.bootstrap_intervals(
        truth, probabilities, labels, groups=groups, metrics=list(dict.fromkeys(names)), positive=positive
    )
    found = intervals[["value", "low", "high"]].to_dict(orient="index")
    return {"n": len(predictions), "grouped_by": grouped_by, "scores": found}


def prediction_groups(predictions):
    """Returns what is resampled as a whole, one id per row or `None`, and its name."""
    for column, name in (("patient_id", "patient"), ("lesion_id", "lesion")):
        if predictions[column].notna().any():
            return predictions[column].to_numpy(dtype=object), name
    return None, "image"


def write_predictions(predictions, path):
    """Writes a predictions table; equal tables give equal bytes."""
    part = path.with_name(path.name + ".part")
    predictions.to_csv(part, index=False, float_format="%.6g", compression={"method": "gzip", "mtime": 0})
    part.replace(path)


def write_json(path, content):
    """Writes `content` as JSON through a part file, so that the name never stands for half a file."""
    part = path.with_suffix(path.suffix + ".part")
    part.write_text(json.dumps(_plain(content), indent=2, allow_nan=False) + "\n", encoding="utf-8")
    part.replace(path)


def _plain(content):
    """The content in JSON's own types: NaN, which JSON does not know, becomes null."""
    if isinstance(content, dict):
        return {name: _plain(value) for name, value in content.items()}
    if isinstance(content, list | tuple):
        return [_plain(value) for value in content]
    if content is None or isinstance(content, str | bool | int):
        return content
    return None if math.isnan(content) else float(content)
