"""The worth of a sound protocol: scores of recipes whose test images training knows, and does not know."""

import math

import pandas as pd

from skinkit.experiments.results.finished_runs import ALIKE, ENOUGH_RUNS
from skinkit.experiments.results.pages.page_text import (
    leak_text,
    leakage,
    metric_words,
    named_scores,
    short,
    wrapped,
)
from skinkit.papers.recipe_page import changed_fields
from skinkit.papers.registry import recipe as find_recipe
from skinkit.papers.registry import recipes

_SHARED = [name for name in ALIKE if name not in ("protocol", "stale")]
_METRICS = ("macro_recall", "accuracy")
# Told by the leak, and by where the epoch was chosen.
_PARTS = ("split", "test_part", "selection_part")
_SAID = {
    "offline": "when copies are made",
    "phases": "learning rates or epochs",
    "scaling": "range of pixel values",
}
_Z = 1.96
_HEAD = (
    "Each line is a recipe under two protocols, whose test images differ: the interval adds up those of both "
    "scores and their spread over the runs, as if they were independent. The leak is one of the things that "
    "differ; the others are named."
)


def split_text(ledger):
    """Returns the differences between `corrected` and the other protocols as text, `""` without any.

    Args:
        ledger: DataFrame of `skinkit.experiments.ledger`, of the recipes of one page.
    """
    rows = ledger[ledger["stale"].eq("") & (ledger["runs"].astype(float) >= ENOUGH_RUNS)]
    rows = rows.assign(metric=named_scores(rows))
    monitors = rows["recipe"].map({recipe.name: recipe.monitor for recipe in recipes()})
    rows = rows[rows["metric"].isin(_METRICS) | (rows["metric"].eq(monitors) & rows["class"].ne("all"))]
    rows = rows.assign(leak=leakage(rows)).drop_duplicates([*_SHARED, "protocol", "metric"])
    lines = []
    for _, alike in rows.groupby([*_SHARED, "metric"], sort=False):
        by_protocol = {row.protocol: row for row in alike.itertuples()}
        if (sound := by_protocol.pop("corrected", None)) is not None:
            lines += [_line(other, sound) for other in by_protocol.values()]
    return "\n".join([wrapped(_HEAD), "", *lines]) if lines else ""


def _line(other, sound):
    difference = other.measured - sound.measured
    half = _Z * math.hypot(_error(other), _error(sound))
    interval = f", 95 % {difference - half:+.3f} to {difference + half:+.3f}" if not math.isnan(half) else ""
    said = f"{difference:+.3f} {metric_words(other.metric)}{interval}"
    leaks = f"leak {leak_text(other.leak)} against {leak_text(sound.leak)}"
    changed = ", ".join(_changed(other))
    besides = f"; besides the split differ: {changed}" if changed else ""
    name = f"`{short(other.recipe)}`, {other.protocol} minus corrected"
    return wrapped(f"- {name}: {said}; {leaks}{besides}.", "  ")


def _changed(row):
    """The settings, but for those of the split, that its protocol changes."""
    recipe = find_recipe(row.recipe)
    other, sound = (recipe.resolve(row.profile, protocol) for protocol in (row.protocol, "corrected"))
    fields = [field for field in changed_fields(other, sound) if field not in _PARTS]
    said = [_SAID.get(field, field.replace("_", " ")) for field in fields]
    if _looks_at_test(other) and not _looks_at_test(sound):
        said.append("the epoch (chosen on the test images)")
    return said


def _looks_at_test(recipe):
    """Whether the images that score a recipe have chosen its epoch."""
    parts = ({*part.split("+")} for part in (recipe.selection_part, recipe.test_part))
    return recipe.selection == "best" and not set.isdisjoint(*parts)


def _error(row):
    """The standard error of a score, from its interval and from the spread over its runs."""
    spread = row.run_sd / math.sqrt(row.runs) if pd.notna(row.run_sd) else 0.0
    return math.hypot((row.high - row.low) / (2 * _Z), spread)
