"""Thresholds of a finished run: chosen on its validation images, worth something on others."""

import dataclasses
import shutil

import pandas as pd
import pytest

from skinkit import evaluation
from skinkit.cli import main
from skinkit.experiments import SavedRun, decision, evaluate, operating_point, run
from skinkit.experiments.predictions import read_predictions

pytestmark = pytest.mark.xdist_group("operating-point")


@pytest.fixture
def saved(whole, tmp_path):
    return SavedRun(shutil.copytree(whole, tmp_path / "run"))


def test_validation_images_are_predicted_once_and_kept(saved):
    table = saved.validation_predictions()
    assert table["image_id"].tolist() == saved.run_data().rows("validation")["image_id"].tolist()
    (saved.folder / "model.keras").unlink()
    kept = SavedRun(saved.folder).validation_predictions()
    pd.testing.assert_frame_equal(kept, table)
    pd.testing.assert_frame_equal(read_predictions(saved.folder / "predictions_validation.csv.gz"), table)


def test_an_operating_point_is_that_of_the_saved_predictions(saved):
    threshold, table = operating_point(saved, sensitivity=0.75)
    validation = evaluation.unpack_predictions(saved.validation_predictions())
    assert threshold.value == evaluation.choose_threshold(*validation, sensitivity=0.75).value
    assert table.loc[("validation", "sensitivity"), "value"] >= 0.75
    called = saved.predictions["p_mel"] >= threshold.value
    is_it = saved.predictions["label"] == "mel"
    expected = {"sensitivity": called[is_it].mean(), "specificity": 1 - called[~is_it].mean()}
    assert table.loc["test", "value"].to_dict() == pytest.approx(expected)
    argmax = table.loc["test, likeliest class", "value"]
    assert argmax["macro_recall"] == saved.metrics["scores"]["macro_recall"]["value"]
    assert argmax["sensitivity"] == saved.metrics["scores"]["recall:mel"]["value"]


def test_the_command_says_threshold_doubt_scores_and_calibration(saved, capsys):
    assert main(["evaluate", str(saved.folder), "--specificity", "0.9"]) == 0
    said = capsys.readouterr().out
    threshold, table = operating_point(saved, specificity=0.9)
    assert f"p_mel >= {threshold.value:.4g}, chosen on validation for a specificity of 0.9" in said
    assert f"DOUBTFUL: {threshold.doubt}" in said and "fewer than 20" in said
    row = table.loc[("test", "specificity")]
    assert f"specificity {row['value']:.3f} ({row['low']:.3f} to {row['high']:.3f})" in said
    assert "test, likeliest class: sensitivity" in said
    before = saved.metrics["scores"]["ece"]["value"]
    assert f"test: ece {before:.3f}, and " in said and "after a temperature of" in said


def test_other_images_are_scored_at_the_threshold_of_validation(saved, tmp_path):
    from skinkit import data

    other = data.synthetic(40, seed=7, folder=tmp_path / "other", size=(32, 40))
    ids = ["image_id", "lesion_id", "patient_id"]
    table = other.assign(**{name: other[name] + "_NEW" for name in ids})
    table.to_csv(tmp_path / "other.csv", index=False)
    text = evaluate(saved.folder, on=tmp_path / "other.csv", sensitivity=0.5)
    (folder,) = (saved.folder / "evaluations").iterdir()
    tested = read_predictions(folder / "predictions.csv.gz")
    threshold, found = operating_point(saved, tested, sensitivity=0.5)
    assert threshold == operating_point(saved, sensitivity=0.5)[0]
    assert f"p_mel >= {threshold.value:.4g}" in text
    assert f"test: sensitivity {found.loc[('test', 'sensitivity'), 'value']:.3f}" in text


def test_a_decision_for_macro_recall_is_that_of_the_saved_predictions(saved, capsys):
    rule, table = decision(saved)
    trained_on = saved.run_data().rows("train")["label"]
    truth, probabilities, labels = evaluation.unpack_predictions(saved.validation_predictions())
    shares = evaluation.training_shares(trained_on, labels)
    assert rule.shares == pytest.approx(shares)
    assert rule.tau == evaluation.choose_decision(truth, probabilities, labels, shares).tau
    truth, probabilities, labels = evaluation.unpack_predictions(saved.predictions)
    expected = evaluation.score("macro_recall", truth, rule.apply(probabilities, labels), labels)
    assert table.loc[("test", "macro_recall"), "value"] == expected
    usual = table.loc[("test, likeliest class", "macro_recall"), "value"]
    assert usual == saved.metrics["scores"]["macro_recall"]["value"]
    assert main(["evaluate", str(saved.folder), "--balanced"]) == 0
    said = capsys.readouterr().out
    assert f"largest log p - {rule.tau:g} log(training share), chosen on validation for macro recall" in said
    assert f"test: macro_recall {expected:.3f}" in said


def test_a_run_of_an_older_version_counts_its_training_images(saved):
    del saved.manifest["trained_on"]
    assert decision(saved)[0] == decision(SavedRun(saved.folder))[0]


@pytest.mark.parametrize("share", ["95", "-0.1", "x", ""])
def test_the_command_refuses_what_is_not_a_share(saved, share, capsys):
    with pytest.raises(SystemExit):
        main(["evaluate", str(saved.folder), f"--sensitivity={share}"])
    assert "Expected a share from 0 to 1, such as 0.95" in capsys.readouterr().err


def test_a_run_that_is_tested_on_validation_has_no_threshold(untrained, tmp_path):
    recipe = dataclasses.replace(untrained, test_part="validation")
    folder = run(recipe, "smoke", folder=tmp_path / "run", verbose=0)
    with pytest.raises(ValueError, match="a validation part that is not the test part.*'validation'"):
        operating_point(SavedRun(folder), sensitivity=0.9)


def test_without_model_and_kept_predictions_it_says_what_is_missing(saved):
    (saved.folder / "model.keras").unlink()
    with pytest.raises(FileNotFoundError, match=r"model\.keras is missing"):
        operating_point(saved, sensitivity=0.9)


def test_training_again_drops_the_predictions_of_the_old_model(carry_out, folder):
    SavedRun(folder).validation_predictions()
    carry_out(again=True)
    assert not (folder / "predictions_validation.csv.gz").exists()
