import math
from functools import partial

import numpy as np
import pytest
from sklearn import metrics

from skinkit.evaluation import (
    confusion_matrix,
    per_class,
    score,
    summary,
    summary_names,
)

PRECISION_OF_NEVER_PREDICTED = {"zero_division": 0}


def reference(y_true, probabilities, labels):
    """What scikit-learn calls these scores."""
    y_pred = np.array(labels)[probabilities.argmax(axis=1)]
    one_hot = np.array(labels) == y_true[:, None]
    f1 = partial(metrics.f1_score, **PRECISION_OF_NEVER_PREDICTED)
    precision = partial(metrics.precision_score, **PRECISION_OF_NEVER_PREDICTED)
    return {
        "accuracy": metrics.accuracy_score(y_true, y_pred),
        "balanced_accuracy": metrics.balanced_accuracy_score(y_true, y_pred),
        "macro_recall": metrics.recall_score(y_true, y_pred, average="macro"),
        "macro_precision": precision(y_true, y_pred, average="macro"),
        "weighted_precision": precision(y_true, y_pred, average="weighted"),
        "macro_f1": f1(y_true, y_pred, average="macro"),
        "weighted_f1": f1(y_true, y_pred, average="weighted"),
        # The swapped call of gessert2019's released code.
        "weighted_f1_by_pred": f1(y_pred, y_true, average="weighted"),
        "macro_auc": metrics.roc_auc_score(one_hot, probabilities, average="macro"),
        "macro_average_precision": metrics.average_precision_score(one_hot, probabilities),
        "cohen_kappa": metrics.cohen_kappa_score(y_true, y_pred),
        "mcc": metrics.matthews_corrcoef(y_true, y_pred),
    }


@pytest.mark.parametrize("decimals", [None, 1])
@pytest.mark.parametrize("seed", range(3))
def test_summary_equals_scikit_learn(predictions, labels, seed, decimals):
    y_true, probabilities = predictions(400, seed, decimals=decimals)
    expected = reference(y_true, probabilities, labels)
    found = summary(y_true, probabilities, labels)
    assert {name: found[name] for name in expected} == pytest.approx(expected)


def test_per_class_scores_equal_scikit_learn(predictions, labels):
    y_true, probabilities = predictions(400, seed=3, decimals=2)
    y_pred = np.array(labels)[probabilities.argmax(axis=1)]
    table = per_class(y_true, probabilities, labels)
    columns = metrics.precision_recall_fscore_support(y_true, y_pred, labels=labels)
    for name, expected in zip(("precision", "recall", "f1", "support"), columns, strict=True):
        np.testing.assert_allclose(table[name], expected)
    counts = metrics.multilabel_confusion_matrix(y_true, y_pred, labels=labels)
    np.testing.assert_allclose(table["specificity"], counts[:, 0, 0] / counts[:, 0].sum(axis=1))
    one_hot = np.array(labels) == y_true[:, None]
    expected = metrics.roc_auc_score(one_hot, probabilities, average=None)
    np.testing.assert_allclose(table["auc"], expected)
    expected = metrics.average_precision_score(one_hot, probabilities, average=None)
    np.testing.assert_allclose(table["average_precision"], expected)
    assert table["predicted"].tolist() == [(y_pred == label).sum() for label in labels]


def test_the_confusion_matrix_equals_scikit_learn(predictions, labels):
    y_true, probabilities = predictions(300, seed=4)
    y_pred = np.array(labels)[probabilities.argmax(axis=1)]
    expected = metrics.confusion_matrix(y_true, y_pred, labels=labels)
    np.testing.assert_array_equal(confusion_matrix(y_true, probabilities, labels), expected)


def test_summary_has_the_names_of_the_kit_and_plain_floats(predictions, labels):
    found = summary(*predictions(50, seed=0), labels)
    assert list(found) == [*summary_names(labels), "n", "ties"]
    assert set(found) == {
        *("accuracy", "balanced_accuracy", "macro_recall", "macro_specificity"),
        *("macro_precision", "macro_f1", "weighted_f1", "weighted_f1_by_pred"),
        *("weighted_precision", "macro_auc", "macro_average_precision"),
        *("melanoma_sensitivity_at_90_specificity", "melanoma_sensitivity_at_95_specificity"),
        *("cohen_kappa", "mcc", "ece", "brier", "n", "ties"),
    }
    assert all(type(value) is float for value in found.values())


def test_two_classes_add_the_scores_of_the_positive_one(predictions):
    labels = ["benign", "malignant"]
    y_true, probabilities = predictions(200, seed=1, labels=labels)
    found = summary(y_true, probabilities, labels)
    truth, flagged = y_true == "malignant", probabilities[:, 1] > 0.5
    assert found["auc"] == pytest.approx(metrics.roc_auc_score(truth, probabilities[:, 1]))
    assert found["auc"] == pytest.approx(found["macro_auc"])
    expected = metrics.average_precision_score(truth, probabilities[:, 1])
    assert found["average_precision"] == pytest.approx(expected)
    assert found["precision"] == pytest.approx(metrics.precision_score(truth, flagged))
    assert found["recall"] == pytest.approx(metrics.recall_score(truth, flagged))
    assert 0 < found["malignant_sensitivity_at_90_specificity"] < 1


def test_exactly_one_half_counts_as_the_first_of_two_classes():
    found = summary(["benign", "malignant"], [[0.5, 0.5]] * 2, ["benign", "malignant"])
    assert found["accuracy"] == 0.5 and found["recall"] == 0 and found["ties"] == 2


def test_a_class_absent_from_the_truth_is_left_out_of_macro_means():
    labels = ["mel", "nv", "df"]
    y_true = ["mel", "mel", "nv", "nv"]
    probabilities = [[0.8, 0.1, 0.1], [0.1, 0.2, 0.7], [0.2, 0.7, 0.1], [0.3, 0.6, 0.1]]
    found = summary(y_true, probabilities, labels)
    assert found["macro_recall"] == pytest.approx((1 / 2 + 1) / 2)
    assert found["macro_precision"] == 1
    # mel: 0.8 > 0.2, 0.3 but 0.1 < 0.2, 0.3; nv: 0.7, 0.6 > 0.1, 0.2.
    assert found["macro_auc"] == pytest.approx((0.5 + 1) / 2)
    table = per_class(y_true, probabilities, labels)
    assert table.loc["df", ["precision", "recall", "f1", "auc"]].isna().all()
    assert table.loc["df", ["support", "predicted"]].tolist() == [0, 1]


def test_without_melanoma_its_sensitivity_is_nan_and_nothing_warns():
    found = summary(["nv", "nv"], [[0.1, 0.9], [0.8, 0.2]], ["mel", "nv"])
    for name in ("melanoma_sensitivity_at_90_specificity", "macro_auc", "macro_specificity"):
        assert math.isnan(found[name])
    assert found["accuracy"] == 0.5


def test_labels_without_any_positive_class_leave_its_sensitivity_out():
    found = summary(["a", "b"], [[0.8, 0.1, 0.1]] * 2, ["a", "b", "c"])
    assert not any("sensitivity" in name for name in found)
    assert "a_sensitivity_at_95_specificity" in summary_names(["a", "b", "c"], positive="a")


def test_the_order_of_the_classes_does_not_matter_without_ties(predictions, labels):
    y_true, probabilities = predictions(120, seed=5)
    order = np.random.default_rng(0).permutation(len(labels))
    other = summary(y_true, probabilities[:, order], [labels[i] for i in order])
    assert other == pytest.approx(summary(y_true, probabilities, labels))


def test_a_score_is_found_by_its_name(predictions, labels):
    y_true, probabilities = predictions(150, seed=6)
    overall, table = summary(y_true, probabilities, labels), per_class(y_true, probabilities, labels)
    ask = partial(score, y_true=y_true, probabilities=probabilities, labels=labels)
    assert ask("macro_f1") == overall["macro_f1"]
    assert ask("auc:bcc") == table.loc["bcc", "auc"]
    assert ask("average_precision:df") == table.loc["df", "average_precision"]
    assert ask("specificity:nv") == table.loc["nv", "specificity"]
    assert ask("bcc_sensitivity_at_0_specificity") == 1
    assert ask("melanoma_sensitivity_at_80_specificity") >= overall["melanoma_sensitivity_at_90_specificity"]


@pytest.mark.parametrize(
    "name",
    [
        *("recall:melanoma", "support:mel", "f1", "macro-f1", ""),
        *("mel_sensitivity_at_90_specificity", "melanoma_sensitivity_at_101_specificity"),
    ],
)
def test_an_unknown_score_is_refused_with_the_known_ones(name):
    with pytest.raises(ValueError, match="macro_recall.*SCORE:LABEL"):
        score(name, ["mel"], [[0.1, 0.8, 0.1]], ["mel", "nv", "bcc"])


def test_a_specificity_is_any_whole_percentage_up_to_100():
    ask = partial(score, y_true=["mel", "mel", "nv"], labels=["mel", "nv"])
    probabilities = [[0.9, 0.1], [0.4, 0.6], [0.5, 0.5]]
    assert ask("melanoma_sensitivity_at_100_specificity", probabilities=probabilities) == 0.5
