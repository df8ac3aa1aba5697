"""The recipes of two stages say what the document says, and are made of others alone."""

import dataclasses

import pytest

from skinkit.experiments import SavedRun, run
from skinkit.papers import choose, recipe
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


def test_the_official_test_runs_on_drawn_images(monkeypatch, tmp_path):
    name = "butskova2021/test/two-stage-efficientnet-gamma1"
    # Without the training, and the size of its networks.
    small = {"model": choose("small_cnn"), "model_size": {"width": 4}, "phases": (), "selection": "last"}
    sizes = {"profiles": {"smoke": {"image_size": (24, 24), "subset": 60}}, "protocols": {}}
    known = {
        each: dataclasses.replace(recipe(each), **small, **sizes) for each in (name, *recipe(name).needs)
    }
    monkeypatch.setattr("skinkit.experiments.plan.find_recipe", known.__getitem__)
    found = SavedRun(run(known[name], "smoke", out=tmp_path, verbose=0))
    gate, rest = (SavedRun(tmp_path / each / found.folder.name) for each in found.recipe.needs)
    assert set(found.predictions["image_id"]) == set(gate.predictions["image_id"])
    assert set(found.predictions["label"]) - set(rest.predictions["label"]) == {"nv"}
    assert found.manifest["images"]["test"] == len(found.predictions) == 80
