import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

from skinkit.evaluation import (
    check_predictions,
    count_ties,
    positive_label,
    predicted_index,
    unpack_predictions,
)


def test_importing_evaluation_loads_no_heavy_library():
    heavy = {"tensorflow", "keras", "sklearn", "scipy", "matplotlib", "seaborn", "cv2"}
    code = f"import sys, skinkit.evaluation; print(sorted({heavy!r} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_labels_become_positions_and_any_array_like_is_taken():
    y_true = pd.Series(["nv", "mel"], dtype="string", index=[7, 3])
    truth, probabilities, labels = check_predictions(y_true, [[1, 0], [0.25, 0.75]], ("mel", "nv"))
    assert truth.tolist() == [1, 0]
    assert probabilities.dtype == np.float64 and labels == ["mel", "nv"]


@pytest.mark.parametrize(
    ("y_true", "probabilities", "labels", "message"),
    [
        (["mel"], [[0.5, 0.5]], ["mel", "mel"], "different names"),
        (["mel"], [[1.0]], ["mel"], "at least two"),
        (["mel"], [[0.5, 0.5, 0.0]], ["mel", "nv"], r"shape \(n, 2\)"),
        (["mel"], [0.5, 0.5], ["mel", "nv"], r"shape \(n, 2\)"),
        ([], np.empty((0, 2)), ["mel", "nv"], "at least one row"),
        (["mel", "nv"], [[0.5, 0.5]], ["mel", "nv"], "one label for each of the 1 rows"),
        (["mel", "MEL"], [[0.5, 0.5]] * 2, ["mel", "nv"], r"y_true\[1\].*'MEL'"),
        (["mel", pd.NA], [[0.5, 0.5]] * 2, ["mel", "nv"], r"y_true\[1\].*<NA>"),
        (["mel", "nv"], [[0.5, 0.5], [np.nan, 1]], ["mel", "nv"], "nan in row 1 for 'mel'"),
        (["mel"], [[0.5, 1.5]], ["mel", "nv"], "1.5 in row 0 for 'nv'"),
        (["mel"], [[-0.2, 0.5]], ["mel", "nv"], "softmax"),
        (["mel"], [[np.inf, 0.5]], ["mel", "nv"], "inf in row 0"),
    ],
)
def test_bad_predictions_are_refused_with_the_reason(y_true, probabilities, labels, message):
    with pytest.raises(ValueError, match=message):
        check_predictions(y_true, probabilities, labels)


def test_float32_rounding_of_a_softmax_is_forgiven():
    check_predictions(["mel"], np.array([[1 + 1e-7, 0]]), ["mel", "nv"])


def test_ties_go_to_the_first_class_and_are_counted():
    probabilities = [[0.2, 0.4, 0.4], [1 / 3, 1 / 3, 1 / 3], [0.3, 0.3, 0.4]]
    assert predicted_index(probabilities).tolist() == [1, 0, 2]
    assert count_ties(probabilities) == 2


@pytest.mark.parametrize(
    ("labels", "asked", "found"),
    [
        (["nv", "mel"], None, "mel"),
        (["benign", "malignant"], None, "malignant"),
        (["no", "yes"], None, "yes"),
        (["a", "b", "c"], None, None),
        (["nv", "mel", "bcc"], "bcc", "bcc"),
    ],
)
def test_the_positive_class_is_melanoma_unless_said_otherwise(labels, asked, found):
    assert positive_label(labels, asked) == found


def test_an_unknown_positive_class_is_refused():
    with pytest.raises(ValueError, match="positive='mel'"):
        positive_label(["benign", "malignant"], "mel")


def test_a_predictions_table_comes_apart_in_the_order_of_its_columns():
    table = pd.DataFrame({"image_id": ["a"], "label": ["nv"], "p_nv": [0.75], "p_mel": [0.25]})
    y_true, probabilities, labels = unpack_predictions(table)
    assert labels == ["nv", "mel"] and list(y_true) == ["nv"]
    np.testing.assert_array_equal(probabilities, [[0.75, 0.25]])


@pytest.mark.parametrize("column", ["label", "p_nv"])
def test_a_predictions_table_without_labels_or_probabilities_is_refused(column):
    table = pd.DataFrame({"image_id": ["a"], "label": ["nv"], "p_nv": [1.0]}).drop(columns=column)
    with pytest.raises(ValueError, match="p_<class>"):
        unpack_predictions(table)


def test_predicted_labels_in_the_place_of_probabilities_are_told_apart():
    with pytest.raises(ValueError, match="not the labels that were predicted"):
        check_predictions(["mel"], [["mel", "nv"]], ["mel", "nv"])
