import numpy as np
import pandas as pd
import pytest

from skinkit.experiments.results.comparisons import COLUMNS
from skinkit.experiments.results.page import results_page

NO_DIFFERENCES = pd.DataFrame(columns=COLUMNS)
LEDGER = {
    "document": "koefler2023",
    "table": "table4a",
    "row": "cnn",
    "on": "test",
    "class": "all",
    "metric": "accuracy",
    "check": "",
    "recipe": "",
    "weights": "",
    "precision": "float32",
    "dataset": "ham10000",
    "lacking": "",
    "stale": "",
    "protocol": "corrected",
    "profile": "quick",
    "runs": 2.0,
    "n": 199.0,
    "published": np.nan,
    "published_sd": np.nan,
    "measured": 0.5,
    "low": 0.4,
    "high": 0.6,
    "population_sd": np.nan,
    "fold_sd": np.nan,
    "seed_sd": np.nan,
    "measured_best": np.nan,
    "leakage_photograph": 0.0,
    "leakage_lesion": 0.332,
    "leakage_patient": np.nan,
    "source_size": "225 x 300",
    "verdict": "not comparable",
    "reason": "no published row",
}
DIFFERENCE = {
    "first": "koefler2023/table4b/cnn-sa",
    "second": "koefler2023/table4a/cnn",
    "weights": "",
    "precision": "float32",
    "dataset": "ham10000",
    "lacking": "",
    "protocol": "corrected",
    "profile": "quick",
    "metric": "accuracy",
    "runs": 1,
    "n": 199,
    "difference": -0.01,
    "low": -0.02,
    "high": -0.005,
    "run_sd": np.nan,
    "pooled_sd": np.nan,
    "df": 0,
    "low_of_both": np.nan,
    "high_of_both": np.nan,
    "printed": np.nan,
    "printed_low": np.nan,
    "printed_high": np.nan,
    "networks": np.nan,
    "holds": "",
}


def ledger_of(rows):
    table = pd.DataFrame([LEDGER | row for row in rows])
    own = table["document"] + "/" + table["table"] + "/" + table["row"]
    return table.assign(recipe=table["recipe"].where(table["recipe"] != "", own))


def lines(rows, differences=NO_DIFFERENCES):
    page = results_page(ledger_of(rows), differences)
    return [line for line in page.splitlines() if line.startswith("|")]


def test_a_run_is_one_line_with_its_scores_side_by_side():
    small = {"reason": "quick profile: smaller", "published": 0.88}
    found = lines([small, {"metric": "macro_auc", "measured": 0.75}])
    assert found[-3] == ("| row | protocol | profile | runs | n | leakage | accuracy | macro AUC | remarks |")
    assert found[-1] == (
        "| table4a/cnn | corrected | quick | 2 | 199 | 0.0% / 33.2% / ? | "
        "0.500 (0.400-0.600)<br>printed 0.880 | 0.750 (0.400-0.600) | quick profile: smaller |"
    )


@pytest.mark.parametrize("verdict", ["within", "outside", "reproduced", "not reproduced"])
def test_a_verdict_stands_with_its_score(verdict):
    found = lines([{"published": 0.51, "verdict": verdict, "reason": ""}])
    assert found[-1].endswith(
        f"| 0.500 (0.400-0.600)<br>printed 0.510: {verdict} | source images of 225 x 300 |"
    )


def test_a_score_that_is_printed_for_one_row_is_shown_for_all():
    rows = [{"metric": "weighted_f1", "published": 0.9}, {"metric": "weighted_f1", "row": "mine"}]
    others = [{"metric": "weighted_f1_by_pred"}, {"metric": "accuracy", "row": "mine"}]
    found = lines(rows + others)
    assert "| accuracy | weighted F1 |" in found[-4]
    assert "F1 by" not in found[-4]
    assert "| 33.2% / ? |  | 0.500 (0.400-0.600)<br>printed 0.900 |" in found[-2].replace("0.0% / ", "| ")
    assert found[-1].startswith("| table4a/mine |")
    assert found[-1].count("0.500 (0.400-0.600) |") == 2


def test_of_two_classes_the_mean_area_is_not_told_twice():
    two = [{"metric": "auc"}, {"metric": "macro_auc", "measured": 0.7}]
    assert "0.700" not in lines(two)[-1]
    several = lines([*two, {"row": "seven", "metric": "macro_auc", "measured": 0.8}])
    assert "| macro AUC | AUC |" in several[-4]
    assert "0.700" not in several[-2]
    assert "0.800" in several[-1]


def test_an_alias_says_whose_run_it_shows_and_a_stale_run_that_it_is():
    alias = {"recipe": "koefler2023/table4b/cnn-sa", "reason": ""}
    assert lines([alias])[-1].startswith("| table4a/cnn<br>run of table4b/cnn-sa |")
    found = lines([{"stale": "the recipe has changed, was 0"}, {"stale": "the recipe has changed, was 1"}])
    assert [line.split(" | ")[0] for line in found[-2:]] == [
        f"| table4a/cnn<br>**stale**: the recipe has changed, was {i}" for i in range(2)
    ]


def test_weights_and_precision_are_told_where_they_are_not_the_usual():
    assert "weights" not in lines([{}])[-3] and "precision" not in lines([{}])[-3]
    found = lines([{}, {"weights": "a.h5", "precision": "mixed_float16", "measured": 0.6}])
    assert "| protocol | profile | weights | precision | runs |" in found[-4]
    assert "| corrected | quick |  | float32 | 2 |" in found[-2]
    assert "| corrected | quick | a.h5 | mixed_float16 | 2 |" in found[-1]


def test_the_best_epoch_and_single_classes():
    found = lines([{"measured_best": 0.55}, {"class": "mel", "metric": "recall"}])
    assert "0.500 (0.400-0.600)<br>best epoch 0.550 |" in found[-1]
    assert "recall" not in found[-3]


def test_differences_stand_under_their_document():
    printed = {"printed": 0.03, "printed_low": 0.02, "printed_high": 0.04, "networks": 3, "holds": "no"}
    auc = {"metric": "macro_auc", "difference": 0.02, "pooled_sd": 0.1, "df": 4}
    auc |= {"low_of_both": -0.03, "high_of_both": 0.04}
    found = lines([{}], pd.DataFrame([DIFFERENCE | printed, DIFFERENCE | auc]))
    assert found[-1] == (
        "| table4b/cnn-sa minus table4a/cnn | corrected | quick | 1 | 199 | -0.010 (-0.020 to -0.005)<br>"
        "printed +0.030 (+0.020 to +0.040): does not hold | +0.020 (-0.020 to -0.005)<br>"
        "with runs -0.030 to +0.040<br>sd over runs 0.100 (df 4) |"
    )
    others = pd.DataFrame([DIFFERENCE]).replace("koefler2023", "gessert2019", regex=True)
    assert "minus" not in "".join(lines([{}], others))


def test_a_difference_without_an_interval_shows_none_and_the_page_says_when():
    alone = pd.DataFrame([DIFFERENCE | {"low": np.nan, "high": np.nan}])
    assert lines([{}], alone)[-1].endswith("| 199 | -0.010 |")
    page = " ".join(results_page(ledger_of([{}]), alone).split())
    assert "fewer than ten lesions, intervals of means over classes are too short" in page


def test_a_page_without_runs_says_so():
    page = results_page(pd.DataFrame([LEDGER | {"published": 0.8, "measured": np.nan}]), NO_DIFFERENCES)
    assert "No run has been carried out yet." in page
    assert "| koefler2023 | 1 | 0 | 0 | 0 | 0 | 0 | 0 |" in page


def test_a_published_number_is_counted_once_however_many_runs_measured_it():
    number = {"published": 0.51, "verdict": "within"}
    runs = [number, number | {"protocol": "as_published", "verdict": "outside"}]
    stale = {"metric": "macro_f1", "published": 0.5, "stale": "the recipe has changed, was 0", "verdict": ""}
    other = {"metric": "macro_recall", "published": 0.9, "measured": np.nan, "stale": np.nan, "check": "odd"}
    found = lines([*runs, stale, other])
    assert found[0].startswith("| document | numbers | flagged | measured | reproduced | not reproduced |")
    assert found[2] == "| koefler2023 | 3 | 1 | 1 | 0 | 0 | 1 | 1 |"


def test_drawn_images_have_a_heading_of_their_own_with_their_differences():
    rows = [{}, {"row": "drawn", "dataset": "synthetic", "measured": 0.7}]
    differences = pd.DataFrame([DIFFERENCE, DIFFERENCE | {"dataset": "synthetic", "difference": 0.2}])
    real, drawn = results_page(ledger_of(rows), differences).split("\n## koefler2023, drawn images\n")
    assert ("| table4a/cnn |" in real, "-0.010 (" in real, "0.700" in real) == (True, True, False)
    assert ("| table4a/drawn |" in drawn, "+0.200 (" in drawn, "0.500" in drawn) == (True, True, False)
