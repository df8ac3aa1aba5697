import dataclasses
import json
import shutil
import sys

import pytest

from skinkit.experiments import SavedRun, export, run, write_card
from skinkit.experiments.deciding.subgroups import write_subgroups
from skinkit.experiments.run_folder import resume
from skinkit.papers import choose

# One worker makes the run that these tests share.
pytestmark = pytest.mark.xdist_group("untrained-run")


def contents(folder):
    return {p.name: p.read_bytes() for p in folder.iterdir() if p.is_file()}


def test_a_run_that_was_stopped_before_its_first_epoch_blocks_nothing(untrained, tmp_path, monkeypatch):
    def stop(*_, **__):
        raise KeyboardInterrupt

    other = dataclasses.replace(untrained, balancing=choose("class_weights", power=0.2))
    with monkeypatch.context() as patch:
        patch.setattr("skinkit.training.fit", stop)
        with pytest.raises(KeyboardInterrupt):
            run(other, "smoke", folder=tmp_path, verbose=0)
    assert (tmp_path / "plan.json").exists()
    run(untrained, "smoke", folder=tmp_path, verbose=0)
    assert SavedRun(tmp_path).recipe.balancing == untrained.balancing


def test_only_work_blocks_another_run(tmp_path):
    one, two = {"key": "one", "seed": 0, "data_hash": "a"}, {"key": "two", "seed": 1, "data_hash": "a"}
    assert not resume.begin(tmp_path, one)
    assert not resume.begin(tmp_path, two)
    (tmp_path / "plan.json").write_text("{")
    assert not resume.begin(tmp_path, one)
    (tmp_path / "checkpoint" / "epoch-00001").mkdir(parents=True)
    assert not resume.begin(tmp_path, one)
    with pytest.raises(ValueError, match=r"another recipe, split or data \(plan.json: seed was 0, now 1\)"):
        resume.begin(tmp_path, two)
    # Plans of older versions say the key alone.
    (tmp_path / "plan.json").write_text('{"key": "one", "finished": false}')
    with pytest.raises(ValueError, match=r"plan.json: key one, now two.*--again"):
        resume.begin(tmp_path, two)
    (tmp_path / "plan.json").write_text("{")
    with pytest.raises(ValueError, match=r"plan\.json is damaged.*--again"):
        resume.begin(tmp_path, one)


def left_by_again(folder, key):
    """What a killed `--again` leaves."""
    work = folder / "again"
    (work / "checkpoint" / "epoch-00001").mkdir(parents=True)
    (work / "checkpoint" / "epoch-00001" / "state.json").write_text("{}")
    (work / "plan.json").write_text(json.dumps({"key": key, "finished": False}))
    (work / "history.csv").write_text("epoch\n1\n")
    return work


def test_what_a_killed_again_left_of_another_recipe_gives_way(whole, folder, carry_out, capsys):
    key, ours = SavedRun(folder).manifest["key"], left_by_again(folder, "another")
    assert resume.training_folder(folder, key, again=False) == folder and resume.has_epochs(ours)
    carry_out(verbose=1)
    assert "again holds an unfinished training: the same command with --again" in capsys.readouterr().out
    carry_out(again=True)
    assert not list(folder.glob("again*")) and contents(folder).keys() == contents(whole).keys()
    left_by_again(folder, key)
    assert resume.has_epochs(resume.training_folder(folder, key, again=True)), "that of this recipe goes on"


def test_again_trains_in_the_folder_itself_where_nothing_is_replaced(tmp_path):
    assert resume.training_folder(tmp_path, "one", again=True) == tmp_path
    (tmp_path / "plan.json").write_text('{"key": "one", "finished": false}')
    assert resume.training_folder(tmp_path, "one", again=True) == tmp_path
    (tmp_path / "checkpoint" / "epoch-00001").mkdir(parents=True)
    assert resume.training_folder(tmp_path, "one", again=True) == tmp_path / "again"


def test_a_finished_run_leaves_nothing_of_its_training(whole, folder, carry_out):
    assert not {"plan.json", "checkpoint"} & {p.name for p in whole.iterdir()}
    (folder / "checkpoint" / "epoch-00004").mkdir(parents=True)
    (folder / "checkpoint" / "epoch-00004" / "state.json").write_text("{}")
    (folder / "plan.json").write_text("{}")
    carry_out()
    assert contents(folder) == contents(whole) and not (folder / "checkpoint").exists()


def test_numbers_without_their_manifest_are_not_trained_over(folder, carry_out):
    key = SavedRun(folder).manifest["key"]
    (folder / "manifest.json").unlink()
    (folder / resume.VALIDATION_LOCK).touch()
    # Older versions left the plan there.
    (folder / "plan.json").write_text(json.dumps({"key": key}))
    before = contents(folder)
    with pytest.raises(FileNotFoundError, match=r"manifest\.json is missing.*metrics\.json.*--again"):
        carry_out()
    assert contents(folder) == before


def test_again_replaces_whatever_is_there_when_it_is_complete(whole, folder, carry_out, monkeypatch):
    write_card(folder)
    export(folder, "keras")
    write_subgroups(SavedRun(folder), folder)
    SavedRun(folder).validation_predictions()
    (folder / "manifest.json").write_text("{")
    (folder / "report.html").write_text("of the old model")
    (folder / "notes.txt").write_text("mine")
    (folder / "evaluations" / "set").mkdir(parents=True)
    for name in ("metrics.json", "submission.csv"):
        (folder / "evaluations" / "set" / name).write_text("{}")
    before = contents(folder)
    with monkeypatch.context() as patch:
        patch.setattr(sys.modules["skinkit.experiments.run"], "_save", None)
        with pytest.raises(TypeError):
            carry_out(again=True)
    assert contents(folder) == before
    carry_out(again=True)
    found = contents(folder)
    assert found.pop("notes.txt") == b"mine" and found.pop(resume.VALIDATION_LOCK) == b""
    assert found.keys() == contents(whole).keys()
    assert not (folder / "evaluations").exists() and not (folder / "exports").exists()
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
