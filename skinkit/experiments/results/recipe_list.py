"""The list of recipes, with their runs, times and data."""

import statistics

import pandas as pd

from skinkit.experiments.plan import imported
from skinkit.experiments.results.finished_runs import finished_runs, staleness
from skinkit.papers.registry import recipe_place, recipes, same_method

STATES = ("run", "stale", "not run")
_ALIKE = ("state", "profile", "protocol")
_NOT_RUN = {"state": "not run", "profile": "", "protocol": "", "runs": 0, "folds": 0, "seeds": 0}
_COLUMNS = ("recipe", *_NOT_RUN, "seconds", "data", "same_as", "title")
_LEGEND = """\
run, stale (its recipe has changed since) or not run: by the finished runs in {runs}.
folds, seeds: how many different ones. seconds: median of a run. =: the same experiment, and the same runs.
In brackets: the image sets of a table; `synthetic` is drawn, the others come by `skinkit data fetch`.
A recipe is named DOCUMENT/TABLE/ROW: `skinkit show {name}`"""


def list_recipes(document=None, runs="results/runs", smoke=False):
    """Returns recipes with what has been run of them, from the run folders alone: no data is read.

    Args:
        document: As in `skinkit.papers.recipes`.
        runs: Path of the folder of all runs. Where it does not exist or holds none, all is `not run`.
        smoke: Boolean, whether runs that only try the code count as well, as in `finished_runs`.

    Returns:
        DataFrame with one row per recipe, state, profile and protocol: `recipe`; `state`, `run`, `stale` (the
        recipe has changed since) or `not run`; `profile` and `protocol`, `""` where it is not run; `runs`,
        and how many `folds` and `seeds` they have; `seconds`, the median of a run (missing where unknown);
        `data`, the releases that it needs, joined by `+`; `same_as`, the name of the recipe whose runs these
        are, where that is another one, or `""`; `title`. `attrs["own"]`: the modules of recipes of one's own
        that have been run and are not registered here, by recipe.

    Raises:
        ValueError: for a document or table without recipes, or a damaged manifest.
    """
    done, own = _runs_by_recipe(runs, smoke)
    rows, found = [], recipes(document)
    documents = list(dict.fromkeys(recipe.document for recipe in found))
    # A document may have a table among the recipes of another, which rests on it.
    for recipe in sorted(found, key=lambda recipe: documents.index(recipe.document)):
        runner = same_method(recipe)[0].name
        needed = [recipe.dataset, *([recipe.external.name] if recipe.external else [])]
        about = {"recipe": recipe.name, "data": "+".join(needed), "title": recipe.title}
        about["same_as"] = runner if runner != recipe.name else ""
        rows += [{**each, **about} for each in done.get(runner, [_NOT_RUN])]
    table = pd.DataFrame(rows, columns=_COLUMNS)
    place = recipe_place(document)
    table.attrs["own"] = {name: own[name] for name in sorted(own) if name.startswith(place)}
    return table


def _runs_by_recipe(folder, smoke):
    """The finished runs of each recipe, one dictionary per state, profile and protocol, fresh runs first.

    Beside them, the modules of recipes of one's own that are not registered here.
    """
    try:
        found = finished_runs(folder, smoke, verbose=False)
    except FileNotFoundError:
        return {}, {}
    # This imports modules of one's own, where they are found.
    states = ["stale" if staleness(run) else "run" for run in found]
    runners = {recipe.name: same_method(recipe)[0].name for recipe in recipes()}
    groups, done, own = {}, {}, {}
    for state, m in zip(states, (run.manifest for run in found), strict=True):
        if m["recipe"] in runners:
            alike = (state, m["profile"], m["protocol"])
            groups.setdefault((*alike, runners[m["recipe"]]), []).append(m)
        elif "own" in m:
            own[m["recipe"]] = [*m["own"]]
    for *alike, name in sorted(groups, key=lambda key: key[:3]):
        said = _count(groups[(*alike, name)])
        done.setdefault(name, []).append({**dict(zip(_ALIKE, alike, strict=True)), **said})
    return done, own


def _count(manifests):
    seconds = [m["seconds"] for m in manifests if "seconds" in m]
    return {
        "runs": len(manifests),
        "folds": len({m["fold"] for m in manifests}),
        "seeds": len({m["seed"] for m in manifests}),
        "seconds": statistics.median(seconds) if seconds else None,
    }


def recipe_list(document=None, runs="results/runs", width=None):
    """Returns the recipes as text, grouped by table, with a count of their states and a legend below.

    Args:
        document: As in `list_recipes`.
        runs: As in `list_recipes`.
        width: Integer, most characters of a row, whose title is cut; `None` for whole titles.

    Raises:
        ValueError: as in `list_recipes`.
    """
    table = list_recipes(document, runs)
    by_table = table.groupby(table["recipe"].str.rpartition("/")[0], sort=False)
    once = table.drop_duplicates("recipe")["state"].tolist()
    counts = ", ".join(f"{once.count(state)} {state}" for state in STATES)
    total = f"Recipes: {counts}, {len(once)} in all."
    legend = _LEGEND.format(runs=runs, name=table["recipe"].iloc[0])
    own = [f"{name} ({' '.join(imported(modules))})" for name, modules in table.attrs["own"].items()]
    legend += f"\nRun as well, and listed with an import: {', '.join(own)}" if own else ""
    return "\n\n".join([*(_table_text(*group, width) for group in by_table), f"{total}\n{legend}"])


def _table_text(name, rows, width):
    heading = f"{name} ({', '.join(dict.fromkeys(rows['data']))})"
    # What is the same as above is not said again.
    again = rows["recipe"].duplicated()
    names = ("  " + rows["recipe"].str.rpartition("/")[2]).mask(again, "")
    titles = rows["title"].mask(rows["same_as"] != "", "= " + rows["same_as"]).mask(again, "")
    first = max(len(heading), *names.str.len())
    lines = [_line(first, heading, "state", "profile", "protocol", "folds", "seeds", "seconds", "title")]
    for label, title, row in zip(names, titles, rows.itertuples(), strict=True):
        seconds = "" if pd.isna(row.seconds) else f"{row.seconds:.{int(row.seconds < 10)}f}"
        numbers = (row.folds or "", row.seeds or "", seconds)
        lines.append(_line(first, label, row.state, row.profile, row.protocol, *numbers, title))
    return "\n".join(line if len(line) <= (width or len(line)) else f"{line[: width - 1]}…" for line in lines)


def _line(width, name, state, profile, protocol, folds, seeds, seconds, title):
    left = f"{name:<{width}}  {state:<7} {profile:<7} {protocol:<12}"
    return f"{left} {folds:>5} {seeds:>5} {seconds:>7}  {title}".rstrip()
