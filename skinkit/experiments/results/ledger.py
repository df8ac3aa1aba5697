"""All runs against all published rows: the table that nobody writes by hand."""

import math
import re
from io import StringIO
from pathlib import Path

import pandas as pd

from skinkit.experiments.plan import run_command
from skinkit.experiments.results.beside import UNSTATED, on_training
from skinkit.experiments.results.comparisons import compare_runs
from skinkit.experiments.results.figures import results_figures, save_figures
from skinkit.experiments.results.finished_runs import ALIKE, ENOUGH_RUNS, alike, finished_runs
from skinkit.experiments.results.ladders import ladders
from skinkit.experiments.results.pages.ablation_page import ablation_figures, ablation_page
from skinkit.experiments.results.pages.document_page import Tables
from skinkit.experiments.results.pages.errors_page import errors_figures, errors_page, runs_with_errors
from skinkit.experiments.results.pages.page import check_results_folder, results_pages
from skinkit.experiments.results.run_times import run_times
from skinkit.experiments.results.schedule_figures import schedule_figures
from skinkit.files import locked, read_csv, writing
from skinkit.papers.published import published_scores
from skinkit.papers.registry import printed_rows, recipes, same_method

COLUMNS = (
    *("document", "table", "row", "on", "class", "metric", "published", "published_sd", "check"),
    *ALIKE,
    *("runs", "n", "measured", "low", "high", "run_sd", "population_sd", "fold_sd", "seed_sd"),
    *("measured_best", "difference", "tolerance"),
    *("leakage_photograph", "leakage_lesion", "leakage_patient"),
    *("source_size", "verdict", "reason", "command", "folders"),
)

# Columns of text, which may all be empty.
_WORDS = (*ALIKE, "class", "check", "source_size", "verdict", "reason", "command", "folders", "holds")


def read_runs(folder, smoke=False):
    """Returns the finished runs under `folder`, one row per run and score.

    Args:
        folder: As in `finished_runs`.
        smoke: As in `finished_runs`.

    Returns:
        DataFrame with the columns `ALIKE` and `fold, seed, metric, class, value, low, high, n, leakage_*,
        command, folder`.

    Raises:
        FileNotFoundError: when there is none.
    """
    return pd.DataFrame([row for run in finished_runs(folder, smoke) for row in _run_rows(run)])


def _run_rows(run):
    manifest, metrics, said = run.manifest, run.metrics, alike(run)
    best = run.metrics_best["scores"] if run.metrics_best else {}
    shared = {
        **said,
        **{key: manifest[key] for key in ("fold", "seed")},
        **{f"leakage_{level}": rate for level, rate in manifest["leakage"].items()},
        "n": metrics["n"],
        # Runs of older versions do not say which images they were tested on.
        "test_hash": manifest.get("test_hash"),
        "command": "" if said["stale"] else run_command({**said, **manifest}),
        "folder": run.folder.as_posix(),
        **_source(manifest),
    }
    for name, score in metrics["scores"].items():
        if run.is_of_ranks and "auc" not in name:
            continue
        metric, _, label = name.partition(":")
        beside = best.get(name, {}).get("value", math.nan)
        yield {**shared, "metric": metric, "class": label or "all", **score, "best": beside}


def _source(manifest):
    """The size of a run's source images, and why the run therefore says nothing about a published level."""
    size, needed = manifest.get("source_size"), manifest["settings"]["image_size"]
    if size is None:
        return {"source_size": "", "coarse": "the size of the source images was not recorded"}
    said = "{} x {}".format(*size)
    small = any(side < least for side, least in zip(size, needed, strict=True))
    reason = f"source images of {said}, smaller than the recipe's {needed[0]} x {needed[1]}"
    return {"source_size": said, "coarse": reason if small else ""}


def ledger(folder, smoke=False):
    """Sets every published number beside what the runs under `folder` measured.

    A published number without a run keeps an empty measured column. Scores of recipes without a published
    row, such as the baselines, follow at the end. Runs are averaged over folds and seeds, and only where they
    agree in all of `ALIKE`.

    Args:
        folder: As in `finished_runs`.
        smoke: As in `finished_runs`.

    Returns:
        DataFrame with the columns `COLUMNS`; scores in fractions from 0 to 1. `recipe` is the one that was
        run: another row's, where that is the same experiment. `weights` is empty for the recipe's own.
        `source_size` is the median height and width of the image files, in pixels.
        `stale` says why a run is not one of today's recipe; `command` repeats the runs of a row that is not.

    Raises:
        FileNotFoundError: when there is no run to count.
    """
    published = published_scores()
    runs = read_runs(folder, smoke)
    # After the runs, whose own recipes are then registered.
    known = {r.name: r for r in recipes()}
    measured = _mean_over_runs(runs)
    measured["agrees"] = _agrees_with_float32(measured, runs, known)
    measured["target"] = [_targets(known, name) for name in measured["recipe"]]
    measured = _with_weighted_recall(measured.explode("target"), published)
    measured["answered"] = True
    keys = ["target", "metric", "class", "answered"]
    table = published.merge(measured, how="outer", on=keys, indicator=True, sort=False)
    unpublished = (table["_merge"] == "right_only") & (table["class"] != "all")
    table = table[~unpublished | _stands_in(table, published) | _is_watched(table, known)]
    # A published row without a run has no recipe of its own name: its target may be one.
    verdicts = [_verdict(row, known.get(row.recipe, known.get(row.target))) for row in table.itertuples()]
    table[["difference", "tolerance", "verdict", "reason"]] = pd.DataFrame(
        verdicts, index=table.index, columns=["difference", "tolerance", "verdict", "reason"]
    )
    names = table["target"].str.split("/", expand=True)
    table[["document", "table", "row"]] = names[[0, 1, 2]]
    return table.reindex(columns=COLUMNS).reset_index(drop=True)


def _with_weighted_recall(measured, published):
    """The scores with accuracy under its other name, where a document prints it so."""
    printed = published.loc[published["metric"] == "weighted_recall", "target"]
    same = measured[measured["metric"].eq("accuracy") & measured["target"].isin(printed)]
    return pd.concat([measured, same.assign(metric="weighted_recall")], ignore_index=True)


def _mean_over_runs(runs):
    """One row per score of the runs that are alike: mean over folds and seeds.

    The interval is the mean of the runs' own bootstrap intervals, i.e. the uncertainty from the test
    images; `run_sd` (ddof 1) is the spread over runs, `fold_sd` and `seed_sd` are its parts, and
    `population_sd` is what gessert2019 prints of models with one test part. `measured_best` is the mean of
    the epochs that were best on validation, where the runs scored them beside the last.
    """
    from skinkit import evaluation

    keys = [*ALIKE, "metric", "class"]
    leaks = ["leakage_photograph", "leakage_lesion", "leakage_patient"]
    grouped = runs.groupby(keys, sort=False)
    table = grouped.agg(
        runs=("value", "size"),
        n=("n", "max"),
        measured=("value", "mean"),
        low=("low", "mean"),
        high=("high", "mean"),
        run_sd=("value", "std"),
        measured_best=("best", "mean"),
        folders=("folder", " ".join),
        command=("command", lambda commands: "; ".join(_together([*filter(None, commands)]))),
        source_size=("source_size", lambda sizes: ", ".join(sorted(set(sizes) - {""}))),
        coarse=("coarse", "max"),
        **{leak: (leak, "mean") for leak in leaks},
    )
    spread = evaluation.spread_over_runs(runs, keys)
    one_test_part = grouped["test_hash"].nunique() == 1
    spread["population_sd"] = spread["population_sd"].where(one_test_part)
    return table.join(spread).reset_index()


def _together(commands):
    """The commands of runs which differ in fold and seed, as one where all folds have the same seeds."""
    asked = [re.search(r"--fold (\d+) --seed (\d+)", command) for command in commands]
    folds, seeds = (sorted({each[i] for each in asked}, key=int) for i in (1, 2))
    rest = {re.sub(r"--fold \d+ --seed \d+", "{}", command) for command in commands}
    if len(rest) != 1 or len(folds) * len(seeds) != len(commands):
        return commands
    return [rest.pop().format(f"--fold {','.join(folds)} --seed {','.join(seeds)}")]


def _agrees_with_float32(measured, runs, known):
    """Whether a network's runs in a precision are known to agree with those in float32.

    They do when three of them or more, and no other, have their macro recall within the interval of the same
    run in float32.
    """
    scores = runs[(runs["metric"] == "macro_recall") & (runs["class"] == "all")]
    network = [str(known[name].model) if name in known else name for name in scores["recipe"]]
    scores = scores.assign(network=network)
    same = [name for name in (*ALIKE, "fold", "seed") if name != "precision"]
    twins = scores[scores["precision"] == "float32"][[*same, "low", "high"]]
    pairs = scores.drop(columns=["low", "high"]).merge(twins, on=same)
    near = pairs["value"].between(pairs["low"], pairs["high"])
    counts = near.groupby([pairs["network"], pairs["precision"]]).agg(["sum", "size"])
    agreeing = counts[(counts["sum"] == counts["size"]) & (counts["size"] >= ENOUGH_RUNS)].index
    networks = measured["recipe"].map(dict(zip(scores["recipe"], network, strict=True)))
    known_pairs = pd.MultiIndex.from_arrays([networks, measured["precision"]]).isin(agreeing)
    return measured["precision"].eq("float32") | known_pairs


def _stands_in(table, published):
    """Whether a score is one that the document prints for the row which the recipe stands in for."""
    printed = dict(list(published.groupby("target")[["metric", "class"]]))
    asked = {
        name: {pair for row in printed_rows(name, printed) for pair in printed[row].itertuples(index=False)}
        for name in table["target"].unique()
    }
    pairs = zip(table["target"], table["metric"], table["class"], strict=True)
    return pd.Series([(*score,) in asked[target] for target, *score in pairs], index=table.index)


def _is_watched(table, known):
    """Whether a score is that of the class by which the recipe is selected, or the recall of this class."""
    watched = table["recipe"].map({name: recipe.monitor for name, recipe in known.items()}).fillna("")
    score, label = table["metric"] + ":" + table["class"], watched.str.partition(":")[2]
    return score.eq(watched) | score.eq("recall:" + label)


def _targets(known, name):
    """The rows that the runs of a recipe answer: its own, and those of the same experiment."""
    if name in known:
        return list(dict.fromkeys(r.published_row or r.name for r in same_method(known[name])))
    before_split = known.get(name.partition("+")[0])
    return [before_split.published_row or name if before_split else name]


def _verdict(row, recipe):
    if pd.isna(row.measured):
        reason = recipe.not_comparable if recipe else ""
        return None, None, "not comparable" if reason else "", reason
    if pd.isna(row.published):
        return None, None, "not comparable", row.lacking or "no published row"
    difference = row.measured - row.published
    tolerance = recipe.tolerance.get(row.metric) if recipe else None
    if reason := _why_not(row, recipe, tolerance):
        return difference, tolerance, "not comparable", reason
    near = abs(difference) <= tolerance
    if row.runs < ENOUGH_RUNS:
        return difference, tolerance, "within" if near else "outside", ""
    return difference, tolerance, "reproduced" if near else "not reproduced", ""


def _why_not(row, recipe, tolerance):
    if row.stale:
        return row.stale
    if row.dataset == "synthetic":
        return "synthetic images"
    if row.lacking:
        return row.lacking
    if recipe.not_comparable:
        return recipe.not_comparable
    if not row.agrees:
        why = f"{row.precision}: no three runs of this network are known to agree with float32"
        return "; ".join(filter(None, [why, row.coarse]))
    if row.profile != "full":
        return f"{row.profile} profile: smaller than the document's own settings"
    tested_on = recipe.resolve(row.profile, row.protocol).test_part
    if row.on == UNSTATED or on_training(row.on) != on_training(tested_on):
        return f"printed of {row.on}, measured on {tested_on}"
    if row.coarse:
        return row.coarse
    if tolerance is None:
        return "no tolerance was stated for this score"
    return ""


def write_ledger(runs, results):
    """Writes `ledger.csv`, `comparisons.csv`, the pages and the figures; returns the ledger.

    Args:
        runs: Folder of the run folders.
        results: Folder to write to.

    Raises:
        FileNotFoundError: when there is no run to count; what was written before stays.
        ValueError: when the folder holds another README, or other files by the names of the results.
    """
    results = Path(results)
    check_results_folder(results)
    table, differences = ledger(runs), compare_runs(Path(runs))
    counted = finished_runs(runs, verbose=False)
    csvs = {"ledger.csv": _csv(table), "comparisons.csv": _csv(differences)}
    tables = Tables(as_written(table), as_written(differences), run_times(counted), results)
    schedules = schedule_figures(counted)
    # The eight trainings have the place of their document's figure; its rows stand beside it.
    rows = results_figures(tables.ledger, results)
    figures = {f"{name}-rows" if name in schedules else name: each for name, each in rows.items()} | schedules
    ours, ingredients = runs_with_errors(counted), ladders(counted)
    own = errors_figures(ours) | ablation_figures(ingredients)
    results.mkdir(parents=True, exist_ok=True)
    # The first page first: by it the folder is known again as one of the results.
    texts = results_pages(tables, {name: text for name, (_, text) in figures.items()}) | csvs
    texts["errors.md"] = errors_page(ours, results)
    texts["ablation.md"] = ablation_page(ingredients, tables.times)
    with locked(results / ".lock"):
        for name, text in texts.items():
            with writing(results / name) as part:
                part.write_text(text, encoding="utf-8")
        save_figures(figures | own, results)
    return table


def as_written(table):
    """Returns a ledger or comparisons with the numbers that their CSV holds: all pages show these."""
    return read_table(StringIO(_csv(table)))


def read_table(source):
    """Returns `ledger.csv` or `comparisons.csv` as it was written: text is `""` where it is empty.

    Args:
        source: Path, or open file.
    """
    text = dict.fromkeys(_WORDS, str)
    table = read_csv(source, dtype=text)
    return table.assign(**{name: table[name].fillna("") for name in _WORDS if name in table})


def _csv(table):
    return table.to_csv(index=False, float_format="%.6f", lineterminator="\n")
