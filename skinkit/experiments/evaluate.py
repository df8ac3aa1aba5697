"""Scores of a run, on its own test images or on images of another set."""

import hashlib
import math
from pathlib import Path

from skinkit import data
from skinkit.experiments.deciding.operating_point import decision_text, operating_point_text
from skinkit.experiments.deciding.subgroups import differing_columns, subgroups_text, write_subgroups
from skinkit.experiments.predictions import melanoma_alone, save_scored
from skinkit.experiments.run_folder import SavedRun
from skinkit.experiments.run_folder.seen_images import without_seen
from skinkit.files import read_json

_TWO = data.CLASS_MAPS["isic2020"].labels
# So that scores of seen images never stand in the place of clean ones: no stem of a file ends so.
OVERLAP_KEPT = ".overlap-kept"
_ENDINGS = {"drop": "", "keep": OVERLAP_KEPT}


def summarise(folder):
    """Returns the table of a run's scores as text, with the stamp of a leaky split."""
    run = SavedRun(Path(folder))
    text = _text(run.folder.as_posix(), run.metrics, run.predictions, run.leakage_line)
    if run.metrics_best is None:
        return text
    epoch, recall = run.metrics_best["epoch"], run.metrics_best["scores"]["macro_recall"]["value"]
    return f"{text}\nbeside it, epoch {epoch}, the best on validation: macro_recall {recall:.3f}"


def evaluate(folder, on=None, data_dir=None, overlap="drop", balanced=False, subgroups=False, **wanted):
    """Returns the scores of a run's model as text, and saves those on other images.

    Args:
        folder: Run folder.
        on: Name of a release, or path of a table or folder; `None` for the run's own test
            images. Images whose class the model does not know are left out and counted; where they are
            malignant or benign, as those of ISIC 2020, a model that knows melanomas is asked about these.
        data_dir: Folder of the releases; the environment variable `SKINKIT_DATA` by default.
        overlap: `"drop"` leaves out and counts images whose photograph, lesion or patient was in training or
            validation; `"keep"` scores them, too, under the stamp of a leaky split.
        balanced: Boolean, whether the text also says how to decide for macro recall (`decision`).
        subgroups: Whether age bands, sexes, sites and ways of confirmation are compared as well
            (`write_subgroups`); the table of the run's own images must be there.
        **wanted: `sensitivity` or `specificity`, from 0 to 1: the text then says which threshold has it on
            validation images, and what that is worth on the others (`operating_point`).

    Raises:
        FileNotFoundError: when the run, its model or the images are missing.
        ValueError: for an unknown `overlap`, or when no image is left.
    """
    asked = {"balanced": balanced, "subgroups": subgroups, **wanted}
    if on is None:
        run = SavedRun(Path(folder))
        further = _further(run, run.folder, data_dir, **asked)
        return "\n".join([summarise(folder), *further])
    if not str(on):
        raise ValueError("`on` is the name of a release, or a path. Received: an empty string")
    run = SavedRun(Path(folder))
    # First, as to read both tables may take minutes, and a clone has no models.
    predict = run.predictor(data_dir)
    table, seen = data.load(on, root=data_dir), run.seen(data_dir)
    # Where the table lies: its images need not be those of another table with equal ids.
    which = hashlib.sha256(table.attrs["table"].encode()).hexdigest()[:8]
    two = _asks_melanoma(run, table)
    labels, table = (_TWO, table) if two else (run.labels, run.target.relabel(table))
    table, notes = without_seen(table, seen, labels, overlap)
    if subgroups:
        # Predictions take long, and would be saved for nothing.
        differing_columns(table)
    report = data.leakage_between(table, seen)
    notes += _notes(two, table, report)
    stamp = data.leakage_stamp(report, "training or validation")
    rates = data.leakage_rate(report)
    predictions = predict(table)
    predictions = melanoma_alone(predictions) if two else predictions
    said = {"table": which, "stamp": stamp, "leakage": rates, "notes": notes}
    target = _folder_for(run.folder / "evaluations" / f"{Path(on).resolve().stem}{_ENDINGS[overlap]}", which)
    target.mkdir(parents=True, exist_ok=True)
    metrics = save_scored(predictions, run.positive_of(labels), target, of_ranks=run.is_of_ranks, **said)
    lines = [_text(target.as_posix(), metrics, predictions, data.leakage_line(stamp, rates)), *notes]
    return "\n".join([*lines, *_further(run, target, data_dir, predictions, table, **asked)])


def _notes(two, table, report):
    """What to bear in mind of the scores on a table, besides the images that were left out."""
    other = two and not table["dataset"].str.startswith("isic2020").all()
    notes = ["melanoma is asked for; a malignant image may show another cancer here"] if other else []
    return notes + [f"not compared: {doubt}" for doubt in report.attrs["doubts"].values() if doubt]


def _asks_melanoma(run, table):
    """Whether a model of several diagnoses is asked about images that are malignant or benign."""
    known = set(table["label"].dropna())
    return "mel" in run.labels and bool(known) and known <= set(_TWO) and not known & set(run.labels)


def _further(run, folder, data_dir, predictions=None, table=None, *, balanced, subgroups, **wanted):
    """What is asked for besides the scores of the likeliest class."""
    lines = [operating_point_text(run, predictions, data_dir, **wanted)] if wanted else []
    lines += [decision_text(run, predictions, data_dir)] if balanced else []
    if subgroups:
        lines.append(subgroups_text(write_subgroups(run, folder, predictions, table, data_dir, **wanted)))
    return lines


def _folder_for(folder, which):
    """The folder of the scores on a table, beside that of another table of the same name."""
    try:
        taken = read_json(folder / "metrics.json", "", "table")["table"] != which
    except FileNotFoundError:
        taken = False
    except ValueError:
        # Of an older version, or not ours.
        taken = True
    return folder.with_name(f"{folder.name}-{which}") if taken else folder


def _text(title, metrics, predictions, line):
    from skinkit import evaluation

    table = evaluation.classification_table(*evaluation.unpack_predictions(predictions))
    lines = [f"{title}\n", evaluation.to_markdown(evaluation.stamp(table, line))]
    for name, found in metrics["scores"].items():
        if ":" not in name:
            value, low, high = (math.nan if found[v] is None else found[v] for v in ("value", "low", "high"))
            ends = "" if math.isnan(low) else f"  ({low:.3f} to {high:.3f})"
            # Runs of older versions do not say how; theirs are resampled.
            how = found.get("method", "bootstrap")
            lines.append(f"{name:<42} {value:.3f}{ends}" + (f" {how}" if how != "bootstrap" and ends else ""))
    lines.append(f"n = {metrics['n']}; {intervals_said(metrics)}")
    return "\n".join(lines)


def intervals_said(metrics):
    """Returns how the intervals of a run's scores are made, or why there are none.

    Args:
        metrics: Content of `metrics.json`.
    """
    if all(found["low"] is None or math.isnan(found["low"]) for found in metrics["scores"].values()):
        return f"no intervals: fewer than two groups to resample, by {metrics['grouped_by']}"
    return f"intervals: 95 %, resampled by {metrics['grouped_by']}"
