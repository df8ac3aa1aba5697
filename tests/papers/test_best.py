"""The recipes to start from, and the ladder from the plain one to the best."""

import dataclasses
import itertools
import math

import numpy as np
import pytest

from skinkit.data import CLASS_MAPS
from skinkit.papers.best import ABLATION, BASE, CANDIDATES, FOLDS, LITE0
from skinkit.papers.recipe import Recipe
from skinkit.papers.registry import comparisons, recipe
from skinkit.training import build_loss, class_weights, resolve_alpha


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
        assert {sum(phase.epochs for phase in row.phases) for row in rows} == {9}


def test_the_ladder_ends_with_the_best_recipe_in_fewer_epochs():
    best, parts = LITE0.resolve("quick"), BASE.resolve("quick")
    assert changed(best, parts) == {"split", "phases", "selection_every"}
    assert dataclasses.replace(parts.phases[0], epochs=20) == best.phases[0]
    plain = recipe("skinkit/baseline/efficientnet-lite0-plain").resolve("quick")
    assert changed(plain, FOLDS[0].resolve("quick")) == {"split"}


def test_a_candidate_changes_what_its_name_says_of_the_best_recipe_in_fewer_epochs():
    made = {recipe.name.rpartition("/")[2]: recipe for recipe in CANDIDATES}
    sizes, again = {"image_size", "crop_size"}, {"start_from", "phases", "classifier"}
    expected = {
        "resolution-start": {*sizes, "phases"},
        "resolution": {*sizes, "phases", "start_from"},
        "head": again,
        "metadata": again,
        "illuminant": {"augmentation"},
        "mixup": {"mixing", "balancing", "loss"},
        "student": {"teaching"},
    }
    for profile in ("quick", "full"):
        base = BASE.resolve(profile)
        assert {row: changed(recipe.resolve(profile), base) for row, recipe in made.items()} == expected
        epochs = sum(phase.epochs for phase in base.phases)
        start, end = (made[row].resolve(profile) for row in ("resolution-start", "resolution"))
        work = [r.phases[0].epochs * math.prod(r.crop_size) for r in (start, end, base)]
        assert start.phases[0].epochs + end.phases[0].epochs == epochs and work[0] + work[1] < work[2]


def test_an_image_that_is_not_mixed_has_the_loss_of_the_best_recipe_without_smoothing():
    labels = (
        ["nv"] * 670 + ["mel"] * 111 + ["bkl"] * 110 + ["bcc"] * 51 + ["akiec"] * 33 + ["vasc"] * 14 + ["df"]
    )
    order, mixup = CLASS_MAPS["isic2018"].labels, recipe("skinkit/candidates/mixup")
    weights = class_weights(labels, order, **BASE.balancing.options)
    loss = build_loss(mixup.loss.name, **resolve_alpha(mixup.loss.options, order, labels))
    answers = np.random.default_rng(0).dirichlet(np.ones(len(order)), len(order)).astype("float32")
    truth = np.eye(len(order), dtype="float32")
    expected = build_loss(BASE.loss.name)(truth, answers, sample_weight=np.array([*weights.values()]))
    assert float(loss(truth, answers)) == pytest.approx(float(expected), rel=1e-5)
    assert BASE.loss.options == {"label_smoothing": 0.05} and "label_smoothing" not in mixup.loss.options


def test_the_teachers_of_the_student_are_the_networks_of_its_fold():
    student = recipe("skinkit/candidates/student")
    assert student.teaching.options["teachers"] == tuple(each.name for each in FOLDS[1:])
    assert student.resolve("quick").crop_size == FOLDS[1].resolve("quick").crop_size


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
