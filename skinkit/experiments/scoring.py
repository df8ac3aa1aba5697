"""From a model to saved predictions, and from saved predictions to scores with intervals."""

import json

import pandas as pd

SCORES = (
    *(
        "accuracy",
        "balanced_accuracy",
        "macro_recall",
        "macro_specificity",
        "macro_precision",
        "macro_f1",
    ),
    *("weighted_f1", "weighted_f1_by_pred", "macro_auc", "macro_average_precision"),
)


def predict(model, recipe, rows, labels):
    """Returns the predictions table of manifest rows: ids and label, then `p_<label>` for each class.

    Args:
        model: The recipe's model.
        recipe: The resolved `Recipe` the model was built from.
        rows: Manifest rows.
        labels: Classes in the order of the model's outputs.
    """
    from skinkit.experiments import build

    probabilities = model.predict(build.evaluation_batches(recipe, rows, labels), verbose=0)
    ids = rows[["image_id", "lesion_id", "patient_id", "label"]].reset_index(drop=True)
    return ids.join(pd.DataFrame(probabilities, columns=[f"p_{label}" for label in labels]))


def score(predictions, positive="mel"):
    """Returns all scores of a predictions table with 95 % intervals by lesion, patient or image.

    Returns:
        Dictionary with `n`, `grouped_by`, and `scores`: by name (`f1:nv` for one class) a `value` and, where
        it was bootstrapped, `low` and `high`.
    """
    from skinkit import evaluation

    truth, probabilities, labels = evaluation.unpack_predictions(predictions)
    groups, grouped_by = _groups(predictions)
    scores = evaluation.summary(truth, probabilities, labels, positive=positive)
    found = {name: {"value": value} for name, value in scores.items() if name not in ("n", "ties")}
    per_class = [f"{m}:{label}" for m in ("precision", "recall", "f1") for label in labels]
    asked = [*(name for name in SCORES if name in scores), *per_class]
    intervals = evaluation.bootstrap_intervals(truth, probabilities, labels, groups=groups, metrics=asked)
    for row in intervals.itertuples():
        found[row.Index] = {"value": row.value, "low": row.low, "high": row.high}
    return {"n": len(predictions), "grouped_by": grouped_by, "scores": found}


def _groups(predictions):
    for column, name in (("patient_id", "patient"), ("lesion_id", "lesion")):
        if predictions[column].notna().all():
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
    part.write_text(json.dumps(content, indent=2, default=float) + "\n", encoding="utf-8")
    part.replace(path)
