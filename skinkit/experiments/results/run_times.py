"""The runs of a document with their scores, times and machines; and what is left to run, with estimates."""

import math
import os
import textwrap

import pandas as pd

from skinkit import data
from skinkit.evaluation import to_markdown
from skinkit.experiments.results.beside import leak_text, leakage, metric_words, score_text
from skinkit.experiments.results.finished_runs import ALIKE, alike
from skinkit.papers.registry import printed_rows, recipes, same_method
from skinkit.papers.registry import recipe as find_recipe

_WIDTH = 110
# What the runs of one table share is said above it.
_SHARED = ["profile", "weights", "precision", "dataset", "lacking"]


def run_times(runs):
    """Returns what the manifests of runs say about time and place, one row a run.

    Args:
        runs: List of `SavedRun`.

    Returns:
        DataFrame with `ALIKE`, `images` (of all parts), `seconds`, `machine`, and the `folder` of the recipe.
    """
    rows = []
    for run in runs:
        m, e = run.manifest, run.manifest.get("environment", {})
        versions = f"TensorFlow {e.get('tensorflow')}, Keras {e.get('keras')}"
        machine = f"{e.get('device')} with {e.get('cpu_cores')} CPU cores, {versions}"
        said = {
            "images": sum(m.get("images", {}).values()) or math.nan,
            "seconds": m.get("seconds", math.nan),
        }
        rows.append({**alike(run), **said, "machine": machine, "folder": run.folder.parent})
    return pd.DataFrame(rows, columns=[*ALIKE, "images", "seconds", "machine", "folder"])


def runs_text(times, ledger, results):
    """Returns the tables of runs: their scores, leakage and time, each with a link to its folder.

    Args:
        times: DataFrame of `run_times`, not empty.
        ledger: DataFrame of `skinkit.experiments.ledger`.
        results: Folder that the text is written to, where links begin.
    """
    hours, machines = times["seconds"].sum() / 3600, sorted(set(times["machine"]))
    parts = [f"{len(times)} runs, {hours:.1f} hours in all. On: {'; '.join(machines)}."]
    scores = ledger[ledger["class"].eq("all") & ledger["measured"].notna()]
    scores = scores.drop_duplicates([*ALIKE, "metric"]).set_index(list(ALIKE)).sort_index()
    for shared, rows in times.groupby(_SHARED, sort=False):
        parts.append(shared_words(dict(zip(_SHARED, shared, strict=True))))
        lines = [_run_line(rows, scores.loc[[key]]) for key, rows in rows.groupby(list(ALIKE), sort=False)]
        parts.append(to_markdown(pd.DataFrame(lines).fillna("")).rstrip())
    folders = times.drop_duplicates("recipe")
    links = {short(each.recipe): os.path.relpath(each.folder, results) for each in folders.itertuples()}
    return "\n\n".join([*parts, "\n".join(f"[{name}]: {folder}" for name, folder in links.items())])


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


def _run_line(rows, scores):
    of = scores.set_index("metric")
    main = "auc" if "auc" in of.index else "macro_recall"
    first = rows.iloc[0]
    shown = {metric: score_text(of.loc[metric]) for metric in (main, "accuracy") if metric in of.index}
    return {
        "row": f"[{short(first['recipe'])}]",
        "protocol": first["protocol"] + (", **stale**" if first["stale"] else ""),
        "runs": len(rows),
        "test images": int(scores["n"].iloc[0]),
        "leak": leak_text(leakage(scores).iloc[0]),
        **{metric_words(metric): text for metric, text in shown.items()},
        "min a run": f"{rows['seconds'].mean() / 60:.1f}",
    }


def open_runs(times, document):
    """Returns the recipes of a document that are left to run, with estimated hours.

    A row of the document is left until it has been run at `full`, a recipe of ours until it has been run at
    all. The estimate grows the measured time of a run of the same recipe by epochs, images, pixels and the
    square of the width. Where there is none, that of a stand-in is a lower bound, as its network is smaller.

    Args:
        times: DataFrame of `run_times`.
        document: String, its key.

    Returns:
        DataFrame with `recipe`, `profile`, `hours` of one run (missing where no run is alike), `bound`,
        whether these are the least, and `like`, the recipe that was timed.
    """
    fresh, rows = times[times["stale"] == ""], []
    done = set(zip(fresh["recipe"], fresh["profile"], strict=True))
    known = fresh.dropna(subset=["seconds", "images"])
    timed = {name: list(runs.itertuples()) for name, runs in known.groupby("recipe", sort=False)}
    for recipe in recipes(document):
        profile = "full" if recipe.published_row else "quick"
        if same_method(recipe)[0] is recipe and not done & {(recipe.name, profile), (recipe.name, "full")}:
            rows.append({"recipe": recipe.name, "profile": profile, **_estimate(recipe, profile, timed)})
    return pd.DataFrame(rows, columns=["recipe", "profile", "hours", "bound", "like"])


def _estimate(recipe, profile, timed):
    network = recipe.name.rpartition("/")[2].partition("-")[0]
    for name, runs in timed.items():
        bound = bool(printed_rows(name, [recipe.published_row])) and name != recipe.name
        own = name.startswith(f"{recipe.document}/") and f"/{network}-" in name
        if recipe.name not in timed and (bound or own) or name == recipe.name:
            asked = (find_recipe(name) if bound else recipe).resolve(profile, recipe.known_protocols[-1])
            seconds = [run.seconds * _growth(asked, run) for run in runs]
            return {"hours": sum(seconds) / len(seconds) / 3600, "bound": bound, "like": name}
    return {"hours": math.nan, "bound": False, "like": ""}


def _growth(asked, run):
    """How much more work a recipe is than a run."""
    done = find_recipe(run.recipe).resolve(run.profile, run.protocol)
    images = min(done.subset or math.inf, run.images)
    release = data.CATALOG[asked.dataset].images if asked.dataset in data.CATALOG else math.inf
    whole = min(asked.subset or math.inf, release)
    return _work(asked) / _work(done) * (whole / images if math.isfinite(whole) else 1)


def _work(recipe):
    epochs = sum(phase.epochs for phase in recipe.phases) or 1
    pixels = recipe.crop_size**2 if recipe.crop_size else math.prod(recipe.image_size)
    return epochs * pixels * recipe.model_size.get("width", 1) ** 2


def open_text(left):
    """Returns what is left to run as text: a command, and a table of hours.

    Args:
        left: DataFrame of `open_runs`.
    """
    if left.empty:
        return "Nothing: every row has been run."
    example, known = left.iloc[0], left["hours"].notna()
    full = left["profile"].eq("full").sum()
    head = (
        f"{full} rows at `full` and {len(left) - full} recipes of ours have not been run. Three runs of one: "
        f"`skinkit run {example.recipe} --profile {example.profile} --seed 0-2`. "
        f"Nothing alike has been timed for {(~known).sum()} of them; one run of each other takes about "
        f"{left['hours'].sum():,.0f} hours on the machine of the timed ones. `>`: at least, as the recipe "
        "that was timed has a smaller network."
    )
    hours = [
        "unknown" if pd.isna(each.hours) else f"{'> ' if each.bound else ''}{each.hours:,.1f}"
        for each in left.itertuples()
    ]
    table = pd.DataFrame(
        {
            "recipe": left["recipe"].map(short),
            "profile": left["profile"],
            "hours a run": hours,
            "estimated from": left["like"].map(short),
        }
    )
    return f"{wrapped(head)}\n\n{folded('What is left', to_markdown(table).rstrip())}"


def wrapped(text, indent=""):
    """Returns a text in lines of a page's width."""
    return textwrap.fill(
        text, _WIDTH, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False
    )


def folded(title, text):
    """Returns a text that opens on a click."""
    return f"<details><summary>{title}</summary>\n\n{text}\n\n</details>"
