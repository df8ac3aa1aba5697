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


@pytest.fixture(scope="module")
def package(tmp_path_factory):
    """A folder with a copy of the package and all examples in it."""
    folder = tmp_path_factory.mktemp("contributing")
    shutil.copytree(ROOT / "skinkit", folder / "skinkit", ignore=shutil.ignore_patterns("__pycache__"))
    for is_old, name, code in BLOCKS:
        path = folder / name
        assert path.exists() == bool(is_old), name
        before = path.read_text(encoding="utf-8") + "\n\n" if is_old else ""
        path.write_text(before + code, encoding="utf-8")
    return folder


@pytest.fixture
def skinkit(package, warm_python):
    def call(*words):
        environment = {**os.environ, "PYTHONPATH": str(package), "SKINKIT_DATA": ""}
        # Code finds nothing of the package that is loaded, and so the copy.
        command = [*warm_python[:-1], "-c", RUN, *words]
        return subprocess.run(command, cwd=package, env=environment, capture_output=True, text=True)

    return call


def test_every_python_block_says_where_it_belongs():
    assert len(BLOCKS) == TEXT.count("```python") == 8


def test_a_recipe_of_a_new_loss_backbone_split_and_kind_of_learning_runs(package, skinkit):
    done = skinkit("run", "skinkit/example/turns", "--profile", "smoke", "--out", "runs")
    assert done.returncode == 0, done.stderr
    (manifest,) = (package / "runs").rglob("manifest.json")
    assert "turn_accuracy" in (manifest.parent / "history.csv").read_text()
    said = json.loads(manifest.read_text())
    assert said["leakage"]["lesion"] == 0 and said["settings"]["loss"]["name"] == "poly1"


def test_a_wrong_name_among_them_is_found_before_anything_is_made(package, skinkit):
    path = package / "skinkit/papers/baselines.py"
    before = path.read_text(encoding="utf-8")
    path.write_text(before.replace('"poly1", epsilon', '"poly2", epsilon'), encoding="utf-8")
    done = skinkit("run", "skinkit/example/turns", "--profile", "smoke", "--out", "other")
    path.write_text(before, encoding="utf-8")
    assert done.returncode == 1 and "poly1" in done.stderr and not (package / "other").exists()
