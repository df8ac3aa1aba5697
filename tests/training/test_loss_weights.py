import numpy as np
import pandas as pd
import pytest
from sklearn.utils.class_weight import compute_class_weight

from skinkit.training import (
    class_weights,
    diagnosis_factors,
    diagnosis_weights,
    effective_weights,
    sample_weights,
)

HAM = {"mel": 1113, "nv": 6705, "bcc": 514, "akiec": 327, "bkl": 1099, "df": 115, "vasc": 142}
AUGMENTED = {label: count if label == "nv" else 6 * count for label, count in HAM.items()}
# Images of HAM10000 by class and confirmation, and the mean factor when every class gets one.
CONFIRMED = {
    "mel": {"histo": 1113},
    "nv": {"histo": 2498, "follow_up": 3704, "consensus": 503},
    "bcc": {"histo": 514},
    "akiec": {"histo": 327},
    "bkl": {"histo": 766, "consensus": 264, "confocal": 69},
    "df": {"histo": 55, "consensus": 60},
    "vasc": {"histo": 67, "consensus": 75},
}
MEAN_FACTORS = {"mel": 4.00, "nv": 2.67, "bcc": 4.00, "akiec": 4.00, "bkl": 3.22, "df": 2.43, "vasc": 2.42}


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


def rows_of(*rows):
    """Manifest rows from (image_id, label, dx_type)."""
    return pd.DataFrame(rows, columns=["image_id", "label", "dx_type"], dtype="string")


SMALL = rows_of(
    ("i5", "nv", "consensus"),
    ("i1", "nv", "follow_up"),
    ("i4", "bkl", "confocal"),
    ("i2", "df", "histo"),
    ("i0", "mel", "histo"),
    ("i3", "bcc", "histo"),
)


@pytest.mark.parametrize(
    ("mode", "expected"),
    [("benign", [1, 2, 3, 4, 1, 1]), ("nevus", [1, 2, 1, 1, 1, 1]), ("all", [1, 2, 3, 4, 4, 4])],
)
def test_factors_grow_with_the_confirmation_of_the_classes_of_the_mode(mode, expected):
    np.testing.assert_array_equal(diagnosis_factors(SMALL, mode), expected)


def test_the_released_code_reads_the_factors_of_other_images():
    train = SMALL.iloc[[0, 3, 2]]
    # Sorted they are i2, i4, i5, and so get what i0, i1, i2 have: 4, 2, 4.
    np.testing.assert_array_equal(diagnosis_factors(train, "as_released", table=SMALL), [4, 4, 2])


def test_shuffled_factors_are_those_of_benign_on_random_images():
    rows = pd.concat([SMALL] * 20)
    benign, shuffled = diagnosis_factors(rows), diagnosis_factors(rows, "shuffled")
    np.testing.assert_array_equal(np.sort(shuffled), np.sort(benign))
    assert abs(np.corrcoef(benign, shuffled)[0, 1]) < 0.3
    np.testing.assert_array_equal(diagnosis_factors(rows, "shuffled"), shuffled)
    assert not np.array_equal(diagnosis_factors(rows, "shuffled", seed=1), shuffled)


def test_mean_factors_of_ham10000():
    counts = [(label, kind, n) for label, kinds in CONFIRMED.items() for kind, n in kinds.items()]
    rows = rows_of(*[("", label, kind) for label, kind, n in counts for _ in range(n)])
    means = pd.Series(diagnosis_factors(rows, "all")).groupby(rows["label"].to_numpy()).mean()
    assert means.round(2).to_dict() == MEAN_FACTORS


def test_diagnosis_weights_are_inverse_frequency_times_factor():
    weights = diagnosis_weights(SMALL, ["nv", "bkl", "df", "mel", "bcc"], normalise=False)
    assert weights.dtype == np.float32
    np.testing.assert_array_equal(weights, [3, 6, 18, 24, 6, 6])
    scaled = diagnosis_weights(SMALL, ["nv", "bkl", "df", "mel", "bcc"])
    np.testing.assert_allclose(scaled, weights / 10.5, rtol=1e-6)


def test_diagnosis_weights_say_what_they_lack():
    with pytest.raises(ValueError, match="benign, nevus, all, as_released, shuffled.*'malignant'"):
        diagnosis_factors(SMALL, "malignant")
    with pytest.raises(ValueError, match="table=None"):
        diagnosis_factors(SMALL, "as_released")
    missing = SMALL.assign(dx_type=pd.array(["histo"] * 4 + [pd.NA, "biopsy"], dtype="string"))
    with pytest.raises(ValueError, match="consensus, .*, histo. Received: 2 rows without, first row 4"):
        diagnosis_factors(missing, "all")
    np.testing.assert_array_equal(diagnosis_factors(missing), [4, 4, 4, 4, 1, 1])


@pytest.fixture(scope="module")
def released_correlation(real_ham):
    """Correlation of the factors that the released code intends with those that it applies."""
    from skinkit.data import gessert2019_split

    def correlate(fold, index_file=None):
        ids = gessert2019_split(real_ham, fold, index_file).ids("train")
        train = real_ham[real_ham["image_id"].isin(ids)]
        applied = diagnosis_factors(train, "as_released", table=real_ham)
        return np.corrcoef(diagnosis_factors(train, "all"), applied)[0, 1]

    return correlate


@pytest.mark.parametrize("fold", [0, 1, 2])
def test_released_factors_have_nothing_to_do_with_the_images_of_our_split(released_correlation, fold):
    assert abs(released_correlation(fold)) < 0.03


@pytest.mark.parametrize(("fold", "correlation"), [(0, -0.001), (1, -0.016), (2, -0.003)])
def test_released_factors_have_nothing_to_do_with_the_images_of_the_released_split(
    gessert2019_csv, released_correlation, fold, correlation
):
    assert round(released_correlation(fold, gessert2019_csv), 3) == correlation


def test_oversampling_and_balanced_weights_give_each_class_its_share():
    labels = np.repeat(["mel", "nv"], [10, 90])
    in_turn = np.stack([np.arange(90) % 10, 10 + np.arange(90)], axis=1).ravel()
    plain = np.random.default_rng(0).permutation(100)
    weights = sample_weights(labels, class_weights(labels, ["mel", "nv"]))
    strategies = {
        "none": {"order": plain},
        "oversampling": {"order": in_turn},
        "loss weighting": {"order": plain, "weights": weights},
    }
    found = effective_weights(labels, strategies, batch_size=10)
    assert found["updates"].tolist() == [10, 18, 10]
    np.testing.assert_allclose(found["mel"], [0.1, 0.5, 0.5], rtol=1e-6)
    np.testing.assert_allclose(found["mel"] + found["nv"], 1)


def test_a_weighted_mean_takes_weight_from_the_rare_class():
    # Two batches: mel and nv (9 : 1), nv alone (1 : 1). By hand: 0.9 of 1, and 0 of 1.
    parts = {"order": [0, 1, 2, 3], "weights": [9, 1, 1, 1]}
    strategies = {"mean": parts, "weighted mean": {**parts, "reduction": "mean_with_sample_weight"}}
    found = effective_weights(["mel", "nv", "nv", "nv"], strategies, batch_size=2)
    np.testing.assert_allclose(found["mel"], [9 / 12, 0.9 / 2])
