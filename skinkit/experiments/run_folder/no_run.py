"""The message about a folder that holds no finished run."""

from pathlib import Path

from skinkit.experiments.plan import Plan
from skinkit.names import did_you_mean
from skinkit.papers.registry import recipes, same_method


def not_a_run(folder, out="results/runs"):
    """Returns a sentence about a path that should be the folder of a finished run, and is not.

    Args:
        folder: `pathlib.Path` that was given; perhaps the name of a recipe.
        out: Folder of all runs, in which a recipe's are looked for.
    """
    known = {recipe.name: recipe for recipe in recipes()}
    if named := [recipe for name, recipe in known.items() if _ends_in(folder, name)]:
        return _recipe_instead(named[0], out)
    if not folder.exists():
        near = [*known, *(path.as_posix() for path in folder.parent.glob("*"))]
        hint = did_you_mean(folder.as_posix(), near)
        return f"There is no run folder {folder}.{hint} `skinkit run RECIPE` makes one"
    if inner := sorted(path.parent.as_posix() for path in folder.glob("*/manifest.json")):
        return f"{folder} holds no finished run itself, but run folders: {', '.join(inner)}. Give one of them"
    if next(folder.rglob("manifest.json"), None):
        return f"{folder} is not a run. `skinkit report --runs {folder}` is about all runs below it"
    return (
        f"{folder} holds no finished run: manifest.json is missing. "
        "`skinkit run RECIPE` makes one, or goes on with one that was stopped"
    )


def _ends_in(folder, name):
    """Whether a path is the name of a recipe, or that of the folder that its runs would lie in."""
    path = folder.as_posix()
    return path == name or (path.endswith(f"/{name}") and not folder.exists())


def _recipe_instead(recipe, out):
    first = same_method(recipe)[0]
    said = f"{recipe.name} is a recipe, and a run folder is needed."
    if found := sorted(path.parent.as_posix() for path in (Path(out) / first.name).glob("*/manifest.json")):
        return f"{said} Its runs in {out}: {', '.join(found)}"
    folder = Plan(first, "quick", first.known_protocols[-1], fold=0, seed=0).folder(out)
    return f"{said} It would be {folder.as_posix()}, which is not there: `skinkit run {recipe.name}` makes it"
