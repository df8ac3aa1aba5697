"""Subgroups and wrong answers of the images that a run is tested on, by what is known of each image."""

import pandas as pd

from skinkit import evaluation
from skinkit.experiments.deciding.operating_point import with_ends
from skinkit.experiments.deciding.rule import Rule, fit_rule
from skinkit.experiments.predictions import prediction_groups
from skinkit.files import read_csv, reading, writing
from skinkit.names import counted

COLUMNS = ("age", "sex", "site", "dx_type", "dataset")
NAME = "subgroups.csv"
PAIRS = "errors.csv"


def write_subgroups(run, folder, predictions=None, table=None, data_dir=None, **wanted):
    """Compares the subgroups of a run's test images, or of others, and writes `subgroups.csv`.

    Beside it goes `errors.csv`, the table of `skinkit.evaluation.error_pairs`.

    Args:
        run: `SavedRun`.
        folder: `pathlib.Path` of the folder to write to.
        predictions: As `tested` in `operating_point`.
        table: Manifest table of these images; by default that of the run's own.
        data_dir: Folder of the releases, for that table and the validation images.
        **wanted: As in `operating_point`; without, an image is called of its likeliest class. With a
            threshold, all scores are those of the probabilities after the temperature.

    Returns:
        DataFrame, the content of `subgroups.csv`: `column` (of the manifest table), `subgroup`, `called`
        (how), and the columns of `skinkit.evaluation.compare_subgroups`. Of ranks, areas alone.

    Raises:
        FileNotFoundError: when the images' table is not there.
        ValueError: when nothing tells these images apart, or as in `operating_point`.
    """
    predictions = run.predictions if predictions is None else predictions
    table = run.run_data(data_dir).table if table is None else table
    rows = table[table["image_id"].isin(predictions["image_id"])]
    known = differing_columns(rows)
    rule = fit_rule(run, data_dir, predictions, **wanted) if wanted else Rule()
    positive = run.positive_of(evaluation.unpack_predictions(predictions)[2])
    options = {"threshold": rule.threshold, "positive": positive, "groups": prediction_groups(predictions)[0]}
    shown = rule.calibrated(predictions)
    each = {name: evaluation.compare_subgroups(shown, name, rows, **options) for name in known}
    found = pd.concat([rows.rename_axis(["subgroup", "score"]) for rows in each.values()], keys=each)
    found = found.rename_axis(["column", "subgroup", "score"]).reset_index()
    found.insert(2, "called", _called(rule, positive))
    if run.is_of_ranks:
        found = found[found["score"] == "auc"]
    for name, content in ((NAME, found), (PAIRS, evaluation.error_pairs(predictions, rows))):
        with writing(folder / name) as part:
            content.to_csv(part, index=False, lineterminator="\n")
    return found


def differing_columns(rows):
    """Returns the columns of a manifest table that tell its images apart; raises ValueError without one."""
    if known := [name for name in COLUMNS if rows[name].nunique(dropna=False) > 1]:
        return known
    raise ValueError(
        f"The table has none of the columns {', '.join(COLUMNS)}, or one value in each: there are no "
        f"subgroups. Received: {counted(len(rows), 'image')}"
    )


def _called(rule, positive):
    if rule.threshold is None:
        return f"{positive}, the likeliest class"
    return f"calibrated p_{positive} >= {rule.threshold.value:.4g}"


def read_subgroups(folder):
    """Returns the table that `write_subgroups` left in a folder; `None` where there is none."""
    found = _read(folder / NAME, {"subgroup": "string", "note": "string"})
    # Older versions called the groups lesions, also where these were patients.
    return None if found is None else found.fillna({"note": ""}).rename(columns={"lesions": "independent"})


def known_error_pairs(run):
    """Returns the `error_pairs` of a run: with counts of consensus where `write_subgroups` left them."""
    found = _read(run.folder / PAIRS, {"consensus": "Int64"})
    return evaluation.error_pairs(run.predictions) if found is None else found


def _read(path, dtypes):
    if not path.exists():
        return None
    with reading(path, "Delete it, and make it again with `skinkit evaluate RUN --subgroups`"):
        return read_csv(path, dtypes)


def subgroups_text(found):
    """Returns the table of `write_subgroups` as text, with a word on how many differences were looked at."""
    said = "differences are those to all other images; independent: how many lesions or patients, as known"
    lines = [f"called: {found['called'].iloc[0]}; {said}"]
    for name, rows in found.groupby("column", sort=False):
        known = rows[rows["note"] != evaluation.TOO_FEW]
        lines += ["", evaluation.to_markdown(told_rows(known, name)) if len(known) else f"{name}:"]
        lines += [f"- {evaluation.TOO_FEW}: {group}" for group in too_few(rows)]
    if alike := [name for name in COLUMNS if name not in set(found["column"])]:
        lines += ["", f"Nothing to compare, as all these images have the same or none: {', '.join(alike)}"]
    return "\n".join([*lines, "", looked_at(found)])


def told_rows(rows, name):
    """Returns rows of `write_subgroups` for people, each interval beside its value; their index is `name`."""
    shown = rows[["subgroup", "score", "n", "independent"]].copy()
    shown["value"] = [with_ends(row) for row in rows.to_dict("records")]
    differences = (with_ends(row, "difference", "difference_", sign="+") for row in rows.to_dict("records"))
    return shown.assign(difference=list(differences)).set_index("subgroup").rename_axis(name)


def too_few(rows):
    """Returns the subgroups among rows of `write_subgroups` that are too small, with the scores they lack."""
    silent = rows[rows["note"].eq(evaluation.TOO_FEW)].groupby("subgroup", sort=False)["score"].agg(", ".join)
    return [f"{group} ({scores})" for group, scores in silent.items()]


def looked_at(found):
    """Returns how many differences `write_subgroups` looked at, and how many stand out, as a sentence."""
    known, apart = found["difference_low"].notna().sum(), stands_out(found).sum()
    by_chance = f"; by chance alone about {0.05 * known:.1f} would" if known else ""
    return f"{known} differences were looked at, and {apart} of their 95 % intervals leave out 0{by_chance}"


def stands_out(found):
    """Returns in which rows the interval of the difference leaves out 0."""
    return (found["difference_low"] > 0) | (found["difference_high"] < 0)
