"""The examples of CONTRIBUTING.md, added to a copy of the package and run."""

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```python\n# (at the end of )?(skinkit/\S+\.py)\n(.*?)```", TEXT, re.DOTALL)

RUN = "import sys; from skinkit.cli import main; sys.exit(main())"


@pytest.fixture
def package(tmp_path):
    """A folder with a copy of the package and all examples in it."""
    shutil.copytree(ROOT / "skinkit", tmp_path / "skinkit", ignore=shutil.ignore_patterns("__pycache__"))
    for is_old, name, code in BLOCKS:
        path = tmp_path / name
        assert path.exists() == bool(is_old), name
        before = path.read_text(encoding="utf-8") + "\n\n" if is_old else ""
        path.write_text(before + code, encoding="utf-8")
    return tmp_path


def test_every_python_block_says_where_it_belongs():
    assert len(BLOCKS) == TEXT.count("```python") == 8


def test_a_recipe_of_a_new_loss_backbone_split_and_kind_of_learning_runs(package, warm_python):
    environment = {**os.environ, "PYTHONPATH": str(package), "SKINKIT_DATA": ""}
    words = ["run", "skinkit/example/turns", "--profile", "smoke", "--out", "runs"]
    # Code finds nothing of the package that is loaded, and so the copy.
    command = [*warm_python[:-1], "-c", RUN, *words]
    done = subprocess.run(command, cwd=package, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    (manifest,) = (package / "runs").rglob("manifest.json")
    assert "turn_accuracy" in (manifest.parent / "history.csv").read_text()
    said = json.loads(manifest.read_text())
    assert said["leakage"]["lesion"] == 0 and said["settings"]["loss"]["name"] == "poly1"
