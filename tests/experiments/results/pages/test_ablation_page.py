"""What each ingredient is worth, from a few predictions on three folds, counted by hand."""

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from skinkit.experiments.results import out_of_fold
from skinkit.experiments.results.ladders import JOINED, Ladder, ladder, ladders
from skinkit.experiments.results.out_of_fold import balanced, difference, runs_by_fold
from skinkit.experiments.results.pages import ablation_page
from skinkit.experiments.results.pages.ablation_page import ablation_figures
from skinkit.experiments.results.run_times import run_times
from skinkit.papers.best import ABLATION, BASE, CANDIDATES, FOLDS

RESULTS = Path(__file__).parents[4] / "results"
PLAIN, ADAMW, AVERAGE, *_ = (recipe.name for recipe in ABLATION)


class FakeRun:
    """A run of one fold, which tests one melanoma and one nevus."""

    def __init__(self, recipe, fold, p_mel, p_nevus=0.1, seed=None, **said):
        self.manifest = {"recipe": recipe, "fold": fold, "seed": fold if seed is None else seed}
        self.manifest |= {"profile": "quick", "protocol": "corrected", "seconds": 600, **said}
        self.manifest["images"] = {"train": 320}
        # 0.46 seconds a step, once all layers train.
        self.history = pd.DataFrame({"phase": [1, 2, 2, 2], "seconds": [9.0, 4.6, 4.6, 7.0]})
        ids = [f"m{fold}", f"n{fold}"]
        table = pd.DataFrame({"image_id": ids, "lesion_id": ids, "patient_id": pd.NA, "label": ["mel", "nv"]})
        self.predictions = table.assign(p_mel=[p_mel, p_nevus], p_nv=[1 - p_mel, 1 - p_nevus])


@pytest.fixture(autouse=True)
def today(monkeypatch):
    monkeypatch.setattr(out_of_fold, "staleness", lambda run: run.manifest.get("stale", ""))
    own = {"weights": "", "precision": "float32", "lacking": ""}
    monkeypatch.setattr(out_of_fold, "alike", lambda run: {k: run.manifest.get(k, v) for k, v in own.items()})


ROWS = Ladder(ABLATION, decided=(PLAIN, ADAMW))

# One of three melanomas is found by the plain recipe, two with AdamW.
RUNS = [
    *(FakeRun(PLAIN, fold, p) for fold, p in enumerate([0.9, 0.4, 0.3])),
    *(FakeRun(ADAMW, fold, p) for fold, p in enumerate([0.8, 0.7, 0.2])),
]


def test_scores_and_differences_are_those_of_all_folds_together():
    plain, adamw, average, *_, decided_plain, decided = ladder(ROWS, RUNS)
    assert plain.found.scores["value"].to_dict() == pytest.approx(
        {"macro_recall": 2 / 3, "accuracy": 4 / 6, "recall:mel": 1 / 3}
    )
    assert adamw.found.scores.loc["macro_recall", "value"] == pytest.approx(5 / 6)
    assert adamw.change["difference"] == pytest.approx(1 / 6)
    assert adamw.change["by_fold"] == pytest.approx([0, 0.5, 0]) and adamw.change["verdict"] == "open"
    assert average.found is None and average.missing == [0, 1, 2] and average.change is None
    assert decided.decides and (decided_plain.recipe.name, decided.recipe.name) == (PLAIN, ADAMW)
    assert decided.name == "ablation/adamw + decision for macro recall"


def test_a_row_helps_where_the_interval_and_all_folds_say_so():
    better = [FakeRun(AVERAGE, fold, 0.9) for fold in range(3)]
    worse = [FakeRun(PLAIN, fold, 0.4) for fold in range(3)]
    rows = {row.recipe.name: row.found for row in ladder(ROWS, [*better, *worse])}
    assert difference(rows[AVERAGE], rows[PLAIN])["verdict"] == "helped"
    assert difference(rows[PLAIN], rows[AVERAGE])["verdict"] == "did harm"


def test_two_ingredients_are_never_one_difference():
    averages = [FakeRun(AVERAGE, fold, 0.9) for fold in range(3)]
    skipped, whole = (
        {row.recipe.name: row.change for row in ladder(ROWS, runs) if not row.decides}
        for runs in ([*RUNS[:3], *averages], [*(FakeRun(ADAMW, fold, 0.4) for fold in range(3)), *averages])
    )
    assert skipped[AVERAGE] is None and skipped[ADAMW] is None
    assert whole[AVERAGE]["difference"] == pytest.approx(0.5)


def test_a_decision_takes_its_rule_from_the_other_folds():
    # Nine nevi a melanoma: at tau 1 a probability of 0.2 is as good as 0.69.
    runs = [FakeRun(PLAIN, fold, 0.2, 0.01) for fold in range(3)]
    for run in runs:
        more = [run.predictions.iloc[[1]].assign(image_id=f"n{run.manifest['fold']}{i}") for i in range(8)]
        run.predictions = pd.concat([run.predictions, *more], ignore_index=True)
    found = ladder(ROWS, runs)[0].found
    assert found.scores.loc["recall:mel", "value"] == 0
    assert balanced(found).scores.loc["recall:mel", "value"] == 1
    assert ladder(ROWS, runs)[-1].change["difference"] == pytest.approx(0.5)


def test_candidates_stand_beside_the_first_row_and_no_decision_below_them():
    base, *_, illuminant, mixup, _ = (recipe.name for recipe in (BASE, *CANDIDATES))
    candidates = [FakeRun(illuminant, fold, p) for fold, p in enumerate([0.9, 0.9, 0.2])]
    candidates += [FakeRun(mixup, fold, 0.9) for fold in range(3)]
    found = [FakeRun(base, fold, p) for fold, p in enumerate([0.9, 0.4, 0.3])]
    rows = {row.name: row for row in ladders([*found, *candidates])["Candidates"]}
    assert rows["candidates/illuminant"].change["difference"] == pytest.approx(1 / 6)
    assert rows["candidates/mixup"].change["difference"] == pytest.approx(1 / 3)
    assert rows["candidates/head"].change is None and not any(row.decides for row in rows.values())
    alone = {row.name: row for row in ladders(candidates)["Candidates"]}
    assert alone["candidates/mixup"].found and alone["candidates/mixup"].change is None
    text = ablation_page.ablation_page(ladders(found), run_times([]))
    assert text.count(f"skinkit run {illuminant} --profile quick") == 3 and f"skinkit run {base} " not in text
    assert ablation_page.ablation_page(ladders([]), run_times([])).count(f"skinkit run {base} ") == 3


def test_of_each_fold_the_run_with_its_own_seed_counts_and_none_that_is_stale():
    own, other = FakeRun(PLAIN, 1, 0.5, seed=1), FakeRun(PLAIN, 1, 0.5, seed=0)
    stale, small = FakeRun(PLAIN, 0, 0.5, stale="changed"), FakeRun(PLAIN, 2, 0.5, profile="smoke")
    assert runs_by_fold([other, own, stale, small], PLAIN, "quick") == {1: own}
    assert runs_by_fold([other], PLAIN, "quick") == {1: other}


def test_folds_are_not_mixed_with_other_weights():
    own = [FakeRun(PLAIN, fold, 0.5) for fold in (0, 1)]
    others = [FakeRun(PLAIN, fold, 0.5, weights="none") for fold in range(3)]
    assert runs_by_fold([*others[:2], *own], PLAIN, "quick") == {0: own[0], 1: own[1]}
    assert runs_by_fold([*own, *others], PLAIN, "quick") == dict(enumerate(others))


def test_what_the_luck_of_trainings_may_be_is_open():
    better = [FakeRun(ADAMW, fold, 0.9) for fold in range(3)]
    worse = [FakeRun(PLAIN, fold, p, q) for fold, (p, q) in enumerate([(0.4, 0.1), (0.4, 0.9), (0.4, 0.9)])]
    _, change, *_ = (row.change for row in ladder(ROWS, [*worse, *better]))
    # Differences of 0.5, 1 and 1 in the folds: sd 0.289, t of two degrees 4.303.
    assert change["luck"] == pytest.approx(4.303 * 0.2887 / 3**0.5, abs=1e-3)
    assert change["difference"] == pytest.approx(5 / 6) and change["verdict"] == "helped"
    sign = [FakeRun(PLAIN, fold, p, q) for fold, (p, q) in enumerate([(0.9, 0.6), (0.4, 0.1), (0.4, 0.9)])]
    plain, adamw, *_ = ladder(ROWS, [*sign, *better])
    assert adamw.change["by_fold"] == pytest.approx([0.5, 0.5, 1.0]) and adamw.change["verdict"] == "open"
    assert difference(adamw.found, plain.found)["verdict"] == "helped", "by these trainings"


def test_folds_of_two_splits_and_other_images_are_refused():
    twice = [RUNS[0], RUNS[1], FakeRun(PLAIN, 2, 0.5)]
    twice[2].predictions["image_id"] = ["m0", "n2"]
    with pytest.raises(ValueError, match="m0 is tested in two folds"):
        ladder(ROWS, twice)
    others = [FakeRun(ADAMW, fold, 0.5) for fold in range(3)]
    others[0].predictions["image_id"] = ["m9", "n9"]
    with pytest.raises(ValueError, match="were not tested on the same images"):
        ladder(ROWS, [*RUNS[:3], *others])


def test_the_page_keeps_blank_rows_with_their_commands():
    text = ablation_page.ablation_page(ladders(RUNS[:4]), run_times([]))
    assert re.search(r"\| ablation/plain \| 0\.667 .*\| 10 \| +\|\n\| ablation/adamw \| not run \|", text)
    assert "decision for macro recall |" not in text and "figures/ablation-one" not in text
    assert f"skinkit run {ADAMW} --profile quick --fold 1 --seed 1" in text
    assert f"{ADAMW} --profile quick --fold 0" not in text and f"skinkit run {PLAIN}" not in text
    assert f"# {AVERAGE.partition('/')[2]}: hours unknown: nothing alike has been timed" in text
    assert "- macro recall of the best of them, 0.80 or more: not run" in text
    assert [*ablation_figures(ladders(RUNS))] == ["ablation-one-ingredient-at-a-time"]
    assert ablation_figures(ladders([])) == {}


def test_aims_are_met_or_missed_in_numbers():
    names = [recipe.name for recipe in FOLDS]
    runs = [FakeRun(names[0], fold, 0.4) for fold in range(3)]
    runs += [FakeRun(names[1], fold, p) for fold, p in enumerate([0.9, 0.9, 0.4])]
    text = ablation_page.ablation_page(ladders(runs), run_times([]))
    assert "0.80 or more: met, 0.833 (" in text and f") by {names[1]}" in text
    assert "lower end above 0.02: missed, +0.333 (+0.000" in text
    assert "0.83 or more: not run" in text and "| folds/lite0 + decision for macro recall |" in text
    assert "best of them where a step of the plain recipe takes 0.23 s, 75 at most: met, 5, by" in text
    assert "by this machine's 0.46 s a step" in text and "one ingredient where a step" in text
    runs += [FakeRun(JOINED.name, fold, p) for fold, p in enumerate([0.9, 0.4, 0.4])]
    found = ladders(runs)
    joined = found["Full time"][4]
    assert joined.recipe is JOINED and joined.change["difference"] == pytest.approx(-1 / 6)
    assert "0.83 or more: missed, 0.667 (" in ablation_page.ablation_page(found, run_times([]))


def test_a_pause_is_not_among_the_minutes_of_a_run():
    run = FakeRun(PLAIN, 0, 0.9, seconds=3000.0 + 9 + 4.6 + 4.6 + 7)
    run.history.loc[3, "seconds"] += 3000 - 60
    # A minute besides the epochs, of which those of the second phase count 4.6 seconds each.
    assert ablation_page._seconds(run) == pytest.approx(60 + 9 + 3 * 4.6)


def test_minutes_before_a_run_are_those_of_what_it_needs():
    start, resolution, head = CANDIDATES[:3]
    minutes = [(BASE, 40), (start, 30), (resolution, 12), (head, 1), (CANDIDATES[-1], 50)]
    minutes += zip(FOLDS[1:], (80, 90, 100), strict=True)
    runs = [
        FakeRun(recipe.name, fold, 0.9, seconds=60 * each) for recipe, each in minutes for fold in range(3)
    ]
    text = ablation_page.ablation_page(ladders(runs), run_times([]))
    lines = [
        [cell.strip() for cell in line.split("|")] for line in text.splitlines() if "| candidates/" in line
    ]
    said = {cells[1]: cells[-3:-1] for cells in lines}
    assert said["candidates/resolution"] == ["12", "30"] and said["candidates/head"] == ["1", "40"]
    assert said["candidates/student"] == ["50", "270"] and said["candidates/resolution-start"] == ["30", ""]
    assert said["candidates/metadata"] == ["unknown", "40"]


def test_the_page_of_the_repository_is_that_of_its_runs():
    from skinkit.experiments.results.finished_runs import finished_runs

    runs = finished_runs(RESULTS / "runs", verbose=False)
    assert (RESULTS / "ablation.md").read_text() == ablation_page.ablation_page(
        ladders(runs), run_times(runs)
    )


def test_an_estimate_names_the_recipe_that_was_timed():
    from skinkit.experiments.results.finished_runs import finished_runs

    text = ablation_page.ablation_page(ladders([]), run_times(finished_runs(RESULTS / "runs", verbose=False)))
    like = "skinkit/baseline/efficientnet-lite0-plain"
    assert re.search(rf"^# folds/plain: hours about [\d.]+, estimated from {like}$", text, re.MULTILINE)


def scored(p_mel, folds):
    """Melanomas and nevi by turns, each a lesion of its own."""
    ids = [f"i{i}" for i in range(len(folds))]
    labels = ["mel", "nv"] * (len(folds) // 2)
    table = pd.DataFrame({"image_id": ids, "lesion_id": ids, "patient_id": pd.NA, "label": labels})
    table = table.assign(p_mel=p_mel, p_nv=1 - np.array(p_mel))
    return out_of_fold.OutOfFold("recipe", table, np.array(folds), [])


def test_a_fold_without_a_difference_leaves_it_open():
    folds = [0, 0, *[1] * 38]
    first, other = scored([0.9, 0.1] * 20, folds), scored([0.9, 0.1, *[0.4, 0.1] * 19], folds)
    better, worse = difference(first, other), difference(other, first)
    assert better["by_fold"] == pytest.approx([0, 0.5]) and better["low"] > 0 > worse["high"]
    assert better["verdict"] == worse["verdict"] == "open"


def test_an_interval_that_ends_at_0_leaves_it_open():
    # One resample of four lesions in sixteen has no melanoma, and nothing to tell apart.
    first, other = scored([0.9, 0.1] * 2, [0, 0, 1, 1]), scored([0.4, 0.1] * 2, [0, 0, 1, 1])
    better, worse = difference(first, other), difference(other, first)
    assert better["by_fold"] == pytest.approx([0.5, 0.5]) and better["low"] == worse["high"] == 0
    assert better["verdict"] == worse["verdict"] == "open"
