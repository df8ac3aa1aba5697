import numpy as np
import pandas as pd
import pytest

from skinkit.evaluation import pooled_spread, spread_over_runs, widen_interval


def runs(*rows, metric="macro_recall"):
    return pd.DataFrame(rows, columns=["fold", "seed", "value"]).assign(metric=metric)


def test_three_folds_are_told_as_gessert2019_tells_them():
    found = spread_over_runs(runs((0, 0, 0.70), (1, 0, 0.73), (2, 0, 0.76)), ["metric"]).iloc[0]
    assert found["population_sd"] == pytest.approx(0.03 * np.sqrt(2 / 3))
    assert found["fold_sd"] == pytest.approx(0.03)
    assert np.isnan(found["seed_sd"])


def test_seeds_are_told_apart_from_folds():
    # Folds 0.2 apart, seeds 0.02 apart.
    table = runs((0, 0, 0.50), (1, 0, 0.70), (0, 1, 0.52), (1, 1, 0.72))
    found = spread_over_runs(table, ["metric"]).iloc[0]
    assert found["fold_sd"] == pytest.approx(0.2 / np.sqrt(2))
    assert found["population_sd"] == pytest.approx(0.1)
    assert found["seed_sd"] == pytest.approx(0.02 / np.sqrt(2))


def test_variances_are_averaged_and_lonely_runs_left_out():
    table = runs((0, 0, 0.5), (0, 1, 0.5), (1, 0, 0.2), (1, 1, 0.4), (2, 0, 0.9))
    found = spread_over_runs(table, ["metric"]).iloc[0]
    assert found["seed_sd"] == pytest.approx(np.sqrt((0.0 + 0.02) / 2))


def test_scores_are_kept_apart_and_one_run_has_no_spread():
    table = pd.concat([runs((0, 0, 0.5), (1, 0, 0.7)), runs((0, 0, 0.9), metric="accuracy")])
    found = spread_over_runs(table, ["metric"])
    assert found.loc["macro_recall", "fold_sd"] == pytest.approx(0.2 / np.sqrt(2))
    assert found.loc["accuracy"].isna().all()


def test_few_runs_of_several_differences_share_a_spread():
    pairs = pd.DataFrame(
        {
            "first": ["a", "b", "d", "e"],
            "second": "c",
            "runs": [3, 2, 1, 1],
            "run_sd": [0.01, 0.03, np.nan, np.nan],
        }
    )
    found = pooled_spread(pairs, by=pd.Series(["one", "one", "one", "other"]))
    # (2 * 0.01² + 1 * 0.03²) / 3
    assert found["pooled_sd"].tolist()[:3] == pytest.approx([np.sqrt(0.0011 / 3)] * 3)
    assert found["df"].tolist() == [3, 3, 3, 0] and np.isnan(found["pooled_sd"][3])


def test_a_difference_that_follows_from_others_adds_no_degrees_of_freedom():
    pairs = pd.DataFrame({"first": ["a", "b", "a"], "second": ["c", "c", "b"], "runs": 3, "run_sd": 0.02})
    found = pooled_spread(pairs, by=pd.Series(["one"] * 3))
    # Three recipes of three runs each: 2 * 2.
    assert found["df"].tolist() == [4] * 3 and found["pooled_sd"].tolist() == pytest.approx([0.02] * 3)
    # Two recipes that no pair connects with these add one difference.
    apart = pd.DataFrame({"first": ["d"], "second": ["e"], "runs": 3, "run_sd": 0.02})
    found = pooled_spread(pd.concat([pairs, apart], ignore_index=True), by=pd.Series(["one"] * 4))
    assert found["df"].tolist() == [6] * 4


def test_an_interval_grows_by_the_luck_of_the_trainings():
    # t of 2 degrees of freedom is 4.3027: 4.3027 * 0.02 / sqrt(3) = 0.04968.
    low, high = widen_interval(0.10, 0.06, 0.13, 0.02, 3, 2)
    assert low == pytest.approx(0.10 - np.hypot(0.04, 0.04968), abs=1e-5)
    assert high == pytest.approx(0.10 + np.hypot(0.03, 0.04968), abs=1e-5)
    assert np.isnan(widen_interval(0.10, 0.06, 0.13, np.nan, 1, 0)).all()


def test_a_difference_of_single_runs_takes_no_degrees_of_freedom_from_others():
    # The third follows from the first two, and has no spread of its own.
    pairs = pd.DataFrame({"first": ["a", "b", "a"], "second": ["c", "c", "b"], "runs": [3, 3, 1]})
    found = pooled_spread(pairs.assign(run_sd=[0.02, 0.02, np.nan]), by=pd.Series(["one"] * 3))
    assert found["df"].tolist() == [4] * 3 and found["pooled_sd"].tolist() == pytest.approx([0.02] * 3)


def test_a_missing_key_is_a_value_like_others():
    pairs = pd.DataFrame({"first": ["a", "b"], "second": "c", "runs": 3, "run_sd": [0.01, 0.03]})
    found = pooled_spread(pairs, by=[pd.Series(["one", "other"]), pd.Series([np.nan, np.nan])])
    assert found["pooled_sd"].tolist() == pytest.approx([0.01, 0.03]) and found["df"].tolist() == [2, 2]
