import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skinkit.evaluation import Decision, choose_decision, decide_out_of_fold, score

LABELS = ["nv", "mel"]
SHARES = {"nv": 0.9, "mel": 0.1}


def test_a_decision_turns_where_it_does_by_hand():
    # log(0.6 / 0.4) = 0.405 is less than tau log(0.9 / 0.1) = 2.197 tau from tau = 0.185 on.
    for tau, decided in ((0.0, 0), (0.15, 0), (0.2, 1), (1.0, 1)):
        assert Decision(tau, SHARES).apply([[0.6, 0.4]], LABELS).argmax() == decided
    # 0.6 / 0.9 = 2/3 and 0.4 / 0.1 = 4, of 14/3.
    np.testing.assert_allclose(Decision(1.0, SHARES).apply([[0.6, 0.4]], LABELS), [[1 / 7, 6 / 7]])


def test_the_tau_is_chosen_by_hand():
    # The melanoma is found from tau = 0.2 on; from 0.65 on, the second nevus (0.8: 1.386 / 2.197) is lost.
    truth, probabilities = ["mel", "nv", "nv"], [[0.6, 0.4], [0.8, 0.2], [0.99, 0.01]]
    assert choose_decision(truth, probabilities, LABELS, SHARES).tau == 0.2
    assert choose_decision(truth, probabilities, LABELS, SHARES, taus=(1.0, 0.65)).tau == 0.65
    assert choose_decision(["nv"], [[0.6, 0.4]], LABELS, SHARES).tau == 0.0


def test_each_fold_is_decided_by_the_others_by_hand():
    # In fold 1 a tau of 0.2 finds the melanoma; in fold 0 the likeliest classes are right, and tau is 0.
    # Nine images of ten are nevi in both, eight of them sure ones.
    truth, folds = ["mel", "nv", "mel", "nv", *["nv"] * 16], [0, 0, 1, 1, *[0] * 8, *[1] * 8]
    probabilities = np.array([[0.4, 0.6], [0.6, 0.4], [0.6, 0.4], [0.8, 0.2], *[[0.99, 0.01]] * 16])
    found = decide_out_of_fold(truth, probabilities, LABELS, folds)
    np.testing.assert_allclose(found[2:4], probabilities[2:4])
    np.testing.assert_allclose(found[:2], Decision(0.2, SHARES).apply(probabilities[:2], LABELS))
    assert found[:2].argmax(axis=1).tolist() == [1, 1]
    with pytest.raises(ValueError, match="two folds or more.*4 with 1 different"):
        decide_out_of_fold(truth[:4], probabilities[:4], LABELS, [1, 1, 1, 1])


@st.composite
def predictions(draw):
    n, classes, seed = draw(st.integers(1, 40)), draw(st.integers(2, 7)), draw(st.integers(0, 2**16))
    rng = np.random.default_rng(seed)
    labels = [f"c{k}" for k in range(classes)]
    shares = dict(zip(labels, rng.dirichlet(np.ones(classes)) * 0.9 + 0.1 / classes, strict=True))
    return rng.choice(labels, n), rng.dirichlet(np.full(classes, 0.5), n), labels, shares


@given(predictions(), st.floats(0, 1))
@settings(max_examples=40, deadline=None)
def test_it_is_the_largest_adjusted_logarithm(made, tau):
    _, probabilities, labels, shares = made
    found = Decision(tau, shares).apply(probabilities, labels)
    np.testing.assert_allclose(found.sum(axis=1), 1)
    with np.errstate(divide="ignore"):
        adjusted = np.log(probabilities) - tau * np.log(list(shares.values()))
    best = adjusted.max(axis=1)
    np.testing.assert_allclose(adjusted[np.arange(len(best)), found.argmax(axis=1)], best)


@given(predictions(), st.floats(0, 1))
@settings(max_examples=20, deadline=None)
def test_with_equal_shares_or_a_tau_of_0_the_likeliest_class_stays(made, tau):
    _, probabilities, labels, shares = made
    equal = dict.fromkeys(labels, 1 / len(labels))
    for rule in (Decision(tau, equal), Decision(0, shares)):
        np.testing.assert_allclose(rule.apply(probabilities, labels), probabilities, atol=1e-12)


@given(predictions())
@settings(max_examples=20, deadline=None)
def test_the_chosen_one_is_no_worse_where_it_was_chosen(made):
    truth, probabilities, labels, shares = made
    rule = choose_decision(truth, probabilities, labels, shares)
    adjusted = rule.apply(probabilities, labels)
    assert score("macro_recall", truth, adjusted, labels) >= score(
        "macro_recall", truth, probabilities, labels
    )


@pytest.mark.parametrize(
    ("ask", "message"),
    [
        (lambda: Decision(1.5, SHARES), "`tau`.*1.5"),
        (lambda: Decision(0.5, {"nv": 1.0, "mel": 0.0}), "not in training.*Received: mel with 0.0"),
        (lambda: Decision(0.5, {"nv": 1.0}).apply([[0.6, 0.4]], LABELS), "mel has no share"),
        (lambda: choose_decision(["nvv"], [[0.6, 0.4]], LABELS, SHARES), "none of the labels"),
    ],
)
def test_bad_input_is_named(ask, message):
    with pytest.raises(ValueError, match=message):
        ask()


def test_rows_need_not_sum_to_1_before_but_do_afterwards():
    # A row of zeros stays one.
    found = Decision(0.0, SHARES).apply([[0.3, 0.1], [0.0, 0.0]], LABELS)
    np.testing.assert_allclose(found, [[0.75, 0.25], [0.0, 0.0]])
