"""What `make clean` removes, and what it leaves."""

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
]
OURS = [
    ".venv-legacy/.ready",
    ".pytest_cache/x",
    "build/lib/x.py",
    "results/executed/03.ipynb",
    "skinkit/__pycache__/x",
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
    subprocess.run(["make", "clean"], cwd=tmp_path, check=True, capture_output=True)
    assert [name for name in THEIRS if not (tmp_path / name).exists()] == []
    assert [name for name in OURS if (tmp_path / name).exists()] == []
