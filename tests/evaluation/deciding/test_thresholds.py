import math

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from skinkit.evaluation import choose_threshold, score, scores_at
from skinkit.evaluation.deciding.thresholds import Threshold

LABELS = ["nv", "mel"]
# From the highest probability to the lowest: 4 melanomas among 10 images.
SCORES = [0.95, 0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2, 0.1]
TRUTH = ["mel", "nv", "mel", "nv", "nv", "mel", "nv", "nv", "mel", "nv"]


def columns(scores):
    return np.stack([1 - np.array(scores), scores], axis=1)


def choose(**wanted):
    return choose_threshold(TRUTH, columns(SCORES), LABELS, **wanted)


@pytest.mark.parametrize(
    ("wanted", "value"),
    [
        *[({"sensitivity": share}, value) for share, value in ((0, math.inf), (0.25, 0.95), (0.5, 0.8))],
        *[({"sensitivity": share}, value) for share, value in ((0.51, 0.5), (0.75, 0.5), (1, 0.2))],
        # 6 others: none, one, two, three, all of them may be called melanoma.
        *[({"specificity": share}, value) for share, value in ((1, 0.95), (5 / 6, 0.8), (0.7, 0.8))],
        *[({"specificity": share}, value) for share, value in ((4 / 6, 0.7), (0.5, 0.5), (0, 0.1))],
    ],
)
def test_thresholds_are_those_counted_by_hand(wanted, value):
    assert choose(**wanted).value == value


def test_what_a_threshold_is_worth_is_counted_by_hand():
    threshold = Threshold("mel", 0.6, "sensitivity", 0.5, 40)
    table = scores_at(threshold, TRUTH, columns(SCORES), LABELS)
    assert table.index.tolist() == ["sensitivity", "specificity"]
    assert table["value"].tolist() == [2 / 4, 3 / 6] and table["n"].tolist() == [4, 6]
    assert table["method"].eq("wilson").all()
    assert (table["low"] < table["value"]).all() and (table["value"] < table["high"]).all()


@pytest.mark.parametrize(("only", "defined", "lost"), [("nv", 1, 0), ("mel", 0, 1)])
def test_where_one_of_both_is_absent_the_other_share_is_known(only, defined, lost):
    table = scores_at(Threshold("mel", 0.6, "sensitivity", 0.5, 40), [only] * 10, columns(SCORES), LABELS)
    assert table["value"].iloc[defined] == 0.5 and table["n"].tolist()[defined] == 10
    assert 0.2 < table["low"].iloc[defined] < 0.3 and 0.7 < table["high"].iloc[defined] < 0.8
    assert table[["value", "low", "high"]].iloc[lost].isna().all() and table["n"].tolist()[lost] == 0


def test_a_tie_passes_the_threshold_together():
    truth, probabilities = ["mel", "nv", "nv", "mel"], columns([0.8, 0.8, 0.8, 0.1])
    threshold = choose_threshold(truth, probabilities, LABELS, sensitivity=0.5)
    assert threshold.value == 0.8
    assert scores_at(threshold, truth, probabilities, LABELS)["value"].tolist() == [0.5, 0.0]
    # With two others tied at the top, one alone cannot be called.
    assert choose_threshold(truth, probabilities, LABELS, specificity=0.5).value == math.inf


def test_without_any_call_nobody_is_found():
    table = scores_at(Threshold("mel", math.inf, "specificity", 1.0, 40), TRUTH, columns(SCORES), LABELS)
    assert table["value"].tolist() == [0.0, 1.0]


sets = st.tuples(st.integers(2, 60), st.integers(0, 2**16), st.integers(0, 2))
shares = st.floats(0, 1)


def drawn(n, seed, decimals):
    """Labels of both classes, and probabilities with many ties or few."""
    rng = np.random.default_rng(seed)
    truth = np.append(["nv", "mel"], rng.choice(LABELS, n - 2))
    return truth, columns(rng.random(n).round(decimals + 1))


@pytest.mark.parametrize("wanted", ["sensitivity", "specificity"])
@given(parts=sets, share=shares, more=shares)
@example(parts=(43, 0, 0), share=1.0264703965313728e-10, more=0.0)
def test_validation_keeps_what_was_asked_for_and_no_other_threshold_is_better(wanted, parts, share, more):
    truth, probabilities = drawn(*parts)
    found = choose_threshold(truth, probabilities, LABELS, **{wanted: share})

    def at(value):
        called = probabilities[:, 1] >= value
        return {"sensitivity": called[truth == "mel"].mean(), "specificity": 1 - called[truth == "nv"].mean()}

    (other,) = {"sensitivity", "specificity"} - {wanted}
    here = at(found.value)
    # What rounding may do to a number of images.
    least = share - 1e-9 / (truth == ("mel" if wanted == "sensitivity" else "nv")).sum()
    assert here[wanted] >= least
    for value in {*probabilities[:, 1], math.inf}:
        if at(value)[wanted] >= least:
            assert at(value)[other] <= here[other]
    low, high = sorted((share, more))
    first, second = (choose_threshold(truth, probabilities, LABELS, **{wanted: each}) for each in (low, high))
    assert first.value >= second.value if wanted == "sensitivity" else first.value <= second.value


@pytest.mark.parametrize("seed", range(4))
def test_at_a_wanted_specificity_the_sensitivity_is_that_of_the_summary(predictions, labels, seed):
    truth, probabilities = predictions(300, seed, decimals=2)
    threshold = choose_threshold(truth, probabilities, labels, specificity=0.9)
    table = scores_at(threshold, truth, probabilities, labels, resamples=20)
    expected = score("melanoma_sensitivity_at_90_specificity", truth, probabilities, labels)
    assert table.loc["sensitivity", "value"] == expected


def test_intervals_are_those_of_whole_lesions(predictions, labels):
    truth, probabilities = predictions(200, 0)
    twice = np.repeat(truth, 2), np.repeat(probabilities, 2, axis=0)
    threshold = choose_threshold(*twice, labels, sensitivity=0.7, groups=np.repeat(np.arange(200), 2))
    assert threshold == choose_threshold(truth, probabilities, labels, sensitivity=0.7)
    once = scores_at(threshold, truth, probabilities, labels, np.arange(200))
    both = scores_at(threshold, *twice, labels, np.repeat(np.arange(200), 2))
    np.testing.assert_allclose(once[["low", "high"]], both[["low", "high"]])
    assert (both["n"] == 2 * once["n"]).all()


@pytest.mark.parametrize(("positives", "doubted"), [(19, True), (20, False)])
def test_few_positives_are_said(positives, doubted):
    truth = ["mel"] * positives + ["nv"] * 100
    threshold = choose_threshold(truth, columns(np.linspace(1, 0, len(truth))), LABELS, sensitivity=0.95)
    said = f"{positives} independent images of mel, fewer than 20, cannot show a sensitivity of 95%"
    assert threshold.doubt == (f"{said}: look at its interval" if doubted else "")


def test_a_wanted_share_is_said_as_it_was_asked_for():
    assert "cannot show a specificity of 99.9%:" in choose(specificity=0.999).doubt
    assert "cannot show a sensitivity of 57%:" in choose(sensitivity=0.57).doubt
    assert choose(sensitivity=0).doubt == choose(specificity=0).doubt == ""


def test_groups_are_as_many_as_images():
    with pytest.raises(ValueError, match=r"groups must hold 10 ids. Received: shape \(9,\)"):
        choose_threshold(TRUTH, columns(SCORES), LABELS, sensitivity=0.9, groups=range(9))


def test_images_of_one_lesion_are_one():
    truth, lesions = ["mel"] * 40 + ["nv"] * 40, [*["L1"] * 30, *[None] * 10, *range(40)]
    probabilities = columns(np.linspace(1, 0, 80))
    assert choose_threshold(truth, probabilities, LABELS, sensitivity=0.9, groups=lesions).shown_by == 11
    other = choose_threshold(truth, probabilities, LABELS, specificity=0.9, groups=lesions)
    assert other.shown_by == 40 and other.doubt == ""


@pytest.mark.parametrize(
    ("truth", "labels", "wanted", "message"),
    [
        (TRUTH, LABELS, {}, "one of both"),
        (TRUTH, LABELS, {"sensitivity": 0.9, "specificity": 0.9}, "one of both"),
        (TRUTH, LABELS, {"sensitivity": 95}, "`sensitivity` must be a number from 0 to 1.*95"),
        (TRUTH, LABELS, {"sensitivity": 0.9, "positive": "ml"}, "Did you mean mel"),
        (["nv"] * 10, LABELS, {"sensitivity": 0.9}, "No image can show a sensitivity of mel"),
        (["mel"] * 10, LABELS, {"specificity": 0.9}, "No image can show a specificity of mel"),
    ],
)
def test_bad_requests_are_refused(truth, labels, wanted, message):
    with pytest.raises(ValueError, match=message):
        choose_threshold(truth, columns(SCORES), labels, **wanted)


def test_a_class_must_be_named_where_none_stands_out():
    with pytest.raises(ValueError, match="give `positive`"):
        choose_threshold(["a"], [[0.2, 0.3, 0.5]], ["a", "b", "c"], sensitivity=0.9)
