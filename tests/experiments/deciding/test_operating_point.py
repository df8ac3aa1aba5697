"""Thresholds of a finished run: chosen on its validation images, worth something on others."""

import dataclasses
import json
import shutil
import threading
from concurrent.futures import ThreadPoolExecutor

import pandas as pd
import pytest

from skinkit import data, evaluation
from skinkit.cli import main
from skinkit.experiments import SavedRun, decision, evaluate, fit_rule, operating_point, run
from skinkit.experiments.deciding.operating_point import calibration_table, threshold_table
from skinkit.experiments.predictions import melanoma_alone, read_predictions

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


def test_who_asks_at_the_same_time_waits_for_the_first(saved, monkeypatch):
    asked, predict, both_are_here = [], saved.predictor(), threading.Barrier(2)

    def predictor(*_):
        both_are_here.wait(60)
        return lambda rows: asked.append(len(rows)) or predict(rows)

    monkeypatch.setattr(SavedRun, "predictor", predictor)
    with ThreadPoolExecutor(2) as pool:
        first, second = pool.map(lambda _: SavedRun(saved.folder).validation_predictions(), range(2))
    pd.testing.assert_frame_equal(first, second)
    assert len(asked) == 1


def test_an_operating_point_is_that_of_the_saved_predictions(saved):
    threshold, table = operating_point(saved, sensitivity=0.75)
    truth, p, labels = evaluation.unpack_predictions(saved.validation_predictions())
    temperature = evaluation.fit_temperature(truth, p, labels)
    softened = evaluation.apply_temperature(p, temperature)
    assert threshold.value == evaluation.choose_threshold(truth, softened, labels, sensitivity=0.75).value
    assert table.loc[("validation", "sensitivity"), "value"] >= 0.75
    p = evaluation.unpack_predictions(saved.predictions)[1]
    called = evaluation.apply_temperature(p, temperature)[:, labels.index("mel")] >= threshold.value
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
    assert f"test: ece {before:.3f}, brier " in said and "after a temperature of" in said


def test_other_images_are_scored_at_the_threshold_of_validation(saved, tmp_path):
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
    shares = trained_on.value_counts(normalize=True).to_dict()
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


def test_what_sensitivities_cost_is_counted_in_images(saved):
    table, p_mel = threshold_table(saved), fit_rule(saved).calibrated(saved.predictions)["p_mel"]
    assert [*table.index] == [0.9, 0.95, 0.99]
    is_it = saved.predictions["label"] == "mel"
    for wanted, row in table.iterrows():
        assert row["threshold"] == fit_rule(saved, sensitivity=wanted).threshold.value
        assert row["missed"] == (is_it & (p_mel < row["threshold"])).sum()
        assert row["in_vain"] == (~is_it & (p_mel >= row["threshold"])).sum()
        assert "cannot show a sensitivity" in row["doubt"]


def test_calibration_before_the_temperature_is_that_of_the_saved_scores(saved):
    (before,) = calibration_table(saved).reset_index().to_dict("records")
    scores = saved.metrics["scores"]
    assert (before["temperature"], before["ece"]) == (1, scores["ece"]["value"])
    assert [before[name] for name in ("brier", "low", "high")] == [
        scores["brier"][name] for name in ("value", "low", "high")
    ]
    saved.validation_predictions()
    _, after = calibration_table(saved).reset_index().to_dict("records")
    truth, p, labels = evaluation.unpack_predictions(saved.predictions)
    softened = evaluation.apply_temperature(p, after["temperature"])
    assert after["temperature"] == fit_rule(saved).temperature
    assert after["brier"] == pytest.approx(evaluation.brier_score(truth, softened, labels))


@pytest.fixture
def benign_or_malignant(tmp_path):
    """Drawn images in the classes of ISIC 2020, of patients that no run has seen."""
    drawn = data.synthetic(40, seed=7, folder=tmp_path / "other", size=(32, 40))
    named = drawn["label"].eq("mel").map({True: "malignant", False: "benign"}).astype("string")
    ids = {name: drawn[name] + "_NEW" for name in ("image_id", "lesion_id", "patient_id")}
    drawn.assign(label=named, **ids).to_csv(tmp_path / "outside.csv", index=False)
    return tmp_path / "outside.csv"


def test_a_model_of_diagnoses_is_asked_about_melanomas_alone(saved, benign_or_malignant):
    text = evaluate(saved.folder, on=benign_or_malignant, sensitivity=0.9, balanced=True, subgroups=True)
    folder = saved.folder / "evaluations/outside"
    tested, metrics = (
        read_predictions(folder / "predictions.csv.gz"),
        json.loads((folder / "metrics.json").read_text()),
    )
    assert [*tested.filter(like="p_")] == ["p_benign", "p_malignant"] and len(tested) == 40
    area = evaluation.score("auc", *evaluation.unpack_predictions(tested), positive="malignant")
    assert metrics["scores"]["auc"]["value"] == area and "patient" in metrics["grouped_by"]
    # The rule is about the same two classes on validation, too.
    rule = fit_rule(saved, tested=tested, sensitivity=0.9, balanced=True)
    two = melanoma_alone(saved.validation_predictions())
    assert rule.temperature == evaluation.fit_temperature(*evaluation.unpack_predictions(two))
    counted = saved.manifest["trained_on"]
    assert rule.decision.shares["malignant"] == pytest.approx(counted["mel"] / sum(counted.values()))
    assert f"calibrated p_malignant >= {rule.threshold.value:.4g}" in text
    assert f"largest log p - {rule.decision.tau:g} log" in text and "called: calibrated p_mal" in text


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
