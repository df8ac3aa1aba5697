import dataclasses
import json
import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

import keras
import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from skinkit import data
from skinkit.experiments import run, summarise
from skinkit.experiments.many_runs.missing_inputs import missing_inputs
from skinkit.experiments.plan import Plan
from skinkit.experiments.run import _clock
from skinkit.experiments.run_data import build_run_data
from skinkit.experiments.run_folder import SavedRun

FIXTURES = Path(__file__).parents[1] / "fixtures"

# One worker makes the run that these tests share.
pytestmark = pytest.mark.xdist_group("tiny-run")


@pytest.fixture
def start(warm_python, tmp_path):
    """Starts the run in `tmp_path` in another process."""

    def start():
        command = [*warm_python, "tiny_run", tmp_path]
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(FIXTURES.parents[1]), str(FIXTURES)])}
        both = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
        return subprocess.Popen(command, env=environment, text=True, **both)

    return start


def wait_for(path, process, seconds=240):
    end = time.monotonic() + seconds
    while time.monotonic() < end and process.poll() is None:
        if list(path.parent.glob(path.name)):
            return
        time.sleep(0.02)
    process.kill()
    pytest.fail(f"{path} did not appear: {process.communicate()[0]}")


def test_a_run_leaves_its_numbers_and_says_how_they_were_made(finished, tiny):
    names = {p.name for p in finished.iterdir()}
    assert {"manifest.json", "history.csv", "predictions.csv.gz", "metrics.json", "model.keras"} <= names
    manifest = json.loads((finished / "manifest.json").read_text())
    assert manifest["recipe"] == tiny.name
    assert manifest["dataset"] == "synthetic"
    assert manifest["leakage"]["lesion"] == 0
    assert manifest["environment"]["keras"] and manifest["environment"]["processor_features"]
    assert manifest["settings"]["batch_size"] == tiny.batch_size
    assert len(manifest["split_hash"]) == 64
    assert sum(manifest["images"].values()) == 120
    assert manifest["source_size"] == [225, 300]
    assert pd.read_csv(finished / "history.csv")["phase"].tolist() == [1, 2, 2, 2]


def test_the_area_of_the_class_that_a_recipe_is_about_is_among_the_scores(finished, tiny):
    found = SavedRun(finished)
    melanoma = found.predictions["label"] == tiny.positive
    expected = roc_auc_score(melanoma, found.predictions[f"p_{tiny.positive}"])
    assert found.metrics["scores"][f"auc:{tiny.positive}"]["value"] == pytest.approx(expected, abs=1e-12)


def test_predictions_are_probabilities_of_the_test_images(finished):
    found = SavedRun(finished)
    test = found.run_data().rows("test")
    assert found.predictions["image_id"].tolist() == test["image_id"].tolist()
    sums = found.predictions[[f"p_{label}" for label in found.labels]].sum(axis=1)
    np.testing.assert_allclose(sums, 1, atol=1e-6)


def test_the_saved_model_makes_the_saved_predictions(finished):
    from skinkit.experiments.predictions import predict

    found = SavedRun(finished)
    again = predict(found.load_model(), found.recipe, found.run_data().rows("test"))
    columns = [f"p_{label}" for label in found.labels]
    np.testing.assert_allclose(again[columns], found.predictions[columns], atol=1e-6)


def test_a_run_killed_twice_ends_like_an_undisturbed_one_and_a_second_process_harms_nothing(
    start, finished, tiny, tmp_path
):
    for epoch in (1, 3):
        process = start()
        if epoch == 1:
            wait_for(tmp_path / "plan.json", process)
            with pytest.raises(RuntimeError, match="Another process"):
                run(tiny, profile="smoke", folder=tmp_path, verbose=0)
        wait_for(tmp_path / "checkpoint" / f"epoch-0000{epoch}", process)
        process.send_signal(signal.SIGKILL)
        process.communicate()
        assert not (tmp_path / "manifest.json").exists()
    process = start()
    output, _ = process.communicate(timeout=240)
    assert process.returncode == 0, output
    assert (tmp_path / "predictions.csv.gz").read_bytes() == (finished / "predictions.csv.gz").read_bytes()


def test_a_finished_run_is_not_repeated(finished, tiny, capsys):
    before = (finished / "manifest.json").stat().st_mtime_ns
    assert run(tiny, profile="smoke", folder=finished) == finished
    assert "Already finished" in capsys.readouterr().out
    assert (finished / "manifest.json").stat().st_mtime_ns == before


def test_the_seconds_of_a_run_are_those_of_its_epochs_and_of_all_else(finished):
    saved = SavedRun(finished)
    assert saved.manifest["seconds"] > saved.history["seconds"].sum()


def test_the_epochs_before_a_run_was_stopped_count(tmp_path, monkeypatch):
    history = pd.DataFrame({"seconds": [40.0, 30.0, 20.0]})
    for done, expected in ((0, 0.0), (2, 70.0)):
        # Epochs are numbered on from where a phase would have ended that a plateau has ended before.
        state = {"epoch": done + 5, "history": [{}] * done}
        monkeypatch.setattr("skinkit.training.Checkpoint.latest", lambda self, state=state: state)
        assert expected <= _clock(tmp_path)(history) < expected + 1


def test_a_run_that_fails_before_its_first_epoch_leaves_no_plan(tiny, tmp_path):
    path = tmp_path / "other.weights.h5"
    keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)]).save_weights(path)
    folder = tmp_path / "run"
    with pytest.raises(ValueError, match="does not fit"):
        run(tiny, profile="smoke", folder=folder, weights=str(path), verbose=0)
    assert {left.name for left in folder.iterdir()} <= {".lock"}


def test_a_folder_of_another_recipe_is_not_overwritten(finished, tiny):
    other = dataclasses.replace(tiny, batch_size=16)
    with pytest.raises(ValueError, match="another recipe, split or data"):
        run(other, profile="smoke", folder=finished, verbose=0)


def test_a_file_of_weights_counts_by_its_content_and_not_by_its_folder(tiny, tmp_path):
    files = [tmp_path / folder / "w.h5" for folder in "abc"]
    for file, content in zip(files, (b"same", b"same", b"other"), strict=True):
        file.parent.mkdir()
        file.write_bytes(content)
    plan = Plan(tiny, "smoke", "corrected", fold=0, seed=0)
    run_data = build_run_data(plan.resolved, "smoke")
    keys = [plan.key(weights, run_data) for weights in (str(files[0]), *files[1:], None, "none")]
    assert keys[0] == keys[1] and len(set(keys)) == 4


def test_an_unknown_protocol_makes_no_folder(tiny, tmp_path):
    with pytest.raises(ValueError, match="as_dreamt"):
        run(tiny, profile="smoke", protocol="as_dreamt", out=tmp_path)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(("protocol", "photographs"), [("as_published", True), ("as_described", False)])
def test_the_protocols_differ_in_leakage(untrained, tmp_path, protocol, photographs):
    folder = run(untrained, profile="smoke", protocol=protocol, out=tmp_path, verbose=0)
    manifest = json.loads((folder / "manifest.json").read_text())
    assert (manifest["leakage"]["photograph"] > 0.3) == photographs
    assert (manifest["stamp"] or "").startswith("LEAKY") == photographs
    assert ("LEAKY" in summarise(folder)) == photographs


def test_a_missing_release_says_what_to_do(tiny, tmp_path):
    with pytest.raises(FileNotFoundError, match="skinkit data fetch ham10000"):
        run(tiny, profile="quick", out=tmp_path, data_dir=tmp_path / "nothing", verbose=0)


def test_a_release_without_images_says_so_before_anything_is_written(tiny, tmp_path):
    data.synthetic(60, folder=tmp_path / "ham10000", size=(24, 32))
    recipe = dataclasses.replace(tiny, phases=tiny.phases[1:], profiles={})
    where = {"data_dir": tmp_path, "verbose": 0}
    finished = run(recipe, "quick", out=tmp_path / "finished", **where)
    for images in ("images", "masks"):
        shutil.rmtree(tmp_path / "ham10000" / images)
    said = f"{tmp_path / 'ham10000'} has no images beside its table. `skinkit data fetch ham10000`"
    with pytest.raises(FileNotFoundError, match=said):
        run(recipe, "quick", out=tmp_path / "other", **where)
    (missing,) = missing_inputs([Plan(recipe, "quick", "corrected", fold=0, seed=0)], data_dir=tmp_path)
    assert missing.startswith(said) and not (tmp_path / "other").exists()
    # What is finished needs its table alone.
    assert run(recipe, "quick", out=tmp_path / "finished", **where) == finished


def test_an_unfinished_folder_is_no_result(tmp_path):
    with pytest.raises(FileNotFoundError, match="no finished run"):
        summarise(tmp_path)
