import numpy as np
import pytest

from skinkit.evaluation import class_confusion_scores, confusion_scores, kappa_from_confusion

# Butskova, two-stage EfficientNet: akiec, bcc, bkl, df, mel, nv, vasc.
BUTSKOVA = [
    [45, 3, 6, 1, 3, 4, 3],
    [4, 81, 3, 1, 5, 8, 1],
    [7, 1, 181, 0, 14, 10, 7],
    [3, 3, 0, 16, 0, 1, 0],
    [3, 1, 7, 0, 158, 47, 7],
    [1, 2, 11, 0, 18, 1304, 5],
    [0, 0, 0, 0, 0, 1, 27],
]


def test_butskovas_matrix_gives_her_published_scores():
    scores, per_class = confusion_scores(BUTSKOVA), class_confusion_scores(BUTSKOVA)
    assert np.sum(BUTSKOVA) == 2003
    assert per_class["support"].tolist() == [65, 103, 220, 23, 223, 1341, 28]
    assert scores["accuracy"] == pytest.approx(0.9046, abs=5e-5)
    assert scores["macro_recall"] == pytest.approx(0.8060, abs=5e-5)
    recall = [0.692, 0.786, 0.823, 0.696, 0.709, 0.972, 0.964]
    precision = [0.714, 0.890, 0.870, 0.889, 0.798, 0.948, 0.540]
    np.testing.assert_allclose(per_class["recall"], recall, atol=5e-4)
    np.testing.assert_allclose(per_class["precision"], precision, atol=5e-4)


@pytest.mark.parametrize(
    ("matrix", "expected"),
    [
        # One hit.
        ([[1, 0], [0, 0]], {"accuracy": 1.0, "macro_recall": 1.0, "macro_f1": 1.0}),
        # Everything called the first class: half right, the never predicted class counts as 0.
        (
            [[1, 0], [1, 0]],
            {"accuracy": 0.5, "macro_recall": 0.5, "macro_precision": 0.25, "macro_f1": 1 / 3},
        ),
        # The third class has no truth: out of the macro mean, but its false alarms still hurt.
        (
            [[2, 0, 2], [0, 4, 0], [0, 0, 0]],
            {"accuracy": 0.75, "macro_recall": 0.75, "macro_specificity": 1.0},
        ),
        # F1 2/3 (truth 2, predicted 1) and 4/5 (truth 2, predicted 3).
        (
            [[1, 1], [0, 2]],
            {
                "weighted_f1": (2 * 2 / 3 + 2 * 4 / 5) / 4,
                "weighted_f1_by_pred": (1 * 2 / 3 + 3 * 4 / 5) / 4,
                "weighted_precision": (2 * 1 + 2 * 2 / 3) / 4,
                "macro_specificity": 0.75,
                "cohen_kappa": 0.5,
                "mcc": 4 / np.sqrt(48),
            },
        ),
    ],
)
def test_scores_of_tiny_matrices_are_those_counted_by_hand(matrix, expected):
    scores = confusion_scores(matrix)
    assert {name: float(scores[name]) for name in expected} == pytest.approx(expected)


def test_a_class_without_truth_is_nan_and_a_never_predicted_one_has_precision_0():
    scores = class_confusion_scores([[0, 0, 0], [1, 3, 0], [0, 2, 0]])
    for name in ("precision", "recall", "f1", "specificity"):
        assert np.isnan(scores[name][0])
    assert scores["precision"][2] == 0 and scores["f1"][2] == 0
    assert scores["predicted"].tolist() == [1, 5, 0]


def test_specificity_needs_images_of_other_classes():
    scores = confusion_scores([[3, 1], [0, 0]])
    assert np.isnan(scores["macro_specificity"])
    assert scores["macro_recall"] == 0.75


def test_an_empty_matrix_has_no_scores():
    scores = confusion_scores(np.zeros((3, 3)))
    assert scores.pop("mcc") == 0
    assert all(np.isnan(value) for value in scores.values())


def test_false_alarms_of_an_absent_class_count_in_the_f1_weighted_by_prediction():
    scores = confusion_scores([[1, 1], [0, 0]])
    # The absent class was predicted once: F1 0 with weight 1 beside F1 2/3 with weight 1.
    assert scores["weighted_f1_by_pred"] == pytest.approx(1 / 3)
    assert scores["weighted_f1"] == pytest.approx(2 / 3)


def test_a_stack_of_matrices_is_scored_matrix_by_matrix():
    stack = np.random.default_rng(0).integers(0, 9, size=(2, 3, 4, 4))
    scores = confusion_scores(stack)
    for place in np.ndindex(2, 3):
        alone = confusion_scores(stack[place])
        for name, value in alone.items():
            np.testing.assert_allclose(scores[name][place], value)


def test_kappa_is_what_remains_beyond_chance():
    # 3 of 9 are wrong, by chance 6 of 9 would be.
    assert kappa_from_confusion([[2, 1, 0], [0, 2, 1], [1, 0, 2]]) == pytest.approx(1 - 3 / 6)


def test_kappa_is_undefined_when_only_one_class_occurs():
    assert np.isnan(kappa_from_confusion([[5, 0], [0, 0]]))
