"""The recipes of koefler2023 say what the document and its code say."""

import pytest

from skinkit.experiments.build import build_spec
from skinkit.papers import koefler2023, recipe
from skinkit.papers.published import load_published
from skinkit.papers.recipe import PROTOCOLS


def test_every_row_of_tables_4a_4b_and_5_has_a_recipe_under_three_protocols():
    rows = load_published("koefler2023").query("table in ['table4a', 'table4b', 'table5a', 'table5b']")
    for table, row in rows[["table", "row"]].drop_duplicates().itertuples(index=False):
        found = recipe(f"koefler2023/{table}/{row}")
        assert found.known_protocols == PROTOCOLS
        assert found.published_row == found.name


@pytest.mark.parametrize("name", ["koefler2023/table4a/cnn", "koefler2023/table4b/cnn-sa"])
def test_the_published_protocol_has_the_flaws_of_the_code(name):
    published = recipe(name).resolve("full", "as_published")
    assert (published.image_size, published.channel_order, published.scaling) == ((100, 100), "bgr", "raw")
    assert published.offline.options == {"before_split": True}
    assert published.split.name == "koefler2023_split"
    assert (published.selection, published.selection_part, published.monitor) == ("best", "test", "accuracy")
    assert published.balancing.options == {"normalise": True, "over": "all"}
    assert published.phases[0].epochs == 100
    assert published.phases[0].optimiser.options == {"learning_rate": 1e-4, "epsilon": 1e-3}
    assert published.batch_size == 32


@pytest.mark.parametrize("name", ["koefler2023/table4a/cnn", "koefler2023/table4b/cnn-sa"])
def test_the_described_protocol_differs_in_the_order_alone(name):
    published, described = (recipe(name).resolve("full", p) for p in ("as_published", "as_described"))
    differing = [f for f in vars(published) if getattr(published, f) != getattr(described, f)]
    assert differing == ["offline"]


def test_the_corrected_protocol_is_sound():
    for found in koefler2023.RECIPES:
        corrected = found.resolve()
        assert corrected.split.options["group"] == "lesion+patient"
        assert corrected.selection_part == "validation"
        spec = build_spec(corrected, augment=False)
        assert (spec.channel_order, spec.scaling) == ("rgb", "unit")
        assert not corrected.offline.options.get("before_split")
        assert corrected.balancing.options.get("over", "train") == "train"


def test_only_the_published_protocols_use_the_released_attention():
    found = recipe("koefler2023/table4b/cnn-sa")
    for protocol in ("as_published", "as_described"):
        assert found.resolve("full", protocol).model.options["soft_attention"] == {
            "kernel": "released",
            "gamma": None,
        }
    assert "soft_attention" not in found.resolve().model.options


def test_table_5_is_no_target():
    for name in ("koefler2023/table5a/cnn", "koefler2023/table5b/cnn-sa"):
        found = recipe(name)
        assert found.not_comparable == "not internally consistent"
        assert found.external.name == "isic2019"
        assert found.resolve("full", "as_published").external.options == {"overlap": "keep", "sample": 501}
        assert found.external.options.get("overlap", "drop") == "drop"


def test_all_arms_have_one_schedule():
    arms = [found for found in koefler2023.RECIPES if found.document == "koefler2023"]
    for profile in ("quick", "smoke"):
        schedules = {
            (f.image_size, f.batch_size, f.subset, str(f.phases), str(f.model_size))
            for f in (arm.resolve(profile) for arm in arms)
        }
        assert len(schedules) == 1
