"""Runs that train on all images, and whose scores and thresholds are those of folds."""

import dataclasses
import importlib.util
import json
import shutil

import numpy as np
import pandas as pd
import pytest

from skinkit import evaluation
from skinkit.cli import main
from skinkit.experiments import SavedRun, decision, evaluate, operating_point, run, write_card
from skinkit.experiments.plan import Plan
from skinkit.papers import Recipe, choose
from skinkit.papers.members import ensemble

FOLDS = Recipe(
    name="skinkit/test/folds",
    title="On two folds, untrained",
    published="",
    image_size=(32, 32),
    subset=60,
    split=choose("out_of_fold_split", folds=2),
    model=choose("small_cnn"),
    model_size={"width": 4},
    selection="last",
    phases=(),
)
WHOLE = {"split": choose("undivided_split"), "test_part": "train"}
FINAL = dataclasses.replace(FOLDS, name="skinkit/test/final", **WHOLE, out_of_fold=FOLDS.name)
# Its members see the test images of each other.
TOGETHER = ensemble(FOLDS, "skinkit/test/together", "The networks of both folds", folds=2, **WHOLE)


@pytest.fixture(scope="module")
def known():
    with pytest.MonkeyPatch.context() as patch:
        found = {each.name: each for each in (FOLDS, FINAL)}
        patch.setattr("skinkit.experiments.plan.find_recipe", found.__getitem__)
        yield found


@pytest.fixture(scope="module")
def out(tmp_path_factory):
    return tmp_path_factory.mktemp("runs")


@pytest.fixture(scope="module")
def final(known, out):
    return SavedRun(run(FINAL, "smoke", out=out, verbose=0))


@pytest.fixture
def folder(final, tmp_path):
    return shutil.copytree(final.folder, tmp_path / "run")


def test_each_image_is_scored_by_the_fold_that_left_it_out(final, out):
    folds = [SavedRun(Plan(FOLDS, "smoke", "corrected", fold, fold).folder(out)) for fold in (0, 1)]
    expected = pd.concat([fold.predictions for fold in folds], ignore_index=True)
    pd.testing.assert_frame_equal(final.predictions, expected)
    assert len(final.predictions) == final.metrics["n"] == 60 and final.predictions["image_id"].is_unique
    manifest = final.manifest
    assert manifest["images"] == {"train": 60} and sum(manifest["trained_on"].values()) == 60
    assert [each["fold"] for each in manifest["scored_by"]] == [0, 1]
    assert manifest["stamp"].startswith("OUT OF FOLD: scored are the runs of 2 folds")
    assert manifest["leakage"] == {"photograph": 0.0, "lesion": 0.0, "patient": 0.0}


def test_rules_are_chosen_out_of_fold_and_not_scored_on_the_same_images(final, folder):
    rule, table = decision(final)
    shares = {label: n / 60 for label, n in final.manifest["trained_on"].items()}
    expected = evaluation.choose_decision(*evaluation.unpack_predictions(final.predictions), shares)
    assert rule.tau == expected.tau and rule.shares == pytest.approx(expected.shares)
    images = ["out-of-fold predictions", "out-of-fold predictions, likeliest class"]
    assert list(table.index.unique("images")) == images
    threshold, table = operating_point(final, sensitivity=0.9)
    assert list(table.index.unique("images")) == images[:1]
    text = evaluate(folder, sensitivity=0.9, balanced=True)
    assert "**OUT OF FOLD: " in text and "chosen on out-of-fold predictions for a sensitivity" in text
    assert "chosen on out-of-fold predictions for macro recall" in text and "test:" not in text
    assert text.count("Chosen and scored on the same images, which flatters") == 2
    others = final.predictions.assign(image_id="new_" + final.predictions["image_id"])
    again, table = operating_point(final, others, sensitivity=0.9)
    assert "test" in table.index.unique("images") and again.value == threshold.value


def test_no_image_of_its_own_release_can_score_it(final, folder, tmp_path, capsys):
    table = final.run_data().table
    table.to_csv(tmp_path / "own.csv", index=False)
    with pytest.raises(
        ValueError, match="No image is left.*60 of 60 images of a photograph that it has seen"
    ):
        evaluate(folder, on=tmp_path / "own.csv")
    assert "LEAKY: 100.0 %" in evaluate(folder, on=tmp_path / "own.csv", overlap="keep")


def test_card_report_and_service_say_where_scores_and_thresholds_come_from(final, folder):
    text = write_card(folder).read_text()
    assert "n = 60 images out of fold" in text and "OUT OF FOLD: " in text
    assert "- out-of-fold predictions: ece " in text and "after a temperature of" in text
    assert "chosen on out-of-fold predictions for a sensitivity of 0.95: out-of-fold predictions" in text
    assert "- Chosen and scored on the same images" in text
    assert "images also in the training that answers for their fold, by photograph 0.0 %" in text
    assert main(["report", str(folder)]) == 0
    assert '<p class="stamp open">OUT OF FOLD' in (folder / "report.html").read_text()
    if importlib.util.find_spec("fastapi"):
        from skinkit.serve.settings import ModelSettings
        from skinkit.serve.worker.calibration import calibrate

        found = calibrate(ModelSettings(run=str(folder)), final, final.recipe)
        assert found.source.startswith(f"60 out-of-fold predictions of {FOLDS.name}; ")


def test_scores_that_are_lost_come_from_the_folds_again(final, folder, out):
    (folder / "predictions.csv.gz").unlink()
    again = SavedRun(run(FINAL, "smoke", out=out, folder=folder, verbose=0))
    pd.testing.assert_frame_equal(again.predictions, final.predictions)


def test_an_ensemble_over_folds_is_leaky_or_out_of_fold(known, out, final):
    leaky = SavedRun(run(TOGETHER, "smoke", out=out, verbose=0))
    assert leaky.manifest["stamp"].startswith("LEAKY: 100.0 % of evaluation images show a photograph")
    assert "in the training of a member" in leaky.manifest["stamp"]
    with pytest.raises(ValueError, match="thresholds are chosen on a validation part"):
        leaky.validation_predictions()
    sound = SavedRun(
        run(
            dataclasses.replace(TOGETHER, name="skinkit/test/sound", out_of_fold=FOLDS.name), "smoke", out=out
        )
    )
    assert sound.manifest["stamp"].startswith("OUT OF FOLD") and sound.manifest["images"] == {"train": 60}
    assert sound.manifest["stamp"].endswith("from one network an image, where this run joins several")
    assert "joins several" not in final.manifest["stamp"]
    # Each fold has a seed of its own, as on the page of ingredients.
    for found in (sound.manifest["built_on"], final.manifest["scored_by"]):
        assert [(each["fold"], each["seed"]) for each in found] == [(0, 0), (1, 1)]
    np.testing.assert_array_equal(sound.predictions.filter(like="p_"), final.predictions.filter(like="p_"))
    # Other images are answered by both members.
    rows = sound.run_data().rows("train").head(3)
    np.testing.assert_allclose(
        sound.predictor()(rows).filter(like="p_"), leaky.predictions.filter(like="p_")[:3], atol=1e-6
    )
    assert json.loads((sound.folder / "weights.json").read_text()) == {"weights": [0.5, 0.5]}
    # What all members have seen is known without its file, too.
    seen = leaky.seen()
    (leaky.folder / "seen.csv.gz").unlink()
    assert len(leaky.seen()) == len(seen) == 60


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"batch_size": 16}, "same training. Received: .*folds, with batch_size=32, and here 16"),
        ({"subset": 90}, "same training. Received: .*folds, with subset=60, and here 90"),
        (
            {"split": choose("out_of_fold_split", folds=2)},
            "each of its 30 images once. Received: 0 in no fold",
        ),
        ({"test_part": "test"}, "each of its 0 images once. Received: .* 60 others"),
    ],
)
def test_folds_that_do_not_stand_for_it_are_counted_first(known, tmp_path, changes, message):
    with pytest.raises(ValueError, match=message):
        run(dataclasses.replace(FINAL, **changes), "smoke", out=tmp_path, verbose=0)
    assert not list(tmp_path.rglob("manifest.json"))


def test_it_has_one_fold_and_needs_a_recipe_on_folds(known, tmp_path, monkeypatch):
    with pytest.raises(ValueError, match="has the folds 0 to 0. Received: fold=1"):
        run(FINAL, "smoke", fold=1, out=tmp_path, verbose=0)
    monkeypatch.setitem(known, FOLDS.name, dataclasses.replace(FOLDS, split=choose("koefler2023_split")))
    with pytest.raises(ValueError, match="names a recipe on folds. Received: .*koefler2023_split"):
        run(FINAL, "smoke", out=tmp_path, verbose=0)
