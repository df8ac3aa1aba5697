import importlib
import json

import pandas as pd
import pytest

from skinkit.experiments.ledger import COLUMNS, ledger, write_ledger
from skinkit.papers import Phase, Recipe, choose

ROW = "gessert2019/table5/densenet121-none"


@pytest.fixture
def recipe_of_a_row(monkeypatch):
    """Registers a recipe that aims at a published row (MC-sensitivity 65.0 %, MC-specificity 95.2 %)."""
    # The package's attribute of this name is the function.
    module = importlib.import_module("skinkit.experiments.ledger")

    def register(**changes):
        found = Recipe(
            name=ROW,
            title="A row",
            model=choose("small_cnn"),
            phases=(Phase(1, choose("adam", learning_rate=1e-3)),),
            tolerance={"macro_recall": 0.02},
            **changes,
        )
        monkeypatch.setattr(module, "recipes", lambda: [found])

    register()
    return register


@pytest.fixture
def write_run(tmp_path):
    def write(
        macro_recall,
        *,
        profile="full",
        fold=0,
        seed=0,
        dataset="ham10000",
        recipe=ROW,
        leakage=0.0,
        test="same",
        best=None,
        lacking=None,
    ):
        folder = tmp_path / "runs" / recipe / f"{profile}-{dataset}-fold{fold}-seed{seed}"
        folder.mkdir(parents=True)
        manifest = {
            **{"recipe": recipe, "profile": profile, "protocol": "corrected", "fold": fold, "seed": seed},
            "test_hash": test,
            **{"dataset": dataset, "leakage": {"photograph": 0.0, "lesion": leakage, "patient": None}},
        }
        # Runs of older versions do not say it.
        manifest |= {} if lacking is None else {"lacking": lacking}
        scores = {
            "macro_recall": {"value": macro_recall, "low": macro_recall - 0.03, "high": macro_recall + 0.03},
            "macro_specificity": {"value": 0.95},
            "recall:nv": {"value": 0.8},
        }
        (folder / "manifest.json").write_text(json.dumps(manifest))
        (folder / "metrics.json").write_text(json.dumps({"n": 2500, "scores": scores}))
        if best is not None:
            beside = {"epoch": 3, "n": 2500, "scores": {"macro_recall": {"value": best}}}
            (folder / "metrics_best.json").write_text(json.dumps(beside))
        return tmp_path / "runs"

    return write


def measured(table, metric="macro_recall"):
    return table[table["measured"].notna() & table["metric"].eq(metric) & table["class"].eq("all")]


def test_without_runs_every_published_score_is_there_and_nothing_is_measured(tmp_path):
    table = ledger(tmp_path)
    assert list(table.columns) == list(COLUMNS)
    assert table["measured"].isna().all()
    assert not table.duplicated(["document", "table", "row", "on", "class", "metric"]).any()
    found = table[(table["row"] == "densenet121-none") & (table["metric"] == "macro_recall")]
    assert found["published"].tolist() == pytest.approx([0.65])


@pytest.mark.parametrize(
    ("value", "verdict"), [(0.66, "reproduced"), (0.64, "reproduced"), (0.68, "not reproduced")]
)
def test_the_stated_tolerance_decides(recipe_of_a_row, write_run, value, verdict):
    row = measured(ledger(write_run(value))).iloc[0]
    assert row["verdict"] == verdict
    assert row["difference"] == pytest.approx(value - 0.65)
    assert (row["low"], row["high"]) == pytest.approx((value - 0.03, value + 0.03))


@pytest.mark.parametrize(
    ("run", "reason"),
    [({"profile": "quick"}, "quick profile"), ({"profile": "smoke", "dataset": "synthetic"}, "synthetic")],
)
def test_smaller_and_synthetic_runs_are_not_compared(recipe_of_a_row, write_run, run, reason):
    row = measured(ledger(write_run(0.65, **run))).iloc[0]
    assert row["verdict"] == "not comparable"
    assert reason in row["reason"]


@pytest.mark.parametrize("recipe", [ROW, "skinkit/controls/mine"])
def test_runs_on_a_part_of_a_release_are_not_compared(recipe_of_a_row, write_run, recipe):
    write_run(0.60, recipe=recipe, lacking="")
    table = ledger(write_run(0.65, recipe=recipe, seed=1, lacking="subset: 60 of the 10,015 images"))
    rows = measured(table).set_index("measured")
    assert rows.loc[0.65, "verdict"] == "not comparable"
    assert rows.loc[0.65, "reason"] == "subset: 60 of the 10,015 images"
    assert "subset" not in rows.loc[0.60, "reason"]


def test_a_reason_stated_by_the_recipe_is_passed_on(recipe_of_a_row, write_run):
    recipe_of_a_row(not_comparable="not internally consistent")
    assert measured(ledger(write_run(0.65))).iloc[0]["reason"] == "not internally consistent"


def test_rows_that_no_run_can_answer_say_so_before_any_run(tmp_path):
    table = ledger(tmp_path)
    table5 = table[table["table"].isin(["table5a", "table5b"]) & (table["document"] == "koefler2023")]
    assert set(table5["verdict"]) == {"not comparable"}
    assert set(table5["reason"]) == {"not internally consistent"}
    assert (table.loc[table["table"] == "table4a", "verdict"] == "").all()


def test_a_score_without_a_stated_tolerance_gets_no_verdict_on_the_difference(recipe_of_a_row, write_run):
    row = measured(ledger(write_run(0.65)), "macro_specificity").iloc[0]
    assert row["verdict"] == "not comparable"
    assert "no tolerance" in row["reason"]


def test_runs_of_one_recipe_are_averaged_and_their_spread_is_told(recipe_of_a_row, write_run):
    write_run(0.60)
    row = measured(ledger(write_run(0.70, seed=1))).iloc[0]
    assert row["runs"] == 2
    assert row["measured"] == pytest.approx(0.65)
    assert row["run_sd"] == pytest.approx(0.0707, abs=1e-4)
    assert row["folders"].count("seed") == 2


def test_the_spread_of_three_folds_is_that_of_the_document(recipe_of_a_row, write_run, tmp_path):
    write_run(0.60)
    write_run(0.66, fold=1)
    write_run(0.63, seed=1)
    row = measured(ledger(write_run(0.63, fold=2))).iloc[0]
    assert row["population_sd"] == pytest.approx(0.03 * (2 / 3) ** 0.5)
    assert row["fold_sd"] == pytest.approx(0.03)
    assert row["seed_sd"] == pytest.approx(0.03 / 2**0.5)
    write_ledger(tmp_path / "runs", tmp_path)
    page = (tmp_path / "README.md").read_text()
    spreads = "0.630 ± 0.024<br>sd over folds 0.030<br>sd over seeds 0.021<br>printed 0.650 ± 0.010"
    assert f"| table5/densenet121-none | corrected | full | 4 | {spreads} |" in page


@pytest.mark.parametrize("test", ["other", None])
def test_models_tested_on_several_parts_have_no_spread_as_the_document_s(recipe_of_a_row, write_run, test):
    write_run(0.60, test=test)
    row = measured(ledger(write_run(0.66, fold=1, test=test and "same"))).iloc[0]
    assert pd.isna(row["population_sd"])
    assert row["fold_sd"] == pytest.approx(0.06 / 2**0.5)


def test_the_best_epoch_on_validation_stands_beside_the_last(recipe_of_a_row, write_run):
    write_run(0.60, best=0.64)
    table = ledger(write_run(0.62, seed=1, best=0.66))
    row = measured(table).iloc[0]
    assert (row["measured"], row["measured_best"]) == pytest.approx((0.61, 0.65))
    assert pd.isna(measured(table, "macro_specificity").iloc[0]["measured_best"])


def test_a_run_without_a_published_row_stands_at_the_end(recipe_of_a_row, write_run):
    table = ledger(write_run(0.5, recipe="skinkit/demo/mine"))
    row = measured(table).iloc[0]
    assert (row["document"], row["row"], row["reason"]) == ("skinkit", "mine", "no published row")


def test_the_files_are_the_same_each_time(recipe_of_a_row, write_run, tmp_path):
    runs = write_run(0.66, leakage=0.4)
    write_ledger(runs, tmp_path / "a")
    write_ledger(runs, tmp_path / "b")
    for name in ("ledger.csv", "README.md"):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()
    page = (tmp_path / "a" / "README.md").read_text()
    assert "| 0.0% / 40.0% / ? | 0.660 (0.630-0.690)<br>printed 0.650: reproduced |" in page
    assert "| macro specificity: no tolerance was stated for this score |" in page
    assert len(pd.read_csv(tmp_path / "a" / "ledger.csv")) > 400
