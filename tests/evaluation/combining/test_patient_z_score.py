import numpy as np
import pandas as pd
import pytest

from skinkit.evaluation import patient_z_scores, rescore_by_patient


def probabilities(logits):
    return 1 / (1 + np.exp(-np.array(logits, float)))


def test_by_hand():
    # Logits 0, 0, 0, 4 of one patient: mean 1, standard deviation sqrt(3).
    # Logits -1, 1 of another: mean 0, standard deviation 1.
    found = patient_z_scores(probabilities([0, -1, 0, 0, 4, 1]), ["a", "b", "a", "a", "a", "b"])
    np.testing.assert_allclose(found, np.array([-1, -np.sqrt(3), -1, -1, 3, np.sqrt(3)]) / np.sqrt(3))


def test_a_patient_who_says_nothing_gets_zero():
    # An only image; images that are all alike, but for the rounding of float32; images without patient.
    logits = [5, 2, 2 + 1e-6, 3, -3]
    found = patient_z_scores(probabilities(logits), ["only", "alike", "alike", None, pd.NA])
    np.testing.assert_array_equal(found, 0)


def test_the_patients_level_and_scale_drop_out():
    logits = np.random.default_rng(0).normal(size=6)
    both = np.concatenate([logits, 0.5 * logits - 3])
    found = patient_z_scores(probabilities(both), ["a"] * 6 + ["b"] * 6)
    np.testing.assert_allclose(found[:6], found[6:], atol=1e-6)
    assert found.reshape(2, 6).mean(axis=1) == pytest.approx([0, 0], abs=1e-9)
    assert found.reshape(2, 6).std(axis=1) == pytest.approx([1, 1])


def test_certain_probabilities_have_a_finite_logit():
    found = patient_z_scores([0.0, 1.0, 0.5], ["a", "a", "a"])
    np.testing.assert_allclose(found, [-np.sqrt(1.5), np.sqrt(1.5), 0], atol=1e-6)


@pytest.mark.parametrize(("p", "patients"), [([0.5, 1.2], "ab"), ([0.5], "ab"), ([0.5, np.nan], "ab")])
def test_what_is_no_probability_of_an_image_is_refused(p, patients):
    with pytest.raises(ValueError, match="one probability from 0 to 1 and one patient"):
        patient_z_scores(p, list(patients))


@pytest.fixture
def predictions():
    p = probabilities([0, 0, 0, 4])
    return pd.DataFrame(
        {"image_id": list("wxyz"), "patient_id": "a", "label": "benign", "p_benign": 1 - p, "p_malignant": p}
    )


@pytest.mark.parametrize("positive", ["malignant", "benign"])
def test_the_score_becomes_a_probability_of_the_positive_class(predictions, positive):
    found = rescore_by_patient(predictions, positive)
    assert found.columns.tolist() == predictions.columns.tolist()
    np.testing.assert_allclose(found["p_malignant"], probabilities([-1 / np.sqrt(3)] * 3 + [np.sqrt(3)]))
    np.testing.assert_allclose(found["p_benign"] + found["p_malignant"], 1)


def test_two_classes_are_needed(predictions):
    with pytest.raises(ValueError, match="'mel'.*p_benign, p_malignant"):
        rescore_by_patient(predictions, "mel")
    with pytest.raises(ValueError, match="two classes"):
        rescore_by_patient(predictions.assign(p_other=0.0))
