"""The documents' claims against measured differences: a verdict for each test and each claim, in words."""

import pandas as pd

from skinkit.experiments.results.comparisons import METRICS, beside_printed
from skinkit.experiments.results.finished_runs import ENOUGH_RUNS
from skinkit.names import check_name, counted
from skinkit.papers.claims import load_claims, printed_check
from skinkit.papers.registry import recipe as find_recipe

_PAIR = ["first", "second", "metric", "protocol"]
_PRINTED = ["printed", "printed_low", "printed_high", "networks", "holds"]
_CLAIM = ["document", "claim", "place"]


def judge_claims(differences, document=None):
    """Returns the claims of the documents with a verdict for each of their tests.

    A measured difference decides where it has three runs or more, and its interval, which counts the luck of
    the trainings, too, lies on one side of 0: "not higher" and "not lower" `hold` from the tolerance of the
    first recipe on. A difference that was not measured `does not hold` where all printed ones have the other
    sign, and is `not tested` else; a print counts once, for the rows of the document where these are tested.
    A printed number `holds` where its check is "ok", and `does not hold` where it is impossible or disagrees
    with others.

    Args:
        differences: DataFrame of `compare_runs`, or `results/comparisons.csv` as pandas reads it.
        document: String, key such as `"gessert2019"`, or `None` for all.

    Returns:
        DataFrame, one row a claim and test, or more where a difference was measured in several ways: the
        columns of `skinkit.papers.claims.load_claims` and of `differences`, NaN where nothing was measured;
        further `verdict`, "holds", "does not hold", "open" or "not tested", and `words`: the difference or
        the check as a sentence, and why it decides nothing.

    Raises:
        ValueError: for a document without claims, or a claim about a score that is not compared.

    Example:
        >>> judge_claims(comparisons, "koefler2023")
    """
    tests = load_claims(document)
    for metric in tests.loc[tests["first"] != "", "metric"].unique():
        check_name("Scores that are compared", metric, METRICS)
    tests = tests.merge(differences.drop(columns=_PRINTED), on=_PAIR, how="left")
    # Printed differences stand beside those, too, that were not measured.
    tests = _without_repeats(beside_printed(tests))
    tests[["verdict", "words"]] = [_judge(row) for row in tests.itertuples()]
    return tests


def _without_repeats(tests):
    """Tests without printed differences of stand-ins whose document's own rows are tested beside them."""
    own = tests.apply(
        lambda row: (
            bool(row["first"]) and all(find_recipe(row[n]).published_row for n in ("first", "second"))
        ),
        axis=1,
    )
    said = tests["claim"] + tests["metric"]
    repeated = ~own & said.isin(said[own & tests["printed"].notna()])
    return tests.assign(printed=tests["printed"].mask(repeated))


def claim_verdicts(tests):
    """Returns one row a claim: what its tests say together.

    Measured differences go before printed numbers. A claim `does not hold` where one of its tests does not,
    and `holds` where all that were measured do, or else a printed number does; else it is `open`, where a
    test is, or `not tested`.

    Args:
        tests: DataFrame of `judge_claims`.

    Returns:
        DataFrame: `document`, `claim`, `place`, `verdict`, `words` of the tests that decide, and `measured`,
        whether runs decide and not printed numbers alone.
    """
    claims = tests.groupby(_CLAIM, sort=False)
    return pd.DataFrame([{**dict(zip(_CLAIM, key, strict=True)), **_together(own)} for key, own in claims])


def difference_in_words(row, what=""):
    """Returns a measured difference as a sentence without its full stop.

    Args:
        row: Named tuple, a row of `compare_runs`.
        what: String, what only the first recipe has; empty for the names of both.

    Example:
        >>> difference_in_words(row, "Soft attention")
        'Soft attention did not measurably help: -0.022 macro recall, 95 % -0.051 to +0.007, sd over runs
        0.020, 3 runs'
    """
    known = pd.notna(row.low_of_both)
    low, high = (row.low_of_both, row.high_of_both) if known else (row.low, row.high)
    parts = [
        f"{row.difference:+.3f} {row.metric.replace('_', ' ').replace('auc', 'AUC').replace('f1', 'F1')}",
        f"95 % {low:+.3f} to {high:+.3f}" if pd.notna(low) else "no interval",
        f"sd over runs {row.run_sd:.3f}" if pd.notna(row.run_sd) else "",
        counted(int(row.runs), "run"),
    ]
    subject = what or f"{row.first}, against {row.second},"
    return f"{subject} {_effect(row)}: {', '.join(filter(None, parts))}"


def _effect(row):
    if _decides_nothing(row):
        return "is undecided"
    if row.low_of_both > 0:
        return "helped"
    return "did harm" if row.high_of_both < 0 else "did not measurably help"


def _decides_nothing(row):
    """Why a measured difference cannot decide, whatever is expected; or `""`."""
    if row.runs < ENOUGH_RUNS:
        return f"it takes {ENOUGH_RUNS} runs"
    return "" if pd.notna(row.low_of_both) else "all resamples agree, so that nothing is known of others"


def _judge(row):
    """The verdict of a test, and the words for it."""
    if row.not_tested:
        return "not tested", row.not_tested
    if row.published:
        return _judge_check(printed_check(row.published, row.metric), row.published.rpartition("/")[2])
    if pd.isna(row.difference):
        return _judge_print(row)
    said = difference_in_words(row, row.what)
    if why := _decides_nothing(row):
        return "open", f"{said} ({why})"
    return _verdict(row, row.low_of_both, row.high_of_both), said


def _judge_check(check, name):
    said = f"Its own numbers ({name}): {check}"
    if "disagrees:" in check or "impossible" in check:
        return "does not hold", said
    return "holds" if check.startswith("ok") else "open", said


def _judge_print(row):
    said = f"{row.what} was not run"
    if pd.isna(row.printed):
        return "not tested", said
    contradicts = _verdict(row, row.printed_low, row.printed_high) == "does not hold"
    return "does not hold" if contradicts else "not tested", f"{said}; printed {row.printed:+.3f}"


def _verdict(row, low, high):
    """What an interval of a difference says of what is expected."""
    if row.expects in ("lower", "not higher"):
        low, high = -high, -low
    if low > (-_tolerance(row) if row.expects.startswith("not") else 0):
        return "holds"
    return "does not hold" if high < 0 else "open"


def _tolerance(row):
    stated = find_recipe(row.first).tolerance
    # Of two classes, each has the area of the other; and the area of one class has the tolerance of areas.
    return stated.get(row.metric, stated.get(row.metric.removeprefix("macro_").partition(":")[0], 0))


def _together(tests):
    measured = tests[tests["difference"].notna()]
    agreed = measured if measured["verdict"].eq("holds").all() else measured[:0]
    for part, verdict in (
        (measured, "does not hold"),
        (agreed, "holds"),
        (tests, "does not hold"),
        # A printed number alone does not decide where runs leave it open.
        (measured, "open"),
        *((tests, verdict) for verdict in ("holds", "open", "not tested")),
    ):
        deciding = part[part["verdict"] == verdict]
        if not deciding.empty:
            break
    words = "; ".join(dict.fromkeys(deciding["words"]))
    if verdict == "not tested" and deciding["first"].ne("").all():
        words = "What it compares was not run"
    return {"verdict": verdict, "words": words, "measured": deciding["difference"].notna().any()}
