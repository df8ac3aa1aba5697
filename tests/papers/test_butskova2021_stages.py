"""The recipes of two stages say what the document says, and are made of others alone."""

import pytest

from skinkit.papers import recipe
from skinkit.papers.butskova2021 import stages

JOINED = [found for found in stages.RECIPES if found.stages]


@pytest.mark.parametrize("found", JOINED, ids=lambda found: found.name)
def test_nothing_of_two_stages_is_trained_and_both_differ_from_them_in_what_trains(found):
    gate, rest = map(recipe, found.needs)
    assert (gate.target.name, rest.target.name) == ("one_against_rest", "without")
    for protocol in ("as_described", "corrected"):
        joined, *parts = (each.resolve("full", protocol) for each in (found, gate, rest))
        assert joined.phases == () and joined.target is joined.mixing is None
        for part in parts:
            for name in (
                "model",
                "split",
                "external",
                "image_size",
                "selection",
                "selection_part",
                "test_part",
            ):
                assert getattr(part, name) == getattr(joined, name)


def test_the_document_s_gate_decides_at_one_half():
    for table in ("pretrained", "test"):
        found = recipe(f"butskova2021/{table}/two-stage-efficientnet-gamma1")
        assert found.published_row == found.name
        assert found.stages.name == "hard" and "threshold" not in found.stages.options


@pytest.mark.parametrize("protocol", ["as_described", "corrected"])
def test_the_official_test_images_score_what_was_trained_on_the_same_images(protocol):
    row = "two-stage-efficientnet-gamma1"
    scored, chosen = (recipe(f"butskova2021/{table}/{row}") for table in ("test", "pretrained"))
    assert scored.external.name == "isic2018_test_dataverse"
    for mine, its in zip(scored.needs, chosen.needs, strict=True):
        mine, its = (recipe(name).resolve("full", protocol) for name in (mine, its))
        assert (mine.test_part, mine.selection_part) == ("test", "validation")
        assert (mine.split, mine.phases, mine.loss, mine.target) == (
            its.split,
            its.phases,
            its.loss,
            its.target,
        )
