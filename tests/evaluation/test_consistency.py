import numpy as np
import pytest

from skinkit.evaluation import (
    f1_agrees,
    harmonic_mean,
    implied_specificity,
)

# koefler2023 Table 5: class, support, then P, R, F1 of CNN and of CNN-SA.
TABLE5 = [
    ("nv", 280, 0.85, 0.88, 0.87, 0.82, 0.97, 0.89),
    ("mel", 87, 0.73, 0.61, 0.67, 0.76, 0.57, 0.65),
    ("bkl", 39, 0.47, 0.38, 0.42, 0.62, 0.75, 0.68),
    ("bcc", 67, 0.77, 0.52, 0.31, 0.94, 0.45, 0.61),
    ("ak", 7, 0.35, 0.34, 0.35, 0.50, 0.42, 0.45),
    ("vasc", 7, 1.00, 0.86, 0.92, 1.00, 0.95, 0.98),
    ("df", 4, 0.35, 0.75, 0.48, 0.50, 0.50, 0.50),
]


def test_one_f1_of_table_5_disagrees_with_its_precision_and_recall():
    flagged = [row[0] for row in TABLE5 for at in (2, 5) if not f1_agrees(row[at], row[at + 1], row[at + 2])]
    assert flagged == ["bcc"]
    assert harmonic_mean(0.77, 0.52) == pytest.approx(0.62, abs=5e-3)


def test_every_f1_that_was_computed_agrees():
    rng = np.random.default_rng(0)
    for precision, recall in rng.random((500, 2)):
        f1 = harmonic_mean(precision, recall)
        assert f1_agrees(round(precision, 2), round(recall, 2), round(f1, 2))
    assert f1_agrees(0.0, 0.0, 0.0)


@pytest.mark.parametrize(
    ("precision", "recall", "specificity", "balanced"),
    # hernandez2020 Table 4, in percent.
    [
        (6.3, 84.9, 77.3, 81.1),
        (7.6, 87.2, 81.0, 84.1),
        (67.3, 49.7, 99.6, 74.6),
        (9.3, 86.9, 84.8, 85.9),
        (8.2, 88.2, 82.3, 85.2),
        (7.7, 89.9, 80.7, 85.3),
    ],
)
def test_precision_and_recall_imply_the_specificity(precision, recall, specificity, balanced):
    prevalence = 584 / (584 + 32_541)
    found = implied_specificity(precision / 100, recall / 100, prevalence)
    assert 100 * found == pytest.approx(specificity, abs=0.06)
    assert 100 * (found + recall / 100) / 2 == pytest.approx(balanced, abs=0.06)


@pytest.mark.parametrize(("precision", "prevalence"), [(0.0, 0.1), (0.5, 0.0), (0.5, 1.0)])
def test_no_specificity_follows_from_nothing(precision, prevalence):
    with pytest.raises(ValueError, match=f"precision={precision}"):
        implied_specificity(precision, 0.5, prevalence)


def test_an_f1_may_be_off_by_what_rounding_adds_and_no_more():
    # Precision and recall stand for 0.595 to 0.605, and so may the F1 before it is rounded itself.
    assert [f1_agrees(0.6, 0.6, f1) for f1 in (0.58, 0.59, 0.61, 0.62)] == [False, True, True, False]
