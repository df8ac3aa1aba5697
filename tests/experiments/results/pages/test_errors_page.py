"""The page of errors, from a run on drawn images, and that of the repository from its own runs."""

from pathlib import Path

import pytest

from skinkit import data
from skinkit.experiments import SavedRun, evaluate, fit_rule
from skinkit.experiments.deciding.subgroups import (
    known_error_pairs,
    looked_at,
    read_subgroups,
    write_subgroups,
)
from skinkit.experiments.results.finished_runs import finished_runs
from skinkit.experiments.results.pages.errors_page import (
    RunErrors,
    errors_figures,
    errors_page,
    runs_with_errors,
)

RESULTS = Path(__file__).parents[4] / "results"


def line(text, *beginning):
    (found,) = [each for each in text.splitlines() if each.startswith(f"| {' | '.join(beginning)} |")]
    return found


def test_the_page_shows_what_lies_in_the_folder_of_the_run(folder, tmp_path):
    drawn = data.synthetic(40, seed=7, folder=tmp_path / "other", size=(32, 40))
    named = drawn["label"].eq("mel").map({True: "malignant", False: "benign"}).astype("string")
    ids = {name: drawn[name] + "_NEW" for name in ("image_id", "lesion_id", "patient_id")}
    drawn.assign(label=named, **ids).to_csv(tmp_path / "outside.csv", index=False)
    evaluate(folder, on=tmp_path / "outside.csv")
    # With images that it has seen: of no use here.
    evaluate(folder, on=tmp_path / "outside.csv", overlap="keep")
    evaluate(folder, subgroups=True, sensitivity=0.9)
    run = SavedRun(folder)
    text = errors_page([RunErrors(run)], tmp_path)
    threshold = fit_rule(run, sensitivity=0.9).threshold
    assert f"| 90% | {threshold.value:.3f} |" in text and "- doubtful, [test/tiny]:" in text
    assert line(text, "[test/tiny]", f"{fit_rule(run).temperature:.2f}")
    worst = known_error_pairs(run).iloc[0]
    said = line(text, "[test/tiny]", worst["truth"], worst["called"], str(worst["n"]))
    assert f"| {worst['consensus']} | {worst['hardest']} (" in said
    assert looked_at(read_subgroups(folder)) in " ".join(text.split()) and "too few to say: f" in text
    melanomas = int(named.eq("malignant").sum())
    assert line(text, "[test/tiny]", "outside", "40", str(melanomas)).count(" / ") == 1
    assert "overlap" not in text


def test_a_subgroup_that_stands_out_is_told_with_its_column(folder, tmp_path):
    found = write_subgroups(SavedRun(folder), folder)
    found.assign(note="", difference=-0.2, difference_low=-0.3, difference_high=-0.1).to_csv(
        folder / "subgroups.csv", index=False
    )
    text = errors_page([RunErrors(SavedRun(folder))], tmp_path).partition("<details>")[0]
    assert line(text, "sex female", "specificity") and line(text, "dx_type histo", "specificity")


def test_without_runs_the_page_says_so():
    assert "has been carried out" in errors_page([], Path("results")) and errors_figures([]) == {}


@pytest.fixture(scope="module")
def committed():
    return runs_with_errors(finished_runs(RESULTS / "runs", verbose=False))


def test_one_run_of_each_recipe_is_shown(committed):
    names = [each.run.manifest["recipe"] for each in committed]
    assert len(names) == len(set(names)) > 3 and all(
        name.startswith(("skinkit/b", "bermeo2023/schedules/lite0-m")) for name in names
    )
    assert {each.run.manifest["seed"] for each in committed} == {0}


def test_the_page_of_the_repository_is_that_of_its_runs(committed):
    page = (RESULTS / "errors.md").read_text()
    assert page == errors_page(committed, RESULTS)
    assert max(map(len, page.splitlines())) <= 160
