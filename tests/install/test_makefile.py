"""What `make clean` removes, and what it leaves."""

import os
import shutil
import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[2]
THEIRS = [
    ".venv/lib/mine.py",
    ".venv-colab/mine.py",
    "build/thesis.txt",
    "results/demo/notes.txt",
    "results/executed/notes.txt",
    "datasets/__pycache__/mine.txt",
    "other.egg-info/mine.txt",
    "home/.cache/skinkit/synthetic-notes/mine.txt",
    "home/.cache/skinkit/weights.h5",
]
OURS = [
    ".venv-legacy/.ready",
    ".pytest_cache/x",
    "build/lib/x.py",
    "results/executed/03.ipynb",
    "skinkit/__pycache__/x",
    "home/.cache/skinkit/synthetic-0ae54248dc61/synthetic.json",
]


def test_cleaning_leaves_what_others_have_put_there(tmp_path):
    shutil.copy(ROOT / "Makefile", tmp_path)
    for name in [
        *THEIRS,
        *OURS,
        *(f"{room}/x.py" for room in ("skinkit", "tests", "notebooks", "benchmarks")),
    ]:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    environment = {name: value for name, value in os.environ.items() if name != "SKINKIT_CACHE"}
    environment["HOME"] = str(tmp_path / "home")
    subprocess.run(["make", "clean"], cwd=tmp_path, env=environment, check=True, capture_output=True)
    assert [name for name in THEIRS if not (tmp_path / name).exists()] == []
    assert [name for name in OURS if (tmp_path / name).exists()] == []
