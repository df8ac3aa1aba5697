import math
from pathlib import Path

import pandas as pd
import pytest

from skinkit.experiments.results import claims
from skinkit.experiments.results.claims import claim_verdicts, difference_in_words, judge_claims
from skinkit.experiments.results.comparisons import COLUMNS
from skinkit.papers.claims import load_claims

COMMITTED = Path(__file__).parents[3] / "results" / "comparisons.csv"
# No document prints a difference of these two: the tolerance is 0.03.
CONTROL = {"first": "gessert2019/table2/mobilenet-end", "second": "gessert2019/controls/mobilenet-ordered"}
# Printed for three networks: +4.9, +2.9 and +3.5 points.
PRINTED = CONTROL | {"second": "gessert2019/table2/mobilenet-multi-crop"}
TEST = {
    **{"document": "gessert2019", "claim": "It helps", "place": "Section IV", "what": "Attention"},
    **{"protocol": "corrected", "metric": "macro_recall", "expects": "higher"},
    **{"published": "", "not_tested": ""},
}
MEASURED = {
    **{"protocol": "corrected", "metric": "macro_recall", "difference": -0.022, "runs": 3, "run_sd": 0.02},
    **{"low": -0.04, "high": -0.001, "low_of_both": -0.051, "high_of_both": 0.007},
}


@pytest.fixture
def judge(monkeypatch):
    """Judges hand-made tests by hand-made differences."""

    def judge(tests, *differences):
        monkeypatch.setattr(claims, "load_claims", lambda document: pd.DataFrame(tests))
        table = pd.DataFrame(differences).reindex(columns=COLUMNS)
        return judge_claims(table)

    return judge


def interval(low, high, **more):
    return {
        **CONTROL,
        **MEASURED,
        "difference": (low + high) / 2,
        "low_of_both": low,
        "high_of_both": high,
    } | more


@pytest.mark.parametrize(
    ("expects", "low", "high", "verdict"),
    [
        ("higher", 0.01, 0.05, "holds"),
        ("higher", -0.05, -0.01, "does not hold"),
        ("higher", -0.01, 0.05, "open"),
        ("lower", -0.05, -0.01, "holds"),
        ("lower", 0.01, 0.05, "does not hold"),
        ("lower", -0.05, 0.01, "open"),
        # As much as the tolerance is as good as nothing.
        ("not higher", -0.05, 0.02, "holds"),
        ("not higher", 0.01, 0.02, "holds"),
        ("not higher", 0.01, 0.05, "does not hold"),
        ("not higher", -0.01, 0.05, "open"),
        ("not lower", -0.02, 0.05, "holds"),
        ("not lower", -0.05, -0.01, "does not hold"),
        ("not lower", -0.05, 0.01, "open"),
    ],
)
def test_an_interval_on_one_side_decides(judge, expects, low, high, verdict):
    table = judge([TEST | CONTROL | {"expects": expects}], interval(low, high))
    assert table["verdict"].tolist() == [verdict]


@pytest.mark.parametrize(
    ("lacking", "why"),
    [
        ({"runs": 2}, "is undecided: .*2 runs .it takes 3 runs"),
        ({"runs": 1, "run_sd": math.nan}, "is undecided: .*, 1 run .it takes 3 runs"),
        (
            dict.fromkeys(("low", "high", "low_of_both", "high_of_both"), math.nan),
            "no interval.*resamples agree",
        ),
    ],
)
def test_few_runs_and_a_difference_without_an_interval_decide_nothing(judge, lacking, why):
    table = judge([TEST | CONTROL], interval(0.01, 0.05) | lacking)
    assert table["verdict"].tolist() == ["open"]
    assert table["words"].str.contains(why).all()


def test_a_difference_is_told_in_a_sentence(judge):
    (row,) = judge([TEST | CONTROL], CONTROL | MEASURED).itertuples()
    said = "-0.022 macro recall, 95 % -0.051 to +0.007, sd over runs 0.020, 3 runs"
    assert row.words == f"Attention did not measurably help: {said}"
    assert difference_in_words(row) == (
        f"{CONTROL['first']}, against {CONTROL['second']}, did not measurably help: {said}"
    )


def test_the_area_of_one_class_has_the_tolerance_of_areas(judge):
    pair = {"first": "bermeo2023/schedules/lite0-m4", "second": "bermeo2023/schedules/lite0-m0"}
    test = TEST | pair | {"document": "bermeo2023", "metric": "auc:mel", "expects": "not lower"}
    for low, verdict in ((-0.005, "holds"), (-0.015, "open")):
        measured = interval(low, 0.02, metric="auc:mel") | pair
        assert judge([test], measured)["verdict"].tolist() == [verdict]


def test_a_print_is_judged_once_for_the_rows_of_the_document(judge):
    stand_in = {"first": "butskova2021/stages/lite0-gamma1", "second": "butskova2021/stages/lite0-gamma0"}
    names = [f"butskova2021/pretrained/resnet50-gamma{gamma}" for gamma in "10"]
    own = dict(zip(stand_in, names, strict=True))
    alone = judge([TEST | stand_in])
    assert alone["verdict"].tolist() == ["does not hold"] and "printed -0.026" in alone["words"].iloc[0]
    both = judge([TEST | own, TEST | stand_in])
    assert both["verdict"].tolist() == ["does not hold", "not tested"]
    assert "printed" not in both["words"].iloc[1]


@pytest.mark.parametrize(
    ("low", "high", "effect"), [(0.01, 0.05, "helped: +0.030"), (-0.05, -0.01, "did harm: -0.030")]
)
def test_what_a_sentence_says_of_an_effect_does_not_depend_on_what_was_expected(judge, low, high, effect):
    tests = [TEST | CONTROL | {"expects": expects} for expects in ("higher", "lower")]
    words = judge(tests, interval(low, high))["words"]
    assert words.str.startswith(f"Attention {effect} macro recall").all()


@pytest.mark.parametrize(
    ("pair", "expects", "verdict", "words"),
    [
        (CONTROL, "higher", "not tested", "Attention was not run"),
        (PRINTED, "higher", "not tested", "Attention was not run; printed +0.038"),
        (PRINTED, "lower", "does not hold", "Attention was not run; printed +0.038"),
        # All are above 0, and not all within the tolerance.
        (PRINTED, "not higher", "does not hold", "Attention was not run; printed +0.038"),
    ],
)
def test_printed_differences_alone_can_refute_and_not_confirm(judge, pair, expects, verdict, words):
    table = judge([TEST | pair | {"expects": expects}])
    assert table[["verdict", "words"]].to_numpy().tolist() == [[verdict, words]]


@pytest.mark.parametrize(
    ("row", "metric", "verdict"),
    [
        ("koefler2023/text/attention-gain-ham10000", "gain", "holds"),
        ("gessert2019/text/attention-gain", "gain", "open"),
        ("gessert2019/text/five-crop-gap", "gap_from", "does not hold"),
        ("koefler2023/table5a/cnn", "recall", "does not hold"),
    ],
)
def test_a_printed_number_is_judged_by_its_check(judge, row, metric, verdict):
    empty = dict.fromkeys(("first", "second", "what", "protocol", "expects"), "")
    table = judge([TEST | empty | {"published": row, "metric": metric}])
    assert table["verdict"].tolist() == [verdict]
    assert table["words"].str.startswith("Its own numbers (").all()


def test_each_way_of_being_carried_out_has_its_row_and_other_protocols_have_none(judge):
    ways = [interval(0.01, 0.05, profile=profile) for profile in ("quick", "full")]
    table = judge([TEST | CONTROL], *ways, interval(-0.05, -0.01, protocol="as_described"))
    assert table[["profile", "verdict"]].to_numpy().tolist() == [["quick", "holds"], ["full", "holds"]]


@pytest.mark.parametrize(
    ("tests", "verdict", "measured"),
    [
        ([("holds", True), ("not tested", False)], "holds", True),
        ([("holds", True), ("open", True), ("not tested", False)], "open", True),
        ([("holds", True), ("does not hold", True)], "does not hold", True),
        # Runs go before printed numbers, also where they leave it open.
        ([("holds", True), ("does not hold", False)], "holds", True),
        ([("open", True), ("holds", False)], "open", True),
        ([("open", True), ("does not hold", False)], "does not hold", False),
        ([("not tested", False), ("holds", False)], "holds", False),
        ([("not tested", False), ("open", False)], "open", False),
        ([("not tested", False)], "not tested", False),
    ],
)
def test_a_claim_is_judged_by_all_of_its_tests(tests, verdict, measured):
    rows = [
        {"verdict": said, "words": said.upper(), "difference": 0.1 if run else math.nan, "first": ""}
        for said, run in tests
    ]
    table = claim_verdicts(pd.DataFrame([TEST | row for row in rows]))
    assert table[["claim", "verdict", "measured"]].to_numpy().tolist() == [["It helps", verdict, measured]]
    assert table["words"].tolist() == [verdict.upper()]


def test_a_claim_whose_comparisons_were_not_run_says_so_once(judge):
    table = claim_verdicts(judge([TEST | CONTROL, TEST | PRINTED]))
    assert table[["verdict", "words"]].to_numpy().tolist() == [["not tested", "What it compares was not run"]]


def test_a_score_that_is_not_compared_is_named(judge):
    with pytest.raises(ValueError, match="Scores that are compared are .*Did you mean macro_recall"):
        judge([TEST | CONTROL | {"metric": "macro_recal"}])


def test_all_claims_are_judged_by_the_differences_of_the_repository():
    tests = judge_claims(pd.read_csv(COMMITTED))
    assert (tests["words"] != "").all()
    verdicts = claim_verdicts(tests)
    assert len(verdicts) == len(load_claims()[["document", "claim"]].drop_duplicates())
    measured = verdicts[verdicts["measured"]].set_index("claim")["verdict"]
    assert {"holds", "does not hold", "open"} == set(measured)


def test_without_any_run_all_is_left_to_printed_numbers():
    verdicts = claim_verdicts(judge_claims(pd.DataFrame(columns=COLUMNS), "koefler2023"))
    assert not verdicts["measured"].any()
    assert {"holds", "does not hold", "not tested"} <= set(verdicts["verdict"])


def test_the_mean_area_has_the_tolerance_of_areas(judge):
    pair = {"first": "bermeo2023/schedules/lite0-m4", "second": "bermeo2023/schedules/lite0-m0"}
    test = TEST | pair | {"document": "bermeo2023", "metric": "macro_auc", "expects": "not lower"}
    for low, verdict in ((-0.005, "holds"), (-0.015, "open")):
        measured = interval(low, 0.02, metric="macro_auc") | pair
        assert judge([test], measured)["verdict"].tolist() == [verdict]
