import json
import re
import shutil
from pathlib import Path

import pytest

from skinkit.experiments.plan import Plan
from skinkit.experiments.results.finished_runs import finished_runs, staleness
from skinkit.experiments.run_folder import SavedRun
from skinkit.papers.registry import recipe

RUNS = Path(__file__).parents[3] / "results" / "runs"
DEMO = "skinkit/demo/ham10000"
ATTENTION = "hernandez2020/synthetic/informative-attention"


@pytest.fixture
def edit(tmp_path):
    """Copies a committed run and changes its manifest."""

    def edit(name, folder="run", **changes):
        (source,) = (RUNS / name).glob("*fold0-seed0")
        shutil.copytree(source, tmp_path / folder)
        path = tmp_path / folder / "manifest.json"
        path.write_text(json.dumps(json.loads(path.read_text()) | changes))
        return tmp_path

    return edit


def test_the_key_of_a_fresh_run_is_that_of_today_s_recipe_and_of_the_run_it_starts_from(edit):
    for name in (DEMO, ATTENTION):
        manifest = SavedRun(next((RUNS / name).glob("*fold0-seed0"))).manifest
        plan = Plan(recipe(name), "quick", "corrected", 0, 0)
        said = (manifest.get("weights"), manifest["split_hash"], manifest["data_hash"])
        key = plan.key_of(*said)
        (run,) = finished_runs(edit(name, name.replace("/", "-"), key=key) / name.replace("/", "-"))
        assert staleness(run) == ""
        assert len({key, *(plan.key_of("mine", *said[1:]), plan.key_of(said[0], "other", said[2]))}) == 3


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"key": "0123456789abcdef"}, "the recipe has changed"),
        ({"recipe": "skinkit/demo/gone"}, "the recipe no longer exists"),
        ({"protocol": "as_published"}, "the recipe no longer exists"),
    ],
)
def test_a_stale_run_says_why_and_what_it_was(edit, changes, why):
    (run,) = finished_runs(edit(DEMO, **changes))
    assert staleness(run) == f"{why}, was {run.recipe.hash}"
    assert run.manifest["recipe"] == changes.get("recipe", DEMO)


def test_copies_and_smoke_runs_are_told_and_not_counted(edit, capsys):
    for folder in ("first", "second"):
        runs = edit(DEMO, folder)
    edit(DEMO, "smoke", profile="smoke", dataset="synthetic")
    edit(DEMO, "fallback", dataset="synthetic")
    assert [run.folder.name for run in finished_runs(runs)] == ["first"]
    printed = capsys.readouterr().out.splitlines()
    assert [line.split(":")[0] for line in printed] == [
        *("not counted, a smoke run", "counted once, the same run", "not counted, a smoke run")
    ]
    assert {run.folder.name for run in finished_runs(runs, smoke=True, verbose=False)} == {"fallback"}


@pytest.mark.parametrize("content", ["{", '{"name": "of another program"}', "[1]"])
def test_a_manifest_that_is_no_run_s_is_told_and_stops_nothing(edit, content, capsys):
    runs = edit(DEMO)
    (runs / "other").mkdir()
    (runs / "other" / "manifest.json").write_text(content)
    assert [run.folder.name for run in finished_runs(runs)] == ["run"]
    assert re.search(r"^not counted: .*other/manifest.json is ", capsys.readouterr().out)


def test_a_run_that_is_taken_away_after_it_was_found_stops_nothing(edit, capsys):
    runs = edit(DEMO)
    (runs / "gone").mkdir()
    (runs / "gone" / "manifest.json").symlink_to(runs / "nowhere")
    assert [run.folder.name for run in finished_runs(runs)] == ["run"]
    assert re.search(r"^not counted: .*gone", capsys.readouterr().out)


def test_two_protocols_that_carry_out_the_same_count_both(edit):
    edit(DEMO, "corrected")
    assert len(finished_runs(edit(DEMO, "as_described", protocol="as_described"))) == 2


def test_recipes_on_drawn_images_count(edit):
    assert len(finished_runs(edit(ATTENTION))) == 1


@pytest.mark.parametrize(("profile", "folder"), [("smoke", "smoke"), ("quick", "runs"), ("full", "runs")])
def test_smoke_runs_have_a_folder_of_their_own_by_default(profile, folder):
    plan = Plan(recipe(DEMO), profile, "corrected", 0, 0)
    name = f"{DEMO}/corrected-{profile}-fold0-seed0"
    assert plan.folder(None).as_posix() == f"results/{folder}/{name}"
    assert plan.folder("mine").as_posix() == f"mine/{name}"
