from fractions import Fraction

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from published_rules.rounding import (
    Interval,
    check_report,
    mean_interval,
    possible_hits,
    possible_predictions,
    printed,
)


def report(*rows):
    columns = ["precision", "recall", "f1", "support"]
    return pd.DataFrame([r[1:] for r in rows], index=[r[0] for r in rows], columns=columns)


# Two classes of 4 and 6 images: 3 + 5 hits, 4 and 6 predictions.
SOUND = report(("a", "0.75", "0.75", "0.75", "4"), ("b", "0.83", "0.83", "0.83", "6"))
SOUND_OVERALL = {
    "accuracy": "0.80",
    "support": "10",
    "macro_recall": "0.79",
    "weighted_recall": "0.80",
    "weighted_f1": "0.80",
}


def test_a_printed_number_stands_for_half_a_unit_to_each_side():
    assert printed("0.34") == (Fraction(335, 1000), Fraction(345, 1000))
    assert printed(0.5, digits=1) == (Fraction(9, 20), Fraction(11, 20))
    assert printed("78.2", digits=1).holds(78.24)
    assert not printed("78.2", digits=1).holds(78.26)


def test_intervals_overlap_when_they_share_an_end():
    assert Interval(0, 1).overlaps(Interval(1, 2))
    assert not Interval(0, 1).overlaps(Interval(Fraction(11, 10), 2))


@pytest.mark.parametrize(
    ("recall", "support", "hits"),
    [
        (0.86, 7, [6]),
        (0.43, 7, [3]),
        (0.42, 7, []),
        (0.34, 7, []),
        (0.95, 7, []),
        (0.75, 39, []),
        (1.0, 228, [227, 228]),
        (0.0, 3, [0]),
        # 7/8 = 0.875 is printed as 0.87 or 0.88, as the rounding goes.
        (0.87, 8, [7]),
        (0.88, 8, [7]),
    ],
)
def test_hits_are_the_whole_numbers_that_round_to_the_recall(recall, support, hits):
    assert list(possible_hits(recall, support)) == hits


@given(st.integers(1, 400), st.data())
def test_every_real_share_is_possible_after_rounding(support, data):
    hits = data.draw(st.integers(0, support))
    assert hits in possible_hits(round(hits / support, 2), support)


@pytest.mark.parametrize(
    ("precision", "hits", "negatives", "predictions"),
    [
        (0.75, 3, 10, [4]),
        (0.35, 3, 487, []),
        (0.77, 35, 424, []),
        (1.0, 6, 10, [6]),
        (0.5, 2, 1, []),
        (0.0, 0, 2, [0, 1, 2]),
        (0.4, 0, 2, []),
        (0.0, 1, 500, list(range(200, 502))),
    ],
)
def test_predictions_are_the_whole_numbers_that_give_the_precision(precision, hits, negatives, predictions):
    assert list(possible_predictions(precision, hits, negatives)) == predictions


def test_the_mean_of_printed_values_lies_in_an_interval():
    assert mean_interval(["0.2", "0.4"], digits=1) == (Fraction(1, 4), Fraction(7, 20))
    weighted = mean_interval([0.5, 1.0], weights=["1", "3"], digits=1)
    assert weighted == (Fraction(33, 40), Fraction(37, 40))


def test_a_sound_report_is_ok_everywhere():
    found = check_report(SOUND, SOUND_OVERALL)
    assert set(found) == {(c, m) for c in "ab" for m in ("precision", "recall", "f1")} | {
        ("all", metric) for metric in SOUND_OVERALL
    }
    assert all(text.startswith("ok") for text in found.values()), found
    assert found["all", "macro_recall"] == "ok: the classes give 0.790"


def test_an_impossible_recall_names_the_nearest_possible_ones():
    found = check_report(report(("akiec", 0.35, 0.34, 0.35, 7)), {})
    assert found["akiec", "recall"] == "impossible: 2/7 = 0.29 and 3/7 = 0.43 are the nearest"
    assert found["akiec", "precision"] == "impossible: no number of hits and predictions gives it"
    # With other images, 7 hits in 20 predictions would do.
    others = report(("akiec", 0.35, 0.34, 0.35, 7), ("nv", 1, 1, 1, 50))
    assert check_report(others, {})["akiec", "precision"] == "ok"


def test_a_precision_without_a_number_of_predictions_is_impossible():
    rows = report(("df", 0.35, 0.75, 0.48, 4), ("nv", 1, 1, 1, 100))
    found = check_report(rows, {})
    assert found["df", "precision"] == "impossible: 3/8 = 0.38 and 3/9 = 0.33 are the nearest"


def test_a_precision_of_zero_with_hits_is_impossible():
    found = check_report(report(("a", 0, 1, 0, 4), ("b", 1, 1, 1, 6)), {})
    assert found["a", "precision"].startswith("impossible: 4/9 = 0.44 and 4/10 = 0.40")


def test_an_f1_must_fit_precision_and_recall():
    rows = report(("bcc", 0.77, 0.52, 0.31, 67), ("nv", 1, 1, 1, 100))
    assert check_report(rows, {})["bcc", "f1"] == "disagrees: precision and recall give 0.62"


def test_an_f1_must_fit_the_whole_numbers_too():
    # 53 of 87 found, 73 predicted: F1 is 106/160 = 0.6625, although 0.73 and 0.61 alone allow 0.67.
    rows = report(("mel", 0.73, 0.61, 0.67, 87), ("nv", 1, 1, 1, 404))
    assert check_report(rows, {})["mel", "f1"].startswith("impossible: no whole numbers")
    rows = report(("mel", 0.73, 0.61, 0.66, 87), ("nv", 1, 1, 1, 404))
    assert check_report(rows, {})["mel", "f1"] == "ok"


@pytest.mark.parametrize(
    ("metric", "value", "text"),
    [
        ("accuracy", "0.70", "disagrees: the classes give 0.798 (0.793 to 0.803)"),
        ("macro_recall", "0.81", "disagrees: the classes give 0.790 (0.785 to 0.795)"),
        ("weighted_f1", "0.82", "disagrees: the classes give 0.798 (0.793 to 0.803)"),
        ("support", "11", "disagrees: the supports add up to 10"),
    ],
)
def test_averages_and_sums_must_follow_from_the_classes(metric, value, text):
    assert check_report(SOUND, {metric: value})["all", metric] == text


def test_the_weighted_recall_is_the_accuracy():
    found = check_report(SOUND, {"accuracy": "0.79", "weighted_recall": "0.80"})
    assert found["all", "weighted_recall"] == "ok: the classes give 0.798"
    found = check_report(SOUND, {"accuracy": "0.70", "weighted_recall": "0.80"})
    assert found["all", "weighted_recall"] == ("disagrees: weighted recall is accuracy, printed 0.70")


def test_predictions_must_add_up_to_the_images():
    # All images of both classes found, with half of the predictions wrong: 20 for 10 images.
    rows = report(("a", 0.5, 1, 0.67, 4), ("b", 0.5, 1, 0.67, 6))
    found = check_report(rows, {"support": 10})
    assert found["all", "support"] == (
        "disagrees: precisions and recalls make 20 to 20 predictions for 10 images"
    )


def test_a_table_that_is_no_report_is_refused():
    with pytest.raises(ValueError, match=r"precision, recall, f1, support.*columns=\['precision'\]"):
        check_report(pd.DataFrame({"precision": [0.5]}), {})
    with pytest.raises(ValueError, match="0 rows"):
        check_report(SOUND.iloc[:0], {})
