import importlib
import json

import pytest

from skinkit.experiments.run_folder.resume import OtherRun
from skinkit.papers.baselines import DEMO, DEMO_SYNTHETIC

OWN = {"recipe": DEMO_SYNTHETIC.name, "profile": "quick", "protocol": "corrected", "fold": 0, "seed": 0}


@pytest.fixture
def demo(monkeypatch):
    """The module, whose `run` refuses a folder with a manifest unless it is told to train again."""
    # The package's attribute of this name is the function.
    module = importlib.import_module("skinkit.experiments.demo")

    def run(recipe, profile, folder, verbose, wait, again=False):
        if (folder / "manifest.json").exists() and not again:
            raise OtherRun(f"{folder} holds a run of another recipe, split or data")
        (folder / "manifest.json").write_text('{"key": "new"}')
        return folder

    monkeypatch.setattr(module, "run", run)
    return module


@pytest.fixture
def folder(tmp_path):
    """Makes a folder with a finished run, and with files of somebody else."""

    def make(**manifest):
        said = {"key": "old", "weights": None, "settings": {}, "split_hash": "", **OWN, **manifest}
        (tmp_path / "manifest.json").write_text(json.dumps(said))
        for name in ("model.keras", "notes.txt"):
            (tmp_path / name).write_text(name)
        return tmp_path

    return make


@pytest.mark.parametrize(("root", "recipe"), [("images", DEMO), ("", DEMO_SYNTHETIC), (None, DEMO_SYNTHETIC)])
def test_it_takes_the_images_that_are_there(demo, tmp_path, monkeypatch, root, recipe):
    monkeypatch.delenv("SKINKIT_DATA", raising=False)
    if root is not None:
        monkeypatch.setenv("SKINKIT_DATA", root)
    carried_out = []
    monkeypatch.setattr(demo, "run_demo", lambda *given: carried_out.append(given))
    monkeypatch.setattr("skinkit.experiments.report.write_report", lambda folder: None)
    demo.demo(tmp_path)
    assert carried_out == [(recipe, tmp_path, 1)]


def test_an_older_demo_is_made_again(demo, folder):
    where = demo.run_demo(DEMO_SYNTHETIC, folder(), 0)
    assert json.loads((where / "manifest.json").read_text()) == {"key": "new"}
    assert (where / "notes.txt").exists()


@pytest.mark.parametrize(
    "other", [{"recipe": "skinkit/baseline/efficientnet-lite0"}, {"seed": 1}, {"weights": "w.keras"}]
)
def test_another_run_is_left_as_it_is(demo, folder, other):
    where = folder(**other)
    before = {path.name: path.read_text() for path in where.iterdir()}
    with pytest.raises(OtherRun, match="another recipe"):
        demo.run_demo(DEMO_SYNTHETIC, where, 0)
    assert {path.name: path.read_text() for path in where.iterdir()} == before
