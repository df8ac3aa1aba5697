"""The epoch that is best on validation, scored beside the last one."""

import dataclasses
import importlib
import json

import pandas as pd
import pytest

from skinkit import evaluation
from skinkit.experiments import run
from skinkit.experiments.predictions import read_predictions
from skinkit.experiments.run_folder import SavedRun
from skinkit.papers import Phase, Recipe, choose

LAST = Recipe(
    name="skinkit/test/last",
    title="The smallest run that ends with its last epoch",
    published="",
    image_size=(32, 32),
    subset=120,
    model=choose("small_cnn"),
    model_size={"width": 4},
    selection="last",
    score_best=True,
    phases=(Phase(2, choose("adam", learning_rate=1e-2)),),
)
NUMBERS = ("predictions.csv.gz", "metrics.json", "predictions_best.csv.gz", "metrics_best.json")


@pytest.fixture(scope="module", autouse=True)
def falling_validation():
    """Makes the first epoch the best on validation, whatever the network has learnt."""
    score, calls = evaluation.summary, []

    def falling(*arguments, **options):
        calls.append(0)
        return {**score(*arguments, **options), "macro_recall": 1 / len(calls)}

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(evaluation, "summary", falling)
        yield


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    return run(LAST, profile="smoke", folder=tmp_path_factory.mktemp("run"), verbose=0)


def same_predictions(folder, name, other):
    found = read_predictions(folder / name)
    pd.testing.assert_frame_equal(found, SavedRun(other).predictions)


def test_the_best_epoch_is_scored_and_the_last_one_stays_the_run_s(finished, tmp_path):
    plain = dataclasses.replace(LAST, score_best=False)
    same_predictions(finished, "predictions.csv.gz", run(plain, profile="smoke", out=tmp_path, verbose=0))
    one_epoch = dataclasses.replace(plain, phases=(Phase(1, LAST.phases[0].optimiser),))
    first = run(one_epoch, profile="smoke", out=tmp_path / "one", verbose=0)
    same_predictions(finished, "predictions_best.csv.gz", first)
    found = SavedRun(finished)
    assert found.metrics_best["epoch"] == 1
    assert found.metrics_best["scores"] == SavedRun(first).metrics["scores"] != found.metrics["scores"]
    assert SavedRun(first).metrics_best is None


def test_the_saved_model_is_that_of_the_last_epoch(finished):
    from skinkit.experiments.predictions import predict

    found = SavedRun(finished)
    again = predict(found.load_model(), found.recipe, found.run_data().rows("test"))
    pd.testing.assert_frame_equal(
        again.filter(like="p_"), found.predictions.filter(like="p_"), check_dtype=False, atol=1e-4
    )


def test_a_run_killed_before_its_scores_are_saved_ends_like_an_undisturbed_one(
    finished, tmp_path, monkeypatch
):
    # The package's attribute of this name is the function.
    module = importlib.import_module("skinkit.experiments.run")

    def dying(*arguments):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(module, "_save", dying)
        with pytest.raises(KeyboardInterrupt):
            run(LAST, profile="smoke", folder=tmp_path, verbose=0)
    assert not (tmp_path / "manifest.json").exists()
    run(LAST, profile="smoke", folder=tmp_path, verbose=0)
    for file in NUMBERS:
        assert (tmp_path / file).read_bytes() == (finished / file).read_bytes(), file
    assert not (tmp_path / "checkpoint").exists()


def test_the_test_images_are_told_apart_from_others(finished):
    manifest = json.loads((finished / "manifest.json").read_text())
    assert manifest["test_hash"] == SavedRun(finished).run_data().test_hash
    assert (
        manifest["test_hash"]
        != dataclasses.replace(SavedRun(finished).run_data(), test_part="validation").test_hash
    )


def test_without_a_validation_part_a_run_that_ends_with_its_last_epoch_trains(tmp_path):
    parts = {"train": 0.7, "test": 0.3}
    recipe = dataclasses.replace(
        LAST,
        score_best=False,
        split=choose("stratified_group_split", fractions=parts),
        phases=(Phase(1, LAST.phases[0].optimiser),),
    )
    folder = run(recipe, profile="smoke", out=tmp_path, verbose=0)
    assert not pd.read_csv(folder / "history.csv").filter(like="val_").columns.size
