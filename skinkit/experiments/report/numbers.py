"""Tables of the page of a run."""

import math
from typing import NamedTuple

import pandas as pd

from skinkit import evaluation
from skinkit.experiments.report import words


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
    asked = run.recipe.positive if run.recipe.positive in run.labels else None
    positive = evaluation.positive_label(run.labels, asked)
    names = [name for name in found.index if ":" not in name and name not in words.LEFT_OUT]
    rows = []
    for name in sorted(names, key=lambda name: words.FIRST.index(name) if name in words.FIRST else 99):
        value, low, high = found.loc[name]
        # Runs of older versions do not say how; theirs are resampled.
        method = words.METHODS.get(scores[name].get("method"), f"resampling of each {group}")
        how = "" if math.isnan(low) else method
        rows.append(Told(words.score_name(name, positive), value, low, high, how, words.is_first(name)))
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


def leaks(run):
    """Returns the rows of a leakage report; none where nothing is known to be shared."""
    is_shared = run.leakage.drop(columns="n").fillna(0).to_numpy(float).any()
    return run.leakage.reset_index().to_dict("records") if is_shared else []


def why_no_intervals(run):
    """Returns why there are no intervals; `""` where there are some."""
    if intervals(run)["low"].notna().any():
        return ""
    return f"no intervals: fewer than two groups to resample, by {run.metrics['grouped_by']}"
