"""A run that writes its epochs to another place than `history.csv`, too."""

import importlib.util

import pandas as pd
import pytest

from skinkit.cli import main, parser
from skinkit.experiments import SavedRun, run
from skinkit.training.writers import WRITERS


@pytest.fixture
def without_packages(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)


def test_a_writer_changes_nothing_in_a_run_and_what_it_wrote_goes_with_the_run(one_epoch, tmp_path):
    plain = SavedRun(run(one_epoch, profile="smoke", folder=tmp_path, verbose=0))
    key, predictions = plain.manifest["key"], plain.predictions
    (tmp_path / "writers" / "wandb").mkdir(parents=True)
    (tmp_path / "writers" / "wandb" / "old").write_text("of the run before")
    run(one_epoch, profile="smoke", folder=tmp_path, verbose=0, writer="tensorboard", again=True)
    written = SavedRun(tmp_path)
    assert written.manifest["key"] == key
    pd.testing.assert_frame_equal(written.predictions, predictions)
    assert [path.name.split(".")[0] for path in (tmp_path / "writers").iterdir()] == ["events"]


def test_without_its_package_no_folder_is_made(without_packages, tmp_path, capsys):
    words = ["run", "koefler2023/table4a/cnn", "--profile", "smoke", "--out", str(tmp_path / "runs")]
    assert main([*words, "--writer", "mlflow"]) == 1
    said = "skinkit: The writer 'mlflow' needs MLflow: pip install 'skinkit[mlflow]'\n"
    assert capsys.readouterr().err == said
    assert not (tmp_path / "runs").exists()


def test_the_command_knows_all_writers():
    for name in WRITERS:
        assert parser().parse_args(["run", "x", "--writer", name]).writer == name


def test_runs_of_a_sweep_have_the_writer():
    from skinkit.experiments.many_runs.sweep import _options

    options = _options(None, None, again=False, threads=None, writer="tensorboard")
    assert " ".join(options).endswith("--writer tensorboard")
