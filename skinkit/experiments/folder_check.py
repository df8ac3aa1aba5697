"""Run folders: whose a folder is, and what to say of a wrong one."""

import json
from pathlib import Path

from skinkit.experiments.plan import Plan
from skinkit.names import did_you_mean
from skinkit.papers.registry import recipes, same_method

# Every run folder has one of them, from its beginning on.
_MARKS = ("manifest.json", "plan.json")
# All that is written into a run folder, but for the states of its training.
FILES = (
    *(*_MARKS, "metrics.json", "predictions.csv.gz", "metrics_best.json", "predictions_best.csv.gz"),
    *("history.csv", "leakage.csv", "model.keras", "classifier.skops", "seen.csv.gz"),
    *("overlays.png", "report.html"),
)
# What a run that was killed before its first epoch may have left, and one that has lost its manifest.
_BEGUN = {".lock", "checkpoint", "again", "again-ready"}
_LOST = {*FILES, *_BEGUN, "evaluations"}
_NUMBERS = {"metrics.json", "predictions.csv.gz"}


class OtherRun(ValueError):
    """The folder holds a run of another recipe, split or data."""


def check_folder(folder, damaged=False):
    """Raises `ValueError` when a run would write among the files of others.

    Args:
        folder: `pathlib.Path` of a run folder, new or old.
        damaged: Whether a manifest or plan that cannot be read is taken for that of a run.
    """
    if folder.exists() and not folder.is_dir():
        raise ValueError(f"{folder} is a file, and a run needs a folder. Give another one")
    marks = [folder / name for name in _MARKS if (folder / name).exists()]
    if marks:
        return _check_mark(marks[0], damaged)
    names = {path.name for path in folder.iterdir()} if folder.exists() else set()
    has_lost_manifest = _NUMBERS <= names <= _LOST
    if not has_lost_manifest and (others := sorted(names - _BEGUN)):
        raise ValueError(
            f"{folder} holds {', '.join(others[:3])} and no run: a run would write among these files. Give "
            "another folder"
        )
    return None


def _check_mark(path, damaged):
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        ours = isinstance(found, dict) and "key" in found
    except ValueError:
        ours = damaged
    if not ours:
        raise ValueError(
            f"{path} is damaged, or is not from `skinkit run`. Give another folder, train anew with "
            "`--again`, or move this file away"
        )


def not_a_run(folder, out="results/runs"):
    """Returns a sentence about a path that should be the folder of a finished run, and is not.

    Args:
        folder: `pathlib.Path` that was given; perhaps the name of a recipe.
        out: Folder of all runs, in which a recipe's are looked for.
    """
    known = {recipe.name: recipe for recipe in recipes()}
    if folder.as_posix() in known:
        return _recipe_instead(known[folder.as_posix()], out)
    if not folder.exists():
        near = [*known, *(path.as_posix() for path in folder.parent.glob("*"))]
        hint = did_you_mean(folder.as_posix(), near)
        return f"There is no run folder {folder}.{hint} `skinkit run RECIPE` makes one"
    if inner := sorted(path.parent.as_posix() for path in folder.glob("*/manifest.json")):
        return f"{folder} holds no finished run itself, but run folders: {', '.join(inner)}. Give one of them"
    return (
        f"{folder} holds no finished run: manifest.json is missing. "
        "`skinkit run RECIPE` makes one, or goes on with one that was stopped"
    )


def _recipe_instead(recipe, out):
    first = same_method(recipe)[0]
    said = f"{recipe.name} is a recipe, and a run folder is needed."
    if found := sorted(path.parent.as_posix() for path in (Path(out) / first.name).glob("*/manifest.json")):
        return f"{said} Its runs in {out}: {', '.join(found)}"
    folder = Plan(first, "quick", "corrected", fold=0, seed=0).folder(out)
    return f"{said} It would be {folder.as_posix()}, which is not there: `skinkit run {recipe.name}` makes it"
