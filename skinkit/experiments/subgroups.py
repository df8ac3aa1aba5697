"""Subgroups of the images that a run is tested on: what is known of patients and lesions."""

import pandas as pd

from skinkit import evaluation
from skinkit.experiments.operating_point import operating_point
from skinkit.experiments.predictions import prediction_groups
from skinkit.files import reading, writing

COLUMNS = ("age", "sex", "site", "dx_type")
NAME = "subgroups.csv"


def write_subgroups(run, folder, predictions=None, table=None, data_dir=None, **wanted):
    """Compares the subgroups of a run's test images, or of others, and writes `subgroups.csv`.

    Args:
        run: `SavedRun`.
        folder: `pathlib.Path` of the folder to write to.
        predictions: As `tested` in `operating_point`.
        table: Manifest table of these images; by default that of the run's own.
        data_dir: Folder of the releases, for that table and the validation images.
        **wanted: As in `operating_point`; without, an image is called of its likeliest class.

    Returns:
        DataFrame, the content of the file: `column` (of the manifest table), `subgroup`, `called` (how), and
        the columns of `skinkit.evaluation.compare_subgroups`.

    Raises:
        FileNotFoundError: when the images' table is not there.
        ValueError: when nothing is known of these images, or as in `operating_point`.
    """
    predictions = run.predictions if predictions is None else predictions
    table = run.run_data(data_dir).table if table is None else table
    rows = table[table["image_id"].isin(predictions["image_id"])]
    if not (known := [name for name in COLUMNS if rows[name].notna().any()]):
        raise ValueError(
            f"Subgroups are those of {', '.join(COLUMNS)}. Received: none of them for these images"
        )
    threshold = operating_point(run, predictions, data_dir, **wanted)[0] if wanted else None
    positive = evaluation.positive_label(run.labels, run.recipe.positive)
    options = {"threshold": threshold, "positive": positive, "groups": prediction_groups(predictions)[0]}
    each = {name: evaluation.compare_subgroups(predictions, name, rows, **options) for name in known}
    found = pd.concat([rows.rename_axis(["subgroup", "score"]) for rows in each.values()], keys=each)
    found = found.rename_axis(["column", "subgroup", "score"]).reset_index()
    called = f"p_{positive} >= {threshold.value:.4g}" if threshold else f"{positive}, the likeliest class"
    found.insert(2, "called", called)
    with writing(folder / NAME) as part:
        found.to_csv(part, index=False, lineterminator="\n")
    return found


def read_subgroups(folder):
    """Returns the table that `write_subgroups` left in a folder; `None` where there is none."""
    path = folder / NAME
    if not path.exists():
        return None
    with reading(path, "Delete it, and make it again with `skinkit evaluate RUN --subgroups`"):
        return pd.read_csv(path, dtype={"subgroup": "string", "note": "string"})


def subgroups_text(found):
    """Returns the table of `write_subgroups` as text, with a word on how many differences were looked at."""
    lines = [f"called: {found['called'].iloc[0]}; differences are those to all other images"]
    for name, rows in found.groupby("column", sort=False):
        few = rows["note"].eq(evaluation.TOO_FEW)
        shown = rows[~few].drop(columns=["column", "called", "method", "note"]).set_index("subgroup")
        lines += ["", evaluation.to_markdown(shown.rename_axis(name)) if len(shown) else f"{name}:"]
        silent = rows[few].groupby("subgroup", sort=False)["score"].agg(", ".join)
        lines += [f"{evaluation.TOO_FEW}: {group} ({scores})" for group, scores in silent.items()]
    ends = found[["difference_low", "difference_high"]].dropna()
    apart = ((ends["difference_low"] > 0) | (ends["difference_high"] < 0)).sum()
    by_chance = f"; by chance alone about {0.05 * len(ends):.1f} would" if len(ends) else ""
    looked_at = f"{len(ends)} differences were looked at, and {apart} of their 95 % intervals leave out 0"
    return "\n".join([*lines, "", looked_at + by_chance])
