import numpy as np
import pytest
from sklearn import metrics

from skinkit.evaluation import (
    apply_temperature,
    brier_score,
    expected_calibration_error,
    fit_temperature,
    log_loss,
    reliability_table,
    summary,
)

LABELS = ["mel", "nv"]


def test_the_calibration_error_of_four_images_is_that_counted_by_hand():
    # Bin (0.5, 0.6]: 0.6 twice, one right; bin (0.8, 0.9]: 0.9 twice, both right.
    probabilities = [[0.6, 0.4], [0.6, 0.4], [0.9, 0.1], [0.1, 0.9]]
    y_true = ["mel", "nv", "mel", "nv"]
    error = expected_calibration_error(y_true, probabilities, LABELS, bins=10)
    assert error == pytest.approx(0.5 * 0.1 + 0.5 * 0.1)


def test_gaps_inside_one_bin_cancel_but_not_across_bins():
    probabilities = [[0.7, 0.3], [0.9, 0.1]]
    for bins, expected in ((1, 0.3), (10, (0.7 + 0.1) / 2)):
        error = expected_calibration_error(["nv", "mel"], probabilities, LABELS, bins=bins)
        assert error == pytest.approx(expected)


def test_bins_are_closed_on_the_right_and_reach_0_and_1():
    y_true, probabilities = ["mel"] * 3, [[0.5, 0.5], [1.0, 0.0], [0.51, 0.49]]
    table = reliability_table(y_true, probabilities, LABELS, bins=2)
    assert table["n"].tolist() == [1, 2]
    assert table["accuracy"].tolist() == [1, 1]
    assert table["confidence"].tolist() == pytest.approx([0.5, 0.755])
    assert reliability_table(["mel"], [[0.0, 0.0]], LABELS, bins=3)["n"].tolist() == [1, 0, 0]


def test_the_reliability_table_adds_up_to_the_calibration_error(predictions, labels):
    y_true, probabilities = predictions(300, seed=0)
    table = reliability_table(y_true, probabilities, labels)
    assert list(table) == ["low", "high", "n", "confidence", "accuracy"]
    assert table["n"].sum() == 300 and len(table) == 15
    gaps = (table["confidence"] - table["accuracy"]).abs()
    error = (gaps * table["n"]).sum() / 300
    assert error == pytest.approx(summary(y_true, probabilities, labels)["ece"])


def test_perfectly_calibrated_predictions_have_a_small_error():
    rng = np.random.default_rng(0)
    p = rng.random(20_000)
    y_true = np.where(rng.random(20_000) < p, "mel", "nv")
    probabilities = np.stack([p, 1 - p], axis=1)
    assert expected_calibration_error(y_true, probabilities, LABELS) < 0.015
    sharper = apply_temperature(probabilities, 0.4)
    assert expected_calibration_error(y_true, sharper, LABELS) > 0.08


def test_brier_sums_over_classes_and_is_twice_that_of_scikit_learn(predictions):
    assert brier_score(["mel"], [[0.0, 1.0]], LABELS) == 2
    assert brier_score(["mel", "nv"], [[0.5, 0.5], [0.0, 1.0]], LABELS) == 0.25
    y_true, probabilities = predictions(100, seed=2, labels=LABELS)
    expected = 2 * metrics.brier_score_loss(y_true == "mel", probabilities[:, 0])
    assert brier_score(y_true, probabilities, LABELS) == pytest.approx(expected)


def test_the_log_loss_is_that_of_scikit_learn_and_finite_for_what_was_sure_and_wrong(predictions, labels):
    assert log_loss(["mel", "nv"], [[0.5, 0.5], [0.2, 0.8]], LABELS) == pytest.approx(-np.log(0.4) / 2)
    assert log_loss(["mel"], [[0.0, 1.0]], LABELS) == pytest.approx(-np.log(1e-7))
    y_true, probabilities = predictions(100, seed=2)
    order = np.argsort(labels)  # scikit-learn's columns stand in the order of the alphabet
    expected = metrics.log_loss(y_true, probabilities[:, order], labels=sorted(labels))
    assert log_loss(y_true, probabilities, labels) == pytest.approx(expected)


def test_the_temperature_of_three_right_answers_of_four_by_hand():
    # A probability of 0.9 that is right three times of four should be 0.75: T = ln 9 / ln 3.
    spoilt = [[0.9, 0.1]] * 4
    temperature = fit_temperature(["mel", "mel", "mel", "nv"], spoilt, LABELS)
    assert temperature == pytest.approx(2, rel=1e-3)
    np.testing.assert_allclose(apply_temperature(spoilt, temperature)[0], [0.75, 0.25], atol=1e-3)


def test_the_temperature_that_spoilt_the_predictions_is_found(predictions, labels):
    rng = np.random.default_rng(99)
    _, honest = predictions(6000, seed=1)
    drawn = (rng.random((6000, 1)) > honest.cumsum(axis=1)).sum(axis=1).clip(max=6)
    y_true = np.array(labels)[drawn]
    spoilt = apply_temperature(honest, 0.5)
    temperature = fit_temperature(y_true, spoilt, labels)
    assert temperature == pytest.approx(2.0, rel=0.07)
    mended = apply_temperature(spoilt, temperature)
    assert log_loss(y_true, mended, labels) < log_loss(y_true, spoilt, labels)


def test_a_temperature_keeps_the_order_and_one_changes_nothing(predictions, labels):
    _, probabilities = predictions(50, seed=3)
    np.testing.assert_allclose(apply_temperature(probabilities, 1.0), probabilities)
    soft = apply_temperature(probabilities, 3.0)
    np.testing.assert_allclose(soft.sum(axis=1), 1)
    np.testing.assert_array_equal(soft.argsort(axis=1), probabilities.argsort(axis=1))


def test_certain_and_wrong_predictions_stay_finite():
    temperature = fit_temperature(["mel", "nv", "nv"], [[0, 1], [0, 1], [0, 1]], LABELS)
    assert 1 < temperature <= 20
    assert np.isfinite(apply_temperature(np.array([[0.0, 1.0]]), temperature)).all()


@pytest.mark.parametrize("temperature", [0, -1, float("nan")])
def test_a_temperature_must_be_positive(temperature):
    with pytest.raises(ValueError, match="above 0"):
        apply_temperature(np.array([[0.5, 0.5]]), temperature)


def test_what_rounding_puts_above_1_is_in_the_last_bin():
    assert reliability_table(["mel"], [[1 + 1e-7, 0.0]], LABELS, bins=2)["n"].tolist() == [0, 1]


def test_bins_are_of_equal_width_from_0_to_1():
    table = reliability_table(["mel"], [[0.9, 0.1]], LABELS, bins=4)
    assert table["low"].tolist() == [0, 0.25, 0.5, 0.75] and table["high"].tolist() == [0.25, 0.5, 0.75, 1]
