"""Folders that hold half a run, a damaged one, or one that another takes the place of."""

import dataclasses
import gzip
import json
import shutil
import sys

import pytest

from skinkit.experiments import SavedRun, run, run_folder
from skinkit.files import remove
from skinkit.papers import choose

# One worker makes the run that these tests share.
pytestmark = pytest.mark.xdist_group("untrained-run")


@pytest.fixture(scope="module")
def untrained(tiny):
    """A recipe with everything but epochs, which takes no time."""
    return dataclasses.replace(tiny, phases=(), selection="last", subset=60)


@pytest.fixture(scope="module")
def whole(tmp_path_factory, untrained):
    return run(untrained, "smoke", out=tmp_path_factory.mktemp("runs"), verbose=0)


@pytest.fixture
def folder(whole, tmp_path):
    """A copy of the run, to be damaged."""
    return shutil.copytree(whole, tmp_path / "run")


@pytest.fixture
def carry_out(untrained, folder):
    return lambda **options: run(untrained, "smoke", folder=folder, **{"verbose": 0, **options})


def contents(folder):
    return {p.name: p.read_bytes() for p in folder.iterdir() if p.is_file()}


def test_a_run_that_failed_before_its_first_epoch_blocks_nothing(untrained, tmp_path):
    wrong = dataclasses.replace(untrained, balancing=choose("class_weights", power="much"))
    with pytest.raises((TypeError, ValueError)):
        run(wrong, "smoke", folder=tmp_path, verbose=0)
    assert (tmp_path / "plan.json").exists()
    run(untrained, "smoke", folder=tmp_path, verbose=0)
    assert SavedRun(tmp_path).recipe.balancing == untrained.balancing


def test_only_work_blocks_another_run(tmp_path):
    assert not run_folder.begin(tmp_path, "one")
    assert not run_folder.begin(tmp_path, "two")
    (tmp_path / "plan.json").write_text("{")
    assert not run_folder.begin(tmp_path, "one")
    (tmp_path / "checkpoint" / "epoch-00001").mkdir(parents=True)
    assert not run_folder.begin(tmp_path, "one")
    with pytest.raises(ValueError, match="another recipe, split or data.*plan.json.*--again"):
        run_folder.begin(tmp_path, "two")
    (tmp_path / "plan.json").write_text("{")
    with pytest.raises(ValueError, match=r"plan\.json is damaged.*--again"):
        run_folder.begin(tmp_path, "one")


def test_a_finished_run_leaves_nothing_of_its_training(whole, folder, carry_out):
    assert not {"plan.json", "checkpoint"} & {p.name for p in whole.iterdir()}
    (folder / "checkpoint" / "epoch-00004").mkdir(parents=True)
    (folder / "checkpoint" / "epoch-00004" / "state.json").write_text("{}")
    (folder / "plan.json").write_text("{}")
    carry_out()
    assert contents(folder) == contents(whole) and not (folder / "checkpoint").exists()


@pytest.mark.parametrize("lost", [["predictions.csv.gz"], ["metrics.json", "predictions.csv.gz"]])
@pytest.mark.parametrize("damage", [remove, lambda paths, root: [p.write_bytes(b"\x1f\x8b{") for p in paths]])
def test_the_model_makes_lost_predictions_anew(whole, folder, carry_out, capsys, lost, damage):
    damage([folder / name for name in lost], folder)
    carry_out(verbose=1)
    assert "made anew: metrics.json, predictions.csv.gz" in capsys.readouterr().out
    assert contents(folder) == contents(whole)


def test_scores_are_made_from_predictions_without_a_model(whole, folder, carry_out):
    for name in ("model.keras", "metrics.json", "leakage.csv"):
        (folder / name).unlink()
    carry_out()
    assert (folder / "leakage.csv").read_bytes() == (whole / "leakage.csv").read_bytes()
    found, expected = (SavedRun(place).metrics["scores"]["accuracy"] for place in (folder, whole))
    assert found == expected


def test_a_missing_model_is_no_damage(folder, carry_out, capsys):
    (folder / "model.keras").unlink()
    before = contents(folder)
    carry_out(verbose=1)
    assert capsys.readouterr().out == f"Already finished: {folder}\n"
    assert contents(folder) == before
    with pytest.raises(FileNotFoundError, match=r"model\.keras is missing.*skinkit/test/tiny.*--again"):
        SavedRun(folder).load_model()


@pytest.mark.parametrize("name", ["manifest.json", "history.csv", "predictions.csv.gz"])
@pytest.mark.parametrize("damage", [None, b"", b"\x1f\x8b\x08\x00", b"{"])
def test_a_file_that_cannot_be_made_anew_is_named(folder, carry_out, name, damage):
    for lost in ("model.keras", name):
        (folder / lost).unlink()
    if damage is not None:
        (folder / name).write_bytes(damage)
    before = contents(folder)
    with pytest.raises((FileNotFoundError, ValueError), match=rf"{name} is (missing|damaged).*--again"):
        carry_out()
    assert contents(folder) == before


def test_half_a_table_of_predictions_is_noticed(folder, carry_out):
    (folder / "model.keras").unlink()
    path = folder / "predictions.csv.gz"
    lines = gzip.decompress(path.read_bytes()).splitlines(keepends=True)
    path.write_bytes(gzip.compress(b"".join(lines[:-3])))
    with pytest.raises(ValueError, match=rf"predictions.* {len(lines) - 4} rows.*counts {len(lines) - 1}"):
        carry_out()


def test_numbers_of_another_model_do_not_replace_those_of_the_run(untrained, folder, carry_out):
    other = run(untrained, "smoke", seed=3, folder=folder.parent / "other", verbose=0)
    shutil.copy(other / "model.keras", folder)
    (folder / "predictions.csv.gz").unlink()
    before = contents(folder)
    with pytest.raises(ValueError, match=r"model\.keras makes other predictions.*--again"):
        carry_out()
    assert contents(folder) == before


def test_a_damaged_model_is_named(folder, carry_out):
    (folder / "model.keras").write_bytes((folder / "model.keras").read_bytes()[:-100])
    with pytest.raises(ValueError, match=r"model\.keras is damaged.*--again"):
        carry_out()


def test_numbers_without_their_manifest_are_not_trained_over(folder, carry_out):
    key = SavedRun(folder).manifest["key"]
    (folder / "manifest.json").unlink()
    # Older versions left the plan there.
    (folder / "plan.json").write_text(json.dumps({"key": key}))
    before = contents(folder)
    with pytest.raises(FileNotFoundError, match=r"manifest\.json is missing.*metrics\.json.*--again"):
        carry_out()
    assert contents(folder) == before


def test_again_replaces_whatever_is_there_when_it_is_complete(whole, folder, carry_out, monkeypatch):
    (folder / "manifest.json").write_text("{")
    (folder / "report.html").write_text("of the old model")
    (folder / "notes.txt").write_text("mine")
    (folder / "evaluations" / "set").mkdir(parents=True)
    (folder / "evaluations" / "set" / "metrics.json").write_text("{}")
    before = contents(folder)
    with monkeypatch.context() as patch:
        patch.setattr(sys.modules["skinkit.experiments.run"], "_save", None)
        with pytest.raises(TypeError):
            carry_out(again=True)
    assert contents(folder) == before
    carry_out(again=True)
    found = contents(folder)
    assert found.pop("notes.txt") == b"mine"
    assert found.keys() == contents(whole).keys() and not (folder / "evaluations").exists()
    for name in ("predictions.csv.gz", "metrics.json", "seen.csv.gz"):
        assert found[name] == (whole / name).read_bytes()
    assert not list(folder.glob("again*"))


def test_a_replacement_that_was_killed_is_completed(whole, folder, carry_out, capsys):
    (folder / "metrics.json").write_text("of the old model")
    shutil.copytree(whole, folder / "again-ready")
    # Killed after the first file.
    (folder / "manifest.json").unlink()
    (folder / "again-ready" / "metrics.json").replace(folder / "metrics.json")
    carry_out(again=True, verbose=1)
    assert "Already finished" in capsys.readouterr().out
    assert contents(folder) == contents(whole) and not (folder / "again-ready").exists()
