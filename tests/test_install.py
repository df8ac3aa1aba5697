"""The package as it is installed: what importing it costs, and that its floors hold."""

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import skinkit

HEAVY = ("tensorflow", "keras", "sklearn", "matplotlib", "cv2")


def loaded_by(statement):
    code = f"import sys\n{statement}\nprint(*sorted(sys.modules))"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(found.stdout.split())


@pytest.mark.parametrize(
    "statement",
    [
        "import skinkit",
        "import skinkit.data, skinkit.evaluation, skinkit.papers, skinkit.experiments",
        "import skinkit.cli",
    ],
)
def test_importing_loads_nothing_heavy(statement):
    assert loaded_by(statement).isdisjoint(HEAVY)


@pytest.mark.parametrize("words", [["list"], ["show", "gessert2019/table2/densenet121-dual"]], ids=str)
def test_recipes_are_listed_and_shown_without_anything_heavy(words):
    silent = "import contextlib, io\nwith contextlib.redirect_stdout(io.StringIO()):\n    "
    used = loaded_by(f"from skinkit.cli import main\n{silent}assert main({words}) == 0")
    assert used.isdisjoint(HEAVY) and "pandas" in used


def test_evaluation_needs_no_deep_learning():
    used = loaded_by(
        "import skinkit.evaluation as e\n"
        "e.summary(['a', 'b'], [[0.9, 0.1], [0.2, 0.8]], ['a', 'b'])\n"
        "e.bootstrap_intervals(['a', 'b'], [[0.9, 0.1], [0.2, 0.8]], ['a', 'b'], resamples=10)"
    )
    assert used.isdisjoint({"tensorflow", "keras"})


def test_every_room_opens():
    for name in skinkit.__all__:
        assert getattr(skinkit, name) is not None


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="garden"):
        skinkit.garden  # noqa: B018


def test_every_file_beside_the_code_is_packaged():
    root = Path(skinkit.__file__).parent
    settings = tomllib.loads((root.parent / "pyproject.toml").read_text(encoding="utf-8"))
    packaged = {
        path
        for pattern in settings["tool"]["setuptools"]["package-data"]["skinkit"]
        for path in root.glob(pattern)
    }
    files = {path for path in root.rglob("*.*") if path.is_file() and path.suffix not in (".py", ".pyc")}
    assert files == packaged and root / "data/releases/releases.toml" in packaged
