import numpy as np
import pandas as pd
import pytest

from skinkit.evaluation import spread_over_runs


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
