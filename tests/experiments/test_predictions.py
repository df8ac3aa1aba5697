"""Predictions on disk say what the network said, and the scores are those of the file."""

import json

import numpy as np
import pandas as pd
import pytest

from skinkit.experiments.predictions import (
    prediction_groups,
    read_predictions,
    save_scored,
    score_with_intervals,
    write_predictions,
)


@pytest.fixture
def predictions():
    """Two classes, 60 images; probabilities that differ in their last bits only."""
    rng = np.random.default_rng(0)
    malignant = np.float32(0.3) + np.spacing(np.float32(0.3)) * rng.permutation(60).astype(np.float32)
    return pd.DataFrame(
        {
            "image_id": ["NA", "a,b", *(f"{i:03d}" for i in range(58))],
            "lesion_id": pd.array([f"{i // 2:02d}" for i in range(60)], "string"),
            "patient_id": pd.array([pd.NA] * 60, "string"),
            "label": rng.choice(["benign", "malignant"], 60),
            "p_benign": 1 - malignant.astype("float64"),
            "p_malignant": malignant,
        }
    )


def test_predictions_survive_the_file(predictions, tmp_path):
    path = tmp_path / "predictions.csv.gz"
    write_predictions(predictions, path)
    found = read_predictions(path)
    assert found["image_id"].tolist() == predictions["image_id"].tolist()
    assert found["lesion_id"].tolist() == predictions["lesion_id"].tolist()
    assert found["patient_id"].isna().all()
    for column in ("p_benign", "p_malignant"):
        np.testing.assert_array_equal(found[column].astype(predictions[column].dtype), predictions[column])
    doubles = predictions.assign(p_malignant=np.random.default_rng(1).random(60))
    write_predictions(doubles, path)
    np.testing.assert_array_equal(read_predictions(path)["p_malignant"], doubles["p_malignant"])


def test_scores_are_those_of_the_file(predictions, tmp_path):
    saved = save_scored(predictions, "malignant", tmp_path, "_best", epoch=3)
    again = score_with_intervals(read_predictions(tmp_path / "predictions_best.csv.gz"), "malignant")
    assert list(saved) == ["epoch", "n", "grouped_by", "scores"] and (saved["epoch"], saved["n"]) == (3, 60)
    pd.testing.assert_frame_equal(pd.DataFrame(saved["scores"]), pd.DataFrame(again["scores"]))
    on_disk = json.loads((tmp_path / "metrics_best.json").read_text())
    for name, found in again["scores"].items():
        assert on_disk["scores"][name]["value"] == pytest.approx(found["value"], abs=1e-9, nan_ok=True)


def test_close_probabilities_keep_their_order(predictions, tmp_path):
    """Six digits would make these 60 probabilities one, and the area under their curve a half."""
    label = np.where(predictions["p_malignant"].rank() > 30, "malignant", "benign")
    saved = save_scored(predictions.assign(label=label), "malignant", tmp_path)
    assert saved["scores"]["macro_auc"]["value"] == 1


@pytest.mark.parametrize(
    ("images", "lesions", "patients", "groups", "name"),
    [
        ("abcd", "1122", "....", "aacc", "lesion"),
        ("abcd", "....", "PPQQ", "aacc", "patient"),
        # One row has a patient; the others keep their lesions.
        ("abcdef", "112233", "P.....", "aaccee", "lesion+patient"),
        # Lesion 2 ties both patients, who tie lesions 1 and 3.
        ("abcdef", "122344", "PPQQ..", "aaaaee", "lesion+patient"),
        # Words for a missing id are none.
        ("abcd", "1122", "????", "aacc", "lesion"),
        ("abc", "...", "...", "abc", "image"),
        ("aba", "...", "...", "aba", "photograph"),
        ("aba", "12.", "...", "aba", "lesion"),
    ],
)
def test_rows_of_a_lesion_a_patient_or_a_photograph_are_drawn_together(
    images, lesions, patients, groups, name
):
    ids = {"image_id": images, "lesion_id": lesions, "patient_id": patients}
    table = pd.DataFrame({key: pd.array([*column], "string") for key, column in ids.items()}).replace(
        ".", pd.NA
    )
    keys, said = prediction_groups(table)
    assert ("".join(keys), said) == (groups, name)


def test_one_row_with_a_patient_makes_no_interval_shorter(predictions):
    """Two images of a lesion are equal here: drawn apart, intervals were shorter by a factor of root 2."""
    label = np.repeat(["benign", "malignant"], 30)
    p = np.repeat(np.random.default_rng(1).random(30), 2)
    table = predictions.assign(label=label, p_malignant=p, p_benign=1 - p)
    first = table["image_id"] == "000"
    found = score_with_intervals(table.assign(patient_id=table["patient_id"].mask(first, "P")), "malignant")
    assert found["grouped_by"] == "lesion+patient"
    expected = score_with_intervals(table, "malignant")["scores"]
    pd.testing.assert_frame_equal(pd.DataFrame(found["scores"]), pd.DataFrame(expected))
