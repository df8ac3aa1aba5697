"""The recipes to start from, and the ladder from the plain one to the best."""

import dataclasses
import itertools

import pytest

from skinkit.papers.best import ABLATION, FOLDS, LITE0
from skinkit.papers.recipe import Recipe
from skinkit.papers.registry import comparisons, recipe


def changed(first, second):
    """Fields of two resolved recipes that differ, besides what they are called."""
    names = {field.name for field in dataclasses.fields(Recipe)} - {"name", "title"}
    return {name for name in names if getattr(first, name) != getattr(second, name)}


@pytest.mark.parametrize("profile", ["quick", "smoke"])
def test_each_row_of_the_ablation_adds_one_ingredient(profile):
    rows = [row.resolve(profile) for row in ABLATION]
    sizes = {"image_size", "crop_size"}
    expected = [{"phases"}, {"phases"}, {"image_size"}, {"input", *sizes}, {"augmentation", "tta", *sizes}]
    for before, after, fields in zip(rows, rows[1:], expected, strict=False):
        assert changed(before, after) <= fields
    if profile == "quick":
        assert {sum(phase.epochs for phase in row.phases) for row in rows} == {12}


def test_the_ladder_ends_with_the_best_recipe_in_fewer_epochs():
    best, parts = LITE0.resolve("quick"), ABLATION[4].resolve("quick")
    assert changed(best, parts) == {"split", "phases", "selection_every"}
    assert dataclasses.replace(parts.phases[0], epochs=20) == best.phases[0]
    plain = recipe("skinkit/baseline/efficientnet-lite0-plain").resolve("quick")
    assert changed(plain, FOLDS[0].resolve("quick")) == {"split"}


def test_neighbours_are_compared_on_the_same_images():
    ours = ("skinkit/best/", "skinkit/folds/")
    pairs = [pair for pair in comparisons() if pair[0].startswith(ours)]
    # These are compared out of fold, each with the one above it.
    for rows in (FOLDS, ABLATION):
        pairs += itertools.pairwise(row.name for row in rows)
    assert len(pairs) == 3 + 4 + 3 + 5
    for first, second in pairs:
        first, second = recipe(first), recipe(second)
        assert (first.split, first.dataset, first.test_part) == (
            second.split,
            second.dataset,
            second.test_part,
        )
