"""Scores of finished runs, computed again from the predictions that the runs saved.

    python tools/rescore_runs.py                 # results/runs
    python tools/rescore_runs.py FOLDER

Runs of old versions scored their predictions before saving them with six digits, so that the two disagree;
and a new version may know a better interval. Whatever changes is noted in the run's manifest.
"""

import argparse
import json
from pathlib import Path

from skinkit import __version__
from skinkit.experiments.predictions import read_predictions, score_with_intervals
from skinkit.experiments.run_folder import SavedRun
from skinkit.files import files_named, write_json
from skinkit.names import counted

NOTE = f"skinkit {__version__}: metrics computed again from the files of predictions"


def rescore(folder):
    """Writes `metrics.json` and `metrics_best.json` of a run folder from their files of predictions.

    Args:
        folder: `pathlib.Path` of the run folder. Its manifest gets the note `rescored` if any score changes.

    Returns:
        Boolean, whether any did.

    Raises:
        FileNotFoundError: when a file of the run is missing.
    """
    run, changed = SavedRun(folder), False
    for ending in ("", "_best"):
        path = folder / f"metrics{ending}.json"
        if not ending or path.exists():
            before = path.read_text(encoding="utf-8")
            found = score_with_intervals(
                read_predictions(folder / f"predictions{ending}.csv.gz"), run.recipe.positive
            )
            write_json(path, {**json.loads(before), **found})
            changed |= path.read_text(encoding="utf-8") != before
    if changed:
        write_json(folder / "manifest.json", {**run.manifest, "rescored": NOTE})
    return changed


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "runs", nargs="?", type=Path, default="results/runs", help="folder of runs (default: %(default)s)"
    )
    runs = parser.parse_args(arguments).runs
    folders = [path.parent for path in files_named("manifest.json", runs)]
    if not folders:
        parser.error(f"{runs} holds no finished run")
    changed = sum(rescore(folder) for folder in folders)
    print(f"{counted(len(folders), 'run')}, the scores of {changed} changed")


if __name__ == "__main__":
    main()
