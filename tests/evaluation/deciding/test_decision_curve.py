"""Net benefit, counted by hand."""

import numpy as np
import pytest

from skinkit.evaluation import decision_curve

LABELS = ["mel", "nv"]
MELANOMA = np.array([0.8, 0.3, 0.6, 0.1])
TRUTH = ["mel", "mel", "nv", "nv"]


def both(p):
    return np.stack([p, 1 - p], axis=1)


def test_net_benefit_counts_found_and_in_vain():
    found = decision_curve(TRUTH, both(MELANOMA), LABELS, [0.2, 0.5], resamples=50)
    # From 0.2 on: both melanomas and one nevus, which costs 0.2 / 0.8. From 0.5 on: one of each.
    assert found["net_benefit"].tolist() == pytest.approx([2 / 4 - 1 / 4 * 0.25, 1 / 4 - 1 / 4])
    assert found["all"].tolist() == pytest.approx([2 / 4 - 2 / 4 * 0.25, 0])
    assert found["gain"].tolist() == pytest.approx([0.0625, 0])
    assert found.index.name == "threshold" and found.index.tolist() == [0.2, 0.5]


def test_above_all_probabilities_nobody_is_cut_and_a_perfect_model_finds_the_share():
    found = decision_curve(TRUTH, both(MELANOMA), LABELS, [0.9], resamples=50)
    # Cutting all would do harm: 1/2 - 1/2 * 9, so that none is the better, at 0.
    assert found[["net_benefit", "all", "gain"]].iloc[0].tolist() == pytest.approx([0, -4, 0])
    perfect = decision_curve(TRUTH, both(np.array([1.0, 1, 0, 0])), LABELS, resamples=50)
    assert perfect["net_benefit"].tolist() == pytest.approx([0.5] * 50) and (perfect["gain"] > 0).all()


def test_whole_lesions_are_resampled():
    truth, p = TRUTH * 10, both(np.tile(MELANOMA, 10))
    images = decision_curve(truth, p, LABELS, [0.3], resamples=300)
    lesions = decision_curve(truth, p, LABELS, [0.3], groups=np.arange(40) // 8, resamples=300)
    width = images["high"] - images["low"]
    # Each group of eight is like the whole.
    assert width.item() > 0.1 and (lesions["high"] - lesions["low"]).item() == pytest.approx(0)


@pytest.mark.parametrize("t", [0, 1, -0.1, np.nan])
def test_a_threshold_lies_between_0_and_1(t):
    with pytest.raises(ValueError, match="thresholds must lie between 0 and 1"):
        decision_curve(TRUTH, both(MELANOMA), LABELS, [t])


def test_what_is_as_likely_as_the_threshold_is_taken_out():
    found = decision_curve(["mel", "nv"], both(np.array([0.5, 0.25])), LABELS, [0.25, 0.5], resamples=5)
    # At 0.25 both go, and the nevus costs 1/2 * 1/3; at 0.5 the melanoma alone.
    assert found["net_benefit"].tolist() == pytest.approx([1 / 2 - 1 / 2 / 3, 1 / 2])


def test_thresholds_are_whole_percents_up_to_a_half():
    found = decision_curve(TRUTH, both(MELANOMA), LABELS, resamples=2)
    assert found.index.tolist() == pytest.approx(np.arange(1, 51) / 100)
