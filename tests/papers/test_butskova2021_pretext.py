"""The self-supervised recipes of butskova2021 say what the document says, and what our own leave apart."""

import dataclasses

import pytest

from skinkit.experiments.recipe_check import check_recipe
from skinkit.papers import recipe
from skinkit.papers.butskova2021 import pretext
from skinkit.papers.published import load_published

NAMES = [found.name.removeprefix("butskova2021/") for found in pretext.RECIPES]
STARTED = [found.name for found in pretext.RECIPES if found.start_from]


def get(name, profile="full", protocol="corrected"):
    return recipe(f"butskova2021/{name}").resolve(profile, protocol)


def differing(one, other):
    texts = ("name", "title", "published")
    fields = [f.name for f in dataclasses.fields(one) if f.name not in texts]
    return {name for name in fields if getattr(one, name) != getattr(other, name)}


def test_each_published_row_has_a_recipe_and_the_other_form_aims_at_the_same():
    rows = load_published("butskova2021").query("table == 'self-supervised'")
    aims = [found.published_row for found in pretext.RECIPES if found.published_row]
    assert sorted(aims) == sorted(2 * [f"butskova2021/self-supervised/{row}" for row in set(rows["row"])])
    assert not get("self-supervised/rotation").target
    assert get("self-supervised/context-restoration").target.options["joint"]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("profile", ["smoke", "quick", "full"])
def test_every_recipe_can_be_right(name, profile):
    assert recipe(f"butskova2021/{name}").known_protocols == ("as_described", "corrected")
    for protocol in ("as_described", "corrected"):
        check_recipe(get(name, profile, protocol))


@pytest.mark.parametrize("name", STARTED)
def test_a_classifier_follows_thirty_epochs_on_the_same_images(name):
    for profile in ("smoke", "quick", "full"):
        found = recipe(name).resolve(profile)
        first = recipe(found.start_from).resolve(profile)
        same = ("split", "dataset", "image_size", "subset", "batch_size")
        assert differing(found, first).isdisjoint(same)
        # A restorer has no backbone.
        assert first.model_size.items() <= found.model_size.items()
        # Where the angle is learned, one flip is left out.
        assert first.augmentation.items() <= found.augmentation.items()
    assert (sum(phase.epochs for phase in first.phases), first.selection) == (30, "last")
    assert sum(phase.epochs for phase in found.phases) == 20
    assert found.loss.options == {"gamma": 1.0} and first.target and not found.target


def test_patches_swaps_and_angles_are_those_of_the_text():
    target = get("self-supervised/context-restoration").target
    assert (target.options["patch"], target.options["swaps"]) == (8, 20)
    assert get("self-supervised/rotation-pretext").target.options == {"disc": False}


@pytest.mark.parametrize(
    ("first", "second", "fields"),
    [
        ("controls/restoration-patch16", "self-supervised/context-restoration", {"target"}),
        ("controls/restoration-90-epochs", "self-supervised/context-restoration", {"phases"}),
        ("controls/restoration-light", "self-supervised/context-restoration", {"model"}),
        ("controls/restoration-encoder", "self-supervised/context-restoration", {"model"}),
        ("controls/rotation-disc", "self-supervised/rotation", {"start_from"}),
        ("controls/rotation-disc-pretext", "self-supervised/rotation-pretext", {"target"}),
        (
            "self-supervised/rotation-joint",
            "self-supervised/rotation",
            {"start_from", "target", "augmentation"},
        ),
        ("pretext/mobilenet-scratch", "pretext/mobilenet-scratch-50-epochs", {"phases"}),
        ("pretext/mobilenet-rotation", "pretext/mobilenet-scratch", {"start_from"}),
        ("pretext/mobilenet-rotation-joint", "pretext/mobilenet-scratch", {"target", "augmentation"}),
        ("pretext/mobilenet-restoration", "pretext/mobilenet-restoration-joint", {"start_from", "target"}),
        ("pretext/mobilenet-restoration-encoder", "pretext/mobilenet-restoration", {"model"}),
        ("pretext/mobilenet-restoration-light", "pretext/mobilenet-restoration", {"model", "start_from"}),
    ],
)
def test_a_control_differs_from_its_row_in_one_thing(first, second, fields):
    assert differing(get(first), get(second)) == fields


def test_the_small_networks_are_measured_at_96_on_all_images():
    for name in (name for name in NAMES if name.startswith("pretext/")):
        quick, full = get(name, "quick"), get(name)
        assert quick.image_size == (96, 96) and quick.subset is None and quick.phases == full.phases
