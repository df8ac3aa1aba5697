"""The runs of a document with their scores, times and machines; and what is left to run, with estimates."""

import dataclasses
import math
import os

import pandas as pd

from skinkit import data
from skinkit.evaluation import to_markdown
from skinkit.experiments.results.finished_runs import ALIKE, alike
from skinkit.experiments.results.pages.page_text import (
    SHARED,
    folded,
    leak_text,
    leakage,
    metric_words,
    named_scores,
    score_text,
    shared_words,
    short,
    wrapped,
)
from skinkit.files import read_csv
from skinkit.names import counted
from skinkit.papers.registry import printed_rows, recipes, same_method
from skinkit.papers.registry import recipe as find_recipe


def run_times(runs):
    """Returns what the manifests of runs say about time and place, one row a run.

    Args:
        runs: List of `SavedRun`.

    Returns:
        DataFrame with `ALIKE`, `images` (of all parts), `seconds`, `machine`, the `folder` of the run,
        `metric` and `score`, the name and the value of the score that it is told by, and `mel_leak`, the
        share of the melanomas of its test part whose lesion is in training (NaN where it has none).
    """
    columns = [*ALIKE, "images", "seconds", "machine", "folder", "metric", "score", "mel_leak"]
    return pd.DataFrame([_run_row(run) for run in runs], columns=columns)


def _run_row(run):
    m, scores = run.manifest, run.metrics["scores"]
    metric = _main(scores, m.get("settings", {}).get("monitor", ""))
    return {
        **alike(run),
        **{"images": sum(m.get("images", {}).values()) or math.nan, "seconds": m.get("seconds", math.nan)},
        **{"machine": _machine(m.get("environment", {})), "folder": run.folder},
        **{"metric": metric, "score": scores.get(metric, {}).get("value", math.nan)},
        "mel_leak": _mel_leak(run.folder / "leakage.csv"),
    }


def _mel_leak(path):
    """The leak of the melanomas of a test part."""
    rates = read_csv(path).set_index("label")["lesion"] if path.exists() else {}
    return float(rates.get("mel", math.nan))


def _machine(environment):
    """Device, processor and versions; runs of older versions do not say the processor."""
    e = environment
    processor = f"{e.get('processor') or 'processor not recorded'}, {e.get('cpu_cores')} CPU cores"
    return f"{e.get('device')}, {processor}, TensorFlow {e.get('tensorflow')}, Keras {e.get('keras')}"


def _main(scores, monitor):
    """The score that a run is told by: of a class that selects, of two classes the area, or macro recall."""
    if ":" in monitor and monitor in scores:
        return monitor
    return "auc" if "auc" in scores else "macro_recall"


def runs_text(times, ledger, results):
    """Returns the tables of runs: their scores, leakage and time, each with a link to its folder.

    Args:
        times: DataFrame of `run_times`, not empty.
        ledger: DataFrame of `skinkit.experiments.ledger`.
        results: Folder that the text is written to, where links begin.
    """
    machines = sorted(set(times["machine"]))
    hours, said = times["seconds"].sum() / 3600, machines
    if len(machines) > 1:
        said = [f"({number}) {machine}" for number, machine in enumerate(machines, 1)]
    untimed = times["seconds"].isna().sum()
    but = f" but for {untimed} that nobody timed" if untimed else ""
    runs = counted(len(times), "run")
    parts = [wrapped(f"{runs}, {hours:.1f} hours in all{but}. On: {'; '.join(said)}.")]
    scores = ledger[ledger["measured"].notna()]
    scores = scores.assign(metric=named_scores(scores))
    scores = scores.drop_duplicates([*ALIKE, "metric"]).set_index(list(ALIKE)).sort_index()
    # Those of two classes, which are told by another score, have a table of their own.
    for (*shared, _), rows in times.groupby([*SHARED, "metric"], sort=False):
        parts.append(shared_words(dict(zip(SHARED, shared, strict=True))))
        lines = [_run_line(rows, scores.loc[[key]]) for key, rows in rows.groupby(list(ALIKE), sort=False)]
        parts.append(to_markdown(pd.DataFrame(lines).fillna("")).rstrip())
    parts.append(folded("Each run", _each_run(times, machines, results)))
    folders = times.drop_duplicates("recipe")
    links = {short(run.recipe): os.path.relpath(run.folder.parent, results) for run in folders.itertuples()}
    return "\n\n".join([*parts, "\n".join(f"[{name}]: {folder}" for name, folder in links.items())])


def _each_run(times, machines, results):
    """A line for each run; its machine, by number, where there are several."""
    lines = []
    for run in times.itertuples():
        line = {"run": os.path.relpath(run.folder, results) + (", stale" if run.stale else "")}
        line |= {metric_words(run.metric): f"{run.score:.3f}", "min": _minutes(run.seconds)}
        line |= {"machine": f"({machines.index(run.machine) + 1})"} if len(machines) > 1 else {}
        lines.append(line)
    return to_markdown(pd.DataFrame(lines).fillna("")).rstrip()


def _run_line(rows, scores):
    of = scores.set_index("metric")
    first = rows.iloc[0]
    main, label = first["metric"], first["metric"].partition(":")[2]
    # Beside a score of one class stand two more, which the ledger has with intervals, in the place of times.
    whole, plain = (main, "accuracy"), ("ece",)
    if label:
        whole, plain = (main,), (f"recall:{label}", "macro_recall", "ece")
    shown = {name: score_text(of.loc[name]) for name in whole if name in of.index}
    shown |= {name: f"{of.loc[name].measured:.3f}" for name in plain if name in of.index}
    return {
        "row": f"[{short(first['recipe'])}]",
        "protocol": first["protocol"] + (", **stale**" if first["stale"] else ""),
        "runs x test images": f"{len(rows)} x {int(scores['n'].iloc[0])}",
        "leak (mel)": leak_text(leakage(scores).iloc[0]) + _of_melanomas(rows["mel_leak"].mean()),
        **{metric_words(metric): text for metric, text in shown.items()},
        **({} if label else {"min a run": _minutes(rows["seconds"].mean())}),
    }


def _of_melanomas(rate):
    """The leak of melanomas behind that of all images, where there is one."""
    return f" ({100 * rate:.1f})" if rate > 0 else ""


def _minutes(seconds):
    """Minutes as text; nothing where the time is unknown, as that of a run that was paused."""
    return "" if math.isnan(seconds) else f"{seconds / 60:.1f}"


def open_runs(times, document):
    """Returns the recipes of a document that are left to run, with estimated hours.

    A row of the document is left until it has been run at `full`, a recipe of ours until it has been run at
    all; and where rows of its table stand for printed ones, until it has been run under all of its protocols.
    The estimate grows the measured time of a run on the same data set, of the same recipe or else
    network, by epochs, images, pixels and the square of the width. That of a stand-in is a lower bound, as
    its network is smaller.

    Args:
        times: DataFrame of `run_times`.
        document: String, its key.

    Returns:
        DataFrame with `recipe`, `profile`, `protocol` (the last that the recipe has, or the others of one
        that was begun), `hours` of one run (missing where no run is alike), `bound`, whether these are the
        least, and `like`, the recipe that was timed.
    """
    fresh, rows, timed = times[times["stale"] == ""], [], timed_runs(times)
    printed = [each.published_row for each in recipes(document) if each.published_row]
    tables = {_table(each) for each in recipes(document) if printed_rows(each.name, printed)}
    for recipe in recipes(document):
        profile = "full" if recipe.published_row else "quick"
        own = fresh[fresh["recipe"].eq(recipe.name) & fresh["profile"].isin([profile, "full"])]
        wanted = recipe.known_protocols if len(own) and _table(recipe) in tables else ()
        left = [each for each in wanted or recipe.known_protocols[-1:] if each not in set(own["protocol"])]
        if same_method(recipe)[0] is recipe and (wanted or own.empty):
            hours = estimate(recipe, profile, timed)
            rows += [{"recipe": recipe.name, "profile": profile, "protocol": each, **hours} for each in left]
    return pd.DataFrame(rows, columns=["recipe", "profile", "protocol", "hours", "bound", "like"])


def _table(recipe):
    return recipe.name.rpartition("/")[0]


def timed_runs(times):
    """Returns the runs of today's recipes whose time is known, a list of rows by recipe.

    Recipes with a split of one's own are left out.
    """
    ours = times["recipe"].isin(recipe.name for recipe in recipes())
    known = times[(times["stale"] == "") & ours].dropna(subset=["seconds", "images"])
    return {name: list(runs.itertuples()) for name, runs in known.groupby("recipe", sort=False)}


def estimate(recipe, profile, timed):
    """Returns the estimated `hours` of a run, whether these are a `bound`, and `like` which recipe.

    Args:
        recipe: `Recipe`.
        profile: String.
        timed: Result of `timed_runs`.
    """
    names = [recipe.name] if recipe.name in timed else timed
    # Files of another size, or drawn ones, take another time.
    same = {name: [run for run in timed[name] if run.dataset == recipe.dataset] for name in names}
    likes = {name: find_recipe(name) for name, runs in same.items() if runs}
    for like in sorted(likes.values(), key=lambda like: _distance(like, recipe)):
        bound = like is not recipe and bool(printed_rows(like.name, [recipe.published_row]))
        if bound or _network(like) == _network(recipe):
            asked = (like if bound else recipe).resolve(profile, recipe.known_protocols[-1])
            seconds = [run.seconds * _growth(asked, run) for run in same[like.name]]
            return {"hours": sum(seconds) / len(seconds) / 3600, "bound": bound, "like": like.name}
    return {"hours": math.nan, "bound": False, "like": ""}


def _distance(like, recipe):
    """Of one document first, then of one model, then by other settings: the least has the most in common."""
    fields = (field.name for field in dataclasses.fields(recipe))
    others = sum(getattr(like, name) != getattr(recipe, name) for name in fields)
    return like.document != recipe.document, like.model.name != recipe.model.name, others


def _network(recipe):
    return recipe.model.options.get("backbone", recipe.model.name)


def _growth(asked, run):
    """How much more work a recipe is than a run."""
    done = find_recipe(run.recipe).resolve(run.profile, run.protocol)
    images = min(done.subset or math.inf, run.images)
    release = data.CATALOG[asked.dataset].images if asked.dataset in data.CATALOG else math.inf
    whole = min(asked.subset or math.inf, release)
    return _work(asked) / _work(done) * (whole / images if math.isfinite(whole) else 1)


def _work(recipe):
    epochs = sum(phase.epochs for phase in recipe.phases) or 1
    size = recipe.crop_size or recipe.image_size
    pixels = size**2 if isinstance(size, int) else math.prod(size)
    # A step on ordered crops sees all of them.
    pixels *= recipe.input.options["count"] if recipe.input.name == "ordered_crops" else 1
    # Of a step, a third is what a network answers, as each teacher does.
    pixels *= 1 + len(recipe.teaching.options["teachers"]) / 3 if recipe.teaching else 1
    return epochs * pixels * recipe.model_size.get("width", 1) ** 2


def open_text(left):
    """Returns what is left to run as text: a command, and a table of hours.

    Args:
        left: DataFrame of `open_runs`.
    """
    if left.empty:
        return "Nothing: every row has been run."
    full = left["profile"].eq("full").sum()
    experiments, others = counted(full, "experiment"), counted(len(left) - full, "recipe")
    head = (
        f"{experiments} of the document at `full` and {others} of ours, one a protocol, have not been run. "
        "The commands of the former stand below their tables, as their numbers need it; three runs of one of "
        "ours: `skinkit run RECIPE OPTIONS --seed 0-2`. What it builds on is trained first, and not counted. "
        f"Nothing alike has been timed for {left['hours'].isna().sum()} of them; the others take about "
        f"{_counted(left['hours'].sum())} together, one run each, on the machine of the timed ones, roughly: "
        "grown by epochs, images and pixels. `>`: at least, as the recipe that was timed has a smaller "
        "network."
    )
    hours = [_hours(each) for each in left.itertuples()]
    table = pd.DataFrame(
        {
            "recipe": left["recipe"].map(short),
            "options": [_options(each) for each in left.itertuples()],
            "hours a run": hours,
            "estimated from": left["like"],
        }
    )
    return f"{wrapped(head)}\n\n{folded('What is left', to_markdown(table).rstrip())}"


def _options(left):
    protocol = "" if left.protocol == "corrected" else f" --protocol {left.protocol}"
    return f"--profile {left.profile}{protocol}"


def _counted(hours):
    return f"{hours:,.0f} hours" if hours >= 1.5 else "an hour" if hours >= 0.75 else "minutes"


def _hours(left):
    if pd.isna(left.hours):
        return "unknown"
    return f"{'> ' if left.bound else ''}{left.hours:,.1f}" if left.hours > 0.05 else "minutes"
