import dataclasses
import json

import numpy as np
import pandas as pd
import pytest

from skinkit import plots
from skinkit.experiments.plan import Plan
from skinkit.experiments.results import ledger, schedule_figures
from skinkit.experiments.results.finished_runs import finished_runs
from skinkit.papers.registry import recipe as find_recipe

LABELS = ["mel", "nv", "bcc", "akiec", "bkl", "df", "vasc"]


@pytest.fixture
def runs(tmp_path):
    def write(row, protocol="corrected", seed=0, found=2, profile="quick", stale=False):
        """A run in which `found` of four melanomas have the highest probabilities of all eight images."""
        plan = Plan(find_recipe(f"bermeo2023/schedules/lite0-{row}"), profile, protocol, 0, seed)
        folder = plan.folder(tmp_path)
        folder.mkdir(parents=True)
        key = "0" * 16 if stale else plan.key_of(None, "s", "d")
        hashes = {"split_hash": "s", "data_hash": "d", "test_hash": "t", "source_size": [450, 600]}
        manifest = {**plan.said, **hashes, "key": key, "settings": dataclasses.asdict(plan.resolved)}
        manifest |= {"dataset": "ham10000", "leakage": {"photograph": 0.0, "lesion": 0.0, "patient": None}}
        (folder / "manifest.json").write_text(json.dumps(manifest))
        scores = {"accuracy": {"value": 0.5, "low": 0.4, "high": 0.6}}
        metrics = {"n": 8, "grouped_by": "lesion", "scores": scores}
        (folder / "metrics.json").write_text(json.dumps(metrics))
        history = {"epoch": [1, 2], "loss": [2.0, 1.0], "accuracy": [0.5, 0.6], "auc:mel": [0.7, 0.8]}
        history |= {"val_log_loss": [2.0, 1.5], "val_accuracy": [0.4, 0.5], "val_auc:mel": [0.6, 0.7]}
        pd.DataFrame(history).to_csv(folder / "history.csv", index=False)
        p = np.full((8, 7), 0.0)
        p[:, 0] = [*[0.9] * found, *[0.1] * (4 - found), *[0.2] * 4]
        p[:, 1] = 1 - p[:, 0]
        ids = {"image_id": list("abcdefgh"), "lesion_id": list("abcdefgh"), "patient_id": "", "label": ""}
        table = pd.DataFrame(ids).assign(label=["mel"] * 4 + ["nv"] * 4)
        table = table.join(pd.DataFrame(p, columns=[f"p_{label}" for label in LABELS]))
        table.to_csv(folder / "predictions.csv.gz", index=False)
        return finished_runs(tmp_path, verbose=False)

    return write


def test_stand_ins_stand_beside_the_document_by_split_with_the_spread_of_their_seeds(runs, monkeypatch):
    runs("m0", found=4)
    runs("m0", seed=1, found=2)
    runs("m4", "as_described", found=2)
    runs("m5", profile="full")
    runs("m6", stale=True)
    found = schedule_figures.runs_by_split(runs("m0-one-view"))
    assert {split: {row: len(each) for row, each in rows.items()} for split, rows in found.items()} == {
        "ours, split by image": {"m4": 1},
        "ours, split by lesion": {"m0": 2},
    }
    drawn = []
    draw = plots.score_intervals
    monkeypatch.setattr(plots, "score_intervals", lambda *given: drawn.append(given[0]) or draw(*given))
    figure = schedule_figures.scores_figure(found)
    assert [ax.get_title() for ax in figure.axes] == ["auc:mel", "recall:mel", "accuracy"]
    areas, recalls, accuracies = drawn
    assert areas["document"].loc["M0", "value"] == 0.892
    assert recalls["document"].loc["M4", "value"] == 0.446
    assert accuracies["document"].loc["M7", "value"] == 0.723
    # Two of four melanomas above all others, and two below: half the pairs are in order.
    assert areas["ours, split by lesion"].loc["M0"].tolist() == [0.75, 0.5, 1.0]
    assert recalls["ours, split by image"].loc["M4"].tolist() == [0.5] * 3


def test_panels_are_those_of_the_document_and_ours_beside_each(runs):
    alone = schedule_figures.curve_panels({})
    assert list(alone) == [f"Figure 8.{number}" for number in range(1, 13)]
    metric, histories = alone["Figure 8.4"]
    assert metric == "auc" and [len(history) for history in histories.values()] == [20, 40]
    found = schedule_figures.runs_by_split(runs("m5"))["ours, split by lesion"]
    both = schedule_figures.curve_panels(found)
    assert list(both)[6:8] == ["Figure 8.4", "ours beside 8.4"]
    metric, histories = both["ours beside 8.4"]
    assert [len(each) for each in histories.values()] == [0, 1]
    shown = {name: histories["M5"][0][name].tolist() for name in ("auc", "val_auc", "val_loss")}
    assert shown == {"auc": [0.7, 0.8], "val_auc": [0.6, 0.7], "val_loss": [2.0, 1.5]}
    # All panels of ours have the curves that the document's have.
    for title, (metric, histories) in both.items():
        for history in histories["M5"] if title.startswith("ours") and "M5" in histories else ():
            assert {metric, f"val_{metric}"} <= {*history}


def test_a_curve_of_one_epoch_is_a_point():
    once = pd.DataFrame({"epoch": [1], "auc": [0.7], "val_auc": [0.6]})
    (ax,) = plots.compared_curves({"ours": ("auc", {"M0": once})}).axes
    assert [line.get_marker() for line in ax.lines if len(line.get_xdata())] == [".", "."]


def test_a_report_has_the_three_figures_and_one_without_stand_ins_has_none(runs, tmp_path, monkeypatch):
    (tmp_path / "results").mkdir()
    runs("m0")
    of_rows = plots.score_intervals({"a": pd.DataFrame({"value": [1], "low": [1], "high": [1]}, ["m0"])})
    monkeypatch.setattr(ledger, "results_figures", lambda *given: {"bermeo2023": (of_rows, "All rows")})
    ledger.write_ledger(tmp_path, tmp_path / "results")
    figures = ("bermeo2023", "bermeo2023-curves", "bermeo2023-roc", "bermeo2023-rows")
    names = {path.stem for path in (tmp_path / "results" / "figures").iterdir()}
    assert {*figures} <= names
    page = (tmp_path / "results" / "bermeo2023.md").read_text(encoding="utf-8")
    for name in figures:
        assert page.count(f"](figures/{name}.png)") == 1
    assert schedule_figures.schedule_figures([]) == {}
