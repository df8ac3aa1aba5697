"""Spread of a score over trainings, with folds and seeds apart, and what it adds to an interval."""

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


def pooled_spread(sd, runs, by):
    """Returns the standard deviation that several groups of runs share, where each has few.

    Args:
        sd: Series of standard deviations over the runs of a group (ddof 1); NaN for a single run.
        runs: Series of the numbers of runs.
        by: Series, or a list of them, by which the variances are pooled.

    Returns:
        DataFrame with the index of `sd`: `pooled_sd`, the root of the mean variance, weighted by degrees of
        freedom, and `df`, these degrees in all. NaN and 0 where no group has two runs.

    Example:
        >>> pooled_spread(pd.Series([0.01, 0.03]), pd.Series([3, 3]), by=pd.Series(["t", "t"])).iloc[0]
        pooled_sd    0.02236
        df           4.00000
    """
    df = (runs - 1).where(sd.notna(), 0)
    total = df.groupby(by).transform("sum")
    squares = (df * sd.fillna(0) ** 2).groupby(by).transform("sum")
    return pd.DataFrame({"pooled_sd": np.sqrt(squares / total.where(total > 0)), "df": total})


def widen_interval(value, low, high, sd, runs, df):
    """Returns an interval of a mean over runs that counts the luck of the trainings, too.

    The bootstrap says how much the mean owes to the test images, and nothing about the trainings. Both are
    independent, so the square of each half of the interval grows by that of `t * sd / sqrt(runs)`.

    Args:
        value: Mean over runs; a number or an array, as are the others.
        low: Low end of the mean's 95 % bootstrap interval.
        high: Its high end.
        sd: Standard deviation over runs.
        runs: Number of runs.
        df: Degrees of freedom of `sd`.

    Returns:
        Tuple of the new low and high ends: NaN where `df` is 0.
    """
    from scipy.stats import t

    luck = t.ppf(0.975, df) * sd / np.sqrt(runs)
    return value - np.hypot(value - low, luck), value + np.hypot(high - value, luck)


def _variance(runs, by, within, ddof):
    """The mean variance of the runs that share what is in `within`."""
    groups = runs.groupby([*by, within], sort=False)["value"]
    variance = groups.var(ddof=ddof).where(groups.size() > 1)
    return variance.groupby(level=list(by), sort=False).mean()
