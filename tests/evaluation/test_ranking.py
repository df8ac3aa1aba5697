import numpy as np
import pytest
from sklearn import metrics

from skinkit.evaluation.ranking import (
    area_under_roc,
    average_precision,
    rank,
    sensitivity_at,
    weighted_curve,
)


def curve(scores, positive, weights=None):
    weights = np.ones((1, len(scores))) if weights is None else np.asarray(weights, float)
    return weighted_curve(rank(np.asarray(scores, float), np.asarray(positive, bool)), weights)


@pytest.mark.parametrize(
    ("scores", "positive", "area", "precision"),
    [
        ([0.9, 0.1], [1, 0], 1.0, 1.0),
        ([0.1, 0.9], [1, 0], 0.0, 0.5),
        ([0.5, 0.5], [1, 0], 0.5, 0.5),
        ([0.9, 0.5, 0.5, 0.1], [1, 1, 0, 0], 0.875, 0.5 + 0.5 * 2 / 3),
        ([0.5, 0.4], [1, 1], np.nan, 1.0),
        ([0.5, 0.4], [0, 0], np.nan, np.nan),
    ],
)
def test_areas_of_tiny_rankings_are_those_counted_by_hand(scores, positive, area, precision):
    hits, alarms = curve(scores, positive)
    np.testing.assert_allclose(area_under_roc(hits, alarms), [area])
    np.testing.assert_allclose(average_precision(hits, alarms), [precision])


@pytest.mark.parametrize(
    ("specificity", "expected"), [(1.0, 0.25), (0.95, 0.25), (0.9, 0.5), (0.8, 0.75), (0.0, 1.0)]
)
def test_sensitivity_at_a_specificity_takes_the_best_allowed_threshold(specificity, expected):
    # From the top: hit, alarm, hit, alarm, hit, alarm, then seven more negatives and the last hit.
    positive = [1, 0, 1, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 1]
    hits, alarms = curve(np.linspace(1, 0, 14), positive)
    assert sensitivity_at(hits, alarms, specificity)[0] == expected


def test_flagging_nobody_is_always_allowed():
    hits, alarms = curve([0.9, 0.1], [0, 1])
    assert sensitivity_at(hits, alarms, 0.95)[0] == 0


def test_tied_scores_pass_a_threshold_together():
    hits, alarms = curve([0.9, 0.9, 0.1], [1, 0, 0])
    assert sensitivity_at(hits, alarms, 0.95)[0] == 0
    assert sensitivity_at(hits, alarms, 0.5)[0] == 1


@pytest.mark.parametrize("positive", [[1, 1], [0, 0]])
def test_sensitivity_needs_both_kinds_of_images(positive):
    assert np.isnan(sensitivity_at(*curve([0.2, 0.4], positive), 0.9)[0])


@pytest.mark.parametrize("seed", range(8))
def test_weighted_rankings_equal_scikit_learn(seed):
    rng = np.random.default_rng(seed)
    # From all scores tied to hardly any, and the class from rare to common.
    scores, positive = rng.random(200).round(seed % 4), rng.random(200) < (0.03, 0.3, 0.97)[seed % 3]
    weights = rng.integers(0, 4, size=(6, 200)).astype(float)
    hits, alarms = curve(scores, positive, weights)
    areas, precisions = area_under_roc(hits, alarms), average_precision(hits, alarms)
    sensitivities = sensitivity_at(hits, alarms, 0.9)
    for i, weight in enumerate(weights):
        arguments = {"sample_weight": weight}
        exact = {"rel": 0, "abs": 1e-12}
        assert areas[i] == pytest.approx(metrics.roc_auc_score(positive, scores, **arguments), **exact)
        expected = metrics.average_precision_score(positive, scores, **arguments)
        assert precisions[i] == pytest.approx(expected, **exact)
        x, y, _ = metrics.roc_curve(positive, scores, drop_intermediate=False, **arguments)
        assert sensitivities[i] == pytest.approx(y[x <= 0.1 + 1e-9].max(), **exact)


def test_a_rare_class_has_few_thresholds():
    # Thresholds 1 to 6 and the last of all: those at the three images of the class, and those just before.
    positive = np.isin(np.arange(1000), [1, 4, 5])
    assert curve(np.linspace(1, 0, 1000), positive)[0].tolist() == [[0, 1, 1, 2, 3, 3]]
