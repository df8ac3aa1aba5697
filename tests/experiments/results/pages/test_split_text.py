"""The worth of a protocol, counted by hand."""

import pandas as pd

from skinkit.experiments.results.finished_runs import ALIKE
from skinkit.experiments.results.pages.split_text import split_text

ROW = dict.fromkeys(ALIKE, "") | {
    "recipe": "koefler2023/table4b/cnn-sa",
    "profile": "quick",
    "class": "all",
    "metric": "accuracy",
}
ROW |= {"runs": 4, "run_sd": 0.02, "leakage_patient": None}


def ledger(*changes):
    return pd.DataFrame([ROW | change for change in changes])


def score(protocol, measured, half, leak, **more):
    ends = {"measured": measured, "low": measured - half, "high": measured + half}
    return {"protocol": protocol, **ends, "leakage_lesion": leak, **more}


DESCRIBED, SOUND = score("as_described", 0.8, 0.0588, 0.375), score("corrected", 0.7, 0.0784, 0.0)


def test_the_interval_adds_up_those_of_both_scores_and_their_spread():
    text = " ".join(split_text(ledger(DESCRIBED, SOUND)).split())
    # Errors 0.03 and 0.04, and 0.02 / 2 twice: the root of 0.0027, times 1.96.
    assert "`table4b/cnn-sa`, as_described minus corrected: +0.100 accuracy, 95 % -0.002 to +0.202" in text
    assert "; leak 37.5 % against 0.0 %; besides the split differ: " in text
    assert "balancing" in text and text.endswith("the epoch (chosen on the test images).")


def test_few_runs_stale_ones_and_single_protocols_say_nothing():
    assert split_text(ledger(DESCRIBED)) == ""
    assert split_text(ledger(DESCRIBED | {"runs": 2}, SOUND)) == ""
    assert split_text(ledger(DESCRIBED, SOUND | {"stale": "the recipe has changed"})) == ""
    assert split_text(ledger(DESCRIBED, SOUND | {"profile": "full"})) == ""


def test_the_class_that_selects_is_told_and_others_are_not():
    areas = [each | {"metric": "auc", "class": "mel"} for each in (DESCRIBED, SOUND)]
    assert split_text(ledger(*areas)) == ""
    melanoma = [each | {"recipe": "bermeo2023/schedules/lite0-m4"} for each in areas]
    assert "+0.100 AUC of mel, 95 %" in " ".join(split_text(ledger(*melanoma)).split())
