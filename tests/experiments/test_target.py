"""A gate and what is behind it: trained, scored and asked about other images by their own labels."""

import dataclasses

import pandas as pd
import pytest
import tensorflow as tf

from skinkit import data, pipeline
from skinkit.experiments import SavedRun, evaluate, run
from skinkit.papers import choose


@pytest.fixture(scope="module")
def runs(untrained, tmp_path_factory):
    out = tmp_path_factory.mktemp("runs")
    changes = {"one_against_rest": {"positive": "rest"}, "without": {}}
    return {
        name: SavedRun(
            run(
                dataclasses.replace(
                    untrained, name=f"a/b/{name}", target=choose(name, label="nv"), **changes[name]
                ),
                "smoke", out=out, verbose=0,
            )
        )
        for name in changes
    }  # fmt: skip


@pytest.mark.parametrize(("name", "labels"), [("one_against_rest", 2), ("without", 6)])
def test_predictions_and_scores_have_the_labels_of_the_target(runs, name, labels):
    found = runs[name]
    assert len(found.labels) == labels
    assert [c for c in found.predictions if c.startswith("p_")] == [f"p_{label}" for label in found.labels]
    assert set(found.predictions["label"]) <= set(found.labels)
    assert {f"recall:{label}" for label in found.labels} <= set(found.metrics["scores"])


def test_other_images_are_given_the_labels_of_the_target(runs, tmp_path):
    other = data.synthetic(20, seed=5, size=(32, 32), folder=tmp_path / "images")
    other = other.assign(image_id=[f"new_{i}" for i in range(20)], lesion_id=pd.NA, patient_id=pd.NA)
    other.to_csv(tmp_path / "other.csv", index=False)
    nevi = int((other["label"] == "nv").sum())
    gate, rest = (evaluate(runs[name].folder, tmp_path / "other.csv") for name in runs)
    assert "n = 20" in gate and "rest" in gate and 0 < nevi < 20
    assert f"left out: {nevi} of 20 images of a class that the model does not know" in rest
    assert f"n = {20 - nevi};" in rest


class Stopped(pipeline.Mixup):
    """Mixup that fails at the second batch of the second epoch of three."""

    def __call__(self, batches, seed, first_step=0):
        def stop(step, batch):
            with tf.control_dependencies([tf.debugging.Assert(step < 4, ["stopped"])]):
                return tuple(map(tf.identity, batch))

        return super().__call__(batches, seed, first_step).enumerate(first_step).map(stop)


def test_a_gate_that_learns_mixed_labels_at_a_discount_goes_on_after_a_stop(one_epoch, tmp_path, monkeypatch):
    recipe = dataclasses.replace(
        one_epoch,
        phases=(dataclasses.replace(one_epoch.phases[0], epochs=2),),
        target=choose("one_against_rest", label="nv"),
        positive="rest",
        balancing=choose("none"),
        loss=choose("focal", gamma=1.0, alpha=[0.5, 1.0]),
        mixing=choose("mixup", alpha=0.2),
        selection="last",
    )
    with monkeypatch.context() as patch:
        patch.setitem(pipeline.MIXINGS, "mixup", Stopped)
        with pytest.raises(tf.errors.InvalidArgumentError, match="stopped"):
            run(recipe, "smoke", folder=tmp_path / "stopped", verbose=0)
    assert (tmp_path / "stopped/checkpoint/epoch-00001").is_dir()
    folders = [run(recipe, "smoke", folder=tmp_path / name, verbose=0) for name in ("stopped", "whole")]
    stopped, whole = (SavedRun(folder).predictions for folder in folders)
    pd.testing.assert_frame_equal(stopped, whole)
    assert SavedRun(folders[0]).recipe == recipe.resolve("smoke")
