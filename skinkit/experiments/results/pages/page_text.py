"""The words and forms that all pages of the results share."""

import textwrap

import pandas as pd

_WIDTH = 110
# What the runs of one table share is said above it.
SHARED = ["profile", "weights", "precision", "dataset", "lacking"]


def score_text(row, percent=False):
    """Returns a score of the ledger with its interval and the spread over its seeds, or else folds.

    Args:
        row: Named tuple with `measured`, `low`, `high`, `seed_sd` and `fold_sd`.
        percent: Boolean, whether the unit is %, with one decimal.
    """
    scale, digits = (100, 1) if percent else (1, 3)
    said = [f"{scale * value:.{digits}f}" for value in (row.measured, row.low, row.high)]
    sd = row.seed_sd if pd.notna(row.seed_sd) else row.fold_sd
    interval = f" ({said[1]}-{said[2]})" if pd.notna(row.low) else ""
    return said[0] + interval + (f", sd {scale * sd:.{digits}f}" if pd.notna(sd) else "")


def metric_words(metric):
    """Returns the name of a score as it is read."""
    words = metric.replace("weighted_f1_by_pred", "F1, weighted by predicted images")
    words = words.replace("_", " ").replace(":", " of ")
    return words.replace("auc", "AUC").replace("f1", "F1").replace("ece", "ECE")


def named_scores(rows):
    """Returns the names of the scores of a ledger's rows: `accuracy`, or `auc:mel` of one class."""
    return rows["metric"] + (":" + rows["class"]).where(rows["class"] != "all", "")


def leakage(rows):
    """Returns the share of test images whose lesion, or patient where lesions have no ids, is in training."""
    return rows["leakage_lesion"].astype(float).fillna(rows["leakage_patient"].astype(float))


def leak_text(rate):
    """Returns a share of `leakage` as text."""
    return "unknown" if pd.isna(rate) else f"{100 * rate:.1f} %"


def short(name):
    """Returns the name of a recipe without its document's."""
    return name.partition("/")[2]


def shared_words(shared):
    """Returns what all runs of a table have in common, as a sentence."""
    parts = [f"Profile `{shared['profile']}`"]
    parts += [f"weights `{shared['weights']}`"] if shared["weights"] else []
    parts += [shared["precision"]] if shared["precision"] != "float32" else []
    images = "images drawn for the question" if shared["dataset"] == "synthetic" else shared["dataset"]
    return f"{', '.join([*parts, images, *filter(None, [shared['lacking']])])}:"


def wrapped(text, indent=""):
    """Returns a text in lines of a page's width."""
    return textwrap.fill(
        text, _WIDTH, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False
    )


def folded(title, text):
    """Returns a text that opens on a click."""
    return f"<details><summary>{title}</summary>\n\n{text}\n\n</details>"


def figure_line(name, text):
    """Returns a figure of the results as Markdown."""
    return f"![{text}](figures/{name}.png)"
