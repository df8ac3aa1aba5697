"""What the repository says of its own runs."""

import json
import math
from pathlib import Path

import pytest

from skinkit.evaluation import score, unpack_predictions
from skinkit.experiments.predictions import read_predictions
from skinkit.experiments.results.finished_runs import finished_runs, staleness
from skinkit.experiments.run_folder import SavedRun

RUNS = Path(__file__).parents[3] / "results" / "runs"
METRICS = sorted(RUNS.rglob("metrics*.json"))
STALE = ()


def test_every_run_counts_once_and_none_is_a_smoke_run():
    assert len(finished_runs(RUNS)) == len(list(RUNS.rglob("manifest.json"))) > 0


def test_these_runs_are_stale_and_no_others():
    """Runs of recipes that have changed since; each leaves the list when it has been carried out again."""
    runs = finished_runs(RUNS, verbose=False)
    folders = [run.folder.relative_to(RUNS).as_posix() for run in runs if staleness(run)]
    assert sorted(folders) == sorted(STALE)


@pytest.mark.parametrize("path", METRICS, ids=lambda path: path.relative_to(RUNS).as_posix())
def test_scores_are_those_of_the_file_of_predictions(path):
    # Scores on other images lie below their run.
    run = SavedRun(next(folder for folder in path.parents if (folder / "manifest.json").exists()))
    metrics = json.loads(path.read_text(encoding="utf-8"))
    table = read_predictions(
        path.with_name(path.name.replace("metrics", "predictions")).with_suffix(".csv.gz")
    )
    asked = unpack_predictions(table)
    positive = run.positive_of(asked[2])
    assert metrics["n"] == len(table)
    for name, said in metrics["scores"].items():
        found = score(name, *asked, positive=positive)
        value = math.nan if said["value"] is None else said["value"]
        assert found == pytest.approx(value, abs=1e-9, nan_ok=True), name
