import numpy as np
import pandas as pd
import pytest

from skinkit.evaluation import bootstrap_intervals
from skinkit.explain import embed, linear_probe, patient_means

LABELS = ["benign", "malignant"]


def blobs(distance, n=120, d=5, seed=0):
    """Features of two classes whose means are `distance` deviations apart, and their labels."""
    rng = np.random.default_rng(seed)
    y = np.array(LABELS, dtype=object)[np.arange(n) % 4 // 3]
    return rng.normal(size=(n, d)) + distance * (y == "malignant")[:, None], y


def area(features, y, groups=None):
    found = linear_probe(features, y, LABELS, groups)
    return bootstrap_intervals(y, found, LABELS, groups, ["auc"]).loc["auc"]


def test_the_probe_finds_what_is_there_and_nothing_in_noise():
    assert area(*blobs(8.0))["value"] == 1.0
    noise = area(*blobs(0.0, n=400))
    assert noise["low"] < 0.5 < noise["high"]


def test_the_probe_gives_probabilities_in_the_order_of_the_labels():
    features, y = blobs(8.0)
    found = linear_probe(features, y, LABELS)
    np.testing.assert_allclose(found.sum(axis=1), 1)
    assert found[y == "malignant", 1].min() > 0.5 > found[y == "benign", 1].max()
    np.testing.assert_allclose(linear_probe(features, y, LABELS[::-1]), found[:, ::-1], atol=1e-9)


def test_a_patient_is_never_in_training_and_in_scoring():
    # Features name the patient, and each has one label: known by heart they would tell everything.
    rng = np.random.default_rng(1)
    patients = np.repeat(np.arange(40), 5)
    y = np.array(LABELS, dtype=object)[patients % 2]
    features = np.repeat(rng.normal(size=(40, 60)), 5, axis=0) + rng.normal(0, 0.01, size=(200, 60))
    apart = area(features, y, patients)
    assert apart["low"] < 0.5 < apart["high"]
    assert area(features, y)["value"] > 0.99, "image by image the probe only recognises the patients"


def test_a_label_of_two_patients_is_always_in_training():
    y = np.array([*["benign"] * 40, *["malignant"] * 4], dtype=object)
    features, patients = (y == "malignant")[:, None] * 8.0, np.r_[np.arange(40), 40, 40, 41, 41]
    for seed in range(5):
        found = linear_probe(features, y, LABELS, patients, seed=seed)
        assert found[y == "malignant", 1].min() > 0.5


def test_a_missing_patient_is_a_group_of_its_own():
    features, y = blobs(8.0, n=40)
    found = linear_probe(features, y, LABELS, groups=pd.array([None] * 40, dtype="string"))
    np.testing.assert_array_equal(found, linear_probe(features, y, LABELS))


@pytest.mark.parametrize(
    ("y", "groups", "message"),
    [
        (["benign", "benign", "malignant"], None, "'malignant': 1"),
        (["benign", "benign", "malignant", "malignant"], ["a", "b", "c", "c"], "'malignant': 1"),
        (["benign", "benign", "malignant", "malignant", "nv"], None, "1 row of other labels"),
    ],
)
def test_a_label_without_two_groups_is_named(y, groups, message):
    with pytest.raises(ValueError, match=message):
        linear_probe(np.zeros((len(y), 2)), y, LABELS, groups)


def test_neighbours_stay_neighbours_in_the_plane():
    features, y = blobs(20.0, n=60, d=80)
    points = embed(features, components=10)
    assert points.shape == (60, 2) and np.isfinite(points).all()
    # Each point's nearest neighbour is of its own class.
    distances = np.linalg.norm(points[:, None] - points[None], axis=-1) + 1e9 * np.eye(60)
    assert (y[distances.argmin(axis=1)] == y).all()


def test_few_points_are_embedded_and_fewer_refused():
    assert embed(np.random.default_rng(0).normal(size=(4, 3))).shape == (4, 2)
    with pytest.raises(ValueError, match=r"4 or more.*\(3, 2\)"):
        embed(np.zeros((3, 2)))


def test_a_patients_mean_is_that_of_their_images():
    found = patient_means([[1.0, 0.0], [3.0, 4.0], [5.0, 5.0]], ["b", "b", "a"])
    assert found.index.tolist() == ["a", "b"] and found.index.name == "patient_id"
    np.testing.assert_array_equal(found, [[5, 5], [2, 2]])
    with pytest.raises(ValueError, match="1 of 2 rows without"):
        patient_means(np.zeros((2, 2)), ["a", None])
