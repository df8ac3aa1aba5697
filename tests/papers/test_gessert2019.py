"""The recipes of gessert2019 say what the document and its code say."""

import pytest
from recipe_fields import differing

from skinkit.papers import recipe
from skinkit.papers.gessert2019 import recipes as gessert2019
from skinkit.papers.published import load_published
from skinkit.papers.recipe import PROTOCOLS
from skinkit.papers.registry import same_method
from skinkit.training import build_schedule


def full(name, protocol="corrected"):
    return recipe(f"gessert2019/{name}").resolve("full", protocol)


def test_each_of_the_78_rows_has_one_recipe_under_three_protocols():
    rows = load_published("gessert2019").query("table.str.fullmatch('table[2-6]')", engine="python")
    rows = rows[["table", "row"]].drop_duplicates()
    assert len(rows) == 78
    for table, row in rows.itertuples(index=False):
        found = recipe(f"gessert2019/{table}/{row}")
        assert found.published_row == found.name
        assert found.known_protocols == PROTOCOLS
    targets = [r.published_row for r in gessert2019.RECIPES if r.published_row]
    assert sorted(targets) == sorted(set(targets))
    assert len(targets) == 78


@pytest.mark.parametrize("backbone", gessert2019.BACKBONES)
def test_multi_crop_is_one_experiment_in_four_tables(backbone):
    names = [
        f"gessert2019/{row}"
        for row in (
            f"table2/{backbone}-multi-crop",
            f"table3/{backbone}-multi-crop-9",
            f"table5/{backbone}-loss-weighting",
            f"table6/{backbone}-k1.00",
        )
    ]
    assert [r.name for r in same_method(recipe(names[2]))] == names


def test_attention_trains_as_released():
    found = full("table3/densenet121-attention-5", "as_published")
    adam, schedule = found.phases[0].optimiser.options, found.phases[0].schedule
    assert adam == {"learning_rate": pytest.approx(2.083e-5, rel=1e-3), "epsilon": 1e-8}
    assert schedule.options == {"after": (18 / 50, 28 / 50, 38 / 50, 48 / 50)}
    assert (found.phases[0].epochs, found.batch_size, found.selection) == (50, 5, "last")
    assert (found.image_size, found.crop_size, found.input.options) == ((450, 600), 224, {"count": 5})
    assert found.model.options["patch_dropout"] == 0.1
    assert full("table3/densenet121-attention-9").model.options["patch_dropout"] == 0.2
    assert found.loss.options == {"reduction": "mean_with_sample_weight"}


def test_epochs_19_29_39_and_49_are_the_first_at_half_the_rate():
    phase = full("table2/inceptionv3-initial").phases[0]
    rate = phase.optimiser.options["learning_rate"]
    # 4,993 images of fold 0 are 999 batches of 5; the first step of an epoch is number 999 * (epoch - 1).
    schedule = build_schedule(
        phase.schedule.name, rate, phase.epochs, steps_per_epoch=999, **phase.schedule.options
    )
    for halvings, epoch in enumerate((19, 29, 39, 49)):
        first = 999 * (epoch - 1)
        assert float(schedule(first - 1)) == pytest.approx(rate / 2**halvings)
        assert float(schedule(first)) == pytest.approx(rate / 2 ** (halvings + 1))


def test_rates_are_those_of_the_released_configurations():
    def rate(name):
        return full(name).phases[0].optimiser.options["learning_rate"]

    for backbone in gessert2019.PUBLISHED_BACKBONES:
        assert rate(f"table2/{backbone}-gru") == pytest.approx(1.25e-5 * 5 / 3)
        assert rate(f"table4/{backbone}-attention") == rate(f"table4/{backbone}-gru") == 1.25e-5
        assert rate(f"table4/{backbone}-multi-crop") == pytest.approx(2.5e-5)
        assert rate(f"table5/{backbone}-balanced-batches") == pytest.approx(2.625e-5)
        assert rate(f"table5/{backbone}-oversampling") == pytest.approx(2.5e-5)


def test_the_code_leaves_the_last_relu_out_of_ordered_crops_alone():
    without = [
        found.name
        for found in gessert2019.RECIPES
        if found.resolve("full", "as_published").model.options.get("final_relu") is False
    ]
    ordered = [
        found.name
        for found in gessert2019.RECIPES
        if found.input.name == "ordered_crops" and found.model.options["backbone"] == "densenet121"
    ]
    assert without == ordered
    assert not any(
        "final_relu" in found.resolve("full", protocol).model.options
        for found in gessert2019.RECIPES
        for protocol in ("as_described", "corrected")
    )


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_batch_normalisation_has_the_momentum_of_pytorch(protocol):
    for found in gessert2019.RECIPES:
        model = found.resolve("full", protocol).model
        network = model.options.get("backbone", model.name)
        expected = 0.9 if network in ("densenet121", "inception_v3") else None
        assert model.options.get("batch_norm_momentum") == expected


def test_the_code_looks_for_the_best_epoch_first_and_every_fifth():
    assert full("table2/seresnext50-dual", "as_published").epochs_between_looks == 5
    assert full("table2/seresnext50-dual").epochs_between_looks == 1
    quick = recipe("gessert2019/table2/seresnext50-multi-crop").resolve("quick", "as_published")
    assert quick.epochs_between_looks == 1


def test_the_protocols_differ_where_code_and_text_do():
    jitter = [full("table2/densenet121-end", protocol).augmentation for protocol in PROTOCOLS]
    assert [options.get("colour_order", "joint") for options in jitter] == ["random", "joint", "joint"]
    single = "table2/inceptionv3-single-crop"
    assert full(single, "as_published").input.options == {"evaluation": "centre336"}
    assert full(single, "as_described").input.options == {}
    diagnosis = "table5/inceptionv3-diagnosis-weighting"
    assert full(diagnosis, "as_published").balancing.options == {"mode": "as_released", "normalise": False}
    assert full(diagnosis).balancing.options == {}
    assert full("table5/inceptionv3-oversampling", "as_published").balancing.options["length"] == "released"
    assert full("table5/inceptionv3-oversampling").balancing.options["length"] == "equal"
    for protocol, scaling in (("as_published", "unit"), ("as_described", "unit"), ("corrected", None)):
        assert full(single, protocol).scaling == scaling


def test_the_seven_classes_divide_a_balanced_batch():
    assert full("table5/seresnext50-balanced-batches").batch_size % 7 == 0


def test_the_arms_of_table_2_differ_in_their_network_alone():
    arms = [full(f"table2/densenet121-{arm}") for arm in ("initial", "end", "dual", "gru")]
    control = full("controls/densenet121-ordered")
    for arm in arms:
        assert differing(arm, control) == {"name", "title", "model", "published"}


def test_spc_has_six_classes_and_its_official_split():
    found = full("table4/seresnext50-gru")
    assert (found.dataset, found.split.name, found.classes) == ("derm7pt", "derm7pt_split", "derm7pt")
