"""The recipes of hernandez2020's features say what the document, and the code it took, say."""

import pytest
from recipe_fields import differing

from skinkit.papers import choose, recipe
from skinkit.papers.recipe import PROTOCOLS
from skinkit.papers.registry import same_method

CAE = "hernandez2020/table3/cae-extra-trees"


def full(name, protocol="corrected"):
    return recipe(f"hernandez2020/{name}").resolve("full", protocol)


def test_table_3_is_carried_out_under_three_protocols():
    for row in ("cae-extra-trees", "wrs-extra-trees"):
        found = recipe(f"hernandez2020/table3/{row}")
        assert (found.published_row, found.known_protocols) == (found.name, PROTOCOLS)
        parts = [found.resolve("full", protocol).test_part for protocol in PROTOCOLS]
        assert parts == ["train+validation", "validation", "test"]


def test_the_forest_of_the_autoencoder_is_one_experiment_in_two_tables():
    names = [r.name for r in same_method(recipe(CAE))]
    assert names == [CAE, "hernandez2020/table4/cae-extra-trees"]


def test_the_autoencoder_trains_as_the_public_code_does():
    found = full("table3/cae-extra-trees", "as_published")
    (phase,) = found.phases
    assert (phase.epochs, found.batch_size, found.image_size) == (120, 32, (224, 224))
    assert phase.optimiser.options["learning_rate"] == 1e-4
    assert phase.schedule == choose("plateau", factor=0.8, patience=8, stop=20)
    assert (found.loss.name, found.monitor, found.selection) == ("root_mean_squared_error", "psnr", "best")
    assert found.augmentation == {} and found.model_size == {}
    assert found.classifier.options["features"] == "bottleneck_mean"


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_the_released_last_layer_is_corrected(protocol):
    final = full("table3/cae-extra-trees", protocol).model.options.get("final", "recommended")
    assert final == ("recommended" if protocol == "corrected" else "as_released")


@pytest.mark.parametrize(
    ("name", "start"),
    [
        ("table3/wrs-extra-trees", "table4/wrs"),
        ("controls/cae-extra-trees-pca", "table3/cae-extra-trees"),
        ("controls/cae-extra-trees-metadata", "table3/cae-extra-trees"),
        ("controls/lite0-extra-trees", "controls/lite0-base"),
        ("controls/lite0-logistic-metadata", "controls/lite0-base"),
    ],
)
@pytest.mark.parametrize("profile", ["smoke", "quick", "full"])
@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_classifier_takes_over_a_network_that_fits_and_trains_none(name, start, profile, protocol):
    found, before = (recipe(f"hernandez2020/{n}").resolve(profile, protocol) for n in (name, start))
    assert (found.start_from, found.phases) == (f"hernandez2020/{start}", ())
    for field in ("model", "model_size", "image_size", "split", "subset", "dataset", "scaling"):
        assert getattr(found, field) == getattr(before, field), field


def test_metadata_are_what_a_control_has_more():
    for row in ("lite0-logistic", "lite0-extra-trees"):
        plain, fused = full(f"controls/{row}"), full(f"controls/{row}-metadata")
        assert fused.classifier.options == {**plain.classifier.options, "metadata": True}
        assert differing(fused, plain) == {"name", "title", "classifier"}
