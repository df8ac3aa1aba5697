"""The recipes of hernandez2020 say what the document and its appendices say."""

import pytest
from recipe_fields import differing

from skinkit.papers import recipe, recipes
from skinkit.papers.hernandez2020 import controls
from skinkit.papers.published import load_published
from skinkit.papers.recipe import PROTOCOLS


def full(name, protocol="corrected"):
    return recipe(f"hernandez2020/{name}").resolve("full", protocol)


def test_the_networks_of_table_4_have_a_recipe_each_under_three_protocols():
    rows = load_published("hernandez2020").query("table == 'table4'")["row"].unique()
    for row in set(rows) - {"cae-extra-trees"}:
        found = recipe(f"hernandez2020/table4/{row}")
        assert found.published_row == found.name
        assert found.known_protocols == PROTOCOLS


@pytest.mark.parametrize("found", recipes("hernandez2020"), ids=lambda r: r.name)
def test_a_recipe_names_what_there_is(found):
    names = {r.name for r in recipes()}
    assert found.start_from is None or found.start_from in names
    targets = load_published("hernandez2020")
    targets = set("hernandez2020/" + targets["table"] + "/" + targets["row"])
    assert found.published_row == "" or found.published_row in targets


@pytest.mark.parametrize("row", ["wrs", "attention-em", "static-mean-em"])
def test_table_4_scores_training_and_validation_together(row):
    parts = {protocol: full(f"table4/{row}", protocol).test_part for protocol in PROTOCOLS}
    assert parts == {
        "as_published": "train+validation",
        "as_described": "validation",
        "corrected": "test",
    }
    assert full(f"table4/{row}").split.options == {"test": True}
    assert full(f"table4/{row}", "as_published").split.options == {}


def test_context_starts_from_the_weighted_random_sampler():
    for row in ("contextual-sampler", "attention-em", "static-mean-em"):
        assert full(f"table4/{row}").start_from == "hernandez2020/table4/wrs"
    assert full("table4/wrs").start_from is None


def test_listings_and_text_differ():
    def options(row, protocol):
        return full(f"table4/{row}", protocol).model.options.get("context_options", {})

    assert options("contextual-sampler", "as_published") == {"variant": "listing_c"}
    assert options("attention-em", "as_published") == {"variant": "listing_e"}
    assert options("attention-em", "as_described") == options("attention-em", "corrected") == {}
    for protocol in ("as_published", "as_described"):
        assert options("static-mean-em", protocol) == {"exclude_self": False}
    assert options("static-mean-em", "corrected") == {}
    listed = full("table4/contextual-sampler", "as_published")
    assert (listed.balancing.options, listed.batch_size) == ({"images_per_patient": 1}, 8)
    assert full("table4/contextual-sampler").balancing.options == {}


@pytest.mark.parametrize("profile", ["full", "quick"])
def test_the_weighted_loss_takes_six_times_the_iterations_of_vanilla(profile):
    vanilla, weighted = (
        recipe(f"hernandez2020/{row}").resolve(profile) for row in ("text/vanilla", "table4/weighted-ce")
    )
    assert weighted.phases[1].epochs == 6 * vanilla.phases[1].epochs
    assert weighted.loss.options == {"reduction": "mean_with_sample_weight"}


@pytest.mark.parametrize(
    "pair", [p for p in controls.COMPARISONS if "lite0" in p[1] or "/synthetic/" in p[1]], ids=str
)
def test_controls_are_compared_on_one_test_part_after_the_last_epoch(pair):
    first, second = (recipe(name) for name in pair)
    assert (first.split, first.dataset, first.drawing) == (second.split, second.dataset, second.drawing)
    assert (first.selection, second.selection) == ("last", "last")
    assert first.published_row == second.published_row == ""


def test_the_longer_base_sees_as_many_images_as_those_with_context():
    longer, attention = full("controls/lite0-longer"), full("controls/lite0-attention")
    assert differing(longer, attention) == {
        *("name", "title", "model"),
        "revision",  # of attention alone
    }
