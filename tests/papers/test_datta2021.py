"""The recipes of datta2021 say what the article and the public code say."""

import pytest
from recipe_fields import differing

from skinkit.papers import recipe
from skinkit.papers.datta2021 import recipes as datta2021
from skinkit.papers.published import load_published


def test_the_rows_with_published_numbers_have_recipes():
    rows = load_published("koefler2023").query("table == 'table4c'")["row"].unique()
    assert [recipe(f"koefler2023/table4c/{row}").published_row for row in rows] == [datta2021.VGG16_SA.name]
    assert recipe("datta2021/abstract/soft-attention").model.name == "datta_irv2"


@pytest.mark.parametrize("found", datta2021.RECIPES, ids=lambda r: r.name)
def test_the_settings_are_those_of_the_public_code(found):
    published = found.resolve("full", "as_published")
    assert published.phases[0].optimiser.options == {"learning_rate": 0.01, "epsilon": 0.1}
    assert (published.batch_size, published.phases[0].epochs) == (16, 150)
    assert (published.selection_part, published.monitor) == ("test", "accuracy")
    assert published.balancing.options["weights"] == {"mel": 5.0}
    assert published.split.options == {}
    assert "soft_attention" not in published.model.options


@pytest.mark.parametrize("found", datta2021.RECIPES, ids=lambda r: r.name)
def test_text_and_correction_change_one_thing_each(found):
    published, described, corrected = (
        found.resolve("full", protocol) for protocol in ("as_published", "as_described", "corrected")
    )
    assert differing(published, described) == {"model"}
    assert described.model.options["soft_attention"] == {"kernel": "described", "gamma": "learnable"}
    assert differing(corrected, described) == {"split", "selection_part"}
    assert corrected.selection_part == "validation"
    assert corrected.split.options == {"validation": 0.1}
