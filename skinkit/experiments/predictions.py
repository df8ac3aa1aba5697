"""Predictions tables: made by a model, saved without loss, and scored with intervals."""

import numpy as np
import pandas as pd

from skinkit.data.splits.grouping import group_keys
from skinkit.data.tables.missing import known_ids
from skinkit.files import read_csv, write_json, writing
from skinkit.names import check_name

# Changes of predictions before they are scored.
RESCORING = ("patient_z_score",)
# Scores of probabilities, which ranks are not.
_OF_PROBABILITIES = ("ece", "brier")


def predictor(task, model):
    """Returns the function from manifest rows to their predictions table.

    Args:
        task: `skinkit.tasks.Task` of a recipe.
        model: The recipe's model.

    Returns:
        Function of manifest rows: ids and label, then `p_<label>` for each class. It raises `ValueError` for
        an image without an answer, such as NaN.
    """
    probabilities = task.predictor(model)
    return lambda rows: _table(task, rows, probabilities(rows))


def predict(model, recipe, rows):
    """Returns the predictions table of manifest rows: ids and label, then `p_<label>` for each class.

    Args:
        model: The recipe's model.
        recipe: The resolved `Recipe` the model was built from.
        rows: Manifest rows.
    """
    from skinkit import tasks

    return predictor(tasks.of(recipe), model)(rows)


def _table(task, rows, probabilities):
    from skinkit import evaluation
    from skinkit.evaluation.prediction_arrays import check_probabilities

    check_probabilities(probabilities, task.labels, rows["image_id"].to_numpy())
    ids = rows[["image_id", "lesion_id", "patient_id", "label"]].reset_index(drop=True)
    found = ids.join(pd.DataFrame(probabilities, columns=[f"p_{label}" for label in task.labels]))
    if task.recipe.rescoring is None:
        return found
    check_name("Rescorings", task.recipe.rescoring.name, RESCORING)
    return evaluation.rescore_by_patient(found, task.recipe.positive)


def melanoma_alone(predictions):
    """Returns the predictions table of melanomas against all other images, in the classes of ISIC 2020.

    There each malignant image is a melanoma, so that a model that knows melanomas can be asked about them.

    Args:
        predictions: Predictions table with `p_mel`; melanomas are labelled "mel", or "malignant".
    """
    ids = predictions[[name for name in predictions if not name.startswith("p_")]]
    is_it = ids["label"].isin(["mel", "malignant"])
    label, p = is_it.map({True: "malignant", False: "benign"}).astype("string"), predictions["p_mel"]
    return ids.assign(label=label, p_benign=1 - p, p_malignant=p)


def predict_parts(predict_rows, run_data):
    """Returns the predictions of the test part.

    Joined parts are predicted one by one: no image is context of an image of another part.

    Args:
        predict_rows: Function from manifest rows to their predictions table.
        run_data: `RunData`.
    """
    found = [predict_rows(run_data.rows(part)) for part in run_data.test_part.split("+")]
    return pd.concat(found, ignore_index=True)


def score_with_intervals(predictions, positive="mel", of_ranks=False):
    """Returns all scores of a predictions table with 95 % intervals by the groups of `prediction_groups`.

    Args:
        predictions: Predictions table.
        positive: String, the class of the scores that belong to one.
        of_ranks: Boolean, whether these are ranks and no probabilities, so that nothing is calibrated.

    Returns:
        Dictionary with `n`, `grouped_by`, and `scores`: by name (`f1:nv` for one class) `value`, `low`,
        `high` and `method` of `bootstrap_intervals`; NaN where a class has no images.
    """
    from skinkit import evaluation

    truth, probabilities, labels = evaluation.unpack_predictions(predictions)
    groups, grouped_by = prediction_groups(predictions)
    names = [*evaluation.summary_names(labels, positive), *evaluation.table_metrics(labels)]
    if known := evaluation.positive_label(labels, positive):
        # hernandez2020 and bermeo2023 print it beside recall, which belongs to a class.
        names.append(f"auc:{known}")
    names = [name for name in names if not (of_ranks and name in _OF_PROBABILITIES)]
    intervals = evaluation.bootstrap_intervals(
        truth, probabilities, labels, groups=groups, metrics=list(dict.fromkeys(names)), positive=positive
    )
    found = intervals[["value", "low", "high", "method"]].to_dict(orient="index")
    return {"n": len(predictions), "grouped_by": grouped_by, "scores": found}


def prediction_groups(predictions):
    """Returns what is resampled as a whole, one key per row, and its name.

    Rows that share a lesion, a patient or a photograph are of one group, also by way of other rows.

    Args:
        predictions: Predictions table.

    Returns:
        `(keys, name)`: array, and "lesion", "patient" or "lesion+patient", whichever ids are known;
        "photograph" where none are but images repeat, "image" where they do not.
    """
    known = [name for name in ("lesion", "patient") if known_ids(predictions[f"{name}_id"]).notna().any()]
    keys, name = group_keys(predictions, "+".join(known) or "photograph")
    alone = name == "photograph" and len(set(keys)) == len(keys)
    return np.array(keys, dtype=object), "image" if alone else name


def write_predictions(predictions, path):
    """Writes a predictions table without loss; equal tables give equal bytes."""
    with writing(path) as part:
        # Without a format, pandas writes the shortest digits that give the same float again.
        predictions.to_csv(part, index=False, compression={"method": "gzip", "mtime": 0})


def read_predictions(path):
    """Returns the predictions table that `write_predictions` wrote: ids are text, probabilities float64."""
    table = read_csv(path, dtype="string")
    # By way of text, because pandas' own fast reading of numbers may miss the last bit.
    return table.astype({name: "float64" for name in table if name.startswith("p_")})


def save_scored(predictions, positive, folder, ending="", of_ranks=False, **notes):
    """Writes `predictions<ending>.csv.gz`, and beside it `metrics<ending>.json`: the scores of that file.

    Args:
        predictions: Predictions table.
        positive: As in `score_with_intervals`.
        folder: Folder to write to.
        ending: String, of the names of both files.
        of_ranks: As in `score_with_intervals`.
        **notes: Further entries of `metrics<ending>.json`.

    Returns:
        Dictionary: the content of `metrics<ending>.json`.
    """
    path = folder / f"predictions{ending}.csv.gz"
    write_predictions(predictions, path)
    metrics = {**notes, **score_with_intervals(read_predictions(path), positive, of_ranks)}
    write_json(folder / f"metrics{ending}.json", metrics)
    return metrics
