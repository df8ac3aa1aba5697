"""Tables of the page of a run."""

import math
from typing import NamedTuple

import pandas as pd

from skinkit import evaluation
from skinkit.experiments.deciding.operating_point import calibration_table, threshold_table
from skinkit.experiments.deciding.rule import check_probabilities
from skinkit.experiments.deciding.subgroups import (
    known_error_pairs,
    looked_at,
    read_subgroups,
    stands_out,
    too_few,
)
from skinkit.experiments.report import words

# Pairs of classes in sight.
# Most frequent wrong answers that the page shows, the hardest image of each with its maps.
PAIRS = 8


class Told(NamedTuple):
    """A score with its interval, whose ends are NaN where it has none."""

    name: str
    value: float
    low: float = math.nan
    high: float = math.nan
    how: str = ""
    is_first: bool = True


def overall(run):
    """Returns the `Told` scores over all classes, those in sight first."""
    found, scores, group = intervals(run), run.metrics["scores"], run.metrics["grouped_by"]
    names = [name for name in found.index if ":" not in name and name not in words.LEFT_OUT]
    rows = []
    for name in sorted(names, key=lambda name: words.FIRST.index(name) if name in words.FIRST else 99):
        value, low, high = found.loc[name]
        # Runs of older versions do not say how; theirs are resampled.
        method = words.METHODS.get(scores[name].get("method"), f"resampling of each {group}")
        how = "" if math.isnan(low) else method
        rows.append(Told(words.score_name(name, run.positive), value, low, high, how, words.is_first(name)))
    return rows


def intervals(run):
    """Returns the scores of a run by name, with the columns `value`, `low` and `high`."""
    return pd.DataFrame(run.metrics["scores"]).T[["value", "low", "high"]].astype(float)


def by_class(run):
    """Returns a dictionary for each class: label, counts, and scores, `Told` where they have ends."""
    found, classes = intervals(run), evaluation.per_class(*evaluation.unpack_predictions(run.predictions))
    rows = []
    for label, row in classes.iterrows():
        told = {name: _told(found, f"{name}:{label}", row[name]) for name in ("precision", "recall", "f1")}
        rows.append({"label": label, **row, **told})
    return rows


def means(run):
    """Returns the `Told` macro means that stand below the classes."""
    found = intervals(run)
    return {name: _told(found, f"macro_{name}") for name in ("precision", "recall", "f1")}


def _told(found, name, value=math.nan):
    return (
        Told(name, *found.loc[name, ["value", "low", "high"]]) if name in found.index else Told(name, value)
    )


def confusion(run):
    """Returns a row for each true class: its label, its images, and for each class `(images, share)`."""
    matrix = evaluation.confusion_table(*evaluation.unpack_predictions(run.predictions))
    return [
        {"label": label, "n": row.sum(), "cells": [(count, count / max(row.sum(), 1)) for count in row]}
        for label, row in matrix.iterrows()
    ]


def decisions(run, data_dir=None):
    """Returns calibration and costs of thresholds, and why there are none; else `""`."""
    try:
        check_probabilities(run)
        run.validation_predictions(data_dir)
        table, why = threshold_table(run), ""
    except (FileNotFoundError, ValueError) as error:
        table, why = pd.DataFrame(), str(error).replace(f"{run.folder.as_posix()}/", "")
    rows = [
        {**row, **{name: _of(row, name, f"{name}_") for name in ("sensitivity", "specificity")}}
        for row in table.reset_index().to_dict("records")
    ]
    calibration = calibration_table(run).reset_index().to_dict("records")
    calibrated = [{**row, "brier": _of(row, "brier")} for row in calibration]
    return {"thresholds": rows, "calibrated": calibrated, "no_thresholds": why}


def _of(row, name, prefix=""):
    return Told(name, row[name], row[f"{prefix}low"], row[f"{prefix}high"])


def pairs(run):
    """Returns the most frequent wrong answers, and how many pairs there are."""
    found = known_error_pairs(run)
    known = found["consensus"].astype(object).where(found["consensus"].notna(), None)
    return {"pairs": found.assign(consensus=known).head(PAIRS).to_dict("records"), "all_pairs": len(found)}


def subgroups(run):
    """Returns the subgroups by column, how they were called, and how many differences were looked at."""
    found = read_subgroups(run.folder)
    if found is None:
        return {"subgroups": {}}
    few = found["note"].eq(evaluation.TOO_FEW)
    known = found.assign(stands_out=stands_out(found))[~few]
    rows = [
        {**row, "value": _of(row, "value"), "difference": _of(row, "difference", "difference_")}
        for row in known.to_dict("records")
    ]
    by_column = {
        name: {"rows": [row for row in rows if row["column"] == name], "few": too_few(each)}
        for name, each in found.groupby("column", sort=False)
    }
    apart = [row for row in rows if row["stands_out"]]
    said = {"called": found["called"].iloc[0], "looked_at": looked_at(found), "apart": apart}
    return {"subgroups": by_column, **said}


def leaks(run):
    """Returns the rows of a leakage report; none where nothing is known to be shared."""
    is_shared = run.leakage.drop(columns="n").fillna(0).to_numpy(float).any()
    return run.leakage.reset_index().to_dict("records") if is_shared else []
