import numpy as np
import pytest
from scipy import stats

from skinkit.evaluation import bootstrap_intervals
from skinkit.evaluation.uncertainty.few_lesions import effective_number, few_interval, wilson_interval

LABELS = ["mel", "nv"]


def intervals(y_true, called, groups=None, metrics=None):
    """Intervals of answers given as labels, each with 0.9."""
    probabilities = np.where(np.array(LABELS) == np.array(called)[:, None], 0.9, 0.1)
    return bootstrap_intervals(y_true, probabilities, LABELS, groups, metrics, resamples=200)


@pytest.mark.parametrize(
    ("hits", "number", "low", "high"),
    [
        # Wilson: (p + z2/2n -+ z sqrt(p q/n + z2/4n2)) / (1 + z2/n) with z = 1.96.
        (6, 6, 0.6097, 1.0),
        (7, 10, 0.3968, 0.8922),
        # One miss, and two: 1 - 0.0513/n and 1 - 0.3554/n instead of Wilson's 0.9782 and 0.9286.
        (7, 8, 0.5291, 0.9936),
        (6, 8, 0.4093, 0.9556),
        (0, 6, 0.0, 0.3903),
    ],
)
def test_intervals_of_few_are_those_computed_by_hand(hits, number, low, high):
    assert wilson_interval(hits / number, number) == pytest.approx((low, high), abs=1e-4)


def test_ten_hits_and_ten_misses_are_enough():
    assert few_interval(10 / 20, 20) is None and few_interval(20 / 30, 30) is None
    assert few_interval(9 / 20, 20) == wilson_interval(9 / 20, 20)
    assert few_interval(21 / 30, 30) is not None


@pytest.mark.parametrize(
    ("hits", "sizes", "number"),
    [
        ([1, 1, 0], [1, 1, 1], 3),
        # Nobody can tell whether photographs of one lesion would ever disagree: they count as one.
        ([2, 2, 2], [2, 2, 2], 3),
        ([1, 4], [1, 4], 25 / 17),
        # Photographs of one lesion agree always, and by chance.
        ([2, 0, 2, 0], [2, 2, 2, 2], 4),
        ([1, 1, 1, 1], [2, 2, 2, 2], 8),
        # 3 of 4: one disagreement of 0.5 where chance has 2 * 3/16, so no agreement at all.
        ([2, 1], [2, 2], 4),
    ],
)
def test_photographs_of_one_lesion_count_by_their_agreement(hits, sizes, number):
    groups = np.repeat(np.arange(len(sizes)), sizes)
    hit = np.concatenate([np.arange(size) < n for n, size in zip(hits, sizes, strict=True)])
    assert effective_number(np.ones(len(hit), bool), hit, groups) == pytest.approx(number)


SHARES = np.linspace(0.5, 0.98, 49)


def coverage(number):
    """Exact coverage of each share by the intervals of `number` lesions, resampled or not."""
    hits = np.arange(number + 1)
    # Percentiles of very many resamples.
    drawn = [tuple(stats.binom.ppf([0.025, 0.975], number, k / number) / number) for k in hits]
    low, high = np.transpose([few_interval(k / number, number) or drawn[k] for k in hits])
    covers = (low <= SHARES[:, None] + 1e-12) & (SHARES[:, None] - 1e-12 <= high)
    return (stats.binom.pmf(hits, number, SHARES[:, None]) * covers).sum(axis=1)


def test_intervals_cover_recalls_whatever_the_number_of_lesions():
    found = np.array([coverage(number) for number in range(3, 61)])
    # With three or four lesions no interval covers each recall 90 to 98 of 100 times; on average, yes.
    assert found.mean(axis=1).min() > 0.94 and found.mean(axis=1).max() < 0.98
    assert found.mean(axis=0).min() > 0.94 and found.mean(axis=0).max() < 0.98
    assert found.min() > 0.87 and (found < 0.9).mean() < 0.01 and (found > 0.98).mean() < 0.07


@pytest.mark.parametrize("lesions", [6, 15, 40])
@pytest.mark.parametrize("agreement", [0.0, 0.5, 1.0])
def test_intervals_cover_where_lesions_have_several_photographs(lesions, agreement):
    rng, trials, covered = np.random.default_rng(0), 500, []
    for recall in (0.6, 0.75, 0.9, 0.95):
        for _ in range(trials):
            sizes = rng.integers(1, 5, size=lesions)
            lesion = np.repeat(np.arange(lesions), sizes)
            # A photograph answers like its lesion's first one, or by itself.
            alike = rng.random(lesions)[lesion] < agreement
            hit = np.where(alike, rng.random(lesions)[lesion], rng.random(len(lesion))) < recall
            number = effective_number(np.ones(len(hit), bool), hit, lesion)
            low, high = wilson_interval(hit.mean(), number)
            covered.append(low <= recall <= high)
    assert 0.9 <= np.mean(covered) <= 0.98


def test_the_recall_of_six_lesions_is_not_certain():
    y_true, called = ["mel"] * 6 + ["nv"] * 60, ["mel"] * 6 + ["nv"] * 40 + ["mel"] * 20
    table = intervals(y_true, called, metrics=["recall:mel", "recall:nv", "recall", "specificity:nv"])
    for name in ("recall:mel", "recall", "specificity:nv"):
        assert table.loc[name, ["low", "high"]].tolist() == pytest.approx([0.6097, 1.0], abs=1e-4)
        assert table.loc[name, "method"] == "wilson"
    assert table.loc["recall:nv", "method"] == "bootstrap"


def test_six_lesions_photographed_twice_are_six():
    once = intervals(["mel"] * 6 + ["nv"], ["mel"] * 6 + ["nv"], metrics="recall:mel")
    twice = intervals(
        ["mel"] * 12 + ["nv"], ["mel"] * 12 + ["nv"], [*"aabbccddeeff", None], metrics="recall:mel"
    )
    assert once.loc["recall:mel", ["low", "high"]].equals(twice.loc["recall:mel", ["low", "high"]])


def test_all_shares_that_few_lesions_decide_are_mended():
    # Of 8 melanomas 6 are found, and 2 of 40 nevi are called so.
    y_true, called = ["mel"] * 8 + ["nv"] * 40, ["mel"] * 6 + ["nv"] * 2 + ["mel"] * 2 + ["nv"] * 38
    names = ["accuracy", "precision:mel", "specificity:mel", "f1:mel"]
    table = intervals(y_true, called, metrics=names)
    assert table["method"].eq("wilson").all()
    expected = {"accuracy": (44 / 48, 48), "precision:mel": (6 / 8, 8), "specificity:mel": (38 / 40, 40)}
    for name, (share, number) in expected.items():
        assert table.loc[name, ["low", "high"]].tolist() == pytest.approx(wilson_interval(share, number))
    # 6 of the 10 that are melanomas or called so: 2 J / (1 + J).
    low, high = (2 * end / (1 + end) for end in wilson_interval(6 / 10, 10))
    assert table.loc["f1:mel"].tolist()[:3] == pytest.approx([12 / 16, low, high])


def test_a_mean_over_classes_takes_the_ends_of_classes_with_few_lesions():
    y_true, called = ["mel"] * 6 + ["nv"] * 60, ["mel"] * 6 + ["nv"] * 40 + ["mel"] * 20
    table = intervals(y_true, called, metrics=["macro_recall", "balanced_accuracy", "recall:nv"])
    assert list(table.index) == ["macro_recall", "balanced_accuracy", "recall:nv"]
    assert table["method"].tolist() == ["combined", "combined", "bootstrap"]
    # Resamples know only the nevi: half their ends. Wilson's low end of the melanomas adds to the square.
    value, nevi = (1 + 2 / 3) / 2, table.loc["recall:nv"]
    low = value - np.hypot((nevi["value"] - nevi["low"]) / 2, (1 - 0.60967) / 2)
    found = table.loc["macro_recall", ["low", "high"]]
    assert found.tolist() == pytest.approx([low, value + (nevi["high"] - nevi["value"]) / 2], abs=1e-4)


def test_a_sensitivity_at_a_specificity_takes_the_farther_end():
    y_true, scores = ["mel"] * 6 + ["nv"] * 100, np.r_[np.linspace(0.95, 0.9, 6), np.linspace(0.8, 0, 100)]
    name = "melanoma_sensitivity_at_90_specificity"
    probabilities = np.stack([scores, 1 - scores], axis=1)
    table = bootstrap_intervals(y_true, probabilities, LABELS, metrics=name, resamples=200)
    assert table.loc[name, ["value", "low", "high"]].tolist() == pytest.approx([1, 0.6097, 1], abs=1e-4)
    assert table.loc[name, "method"] == "combined" and table.loc[name, "sd"] == 0


def test_recalls_of_eight_lesions_are_covered_from_end_to_end():
    rng, covered = np.random.default_rng(0), []
    lesions = np.repeat(np.arange(30), 2)
    y_true = np.where(lesions < 8, "mel", "nv")
    for _ in range(150):
        right = np.where(rng.random(60) < 0.7, rng.random(30)[lesions], rng.random(60)) < 0.85
        called = np.where(right, y_true, np.where(y_true == "mel", "nv", "mel"))
        low, high = intervals(y_true, called, lesions, "recall:mel").loc["recall:mel", ["low", "high"]]
        covered.append(low <= 0.85 <= high)
    assert 0.9 <= np.mean(covered) <= 0.99


def test_a_mean_over_classes_reaches_0_and_1():
    y_true, other = ["mel"] * 6 + ["nv"] * 6, ["nv"] * 6 + ["mel"] * 6
    wrong, right = (intervals(y_true, called, metrics="macro_recall").iloc[0] for called in (other, y_true))
    assert (wrong["value"], wrong["low"]) == (0, 0) and (right["value"], right["high"]) == (1, 1)
    assert wrong["method"] == right["method"] == "combined" and 0 < wrong["high"] < 1 > right["low"] > 0
