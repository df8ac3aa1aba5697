"""Times of runs, and estimates of what is left."""

import math
from pathlib import Path
from types import SimpleNamespace

import pandas as pd
import pytest

from skinkit.experiments.results import run_times
from skinkit.experiments.results.run_times import open_runs, open_text, runs_text

RUN = {
    **{"recipe": "koefler2023/table4a/cnn", "profile": "quick", "protocol": "corrected", "weights": ""},
    **{"precision": "float32", "dataset": "ham10000", "lacking": "", "stale": "", "images": 1600},
    **{
        "seconds": 360.0,
        "machine": "CPU with 2 CPU cores",
        "metric": "macro_recall",
        "score": 0.5,
        "mel_leak": 0.9,
    },
    "folder": Path("results/runs/koefler2023/table4a/cnn/corrected-quick-fold0-seed0"),
}


def times(*rows):
    return pd.DataFrame([RUN | row for row in rows])


def left(document, *rows):
    return open_runs(times(*rows), document).set_index("recipe")


def test_the_estimate_grows_by_epochs_images_pixels_and_the_square_of_the_width():
    found = left("koefler2023", {}, {"seconds": 720.0})
    row = found.loc["koefler2023/table4a/cnn"]
    # 100 epochs for 40, 10,015 images for 600, 100 x 100 pixels for 80 x 80, twice the width.
    assert row["hours"] == pytest.approx(0.15 * 100 / 40 * 10015 / 600 * (100 / 80) ** 2 * 4)
    assert (row["profile"], row["bound"], row["like"]) == ("full", False, "koefler2023/table4a/cnn")


def test_a_crop_of_two_sides_has_their_product_of_pixels():
    found = left("skinkit", {"recipe": "skinkit/baseline/efficientnet-lite0"})
    assert found.loc["skinkit/best/lite0", "hours"] > 0


def test_the_estimate_is_from_the_recipe_with_the_most_settings_in_common():
    baseline = "skinkit/baseline/efficientnet-lite0"
    rows = {"recipe": baseline, "seconds": 60.0}, {"recipe": f"{baseline}-plain", "images": 10015}
    row = left("skinkit", *rows).loc["skinkit/folds/plain"]
    # The same epochs, images and pixels.
    assert row["like"] == f"{baseline}-plain" and row["hours"] == pytest.approx(0.1)


def test_a_stand_in_is_a_lower_bound_and_the_same_network_an_estimate():
    run = {"recipe": "gessert2019/table2/mobilenet-dual"}
    found = left("gessert2019", run)
    bound = found.loc["gessert2019/table2/densenet121-dual"]
    assert bound["bound"] and bound["like"] == run["recipe"]
    # 3 epochs, 3,000 images and crops of 112 pixels at `quick`; 50, 10,015 and 224 at `full`.
    assert bound["hours"] == pytest.approx(0.1 * 50 / 3 * 10015 / 1600 * 4)
    other = found.loc["gessert2019/table2/mobilenet-single-crop"]
    assert not other["bound"] and other["hours"] > 0
    assert math.isnan(found.loc["gessert2019/table2/small-dual", "hours"])


def test_a_run_on_another_data_set_says_nothing_about_hours():
    row = "koefler2023/table4a/cnn"
    for toy in ({"dataset": "synthetic"}, {"dataset": "clinic"}):
        found = left("koefler2023", toy | {"images": 105, "seconds": 3.0}).loc[row]
        assert math.isnan(found["hours"]) and found["like"] == ""
    # Beside a real one, it does not count either.
    both = left("koefler2023", {}, {"dataset": "clinic", "seconds": 3.0}).loc[row]
    assert both["hours"] == left("koefler2023", {}).loc[row, "hours"]


def test_what_has_been_run_is_not_left_and_a_stale_run_counts_for_nothing():
    full = {"profile": "full"}
    stale = left("koefler2023", full | {"stale": "the recipe has changed"})
    assert stale.loc["koefler2023/table4a/cnn", "like"] == ""
    own = "koefler2023/controls/cnn-doubled"
    assert own in left("koefler2023", {}).index and own not in left("koefler2023", {"recipe": own}).index
    # What stands for a printed row has all of its protocols to be run, once it was begun.
    row = left("koefler2023", full).loc["koefler2023/table4a/cnn"]
    assert row["protocol"].tolist() == ["as_published", "as_described"]
    stand_in = {"recipe": "butskova2021/stages/lite0-gamma1"}
    assert left("butskova2021", stand_in).loc[stand_in["recipe"], "protocol"] == "as_described"
    both = open_runs(times(stand_in, stand_in | {"protocol": "as_described"}), "butskova2021")
    assert stand_in["recipe"] not in set(both["recipe"])
    # Of rows that are one experiment, the first alone is left.
    found = left("gessert2019", {}).index
    assert "gessert2019/table2/densenet121-multi-crop" in found
    assert "gessert2019/table5/densenet121-loss-weighting" not in found


def test_what_is_left_is_told_with_a_command_and_hours():
    text = open_text(open_runs(times({}), "koefler2023"))
    assert "5 experiments of the document at `full` and 5 recipes of ours" in " ".join(text.split())
    assert "| table4a/cnn | --profile full | 26.1 | koefler2023/table4a/cnn |" in text
    assert "| table4c/vgg16-sa | --profile full | unknown |  |" in text
    assert open_text(open_runs(times({}), "koefler2023").iloc[:0]).startswith("Nothing")


def test_runs_stand_with_score_leak_time_and_a_link_to_their_folder():
    scores = {"class": "all", "measured": 0.5, "low": 0.4, "high": 0.6, "seed_sd": 0.02, "fold_sd": None}
    scores |= {"leakage_lesion": 0.8, "leakage_patient": None, "n": 199.0}
    keys = list(run_times.ALIKE)
    ledger = pd.DataFrame(
        [
            {key: RUN[key] for key in keys} | scores | {"metric": metric}
            for metric in ("macro_recall", "accuracy", "ece")
        ]
    )
    other = {
        "folder": RUN["folder"].with_name("corrected-quick-fold0-seed1"),
        "seconds": 720.0,
        "score": 0.25,
    }
    text = runs_text(times({}, other), ledger, "results")
    assert text.startswith("2 runs, 0.3 hours in all. On: CPU with 2 CPU cores.")
    folder = "runs/koefler2023/table4a/cnn/corrected-quick-fold0-seed"
    assert (
        "<details><summary>Each run</summary>\n\n| run | macro recall | min |\n| --- | --- | --- |\n"
        f"| {folder}0 | 0.500 | 6.0 |\n| {folder}1 | 0.250 | 12.0 |\n\n</details>"
    ) in text
    score = "0.500 (0.400-0.600), sd 0.020"
    assert (
        f"| [table4a/cnn] | corrected | 2 x 199 | 80.0 % (90.0) | {score} | {score} | 0.500 | 9.0 |" in text
    )
    assert text.endswith("\n[table4a/cnn]: runs/koefler2023/table4a/cnn")
    text = runs_text(times({}, other | {"machine": "a GPU"}), ledger, "results")
    assert "On: (1) CPU with 2 CPU cores; (2) a GPU." in text
    assert f"| {folder}0 | 0.500 | 6.0 | (1) |\n| {folder}1 | 0.250 | 12.0 | (2) |" in text
    # A time that nobody knows is left out.
    text = runs_text(times({}, other | {"seconds": math.nan}), ledger, "results")
    assert text.startswith("2 runs, 0.1 hours in all but for 1 that nobody timed. On: ")
    assert f"| {folder}0 | 0.500 | 6.0 |\n| {folder}1 | 0.250 |  |" in text
    assert f"{score} | {score} | 0.500 | 6.0 |" in text


@pytest.mark.parametrize(
    ("processor", "name"),
    [
        ({}, "processor not recorded"),
        ({"processor": ""}, "processor not recorded"),
        ({"processor": "Xeon"}, "Xeon"),
    ],
)
def test_a_run_is_told_by_its_main_score_and_its_processor(monkeypatch, processor, name):
    monkeypatch.setattr(run_times, "alike", lambda run: {})
    versions = {"tensorflow": "2.21.0", "keras": "3.15.1"}
    environment = {"device": "CPU", "cpu_cores": "2", **versions, **processor}
    scores = {"macro_recall": {"value": 0.5}, "auc": {"value": 0.75}}
    run = SimpleNamespace(
        manifest={"environment": environment, "seconds": 60, "images": {"train": 3, "test": 2}},
        metrics={"scores": scores},
        folder=Path("runs/a"),
    )
    row = run_times.run_times([run]).iloc[0]
    assert row["machine"] == f"CPU, {name}, 2 CPU cores, TensorFlow 2.21.0, Keras 3.15.1"
    assert (row["metric"], row["score"], row["images"], row["folder"]) == ("auc", 0.75, 5, Path("runs/a"))
    del scores["auc"]
    assert run_times.run_times([run])["metric"].item() == "macro_recall"
    # The class that selects an epoch goes first.
    run.manifest["settings"], scores["auc:mel"] = {"monitor": "auc:mel"}, {"value": 0.25}
    assert run_times.run_times([run])["score"].item() == 0.25
