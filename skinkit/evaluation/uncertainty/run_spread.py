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
        >>> round(float(spread_over_runs(runs, ["metric"])["fold_sd"]["f1"]), 3)
        0.02
    """
    variances = {
        "population_sd": _variance(runs, by, "seed", ddof=0),
        "fold_sd": _variance(runs, by, "seed", ddof=1),
        "seed_sd": _variance(runs, by, "fold", ddof=1),
    }
    return pd.DataFrame({name: np.sqrt(variance) for name, variance in variances.items()})


def pooled_spread(pairs, by):
    """Returns the standard deviation over runs that several differences share, where each has few runs.

    Pairs that share recipes are not independent: of r recipes that pairs connect, r - 1 differences say all.

    Args:
        pairs: DataFrame, one row a difference: names `first` and `second`, the number of `runs`, and their
            standard deviation `run_sd` (ddof 1); NaN for a single run.
        by: Series, or a list of them, by which the variances are pooled.

    Returns:
        DataFrame with the index of `pairs`: `pooled_sd`, the root of the mean variance, weighted by the
        degrees of freedom of each, and `df`, these degrees of all that are independent. NaN and 0 where no
        difference has two runs.

    Example:
        >>> pairs = pd.DataFrame({"first": ["a", "b"], "second": "c", "runs": 3, "run_sd": [0.01, 0.03]})
        >>> pooled_spread(pairs, by=pd.Series(["table", "table"])).iloc[0].round(4).to_dict()
        {'pooled_sd': 0.0224, 'df': 4.0}
    """
    table = pairs.groupby(by, sort=False, dropna=False).ngroup()
    pairs = pairs.assign(df=(pairs["runs"] - 1).where(pairs["run_sd"].notna(), 0), table=table)
    pairs["squares"] = pairs["df"] * pairs["run_sd"].fillna(0) ** 2
    known = pairs[pairs["df"] > 0]
    sums = known.groupby("table")[["df", "squares"]].sum()
    tables = known.groupby("table")[["first", "second"]]
    independent = pd.Series({table: _independent_share(own) for table, own in tables}, dtype=float)
    sd, df = np.sqrt(sums["squares"] / sums["df"]), (sums["df"] * independent).round()
    return pd.DataFrame({"pooled_sd": table.map(sd), "df": table.map(df).fillna(0).astype(int)})


def _independent_share(pairs):
    """The share of pairs of recipes whose differences say all."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    codes, recipes = pd.factorize(pairs.to_numpy().ravel())
    graph = coo_array((np.ones(len(pairs)), (codes[::2], codes[1::2])), shape=(len(recipes),) * 2)
    parts, _ = connected_components(graph, directed=False)
    return min(1.0, (len(recipes) - parts) / len(pairs))


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
