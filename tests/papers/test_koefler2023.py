"""The recipes of koefler2023 say what the document and its code say."""

import pandas as pd
import pytest
from recipe_fields import differing

from skinkit.experiments.run_data import build_run_data
from skinkit.models import build
from skinkit.papers import recipe
from skinkit.papers.koefler2023 import recipes as koefler2023
from skinkit.papers.published import load_published
from skinkit.papers.recipe import PROTOCOLS
from skinkit.tasks.batches import pipeline_spec, sample_weights
from skinkit.training import class_weights

SOUND = [found for found in koefler2023.RECIPES if "corrected" in found.known_protocols]


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
    assert published.balancing.options == {"normalise": True, "over": "all", "decimals": 2}
    assert published.phases[0].epochs == 100
    assert published.phases[0].optimiser.options == {"learning_rate": 1e-4, "epsilon": 1e-3}
    assert published.batch_size == 32


def test_the_text_differs_from_the_code_in_the_attention_alone():
    """Its section 4.1 counts the copies "pre-splitting", and its footnote 36 has the parts of the code."""
    for row, fields in (("table4a/cnn", set()), ("table4b/cnn-sa", {"model"}), ("table5b/cnn-sa", {"model"})):
        found = recipe(f"koefler2023/{row}")
        assert (
            differing(found.resolve("full", "as_published"), found.resolve("full", "as_described")) == fields
        )
    attention = recipe("koefler2023/table4b/cnn-sa").resolve("full", "as_described").model
    layer = build(attention.name, (100, 100, 3), 7, **attention.options).get_layer("soft_attention")
    assert (layer.kernel_form, layer.gamma_form) == ("described", "learnable")


@pytest.mark.parametrize("row", ["table4a/cnn", "table4b/cnn-sa"])
def test_split_then_augment_differs_from_the_code_in_the_order_alone(row):
    published = recipe(f"koefler2023/{row}").resolve("full", "as_published")
    name = f"koefler2023/controls/{row.split('/')[1]}-split-then-augment"
    control = recipe(name).resolve("full", "as_published")
    assert differing(published, control) == {"name", "title", "offline", "published"}
    assert not control.offline.options.get("before_split")
    assert recipe(name).known_protocols == ("as_published",)
    with pytest.raises(ValueError, match="is defined under as_published"):
        recipe(name).resolve()


def test_the_weights_of_table_4_are_those_the_text_prints():
    counts = {"nv": 6705, "mel": 6678, "bkl": 6594, "bcc": 3084, "akiec": 1962, "vasc": 852, "df": 690}
    labels = [label for label, count in counts.items() for _ in range(count)]
    options = recipe("koefler2023/table4a/cnn").resolve("full", "as_published").balancing.options
    found = class_weights(labels, counts, normalise=options["normalise"], decimals=options["decimals"])
    assert list(found.values()) == [0.57, 0.57, 0.58, 1.23, 1.93, 4.45, 5.5]


def test_the_weights_of_table_5_do_not_count_the_external_images():
    table5 = recipe("koefler2023/table5a/cnn").resolve("smoke", "as_published")
    run_data = build_run_data(table5, "smoke")
    own = run_data.table[~run_data.table["image_id"].isin(run_data.split.ids("test"))]
    assert set(own["dataset"]) == {"synthetic"} and len(own) < len(run_data.table)
    expected = class_weights(own["label"], run_data.labels, normalise=True, decimals=2)
    weights = pd.Series(sample_weights(table5, run_data)).groupby(run_data.rows("train")["label"]).first()
    assert weights.to_dict() == pytest.approx(expected)


def test_images_are_zoomed_as_keras_does_it():
    for found in koefler2023.RECIPES:
        options = {"flip_left_right": 0.5, "zoom": 0.2, "zoom_per_axis": True, "fill": "nearest"}
        assert found.augmentation == options


def test_the_corrected_protocol_is_sound():
    for found in SOUND:
        corrected = found.resolve()
        assert corrected.split.options["group"] == "lesion+patient"
        assert corrected.selection_part == "validation"
        spec = pipeline_spec(corrected, augment=False)
        assert (spec.channel_order, spec.scaling) == ("rgb", "unit")
        assert not corrected.offline.options.get("before_split")
        assert corrected.balancing.options.get("over", "train") == "train"


def test_only_the_published_protocol_uses_the_released_attention():
    found = recipe("koefler2023/table4b/cnn-sa")
    options = found.resolve("full", "as_published").model.options
    assert options["soft_attention"] == {"kernel": "released", "gamma": None}
    for protocol in ("as_described", "corrected"):
        assert "soft_attention" not in found.resolve("full", protocol).model.options


def test_table_5_is_no_target():
    for name in ("koefler2023/table5a/cnn", "koefler2023/table5b/cnn-sa"):
        found = recipe(name)
        assert found.not_comparable == "not internally consistent"
        assert found.external.name == "isic2019"
        assert found.resolve("full", "as_published").external.options == {"overlap": "keep", "sample": 501}
        assert found.external.options.get("overlap", "drop") == "drop"


def test_all_arms_have_one_schedule():
    arms = SOUND
    for profile in ("quick", "smoke"):
        schedules = {
            (f.image_size, f.batch_size, f.subset, str(f.phases), str(f.model_size))
            for f in (arm.resolve(profile) for arm in arms)
        }
        assert len(schedules) == 1
