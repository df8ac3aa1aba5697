"""Images that change or cannot be read while runs use them."""

import dataclasses
import os
import shutil
from pathlib import Path

import pytest

from skinkit import data
from skinkit.cli import main
from skinkit.experiments import evaluate, explain, run
from skinkit.training.fit import EpochRecorder

# One worker makes the run that these tests share.
pytestmark = pytest.mark.xdist_group("tiny-run")


class Killed(Exception):
    pass


@pytest.fixture
def own_images(tmp_path):
    """A table of copied images, `own.csv`, which may be changed."""
    table = data.synthetic(60, seed=7, size=(48, 64))
    ids = ["image_id", "lesion_id", "patient_id"]
    table[ids] = "OWN_" + table[ids]
    (tmp_path / "images").mkdir()
    table["path"] = [shutil.copy(path, tmp_path / "images") for path in table["path"]]
    table.to_csv(tmp_path / "own.csv", index=False)
    return table


@pytest.fixture
def recipe(tiny, own_images, tmp_path):
    phase = dataclasses.replace(tiny.phases[1], epochs=2)
    return dataclasses.replace(tiny, dataset=str(tmp_path / "own.csv"), phases=(phase,), profiles={})


def without_images(folder):
    """A release's folder with its table alone."""
    data.synthetic(60, folder=folder, size=(24, 32))
    for images in ("images", "masks"):
        shutil.rmtree(folder / images)


def cut(path):
    path = Path(path)
    path.write_bytes(path.read_bytes()[:300])


def test_a_changed_image_is_noticed_before_a_killed_run_goes_on(recipe, own_images, tmp_path, monkeypatch):
    def killed(self, epoch, logs=None):
        if epoch:
            raise Killed
        return begin(self, epoch, logs)

    begin = EpochRecorder.on_epoch_begin
    with monkeypatch.context() as patch:
        patch.setattr(EpochRecorder, "on_epoch_begin", killed)
        with pytest.raises(Killed):
            run(recipe, "quick", folder=tmp_path / "run", verbose=0)
    first, second = own_images["path"][:2]
    # Another time is no other image.
    os.utime(first, (1, 1))
    kept = Path(second).read_bytes()
    shutil.copy(first, second)
    with pytest.raises(ValueError, match=f"{Path(second).name} has changed since .*--again"):
        run(recipe, "quick", folder=tmp_path / "run", verbose=0)
    Path(second).write_bytes(kept)
    run(recipe, "quick", folder=tmp_path / "run", verbose=0)
    assert not list((tmp_path / "run").glob("images*"))


def test_a_table_of_ones_own_without_images_ends_a_run_in_one_line(tiny, tmp_path):
    without_images(tmp_path / "ham10000")
    recipe = dataclasses.replace(tiny, dataset=str(tmp_path / "ham10000"), profiles={})
    with pytest.raises(FileNotFoundError, match="^The table of ham10000 has no images beside it"):
        run(recipe, "quick", folder=tmp_path / "run", verbose=0)


def test_an_image_that_cannot_be_read_ends_a_run_in_one_line(recipe, own_images, tmp_path):
    cut(own_images["path"][7])
    with pytest.raises(ValueError, match=rf"^Cannot read the image file {own_images['path'][7]}: .*$"):
        run(recipe, "quick", folder=tmp_path / "run", verbose=0)


def test_so_it_does_where_pixels_are_not_kept_in_memory(recipe, own_images, tmp_path, monkeypatch):
    monkeypatch.setattr("skinkit.tasks.batches._MEMORY_CACHE_BYTES", 0)
    cut(own_images["path"][7])
    with pytest.raises(ValueError, match=rf"^Cannot read the image file {own_images['path'][7]}: .*$"):
        run(recipe, "quick", folder=tmp_path / "run", verbose=0)


def test_an_image_that_cannot_be_read_ends_evaluate_and_explain_in_one_line(finished, own_images, tmp_path):
    broken = own_images["path"][3]
    cut(broken)
    for on_it in (lambda: evaluate(finished, tmp_path / "own.csv"), lambda: explain(finished, [broken])):
        with pytest.raises(ValueError, match=rf"^Cannot read the image file {broken}: .*$"):
            on_it()


def test_the_command_prints_that_line_and_no_more(finished, own_images, tmp_path, capfd):
    cut(own_images["path"][3])
    assert main(["evaluate", str(finished), "--on", str(tmp_path / "own.csv")]) == 1
    error = capfd.readouterr().err
    # The JPEG library may write a line of its own before.
    *_, last = error.splitlines()
    assert last.startswith("skinkit: Cannot read the image file") and "Traceback" not in error
