"""Ladders: recipes on folds, one ingredient apart, with what each ingredient is worth."""

import math
from dataclasses import dataclass, field

import numpy as np

from skinkit.experiments.results.out_of_fold import (
    DECISION,
    balanced,
    difference,
    out_of_fold,
    runs_by_fold,
)
from skinkit.papers.best import ABLATION, BASE, CANDIDATES, ENSEMBLES, FOLDS

JOINED = next(each for each in ENSEMBLES if each.name == "skinkit/folds/ensemble")
_PROFILES = ("quick", "full")


@dataclass(frozen=True)
class Ladder:
    """Recipes that are compared with each other.

    Args:
        recipes: Sequence of `Recipe`s on folds.
        text: String, what is to be said of them.
        against: Dictionary from the name of a recipe to that of the one it is compared with, where this is
            not the one above.
        decided: Names of those that are decided for macro recall besides.
    """

    recipes: tuple
    text: str = ""
    against: dict = field(default_factory=dict)
    decided: tuple = ()


LADDERS = {
    "One ingredient at a time": Ladder(
        ABLATION,
        "Nine epochs, from the plain recipe to the best one; each row adds to the one above it.",
        decided=(BASE.name,),
    ),
    "Candidates": Ladder(
        (BASE, *CANDIDATES),
        f"Each row is a change of the first, `{BASE.name}`, and compared with it; `metadata` is one of "
        "`head`. What does not help stays out of the best recipe.",
        against={each.name: BASE.name for each in CANDIDATES}
        | {"skinkit/candidates/metadata": "skinkit/candidates/head"},
    ),
    "Full time": Ladder(
        (*FOLDS, JOINED),
        "The plain recipe and the best ones in all their epochs, and the mean of these beside `folds/lite0`.",
        against={JOINED.name: FOLDS[1].name},
        decided=(FOLDS[1].name, JOINED.name),
    ),
}


@dataclass(frozen=True)
class Row:
    """One row of a ladder.

    Args:
        recipe: `Recipe`.
        profile: String, that it was run in, or would be.
        missing: List of the folds that have no run.
        found: `OutOfFold`, or `None` where one is missing.
        decides: Boolean, whether it is decided for macro recall.
        change: Dictionary of `difference` to the row it is compared with, or `None`. With `luck`, the size up
            to which it may be the luck of the trainings, and is open.
    """

    recipe: object
    profile: str
    missing: list
    found: object = None
    decides: bool = False
    change: dict | None = None

    @property
    def name(self):
        """Its name on the page."""
        return self.recipe.name.partition("/")[2] + (f" + {DECISION}" if self.decides else "")


def ladder(of, runs):
    """Returns the `Row`s of a `Ladder`, then those of its decisions.

    Args:
        of: `Ladder`.
        runs: List of `SavedRun`.
    """
    done = {p: {r.name: runs_by_fold(runs, r.name, p) for r in of.recipes} for p in _PROFILES}
    profile = max(_PROFILES, key=lambda each: sum(map(len, done[each].values())))
    rows, found = [], {}
    above = dict(zip([r.name for r in of.recipes[1:]], [r.name for r in of.recipes], strict=False))
    for recipe in of.recipes:
        by_fold = done[profile][recipe.name]
        missing = sorted(set(range(recipe.split.options["folds"])) - set(by_fold))
        found[recipe.name] = this = out_of_fold(by_fold, recipe)
        other = found.get((above | of.against).get(recipe.name))
        change = difference(this, other) if this and other else None
        rows.append(Row(recipe, profile, missing, this, change=change))
    changes = [row.change for row in rows if row.change]
    luck = _luck(changes) if changes else None
    for change in changes:
        change["luck"] = luck
        if abs(change["difference"]) <= luck:
            change["verdict"] = "open"
    return rows + [_decided(row) for row in rows if row.found and row.recipe.name in of.decided]


def _luck(changes):
    """The largest difference of equal recipes, 95 %, by the spread over folds that all rows share."""
    from scipy.stats import t

    by_fold = np.array([change["by_fold"] for change in changes])
    rows, folds = by_fold.shape
    spread = math.sqrt(by_fold.var(axis=1, ddof=1).mean())
    return t.ppf(0.975, rows * (folds - 1)) * spread / math.sqrt(folds)


def _decided(row):
    """The same predictions, decided for macro recall."""
    found = balanced(row.found)
    return Row(row.recipe, row.profile, [], found, True, difference(found, row.found))


def ladders(runs):
    """Returns the rows of all ladders by title."""
    return {title: ladder(of, runs) for title, of in LADDERS.items()}
