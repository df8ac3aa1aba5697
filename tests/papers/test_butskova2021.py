"""The recipes of butskova2021 say what the document says, and what our own leave apart."""

import dataclasses

import pytest

from skinkit.papers import recipe
from skinkit.papers.butskova2021 import controls, recipes
from skinkit.papers.published import load_published
from skinkit.papers.registry import recipes as recipes_of
from skinkit.papers.registry import same_method
from skinkit.tasks.batches import pipeline_spec

ALL = (*recipes.RECIPES, *controls.RECIPES)


def get(name, profile="full", protocol="corrected"):
    return recipe(f"butskova2021/{name}").resolve(profile, protocol)


def differing(one, other):
    fields = [f.name for f in dataclasses.fields(one)]
    texts = ("name", "title", "published")
    return {f for f in fields if f not in texts and getattr(one, f) != getattr(other, f)}


def test_every_row_of_the_tables_has_a_recipe():
    rows = load_published("butskova2021").query("table in ['unpretrained', 'pretrained']")
    for table, row in rows[["table", "row"]].drop_duplicates().itertuples(index=False):
        assert recipe(f"butskova2021/{table}/{row}").published_row == f"butskova2021/{table}/{row}"


@pytest.mark.parametrize("found", ALL, ids=lambda found: found.name)
def test_there_is_no_released_code_and_the_text_scores_the_part_it_chooses_on(found):
    assert found.known_protocols == ("as_described", "corrected")
    said, sound = found.resolve("full", "as_described"), found.resolve("full", "corrected")
    assert said.split.name == "butskova2021_split"
    assert said.selection_part == said.test_part == "validation"
    assert all(phase.optimiser.options == {"learning_rate": 1e-3} for phase in said.phases)
    cycles = {"cosine"} if found.name.endswith("fastai-defaults") else {"constant"}
    assert {phase.schedule.name for phase in said.phases} <= cycles
    assert (sound.selection_part, sound.test_part) == ("validation", "test")
    assert sound.split.options["group"] == "lesion+patient"
    assert differing(said, sound) <= {"split", "selection_part", "test_part", "phases"}


def test_a_network_without_pretraining_sees_a_crop_of_128_and_the_centre():
    spec = pipeline_spec(get("unpretrained/resnet50-gamma2"), augment=False)
    assert spec.image_size == (450, 600) and spec.input_shape == (128, 128, 3)
    assert spec.shape(training=False) == (1, 128, 128, 3)
    assert sum(phase.epochs for phase in get("unpretrained/resnet50-gamma2").phases) == 20


@pytest.mark.parametrize("table", ["unpretrained/resnet50", "gamma/mobilenet"])
def test_the_rows_of_a_gamma_table_differ_in_gamma_alone(table):
    rows = [get(f"{table}-gamma{gamma}") for gamma in ("0", "1", "1.5", "2", "5")]
    assert [row.loss.options for row in rows] == [{"gamma": gamma} for gamma in (0.0, 1.0, 1.5, 2.0, 5.0)]
    assert all(differing(rows[0], row) == {"loss"} for row in rows[1:])


@pytest.mark.parametrize("protocol", ["as_described", "corrected"])
@pytest.mark.parametrize(
    ("first", "second", "fields"),
    [
        ("controls/efficientnet-gamma1-no-mixup", "pretrained/efficientnet-gamma1", {"mixing"}),
        ("controls/efficientnet-gamma0-mixup", "pretrained/efficientnet-gamma1", {"loss"}),
        ("controls/mixup-beta", "pretrained/efficientnet-gamma1", {"mixing"}),
        ("pretrained/resnet50-gamma1", "controls/efficientnet-gamma1-no-mixup", {"model"}),
        ("controls/gate-discount1", "pretrained/two-stage-efficientnet-gamma1-gate", {"loss"}),
        ("controls/scratch-256", "unpretrained/resnet50-gamma0", {"crop_size"}),
        ("controls/scratch-equal-steps", "unpretrained/resnet50-gamma1", {"phases"}),
        (
            *("controls/downsampled-mixup", "unpretrained/resnet50-gamma1"),
            {"mixing", "input", "crop_size", "image_size"},
        ),
        (
            *("controls/fastai-defaults", "unpretrained/resnet50-gamma1"),
            {"phases", "augmentation", "scaling", "channel_order", "selection"},
        ),
        ("controls/resnet50-gamma5-inverse-frequency", "unpretrained/resnet50-gamma5", {"loss"}),
        ("stages/lite0-gamma1-mixup", "stages/lite0-gamma1", {"mixing"}),
        ("stages/lite0-gamma0-mixup", "stages/lite0-gamma1-mixup", {"loss"}),
        ("stages/lite0-rest", "stages/lite0-gamma1-mixup", {"target"}),
        ("stages/lite0-gate", "stages/lite0-gamma1-mixup", {"target", "loss", "positive"}),
    ],
)
def test_a_control_differs_from_its_row_in_one_thing(first, second, fields, protocol):
    assert differing(get(first, protocol=protocol), get(second, protocol=protocol)) == fields


def test_the_gate_has_nevi_at_half_their_weight_and_the_controls_others():
    gate = recipe("butskova2021/pretrained/two-stage-efficientnet-gamma1-gate")
    assert same_method(gate)[1].name == "butskova2021/controls/gate-discount0.5"
    alphas = [get(f"controls/gate-discount{d}").loss.options["alpha"] for d in ("0.25", "0.5", "1")]
    # The first label of a gate is the class itself.
    assert alphas == [[0.25, 1.0], [0.5, 1.0], [1.0, 1.0]]


def test_mixup_is_fixed_at_the_weights_of_the_text():
    first, second = load_published("butskova2021").query("row == 'mixup' and value.notna()")["value"]
    mixing = get("pretrained/efficientnet-gamma1").mixing
    assert mixing.options == {"weight": first} and first + second == 1


def test_the_small_networks_are_measured_at_the_proportions_of_the_document():
    quick, full = (get("gamma/mobilenet-gamma1", profile) for profile in ("quick", "full"))
    assert (quick.image_size, quick.crop_size) == ((225, 300), 64)
    assert (full.image_size, full.crop_size) == ((450, 600), 128)
    assert quick.subset is None and quick.phases == full.phases
    assert get("stages/lite0-gate", "quick").image_size == (128, 128)


def test_no_flips_of_an_image_make_another_angle_of_it():
    learned = [r for r in recipes_of("butskova2021") if r.target and r.target.name == "rotation"]
    assert len(learned) == 6
    assert all(r.augmentation == {"flip_left_right": 0.5} for r in learned)
