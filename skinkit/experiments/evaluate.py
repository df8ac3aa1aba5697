"""Score a run: on its own test images, or on images of another set."""

import math
from pathlib import Path

import pandas as pd

from skinkit.experiments.saved import SavedRun
from skinkit.experiments.scoring import predictor, save_scored


def summarise(folder):
    """Returns the table of a run's scores as text, with the stamp of a leaky split."""
    run = SavedRun(Path(folder))
    text = _text(run.folder.as_posix(), run.metrics, run.predictions, run.manifest["stamp"])
    if run.metrics_best is None:
        return text
    epoch, recall = run.metrics_best["epoch"], run.metrics_best["scores"]["macro_recall"]["value"]
    return f"{text}\nbeside it, epoch {epoch}, the best on validation: macro_recall {recall:.3f}"


def evaluate(folder, on=None, data_dir=None):
    """Returns the scores of a run's model as text, and saves those on other images.

    Args:
        folder: Run folder.
        on: Name of a release, or a CSV in the columns of the manifest table; `None` for the run's own test
            images. Images whose class the model does not know are left out and counted, and so are those
            whose photograph or lesion the model was trained on.
        data_dir: Folder of the releases; the environment variable `SKINKIT_DATA` by default.

    Raises:
        FileNotFoundError: when the run, its model or the images are missing.
        ValueError: when no image is left.
    """
    if on is None:
        return summarise(folder)
    run = SavedRun(Path(folder))
    material = run.material(data_dir)
    table, notes = _unseen(run, _read(on, data_dir), material.rows("train"))
    predictions = predictor(run.load_model(), run.recipe, material, run.manifest["seed"])(table)
    target = run.folder / "evaluations" / Path(on).stem
    target.mkdir(parents=True, exist_ok=True)
    metrics = save_scored(predictions, run.recipe.positive, target, notes=notes)
    return "\n".join([_text(target.as_posix(), metrics, predictions, None), *notes])


def _read(on, data_dir):
    from skinkit import data

    return data.load(on, root=data_dir)


def _unseen(run, table, train):
    """Drops what the model cannot be asked, or has seen; says how many of each."""
    photographs = train.get("source_id", train["image_id"])
    reasons = {
        "of a class that the model does not know": ~table["label"].isin(run.labels),
        "that it was trained on": table["image_id"].isin(photographs),
        "of a lesion that it was trained on": table["lesion_id"].isin(train["lesion_id"].dropna()),
    }
    notes, dropped = [], pd.Series(False, index=table.index)
    for reason, rows in reasons.items():
        if new := int((rows & ~dropped).sum()):
            notes.append(f"left out: {new} of {len(table)} images {reason}")
        dropped |= rows
    if dropped.all():
        raise ValueError(f"No image is left to evaluate on: {'; '.join(notes)}")
    return table[~dropped].reset_index(drop=True), notes


def _text(title, metrics, predictions, stamp):
    from skinkit import evaluation

    table = evaluation.classification_table(*evaluation.unpack_predictions(predictions))
    lines = [f"{title}\n", evaluation.to_markdown(evaluation.stamp(table, stamp))]
    for name, found in metrics["scores"].items():
        if ":" not in name:
            value, low, high = (math.nan if found[v] is None else found[v] for v in ("value", "low", "high"))
            ends = "" if math.isnan(low) else f"  ({low:.3f} to {high:.3f})"
            # Runs of older versions do not say how; theirs are resampled.
            how = found.get("method", "bootstrap")
            lines.append(f"{name:<42} {value:.3f}{ends}" + (f" {how}" if how != "bootstrap" and ends else ""))
    lines.append(f"n = {metrics['n']}; intervals: 95 %, resampled by {metrics['grouped_by']}")
    return "\n".join(lines)
