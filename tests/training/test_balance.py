import numpy as np
import pandas as pd
import pytest
from sklearn.utils.class_weight import compute_class_weight

from skinkit.training import class_weights, sample_weights

HAM = {"mel": 1113, "nv": 6705, "bcc": 514, "akiec": 327, "bkl": 1099, "df": 115, "vasc": 142}
AUGMENTED = {label: count if label == "nv" else 6 * count for label, count in HAM.items()}


def labels_of(counts):
    return np.repeat(list(counts), list(counts.values()))


@pytest.mark.parametrize(
    ("power", "published"),
    [
        (0.50, [3.00, 1.22, 4.41, 5.53, 3.02, 9.33, 8.40]),
        (0.75, [5.20, 1.35, 9.27, 13.02, 5.24, 28.51, 24.34]),
        (1.00, [9.00, 1.49, 19.48, 30.63, 9.11, 87.09, 70.53]),
        (1.25, [15.58, 1.65, 40.94, 72.05, 15.83, 266.0, 204.4]),
        (1.50, [26.99, 1.83, 86.01, 169.5, 27.51, 812.7, 592.3]),
    ],
)
def test_power_weights_are_those_of_doc_004(power, published):
    weights = class_weights(labels_of(HAM), list(HAM), power)
    assert list(weights) == list(HAM)
    for weight, expected in zip(weights.values(), published, strict=True):
        digits = 1 if expected > 100 else 2
        assert round(weight, digits) == expected


def test_balanced_weights_are_those_of_doc_002():
    assert sum(AUGMENTED.values()) == 26_565
    weights = class_weights(labels_of(AUGMENTED), list(AUGMENTED), normalise=True)
    published = {"nv": 0.57, "mel": 0.57, "bkl": 0.58, "bcc": 1.23, "akiec": 1.93, "vasc": 4.45}
    assert {label: round(weights[label], 2) for label in published} == published
    assert round(weights["df"], 1) == 5.5


def test_balanced_weights_equal_scikit_learn():
    labels, classes = labels_of(HAM), sorted(HAM)
    ours = class_weights(labels, classes, normalise=True)
    theirs = compute_class_weight("balanced", classes=np.array(classes), y=labels)
    np.testing.assert_allclose(list(ours.values()), theirs)


@pytest.mark.parametrize("power", [0.0, 0.75, 1.5])
def test_normalised_weights_have_mean_one_over_the_images(power):
    labels = labels_of(HAM)
    weights = class_weights(labels, list(HAM), power, normalise=True)
    assert sample_weights(labels, weights).mean() == pytest.approx(1.0, rel=1e-5)
    plain = class_weights(labels, list(HAM), power)
    ratios = [weights[label] / plain[label] for label in HAM]
    np.testing.assert_allclose(ratios, ratios[0])


@pytest.mark.parametrize("kind", [list, np.array, lambda v: pd.Series(v, dtype="string", index=[7, 8, 9])])
def test_sample_weights_follow_the_labels(kind):
    weights = sample_weights(kind(["nv", "mel", "nv"]), {"mel": 9.0, "nv": 1.5})
    assert weights.dtype == np.float32
    np.testing.assert_array_equal(weights, [1.5, 9.0, 1.5])


def test_a_class_without_images_is_refused():
    with pytest.raises(ValueError, match=r"No training image of \['df'\]"):
        class_weights(["nv", "mel"], ["mel", "nv", "df"])


def test_a_label_that_is_no_class_is_refused():
    with pytest.raises(ValueError, match="scc"):
        class_weights(["nv", "scc"], ["nv"])
    with pytest.raises(ValueError, match="scc"):
        sample_weights(["nv", "scc"], {"nv": 1.0})
    with pytest.raises(ValueError, match="NA"):
        sample_weights(pd.Series(["nv", pd.NA], dtype="string"), {"nv": 1.0})
