"""Differences between two recipes on the same test images."""

import math

import pandas as pd

from skinkit.data import target_of
from skinkit.experiments.predictions import prediction_groups
from skinkit.experiments.results.finished_runs import ALIKE, ENOUGH_RUNS, alike, finished_runs
from skinkit.papers.published import published_scores
from skinkit.papers.registry import comparisons, printed_rows, printed_table, recipes, same_method
from skinkit.papers.registry import recipe as find_recipe

# The last one where there is such a class.
METRICS = ("accuracy", "macro_recall", "macro_f1", "macro_auc", "auc:mel")
# A pair is two recipes; all else is the same.
SHARED = tuple(name for name in ALIKE if name not in ("recipe", "stale"))
COLUMNS = (
    *("first", "second", *SHARED, "runs", "n", "metric"),
    *("difference", "low", "high", "run_sd", "pooled_sd", "df", "low_of_both", "high_of_both"),
    "leakage_lesion",
    *("printed", "printed_low", "printed_high", "networks", "holds"),
)
_KEYS = ["first", "second", *SHARED, "metric"]


def compare_runs(folder, pairs=None):
    """Returns the differences between recipes that were run on the same test images.

    Runs are paired where they are alike but for their recipe, by fold and seed. Runs of a recipe that has
    changed since are left out. The interval is the mean of the pairs' own 95 % intervals, which resample
    whole lesions or patients for both models alike; there is none where all resamples of a pair agree, which
    happens with few lesions. `run_sd` (ddof 1) is the spread of the difference over seeds and folds;
    `pooled_sd`, with its degrees of freedom `df`, that of all pairs of the same table and labels, whose few
    runs say more together. `low_of_both` and `high_of_both` are the interval widened by it
    (`skinkit.evaluation.widen_interval`). Beside it stands what the document prints for the two rows: the
    mean, the smallest and the largest difference of its networks, and whether its order holds.

    Args:
        folder: Folder of the run folders.
        pairs: Pairs of recipe names; those which the documents' modules name by default.

    Returns:
        DataFrame with the columns `COLUMNS`: `difference` is `first` minus `second`, in fractions. `holds` is
        "yes" or "no" where three runs or more of each are compared, and their widened interval lies on one
        side of 0: that of all printed differences, or the other one; "open" where runs are fewer, the
        interval holds 0 or is missing, or the printed ones disagree.

    Raises:
        FileNotFoundError: when there is no run to count.
        ValueError: when two paired runs were not tested on the same images.
    """
    rows, known = [], {r.name for r in recipes()}
    runs = _runs_of_recipes(folder, known)
    for first, second in comparisons() if pairs is None else pairs:
        ours, theirs = (runs.get(_carried_out(name, known), {}) for name in (first, second))
        for which in ours.keys() & theirs.keys():
            rows.extend(_difference(first, second, ours[which], theirs[which]))
    if not rows:
        return pd.DataFrame(columns=COLUMNS)
    grouped = pd.DataFrame(rows).groupby(_KEYS, sort=False)
    table = grouped.agg(
        runs=("value", "size"),
        n=("n", "max"),
        difference=("value", "mean"),
        low=("low", _mean_of_all),
        high=("high", _mean_of_all),
        run_sd=("value", "std"),
        leakage_lesion=("leakage_lesion", "mean"),
    )
    table = beside_printed(_with_luck(table.reset_index()))
    return table.sort_values(_KEYS[:-1], kind="stable")[[*COLUMNS]].reset_index(drop=True)


def _mean_of_all(ends):
    """The mean of the pairs' ends; NaN where one has none."""
    return ends.mean(skipna=False)


def _with_luck(table):
    """The table with the spread over runs that the pairs of a table share, and intervals that count it."""
    from skinkit import evaluation

    # A score of two classes, or of angles, says nothing about the spread of one of seven.
    learned = table["first"].map({r.name: str(target_of(r.classes, r.target).labels) for r in recipes()})
    tables = table["first"].str.rpartition("/")[0] + " " + learned.fillna("")
    alike = [tables, *(table[name] for name in (*SHARED, "metric"))]
    table = table.join(evaluation.pooled_spread(table, by=alike))
    found = (table[name] for name in ("difference", "low", "high", "pooled_sd", "runs", "df"))
    table["low_of_both"], table["high_of_both"] = evaluation.widen_interval(*found)
    return table


def _runs_of_recipes(folder, known):
    """The finished runs by recipe, and then by all else that a pair shares."""
    found = {}
    for run in finished_runs(folder, verbose=False):
        said = {**run.manifest, **alike(run)}
        if said["stale"] and said["recipe"] in known:
            continue
        which = tuple(said[name] for name in (*SHARED, "fold", "seed"))
        found.setdefault(_carried_out(said["recipe"], known), {})[which] = run
    return found


def _carried_out(name, known):
    """The recipe under whose name the runs of the same experiment lie."""
    return same_method(find_recipe(name))[0].name if name in known else name


def _difference(first, second, ours, theirs):
    from skinkit import evaluation

    one = ours.predictions.set_index("image_id")
    other = theirs.predictions.set_index("image_id")
    if not one.index.sort_values().equals(other.index.sort_values()):
        raise ValueError(
            f"{ours.folder} and {theirs.folder} were not tested on the same images, so their difference "
            "would mix models and images. Run both again with one version of skinkit"
        )
    truth, p, labels = evaluation.unpack_predictions(one)
    _, q, _ = evaluation.unpack_predictions(other.loc[one.index])
    metrics = METRICS if "mel" in labels else METRICS[:-1]
    if ours.is_of_ranks or theirs.is_of_ranks:
        metrics = [name for name in metrics if "auc" in name]
    groups, _ = prediction_groups(ours.predictions)
    found = evaluation.paired_difference(truth, p, q, labels, groups, metrics)
    # A few lesions that all agree say nothing about others.
    found.loc[found["low"] == found["high"], ["low", "high"]] = math.nan
    said = alike(ours)
    shared = {
        **{"first": first, "second": second, **{name: said[name] for name in SHARED}},
        **{"n": len(one), "leakage_lesion": ours.manifest["leakage"]["lesion"]},
    }
    return [{**shared, "metric": metric, **row} for metric, row in found.to_dict(orient="index").items()]


def beside_printed(table):
    """Returns a table of differences with what the documents print: `printed` and the four columns after it.

    Args:
        table: DataFrame with `first`, `second`, `metric`, `runs`, `low_of_both` and `high_of_both`.
    """
    scores = published_scores().query("answered")
    area = scores["metric"].eq("auc")
    # Of two classes, each has the area of the other, and so has their mean.
    names = {"malignant": "macro_auc", "mel": "auc:mel"}
    metric = scores["metric"].mask(area, scores["class"].map(names))
    scores = scores.assign(metric=metric)[scores["class"].eq("all") | area & scores["class"].isin([*names])]
    scores = scores.dropna(subset="published").astype({"published": float})
    known = {
        metric: dict(zip(rows["target"], rows["published"], strict=True))
        for metric, rows in scores.groupby("metric")
    }
    found = [_printed_difference(known.get(row.metric, {}), row) for row in table.itertuples()]
    return pd.concat([table, pd.DataFrame(found, index=table.index)], axis=1)


def _printed_difference(scores, row):
    first, second = (_printed(scores, name) for name in (row.first, row.second))
    printed = [first[network] - second[network] for network in first.keys() & second.keys()]
    # Two forms of one printed row have no printed difference.
    if not printed or printed_table(row.first) == printed_table(row.second):
        return {
            **dict.fromkeys(("printed", "printed_low", "printed_high", "networks"), math.nan),
            "holds": "",
        }
    low, high = min(printed), max(printed)
    holds = "open"
    if row.runs >= ENOUGH_RUNS and low * high > 0 and row.low_of_both * row.high_of_both > 0:
        holds = "yes" if low * row.low_of_both > 0 else "no"
    return {
        **{"printed": sum(printed) / len(printed), "printed_low": low, "printed_high": high},
        **{"networks": len(printed), "holds": holds},
    }


def _printed(scores, name):
    """The printed scores of a row by network; those of all networks for a row `network-arm` of our own."""
    networks = printed_rows(name, scores)
    return {network: scores[row] for row, network in networks.items()}
