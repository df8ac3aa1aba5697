"""Spread of a score over trainings, with folds and seeds apart."""

import numpy as np
import pandas as pd


def spread_over_runs(runs, by):
    """Returns the standard deviations of scores over the folds and over the seeds of several runs.

    gessert2019 prints the mean of three models, one a fold, on one test part, with the population standard
    deviation. The folds of a seed train on other images; the seeds of a fold on the same images, in another
    order and from other first weights. What a training owes to luck is in both.

    Args:
        runs: DataFrame, one row a run and score: `value`, the whole numbers `fold` and `seed`, and the
            columns `by`.
        by: Names of the columns that tell the scores apart.

    Returns:
        DataFrame, indexed by `by`: `population_sd` over the folds of a seed (ddof 0, as gessert2019 prints
        it), `fold_sd` the same with ddof 1, and `seed_sd` over the seeds of a fold (ddof 1). Of several
        seeds (or folds) the variances are averaged. NaN where there is one run only.

    Example:
        >>> runs = pd.DataFrame({"fold": [0, 1, 2], "seed": 0, "value": [0.70, 0.72, 0.74], "metric": "f1"})
        >>> spread_over_runs(runs, ["metric"])["fold_sd"]["f1"]
        0.02
    """
    variances = {
        "population_sd": _variance(runs, by, "seed", ddof=0),
        "fold_sd": _variance(runs, by, "seed", ddof=1),
        "seed_sd": _variance(runs, by, "fold", ddof=1),
    }
    return pd.DataFrame({name: np.sqrt(variance) for name, variance in variances.items()})


def _variance(runs, by, within, ddof):
    """The mean variance of the runs that share what is in `within`."""
    groups = runs.groupby([*by, within], sort=False)["value"]
    variance = groups.var(ddof=ddof).where(groups.size() > 1)
    return variance.groupby(level=list(by), sort=False).mean()
