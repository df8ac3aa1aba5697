import dataclasses
import importlib
import itertools
import json
import re
import shlex
import shutil
from pathlib import Path

import pandas as pd
import pytest

from skinkit.cli import parser
from skinkit.experiments.plan import Plan
from skinkit.experiments.results import finished_runs
from skinkit.experiments.results.ledger import (
    ALIKE,
    COLUMNS,
    _is_watched,
    _with_weighted_recall,
    ledger,
    write_ledger,
)
from skinkit.papers import Phase, Recipe, choose
from skinkit.papers.published import published_scores
from skinkit.papers.registry import recipe as find_recipe
from skinkit.papers.registry import recipes, same_method

RESULTS = Path(__file__).parents[3] / "results"
ROW = "gessert2019/table5/densenet121-none"
RECIPE = Recipe(
    name=ROW,
    title="A row",
    model=choose("small_cnn"),
    phases=(Phase(1, choose("adam", learning_rate=1e-3)),),
    tolerance={"macro_recall": 0.02},
)


MELANOMA = "bermeo2023/schedules/lite0-m4"
SCORES_OF_CLASSES = [("auc", "mel"), ("recall", "mel"), ("recall", "nv"), ("auc", "nv")]


@pytest.fixture
def recipe_of_a_row(monkeypatch):
    """Registers a recipe that aims at a published row (MC-sensitivity 65.0 %, MC-specificity 95.2 %)."""
    # The package's attribute of this name is the function.
    module = importlib.import_module("skinkit.experiments.results.ledger")

    def register(**changes):
        known = dataclasses.replace(RECIPE, **changes)
        monkeypatch.setattr(module, "recipes", lambda: [known])
        monkeypatch.setattr(
            finished_runs, "find_recipe", lambda name: {ROW: known}.get(name) or find_recipe(name)
        )

    register()
    return register


def page_of(runs, results):
    """The page of gessert2019 that a report of the runs writes."""
    write_ledger(runs, results)
    return (results / "gessert2019.md").read_text(encoding="utf-8")


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
        folder=None,
        settings=RECIPE,
        **more,
    ):
        m = {"recipe": recipe, "profile": profile, "protocol": "corrected", "fold": fold, "seed": seed}
        hashes = {"split_hash": "s", "data_hash": "d"}
        m |= {**hashes, "dataset": dataset, "test_hash": test, "source_size": [450, 600], **more}
        m["leakage"] = {"photograph": 0.0, "lesion": leakage, "patient": None}
        m["settings"] = dataclasses.asdict(settings)
        plan = Plan(settings, profile, "corrected", fold, seed, m.get("precision", "float32"))
        m["key"] = plan.key_of(m.get("weights"), **hashes)
        scores = {
            "macro_recall": {"value": macro_recall, "low": macro_recall - 0.03, "high": macro_recall + 0.03},
            "macro_specificity": {"value": 0.95},
            "recall:nv": {"value": 0.8},
        }
        folder = tmp_path / "runs" / (folder or f"{recipe}/{m['key']}")
        folder.mkdir(parents=True)
        (folder / "manifest.json").write_text(json.dumps(m))
        (folder / "metrics.json").write_text(
            json.dumps({"n": 2500, "grouped_by": "lesion", "scores": scores})
        )
        if best is not None:
            beside = {
                "epoch": 3,
                "n": 2500,
                "grouped_by": "lesion",
                "scores": {"macro_recall": {"value": best}},
            }
            (folder / "metrics_best.json").write_text(json.dumps(beside))
        return tmp_path / "runs"

    return write


@pytest.fixture
def of_our_own(write_run):
    """Folder with one run, of a recipe that no document has."""
    return write_run(0.5, recipe="skinkit/demo/mine")


def measured(table, metric="macro_recall"):
    return table[table["measured"].notna() & table["metric"].eq(metric) & table["class"].eq("all")]


def test_without_a_run_of_its_row_every_published_score_is_there_and_not_measured(of_our_own):
    table = ledger(of_our_own)
    assert list(table.columns) == list(COLUMNS)
    table = table[table["published"].notna()]
    assert table["measured"].isna().all()
    assert not table.duplicated(["document", "table", "row", "on", "class", "metric"]).any()
    found = table[(table["row"] == "densenet121-none") & (table["metric"] == "macro_recall")]
    assert found["published"].tolist() == pytest.approx([0.65])


@pytest.mark.parametrize(
    ("value", "verdict", "of_three"),
    [
        (0.66, "within", "reproduced"),
        (0.64, "within", "reproduced"),
        (0.68, "outside", "not reproduced"),
    ],
)
def test_the_stated_tolerance_decides_and_three_runs_are_needed(
    recipe_of_a_row, write_run, value, verdict, of_three
):
    row = measured(ledger(write_run(value))).iloc[0]
    assert row["verdict"] == verdict
    assert row["difference"] == pytest.approx(value - 0.65)
    assert (row["low"], row["high"]) == pytest.approx((value - 0.03, value + 0.03))
    assert measured(ledger(write_run(value, seed=1))).iloc[0]["verdict"] == verdict
    assert measured(ledger(write_run(value, fold=1))).iloc[0]["verdict"] == of_three


@pytest.mark.parametrize(
    ("run", "reason"),
    [({"profile": "quick"}, "quick profile"), ({"profile": "smoke", "dataset": "synthetic"}, "synthetic")],
)
def test_smaller_and_synthetic_runs_are_not_compared(recipe_of_a_row, write_run, run, reason):
    row = measured(ledger(write_run(0.65, **run), smoke=True)).iloc[0]
    assert row["verdict"] == "not comparable"
    assert reason in row["reason"]


@pytest.mark.parametrize("recipe", [RECIPE, find_recipe("skinkit/demo/ham10000")])
def test_runs_on_a_part_of_a_release_are_not_compared(recipe_of_a_row, write_run, recipe):
    run = {"recipe": recipe.name, "settings": recipe}
    write_run(0.60, **run, lacking="")
    table = ledger(write_run(0.65, **run, seed=1, lacking="subset: 60 of the 10,015 images"))
    rows = measured(table).set_index("measured")
    assert rows.loc[0.65, "verdict"] == "not comparable"
    assert rows.loc[0.65, "reason"] == "subset: 60 of the 10,015 images"
    assert "subset" not in rows.loc[0.60, "reason"]


@pytest.mark.parametrize(
    ("size", "verdict", "reason"),
    [
        # As large as the network's own image, whatever the release's size.
        ([224, 300], "within", ""),
        ([450, 223], "not comparable", "source images of 450 x 223, smaller than the recipe's 224 x 224"),
        (None, "not comparable", "the size of the source images was not recorded"),
    ],
)
def test_a_level_needs_source_images_as_large_as_the_recipes_own(
    recipe_of_a_row, write_run, size, verdict, reason
):
    row = measured(ledger(write_run(0.65, source_size=size))).iloc[0]
    assert (row["verdict"], row["reason"]) == (verdict, reason)
    assert row["source_size"] == ("{} x {}".format(*size) if size else "")


def test_one_run_from_coarse_images_spoils_the_level(recipe_of_a_row, write_run):
    write_run(0.65)
    row = measured(ledger(write_run(0.65, seed=1, source_size=[225, 200]))).iloc[0]
    assert row["verdict"] == "not comparable" and row["source_size"] == "225 x 200, 450 x 600"


def test_coarse_images_are_told_beside_another_precision(recipe_of_a_row, write_run):
    row = measured(ledger(write_run(0.65, precision="bfloat16", source_size=[225, 200]))).iloc[0]
    assert "agree with float32; source images of 225 x 200, smaller than" in row["reason"]


def test_a_reason_stated_by_the_recipe_is_passed_on(recipe_of_a_row, write_run):
    recipe_of_a_row(not_comparable="not internally consistent")
    assert measured(ledger(write_run(0.65))).iloc[0]["reason"] == "not internally consistent"


def test_a_score_of_training_images_is_not_one_of_test_images(recipe_of_a_row, write_run, monkeypatch):
    scores = published_scores().assign(on="train+validation")
    monkeypatch.setattr("skinkit.experiments.results.ledger.published_scores", lambda: scores)
    row = measured(ledger(write_run(0.65))).iloc[0]
    said = ("not comparable", "printed of train+validation, measured on test")
    assert (row["verdict"], row["reason"]) == said
    scores["on"] = "unstated images"
    row = measured(ledger(write_run(0.65, seed=1))).iloc[0]
    assert row["reason"] == "printed of unstated images, measured on test"


def test_a_weighted_recall_is_answered_by_accuracy():
    published = pd.DataFrame({"target": ["a", "a"], "metric": ["accuracy", "weighted_recall"]})
    scores = pd.DataFrame({"target": ["a", "b"], "metric": "accuracy", "measured": [0.6, 0.7]})
    found = _with_weighted_recall(scores, published)
    assert found["metric"].tolist() == ["accuracy", "accuracy", "weighted_recall"]
    assert found["measured"].tolist() == [0.6, 0.7, 0.6]


def test_rows_that_no_run_can_answer_say_so_before_any_run(of_our_own):
    table = ledger(of_our_own)
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
    assert row["folders"].count(ROW) == 2


def test_the_spread_of_three_folds_is_that_of_the_document(recipe_of_a_row, write_run, tmp_path):
    write_run(0.60)
    write_run(0.66, fold=1)
    write_run(0.63, seed=1)
    row = measured(ledger(write_run(0.63, fold=2))).iloc[0]
    assert row["population_sd"] == pytest.approx(0.03 * (2 / 3) ** 0.5)
    assert row["fold_sd"] == pytest.approx(0.03)
    assert row["seed_sd"] == pytest.approx(0.03 / 2**0.5)
    page = page_of(tmp_path / "runs", tmp_path)
    assert "| macro recall | 65.0 ± 1.0 | 63.0 (60.0-66.0), sd 2.1 | not reproduced |" in page


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


def test_a_run_without_a_published_row_stands_at_the_end(write_run):
    demo = find_recipe("skinkit/demo/ham10000")
    row = measured(ledger(write_run(0.5, recipe=demo.name, settings=demo))).iloc[0]
    assert (row["document"], row["row"], row["reason"]) == ("skinkit", "ham10000", "no published row")


def test_a_run_of_ours_stands_in_all_our_rows_of_the_same_experiment(write_run):
    own = find_recipe("gessert2019/table2/mobilenet-initial")
    rows = measured(ledger(write_run(0.5, recipe=own.name, settings=own)))
    assert set(rows["table"] + "/" + rows["row"]) == {
        *("table2/mobilenet-initial", "table3/mobilenet-attention-9", "figure5/mobilenet-p0.2"),
    }


def test_the_files_are_the_same_each_time(recipe_of_a_row, write_run, tmp_path):
    runs = write_run(0.66, leakage=0.4)
    write_ledger(runs, tmp_path / "a")
    write_ledger(runs, tmp_path / "b")
    for name in ("ledger.csv", "README.md", "gessert2019.md"):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()
    page = (tmp_path / "a" / "gessert2019.md").read_text()
    assert "| printed (%) | ours at `full`, `corrected`, leak 40.0 % | verdict |" in page
    assert "| macro recall | 65.0 ± 1.0 | 66.0 (63.0-69.0) | within |" in page
    (mark,) = re.findall(
        r"\| macro specificity \| 95\.\d ± 0\.\d \| 95\.0 \| not comparable \[(\d+)\] \|", page
    )
    assert f"\n- [{mark}] no tolerance was stated for this score\n" in page
    assert len(pd.read_csv(tmp_path / "a" / "ledger.csv")) > 400


def test_a_copied_run_folder_counts_once_and_that_is_said(recipe_of_a_row, write_run, capsys):
    own = f"{ROW}/corrected-full-fold0-seed0"
    write_run(0.60, folder=own)
    # Its path comes first in the alphabet.
    row = measured(ledger(write_run(0.60, folder="a copy"))).iloc[0]
    assert (row["runs"], row["folders"].split("/")[-1]) == (1, "corrected-full-fold0-seed0")
    assert re.search(f"counted once, the same run: .*/{own} and .*/a copy", capsys.readouterr().out)


@pytest.mark.parametrize(("name", "other"), [("weights", "mine"), ("precision", "bfloat16")])
def test_runs_from_other_weights_and_in_another_precision_stand_apart(
    recipe_of_a_row, write_run, tmp_path, name, other
):
    write_run(0.60, seed=1)
    runs = write_run(0.70, **{name: other})
    rows = measured(ledger(runs)).set_index(name)
    usual = {"weights": "", "precision": "float32"}[name]
    assert rows["measured"].to_dict() == pytest.approx({usual: 0.60, other: 0.70})
    page = page_of(runs, tmp_path)
    assert "\nProfile `full`, ham10000:\n" in page
    said = {"weights": f"weights `{other}`", "precision": other}[name]
    assert f"\nProfile `full`, {said}, ham10000:\n" in page
    assert page.count("| [table5/densenet121-none] | corrected | 1 x ") == 2


def test_another_precision_has_a_verdict_once_three_of_its_runs_agree_with_float32(
    recipe_of_a_row, write_run
):
    def verdict():
        rows = measured(ledger(runs)).set_index("precision")
        return rows.loc["bfloat16", "verdict"], rows.loc["bfloat16", "reason"]

    for seed in range(4):
        write_run(0.650, seed=seed)
    for seed in range(2):
        runs = write_run(0.655, seed=seed, precision="bfloat16")
    reason = "bfloat16: no three runs of this network are known to agree with float32"
    assert verdict() == ("not comparable", reason)
    write_run(0.655, seed=2, precision="bfloat16")
    assert verdict() == ("reproduced", "")
    # Outside of the interval of its twin, 0.62 to 0.68.
    write_run(0.690, seed=3, precision="bfloat16")
    assert verdict() == ("not comparable", reason)


def test_a_stale_run_is_marked_and_not_averaged_with_a_fresh_one(recipe_of_a_row, write_run, tmp_path):
    write_run(0.60)
    old = dataclasses.replace(RECIPE, batch_size=7)
    runs = write_run(0.70, seed=1, settings=old)
    rows = measured(ledger(runs)).set_index("measured")
    assert rows["stale"].to_dict() == {0.60: "", 0.70: f"the recipe has changed, was {old.hash}"}
    assert (rows.loc[0.60, "verdict"], rows.loc[0.70, "verdict"]) == ("outside", "not comparable")
    assert rows.loc[0.70, "reason"] == rows.loc[0.70, "stale"]
    assert rows.loc[0.70, "command"] == ""
    page = page_of(runs, tmp_path)
    assert "| [table5/densenet121-none] | corrected, **stale** | 1 x " in page
    assert "| macro recall | 65.0 ± 1.0 | 60.0 (57.0-63.0) | outside |" in page


def test_smoke_runs_do_not_reach_the_ledger_but_recipes_on_drawn_images_do(write_run, tmp_path):
    write_run(0.9, profile="smoke", dataset="synthetic")
    write_run(0.8, dataset="synthetic")
    drawn = find_recipe("skinkit/demo/synthetic")
    runs = write_run(0.7, dataset="synthetic", recipe=drawn.name, settings=drawn)
    assert measured(write_ledger(runs, tmp_path))["measured"].tolist() == [0.7]
    page = (tmp_path / "skinkit.md").read_text()
    assert "\nProfile `full`, images drawn for the question:\n" in page
    assert page.count("\nProfile ") == 1


def test_a_folder_without_runs_is_named_and_overwrites_nothing(write_run, tmp_path):
    (tmp_path / "empty").mkdir()
    shutil.move(write_run(0.9, profile="smoke", dataset="synthetic"), tmp_path / "smoke")
    write_ledger(write_run(0.9), tmp_path / "results")
    before = (tmp_path / "results" / "ledger.csv").read_text()
    for folder in ("typo", "empty", "smoke"):
        with pytest.raises(FileNotFoundError, match=f"/{folder} (does not exist|holds no finished run)"):
            write_ledger(tmp_path / folder, tmp_path / "results")
    assert (tmp_path / "results" / "ledger.csv").read_text() == before


def test_a_row_that_is_the_same_experiment_as_another_says_whose_run_it_shows(write_run, tmp_path):
    first, other = same_method(find_recipe("gessert2019/table2/densenet121-multi-crop"))[:2]
    runs = write_run(0.6, recipe=first.name, settings=first)
    rows = measured(ledger(runs))
    rows = rows.assign(name=rows["document"] + "/" + rows["table"] + "/" + rows["row"]).set_index("name")
    assert {first.name, other.name} <= set(rows.index)
    assert set(rows["recipe"]) == {first.name}
    page = page_of(runs, tmp_path)
    others = other.name.removeprefix("gessert2019/")
    assert page.count(f"| same experiment as {first.name.removeprefix('gessert2019/')} |") == 3
    assert f"| [{first.name.removeprefix('gessert2019/')}] |" in page and f"[{others}] |" not in page


def runs_of(commands):
    for command in commands.split("; "):
        name, *words = shlex.split(command)
        assert name == "skinkit"
        options = parser().parse_args(words)
        several = (options.patterns, [options.profile], options.protocols, options.folds, options.seeds)
        for one in itertools.product(*several):
            yield (*one, options.weights)


def runs_in(folders):
    for folder in folders:
        m = json.loads((Path(folder) / "manifest.json").read_text())
        weights = m.get("weights") and m["weights"].split()[0]
        yield (*(m[name] for name in ("recipe", "profile", "protocol", "fold", "seed")), weights)


def test_the_command_of_a_row_repeats_its_runs(recipe_of_a_row, write_run):
    write_run(0.6, fold=2)
    runs = write_run(0.6, seed=3)
    row = measured(ledger(runs)).iloc[0]
    assert row["command"].count("skinkit run") == 2
    assert set(runs_of(row["command"])) == {
        (ROW, "full", "corrected", 2, 0, None),
        (ROW, "full", "corrected", 0, 3, None),
    }
    write_run(0.6, fold=0)
    runs = write_run(0.6, fold=2, seed=3)
    command = measured(ledger(runs)).iloc[0]["command"]
    assert command.count("skinkit run") == 1 and "--fold 0,2 --seed 0,3" in command
    runs = write_run(0.6, seed=4, weights="my weights.h5 sha256:0123456789abcdef")
    row = measured(ledger(runs)).set_index("runs").loc[1]
    assert list(runs_of(row["command"])) == [(ROW, "full", "corrected", 0, 4, "my weights.h5")]


def test_the_commands_of_all_committed_rows_repeat_their_runs():
    table = ledger(RESULTS / "runs").dropna(subset="measured")
    rows = table[table["stale"] == ""].drop_duplicates(["command", "folders"])
    assert not rows.empty
    for row in rows.itertuples():
        assert sorted(map(str, runs_of(row.command))) == sorted(map(str, runs_in(row.folders.split())))


def test_no_two_rows_tell_of_the_same_score(tmp_path):
    shutil.copytree(RESULTS / "runs" / "koefler2023", tmp_path / "runs" / "koefler2023")
    shutil.copytree(RESULTS / "runs" / "koefler2023", tmp_path / "runs" / "copy")
    table = ledger(tmp_path / "runs")
    assert not table.duplicated(["document", "table", "row", "on", "class", "metric", *ALIKE]).any()


def test_a_folder_with_a_page_of_others_is_refused_and_one_of_ours_is_renewed(write_run, tmp_path):
    runs, project = write_run(0.5), tmp_path / "project"
    (project / "figures").mkdir(parents=True)
    (project / "README.md").write_text("# My project\n")
    with pytest.raises(ValueError, match=r"holds README.md, figures, .*did not write.*--out"):
        write_ledger(runs, project)
    assert (project / "README.md").read_text() == "# My project\n"
    assert not (project / "ledger.csv").exists()
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "koefler2023.md").write_text("# My notes\n")
    with pytest.raises(ValueError, match=r"mine holds koefler2023.md, which"):
        write_ledger(runs, tmp_path / "mine")
    for _ in range(2):
        write_ledger(runs, tmp_path / "ours")
    assert (tmp_path / "ours" / "ledger.csv").exists()


def test_of_a_class_that_selects_the_ledger_keeps_the_score_and_the_recall():
    rows = pd.DataFrame(
        [(name, metric, label) for name in (MELANOMA, ROW) for metric, label in SCORES_OF_CLASSES],
        columns=["recipe", "metric", "class"],
    )
    known = {each.name: each for each in recipes()}
    kept = rows[_is_watched(rows, known)]
    assert kept.to_numpy().tolist() == [[MELANOMA, "auc", "mel"], [MELANOMA, "recall", "mel"]]


def test_ranks_have_no_scores_but_areas(write_run):
    members = choose("rank_mean", recipes=(MELANOMA,), seeds=1, folds=1)
    write_run(0.5, recipe="skinkit/demo/ranks", settings=dataclasses.replace(RECIPE, members=members))
    found = ledger(write_run(0.5, recipe="skinkit/demo/mine"))
    assert "skinkit/demo/mine" in set(found["recipe"]) and "skinkit/demo/ranks" not in set(found["recipe"])
