"""The members of an ensemble: the runs of other recipes that are joined into one."""

import dataclasses
from dataclasses import dataclass
from typing import Literal

from skinkit.papers.choice import choose
from skinkit.values import Count, NonNegative, check_options

# Fields of a recipe that change training alone, which an ensemble has none of.
UNTRAINED = {
    **{"phases": (), "augmentation": {}, "mixing": None, "start_from": None, "tta": None},
    **{"teaching": None, "classifier": None},
    **{"selection": "last", "score_best": False, "selection_every": 0.0},
}


@dataclass(frozen=True)
class Members:
    """The options of `Recipe.members`, but for the rule.

    Args:
        recipes: Their names, one at least.
        seeds: Integer n, seeds of each recipe. An ensemble with seed s has those from n * s on, so that
            ensembles of different seeds share no member.
        folds: Integer, folds of each recipe from 0 on, of which fold f has the seeds from f on; `None` for
            the ensemble's own alone.
        weights: `"equal"`; `"validation"`, chosen on the ensemble's validation images
            (`skinkit.evaluation.choose_weights`); or a number for each member, which sum to 1.
    """

    recipes: tuple[str, ...]
    seeds: Count = 1
    folds: Count | None = None
    weights: Literal["equal", "validation"] | tuple[NonNegative, ...] = "equal"

    def __post_init__(self):
        if not self.recipes:
            raise ValueError("An ensemble has one member or more. Received: recipes=()")

    def runs(self, fold, seed):
        """Returns the recipe's name, fold and seed of each member, for the fold and seed of the ensemble."""
        seeds = range(seed * self.seeds, (seed + 1) * self.seeds)
        if self.folds is None:
            return [(name, fold, s) for name in self.recipes for s in seeds]
        return [(name, f, f + s) for name in self.recipes for f in range(self.folds) for s in seeds]


def members_of(recipe):
    """Returns the `Members` of a recipe, `None` for one without.

    Raises:
        ValueError: for options that cannot be right.
    """
    if recipe.members is None:
        return None
    try:
        check_options("`members`", (Members,), recipe.members.options)
        return Members(**recipe.members.options)
    except ValueError as error:
        raise ValueError(f"{recipe.name}: {error}") from error


def ensemble(first, name, title, rule="mean", **changes):
    """Returns the `Recipe` of an ensemble, with the data, split and scores of its first member.

    Args:
        first: `Recipe` of a member.
        name: As in `Recipe`.
        title: As in `Recipe`.
        rule: String, a key of `skinkit.evaluation.ENSEMBLE_RULES`.
        **changes: Options of `Members`, and other fields of the `Recipe` that differ.
    """
    options = {key: changes.pop(key) for key in Members.__dataclass_fields__ if key in changes}
    members = choose(rule, **{"recipes": (first.name,), **options})
    overrides = {field: _untrained(getattr(first, field)) for field in ("protocols", "profiles")}
    fields = {**UNTRAINED, **overrides, "members": members, "published": "", **changes}
    return dataclasses.replace(first, name=name, title=title, **fields)


def _untrained(overrides):
    left_out = {"epochs", *UNTRAINED}
    return {key: of and {f: v for f, v in of.items() if f not in left_out} for key, of in overrides.items()}
