import numpy as np
import pandas as pd
import pytest

from skinkit.evaluation import (
    bootstrap_intervals,
    paired_difference,
    score,
    summary,
    summary_names,
)
from skinkit.evaluation.uncertainty import intervals


def test_the_value_is_the_score_on_all_images(predictions, labels):
    y_true, probabilities = predictions(200, seed=0)
    table = bootstrap_intervals(y_true, probabilities, labels, resamples=20)
    assert list(table.index) == list(summary_names(labels)) and table.index.name == "metric"
    assert list(table) == ["value", "low", "high", "sd", "method"]
    overall = summary(y_true, probabilities, labels)
    assert table["value"].to_dict() == {name: overall[name] for name in table.index}
    drawn = table.drop("ece")
    assert (drawn["low"] < drawn["high"]).all() and (drawn["sd"] > 0).all()


def test_a_calibration_error_has_no_interval(predictions, labels):
    y_true, probabilities = predictions(200, seed=0)
    found = bootstrap_intervals(y_true, probabilities, labels, metrics="ece", resamples=20).loc["ece"]
    assert found["value"] == summary(y_true, probabilities, labels)["ece"] and found["method"] == "none"
    assert found[["low", "high", "sd"]].isna().all()
    other = paired_difference(y_true, probabilities, probabilities[:, ::-1], labels, metrics="ece").loc["ece"]
    assert other["value"] != 0 and other[["low", "high", "sd"]].isna().all()


@pytest.mark.parametrize("grouped", [False, True])
def test_every_resample_is_scored_as_if_its_images_were_copied(predictions, labels, grouped, monkeypatch):
    n, resamples = 60, 15
    y_true, probabilities = predictions(n, seed=1, decimals=1)
    groups = np.random.default_rng(2).integers(20, size=n) if grouped else None
    metrics = [*summary_names(labels), "recall:mel", "f1:nv", "precision:df", "auc:bcc"]
    seen = []
    inner = intervals.weightings
    monkeypatch.setattr(intervals, "weightings", lambda *a: (seen.append(w) or w for w in inner(*a)))
    table = bootstrap_intervals(y_true, probabilities, labels, groups, metrics, resamples)
    weights = np.concatenate(seen).astype(int)
    assert weights.shape == (resamples, n)
    copies = [np.repeat(np.arange(n), row) for row in weights]
    assert table["method"].nunique() == 4
    for name in table.index.drop("ece"):
        draws = np.array([score(name, y_true[c], probabilities[c], labels) for c in copies])
        draws = draws[~np.isnan(draws)]
        np.testing.assert_allclose(table.loc[name, "sd"], draws.std(ddof=1))
        if table.loc[name, "method"] != "bootstrap":
            continue
        expected = np.quantile(draws, [0.025, 0.975])
        np.testing.assert_allclose(table.loc[name, ["low", "high"]].to_numpy(float), expected)


def test_whole_groups_are_drawn_as_many_as_there_are():
    groups = np.array(["a", "b", "a", None, pd.NA, "b", "a"], dtype=object)
    (weights,) = intervals.weightings(groups, 7, 50, seed=0)
    np.testing.assert_array_equal(weights[:, 0], weights[:, 2])
    np.testing.assert_array_equal(weights[:, 0], weights[:, 6])
    np.testing.assert_array_equal(weights[:, 1], weights[:, 5])
    # Four groups: a, b and each image without an id by itself.
    assert (weights[:, [0, 1, 3, 4]].sum(axis=1) == 4).all()
    assert (weights[:, 3] != weights[:, 4]).any()


def test_the_draw_depends_on_the_seed_and_not_on_the_chunk_size(predictions, labels, monkeypatch):
    y_true, probabilities = predictions(80, seed=3)
    ask = {"metrics": ["accuracy", "macro_auc"], "resamples": 30}
    first = bootstrap_intervals(y_true, probabilities, labels, seed=5, **ask)
    other = bootstrap_intervals(y_true, probabilities, labels, seed=6, **ask)
    assert not first.equals(other)
    monkeypatch.setattr(intervals, "_CHUNK", 7 * 80)
    pd.testing.assert_frame_equal(bootstrap_intervals(y_true, probabilities, labels, seed=5, **ask), first)


def test_a_class_that_vanishes_from_resamples_is_left_out_of_them():
    # Two melanomas among twenty, always found, and nevi half: a resample without melanomas says 0.5.
    labels, y_true = ["mel", "nv"], ["mel"] * 2 + ["nv"] * 18
    probabilities = np.array([[0.9, 0.1]] * 11 + [[0.1, 0.9]] * 9)
    weights = np.concatenate(list(intervals.weightings(None, 20, 100, seed=0)))
    assert (weights[:, :2].sum(axis=1) == 0).any()
    table = bootstrap_intervals(y_true, probabilities, labels, metrics=["recall:mel"], resamples=100)
    assert table.loc["recall:mel", "sd"] == 0


def test_a_score_without_images_or_on_which_all_resamples_agree_has_no_interval():
    labels, probabilities = ["mel", "nv", "df"], [[0.9, 0.1, 0.0], [0.2, 0.8, 0.0], [0.3, 0.7, 0.0]]
    metrics = ["recall:df", "precision:df", "macro_auc", "cohen_kappa"]
    table = bootstrap_intervals(["mel", "nv", "nv"], probabilities, labels, metrics=metrics, resamples=10)
    assert table.loc["recall:df", ["value", "low", "high", "sd"]].isna().all()
    assert table.loc[["macro_auc", "cohen_kappa"], "value"].eq(1).all()
    assert table[["low", "high"]].isna().all(axis=None) and table["method"].eq("none").all()


def test_an_area_needs_two_groups_on_either_side():
    y_true, rng = ["mel"] * 20 + ["nv"] * 10, np.random.default_rng(0)
    p = rng.uniform(size=30)
    groups = [*map(str, range(20)), *["P"] * 10]
    found = bootstrap_intervals(
        y_true, np.c_[p, 1 - p], ["mel", "nv"], groups, ["auc:mel", "auc:nv", "macro_auc"]
    )
    assert found["method"].tolist() == ["none"] * 3 and found["value"].nunique() == 1


def test_of_one_group_there_are_scores_and_no_intervals():
    labels, y_true, wrong = ["mel", "nv"], ["mel", "mel", "nv", "nv"], [[0.2, 0.8]] * 4
    probabilities = [[0.9, 0.1], [0.4, 0.6], [0.2, 0.8], [0.1, 0.9]]
    asked = {"groups": ["P"] * 4, "metrics": ["accuracy", "recall:mel", "macro_recall"]}
    table = bootstrap_intervals(y_true, probabilities, labels, **asked)
    assert table["value"].tolist() == [0.75, 0.5, 0.75]
    assert table[["low", "high", "sd"]].isna().all(axis=None) and table["method"].eq("none").all()
    assert list(table.index) == asked["metrics"]
    differences = paired_difference(y_true, probabilities, wrong, labels, **asked)
    assert differences["value"].tolist() == [0.25, 0.5, 0.25]
    assert differences[["low", "high", "sd"]].isna().all(axis=None)
    alone = bootstrap_intervals(["mel"], [[0.9, 0.1]], labels, metrics="accuracy").loc["accuracy"]
    assert alone["value"] == 1 and alone["method"] == "none"


def simulate(seed, lesions=60, photographs=3):
    """Lesions photographed alike: a lesion is right or wrong as a whole, true accuracy 0.7."""
    right = np.repeat(np.random.default_rng(seed).random(lesions) < 0.7, photographs)
    probabilities = np.where(right[:, None], [0.9, 0.1], [0.1, 0.9])
    return np.full(len(right), "mel"), probabilities, np.repeat(np.arange(lesions), photographs)


def test_lesion_intervals_cover_the_truth_and_image_intervals_do_not():
    covered = {"lesion": 0, "image": 0}
    for seed in range(200):
        y_true, probabilities, lesions = simulate(seed)
        for level, groups in (("lesion", lesions), ("image", None)):
            found = bootstrap_intervals(
                y_true, probabilities, ["mel", "nv"], groups, ["accuracy"], 200, seed=seed
            )
            low, high = found.loc["accuracy", ["low", "high"]]
            covered[level] += low <= 0.7 <= high
    # 95 % promised; 200 trials have a standard error of 1.5 points.
    assert 0.90 <= covered["lesion"] / 200 <= 0.99
    assert covered["image"] / 200 < 0.85


def test_the_spread_of_accuracy_is_that_of_the_binomial(predictions):
    y_true, probabilities, _ = simulate(0, lesions=400, photographs=1)
    found = bootstrap_intervals(y_true, probabilities, ["mel", "nv"], None, ["accuracy"], 2000)
    value, sd = found.loc["accuracy", ["value", "sd"]]
    assert sd == pytest.approx(np.sqrt(value * (1 - value) / 400), rel=0.06)


def test_a_higher_confidence_gives_a_wider_interval(predictions, labels):
    y_true, probabilities = predictions(100, seed=7)
    ask = {"metrics": ["accuracy"], "resamples": 200}
    wide = bootstrap_intervals(y_true, probabilities, labels, confidence=0.99, **ask)
    narrow = bootstrap_intervals(y_true, probabilities, labels, confidence=0.8, **ask)
    assert wide["low"].item() < narrow["low"].item() < narrow["high"].item() < wide["high"].item()


def test_a_model_does_not_differ_from_itself(predictions, labels):
    y_true, probabilities = predictions(100, seed=8)
    table = paired_difference(y_true, probabilities, probabilities, labels, metrics=None).drop("ece")
    assert (table[["value", "low", "high", "sd"]] == 0).all(axis=None)


def test_pairing_resolves_a_difference_that_two_intervals_hide(predictions, labels):
    y_true, first = predictions(400, seed=9)
    spoilt = first.copy()
    spoilt[:12] = np.where(np.array(labels) == y_true[:12, None], 0.0, 1 / 6)
    found = paired_difference(y_true, first, spoilt, labels, metrics="accuracy").loc["accuracy"]
    right = (np.array(labels)[first[:12].argmax(axis=1)] == y_true[:12]).sum()
    assert found["value"] == pytest.approx(right / 400)
    assert 0 < found["low"] < found["value"] < found["high"]
    alone = bootstrap_intervals(y_true, first, labels, metrics=["accuracy"]).loc["accuracy"]
    assert alone["low"] < alone["value"] - found["value"]
    back = paired_difference(y_true, spoilt, first, labels, metrics="accuracy").loc["accuracy"]
    assert back["value"] == -found["value"] and back["low"] == pytest.approx(-found["high"])


def test_both_models_are_drawn_alike_in_chunks(predictions, labels, monkeypatch):
    y_true, first = predictions(90, seed=10)
    _, second = predictions(90, seed=11)
    table = paired_difference(y_true, first, second, labels, metrics="macro_f1", resamples=40)
    monkeypatch.setattr(intervals, "_CHUNK", 300)
    again = paired_difference(y_true, first, second, labels, metrics="macro_f1", resamples=40)
    pd.testing.assert_frame_equal(table, again)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"groups": ["a"]}, "groups must hold 2 ids"),
        ({"resamples": 1}, "resamples=1"),
        ({"confidence": 95}, "confidence=95"),
        ({"confidence": 1}, "confidence=1"),
        ({"metrics": ["acuracy"]}, "no score 'acuracy'"),
    ],
)
def test_bad_requests_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        bootstrap_intervals(["mel", "nv"], [[0.9, 0.1], [0.2, 0.8]], ["mel", "nv"], **arguments)


def test_areas_of_a_class_of_one_patient_have_no_interval():
    truth = ["benign"] * 12 + ["malignant"] * 2
    malignant = np.r_[np.linspace(0.1, 0.6, 12), 0.55, 0.7]
    answers = np.stack([1 - malignant, malignant], axis=1)
    labels = ["benign", "malignant"]
    patients = [f"B{i}" for i in range(12)] + ["M", "M"]
    names = ["auc", "macro_auc", "auc:malignant", "average_precision", "accuracy"]
    found = bootstrap_intervals(truth, answers, labels, patients, names, positive="malignant")
    assert found["method"].tolist() == ["none"] * 4 + ["wilson"]
    assert found.loc[names[:4], ["low", "high"]].isna().all(axis=None) and found["value"].notna().all()
    two = bootstrap_intervals(truth, answers, labels, [*patients[:-1], "N"], names, positive="malignant")
    assert two.loc["auc", "method"] == "bootstrap" and two.loc["auc", "low"] < two.loc["auc", "high"]


def test_two_groups_are_enough_to_draw():
    labels, y_true = ["mel", "nv"], ["mel", "nv", "mel", "nv"]
    probabilities = [[0.9, 0.1], [0.2, 0.8], [0.4, 0.6], [0.1, 0.9]]
    found = bootstrap_intervals(y_true, probabilities, labels, list("aabb"), "brier").loc["brier"]
    # One of both twice, or both: (0.02 + 0.08) / 2, (0.72 + 0.02) / 2 or their mean.
    assert found[["low", "value", "high"]].tolist() == pytest.approx([0.05, 0.21, 0.37])
    assert found["method"] == "bootstrap"
