import numpy as np
import pandas as pd
import pytest

from skinkit import evaluation
from skinkit.data import CLASS_MAPS
from skinkit.experiments.report import figures, words
from skinkit.papers import recipe
from skinkit.papers.recipe_page import settings_in_words


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("melanoma_sensitivity_at_90_specificity", "Melanoma sensitivity at 90 % specificity"),
        ("macro_recall", "Macro recall (balanced accuracy)"),
        ("macro_precision", "Macro precision"),
        ("auc", "Area under the ROC curve, melanoma"),
        ("auc:vasc", "Area under the ROC curve, vascular lesion"),
        ("log_loss", "Cross-entropy (0 is best)"),
    ],
)
def test_scores_have_names(name, said):
    assert words.score_name(name, "mel") == said


def test_no_key_is_left_among_scores_and_diagnoses():
    labels = {label for each in CLASS_MAPS.values() for label in each.labels}
    assert {label for label in labels if words.diagnosis(label) == label} == {"benign", "malignant"}
    names = {
        name for each in (["mel", "nv"], ["mel", "nv", "bcc"]) for name in evaluation.summary_names(each)
    }
    assert not [said for said in map(words.score_name, names) if "_" in said or not said[0].isupper()]


def test_settings_that_are_on_are_told_by_group():
    found = settings_in_words(
        recipe("skinkit/baseline/efficientnet-lite0-plain").resolve("quick", "corrected")
    )
    assert found["input"]["image_size"] == "120 x 160" and found["test"]["tta"] == "flips"
    assert "crop_size" not in found["input"]


class Run:
    """Two images, surely right and surely wrong, and 8 that are right with a confidence of 0.6."""

    predictions = pd.DataFrame({"label": ["mel", "nv"] + ["mel"] * 8, "p_mel": [0.9, 0.9] + [0.6] * 8})
    predictions["p_nv"] = 1 - predictions["p_mel"]


def test_what_is_to_be_seen_of_calibration_and_curves_is_told():
    # Right 9 times of 10; the mean confidence is 0.66.
    assert (
        "right more often than it is sure, by 0.24; it is surer in 1 of the bins"
        in figures.calibration(Run).alt
    )
    roc, precision = figures.curves(Run)
    # The nevus ties with one melanoma of nine and outranks none; it is one of ten when it is found.
    assert "Areas: melanoma 0.06, nevus 0.06." in roc.alt
    assert roc.source.startswith("data:image/svg+xml;base64,") and "nevus 0.10" in precision.alt


def test_what_is_to_be_seen_of_training_is_told():
    history = pd.DataFrame({"epoch": [1, 2, 3], "loss": [2.0, 1.0, 0.5], "seconds": 9})
    history["val_loss"] = [2.0, 1.5, np.nan]
    history["val_macro_recall"] = [0.2, 0.6, 0.4]
    loss, recall = figures.training(history)
    assert loss.alt == (
        "Loss over 3 epochs: training from 2 to 0.5, least 0.5 in epoch 3; "
        "validation from 2 to 1.5, least 1.5 in epoch 2."
    )
    assert recall.caption == "Macro recall (balanced accuracy)" and "most 0.6 in epoch 2" in recall.alt
