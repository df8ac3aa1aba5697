"""The recipes of gessert2019 say what the document and its code say."""

import pytest

from skinkit.papers import gessert2019, recipe
from skinkit.papers.published import load_published
from skinkit.papers.recipe import PROTOCOLS
from skinkit.papers.registry import same_method


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
    assert schedule.options == {"after": (19 / 50, 29 / 50, 39 / 50, 49 / 50)}
    assert (found.phases[0].epochs, found.batch_size, found.selection) == (50, 5, "last")
    assert (found.image_size, found.crop_size, found.input.options) == ((450, 600), 224, {"count": 5})
    assert found.model.options["patch_dropout"] == 0.1
    assert full("table3/densenet121-attention-9").model.options["patch_dropout"] == 0.2
    assert found.loss.options == {"reduction": "mean_with_sample_weight"}


def test_the_protocols_differ_where_code_and_text_do():
    assert full("table2/densenet121-end", "as_published").model.options["final_relu"] is False
    assert "final_relu" not in full("table2/densenet121-end", "as_described").model.options
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
        fields = vars(arm)
        assert {f for f in fields if fields[f] != getattr(control, f)} == {
            "name",
            "title",
            "model",
            "published",
        }


def test_spc_has_six_classes_and_its_official_split():
    found = full("table4/seresnext50-gru")
    assert (found.dataset, found.split.name, found.classes) == ("derm7pt", "derm7pt_split", "derm7pt")
