"""The registry of recipes, by name, document and method."""

import fnmatch
import functools
import re

from skinkit.names import counted, did_you_mean
from skinkit.papers import baselines, best
from skinkit.papers.bermeo2023 import controls as bermeo2023_controls
from skinkit.papers.bermeo2023 import recipes as bermeo2023
from skinkit.papers.butskova2021 import controls as butskova2021_controls
from skinkit.papers.butskova2021 import ensembles as butskova2021_ensembles
from skinkit.papers.butskova2021 import pretext as butskova2021_pretext
from skinkit.papers.butskova2021 import recipes as butskova2021
from skinkit.papers.butskova2021 import stages as butskova2021_stages
from skinkit.papers.datta2021 import recipes as datta2021
from skinkit.papers.gessert2019 import recipes as gessert2019
from skinkit.papers.hernandez2020 import controls as hernandez2020_controls
from skinkit.papers.hernandez2020 import recipes as hernandez2020
from skinkit.papers.koefler2023 import recipes as koefler2023
from skinkit.papers.places import find_name, places
from skinkit.registration import calling_place, register

_MODULES = (
    *(baselines, best, koefler2023, datta2021, gessert2019, hernandez2020, hernandez2020_controls),
    *(butskova2021, butskova2021_controls, butskova2021_stages, butskova2021_ensembles),
    butskova2021_pretext,
    *(bermeo2023, bermeo2023_controls),
)
_ALL = "`skinkit list` shows all; recipes of one's own need `--import MODULE`"
_RECIPES = {recipe.name: recipe for module in _MODULES for recipe in module.RECIPES}


def register_recipe(recipe):
    """Makes a `Recipe` of one's own known under its name, to `skinkit run` and the ledger, and returns it.

    Raises:
        ValueError: for a name that is taken.

    Example:
        >>> own = recipe("skinkit/demo/synthetic").with_("own/demo/large-batches", batch_size=128)
        >>> register_recipe(own).batch_size
        128
    """
    register("Recipes", _RECIPES, recipe.name, recipe, calling_place())
    _by_method.cache_clear()
    return recipe


def recipes(document=None):
    """Returns all recipes, or those of one document or table, in the order of the tables.

    Args:
        document: String, a key such as `"gessert2019"`, or with a table, `"gessert2019/II"`; `None` for all.

    Raises:
        ValueError: when no recipe belongs to it, with the nearest names.
    """
    place = recipe_place(document)
    return [r for name, r in _RECIPES.items() if name.startswith(place)]


def recipe_place(document=None):
    """Returns what the names of the recipes of a document or table begin with, as `recipes` is given it."""
    if not document:
        return ""
    said, _, table = document.rstrip("/").partition("/")
    known = {r.document: r.document for r in _RECIPES.values()}
    key = find_name("Documents with recipes (`--import MODULE` adds one's own)", said, known)
    if not table:
        return f"{key}/"
    own, printed = (name.split("/")[:2] for name in _RECIPES), places(key)
    known = {name: printed.get(name, name) for document, name in own if document == key}
    return f"{key}/{find_name(f'Tables of {key} with recipes', table, known)}/"


def recipe(name):
    """Returns the recipe called `name`.

    Raises:
        ValueError: for an unknown name, with the nearest ones.
    """
    if name in _RECIPES:
        return _RECIPES[name]
    if inside := [each for each in _RECIPES if each.startswith(f"{name.rstrip('/')}/")]:
        raise ValueError(
            f"{name} holds {counted(len(inside), 'recipe')}, first {inside[0]}: see `skinkit list {name}`"
        )
    hint = did_you_mean(name, _RECIPES) or did_you_mean(f"/{name}", _endings(_RECIPES))
    raise ValueError(f"No recipe is called {name!r}.{hint} {_ALL}")


def _endings(names):
    return [each[each.rindex("/") :] for each in names]


def matching_recipes(patterns):
    """Returns the recipes that patterns name, each once, in the order of the patterns.

    Args:
        patterns: Sequence of strings: names of recipes, tables (`document/table`) and documents, and globs of
            them such as `gessert2019/*/mobilenet-*`.

    Raises:
        ValueError: for a pattern that no recipe fits, with the nearest names.
    """
    return list({r.name: r for pattern in patterns for r in _matching(pattern)}.values())


def _matching(pattern):
    known = {place: None for r in recipes() for place in _places(r)}
    fit = {place for place in known if fnmatch.fnmatchcase(place, pattern.rstrip("/"))}
    if not fit:
        hint = did_you_mean(pattern, known)
        raise ValueError(f"No recipe, table or document fits {pattern!r}.{hint} {_ALL}")
    return [r for r in recipes() if not fit.isdisjoint(_places(r))]


def _places(recipe):
    """Its document, table and name."""
    return [recipe.name.rsplit("/", depth)[0] for depth in (2, 1)] + [recipe.name]


def same_method(asked):
    """Returns all recipes that carry out the same as the `Recipe` `asked`, itself included.

    A document may print one experiment in several tables, as gessert2019 does with Multi-Crop.
    """
    found = _by_method().get(asked.hash, [])
    return found if asked in found else [asked]


@functools.cache
def _by_method():
    groups = {}
    for found in recipes():
        groups.setdefault(found.hash, []).append(found)
    return groups


def printed_table(table):
    """Returns the printed table or row that one of our own stands in for, or the table or row itself."""
    stands_for = [getattr(module, "STANDS_FOR", {}) for module in _MODULES]
    return next((known[table] for known in stands_for if table in known), table)


def printed_rows(name, rows):
    """Returns the printed rows that a recipe's row stands for, with what tells their network.

    Args:
        name: String, `document/table/row` of a recipe, or of a printed row.
        rows: Strings, the printed rows there are, named alike.

    Returns:
        Dictionary from the row to `""`: its own, or the one that it stands in for. Without one, and for a row
        `network-arm`, from each printed row of the same arm to its network.
    """
    own = printed_table(name)
    if own in rows:
        return {own: ""}
    table, _, row = name.rpartition("/")
    pattern = f"{re.escape(printed_table(table))}/([^-/]+)-{re.escape(row.partition('-')[2])}"
    found = {each: re.fullmatch(pattern, each) for each in rows}
    return {each: match[1] for each, match in found.items() if match}


def choices(document):
    """Returns what the modules of a document's recipes say of it, and of what it leaves open."""
    own = [m.__doc__ for m in _MODULES if m.__name__.startswith(f"skinkit.papers.{document}.")]
    return [text.strip() for text in own]


def comparisons():
    """Returns the pairs of recipe names which the modules ask to be compared, `(first, second)`."""
    return [pair for module in _MODULES for pair in module.COMPARISONS]
