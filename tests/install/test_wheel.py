"""The wheel is whole: what is built from the clone works without it."""

import os
import shutil
import subprocess
import sys
import zipfile
from email.parser import Parser
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCES = ("pyproject.toml", "requirements.txt", "README.md", "LICENSE")
# What pip says where it cannot have setuptools.
OFFLINE = ("No matching distribution", "Could not find a version")
# The application of a server, without a worker.
PAGES = """
import pathlib, sys
sys.path.append(sys.argv[1])
from serve_place import Place
from skinkit.serve.settings import LiveSettings
from skinkit.serve.store import open_store
client = Place(open_store(None, pathlib.Path("out")), LiveSettings()).client()
root, page, docs = map(client.get, ("/", "/app/", "/docs"))
print(root.status_code, root.headers["location"])
print(page.status_code, page.text, "and then", docs.text)
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """A folder with what the wheel holds; it is built from a copy, since building leaves files behind."""
    pytest.importorskip("pip")
    source, built = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("built")
    for name in SOURCES:
        shutil.copy(ROOT / name, source)
    shutil.copytree(ROOT / "skinkit", source / "skinkit", ignore=shutil.ignore_patterns("__pycache__"))
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", built, source]
    done = subprocess.run([*map(str, command)], capture_output=True, text=True, timeout=120)
    if done.returncode and any(words in done.stderr for words in OFFLINE):
        pytest.skip("the wheel is built with setuptools, which cannot be downloaded here")
    assert done.returncode == 0, done.stderr
    (path,) = built.glob("skinkit-*.whl")
    with zipfile.ZipFile(path) as archive:
        archive.extractall(built / "unpacked")
    return built / "unpacked"


@pytest.fixture
def installed(wheel, tmp_path):
    """The start of a command of the unpacked wheel, and how it is run: away from the clone."""
    environment = {**os.environ, "PYTHONPATH": str(wheel), "SKINKIT_DATA": ""}
    return [sys.executable, "-m", "skinkit"], {"env": environment, "cwd": tmp_path}


def files_in(folder):
    return {
        path.relative_to(folder).as_posix()
        for path in folder.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }


def test_it_holds_every_file_of_the_package_and_nothing_else(wheel):
    held = files_in(wheel / "skinkit")
    assert held == files_in(ROOT / "skinkit")
    assert {"serve/page/index.html", "papers/bermeo2023/published.csv", "data/releases/releases.toml"} <= held
    (about,) = wheel.glob("*.dist-info")
    assert {path.name for path in wheel.iterdir()} == {"skinkit", about.name}


def test_it_says_what_it_needs_and_how_it_is_called(wheel):
    (about,) = wheel.glob("*.dist-info")
    said = Parser().parsestr((about / "METADATA").read_text(encoding="utf-8"))
    needed = said.get_all("Requires-Dist")
    assert [line for line in needed if line.startswith("fastapi")] == ['fastapi>=0.115; extra == "serve"']
    assert [line for line in needed if line.startswith("keras")] == ["keras<4,>=3.10"]
    assert "skinkit = skinkit.cli:main" in (about / "entry_points.txt").read_text(encoding="utf-8")


def test_the_published_tables_are_shown(wheel, installed):
    start, how = installed
    where = [sys.executable, "-c", "import skinkit; print(skinkit.__file__)"]
    assert subprocess.check_output(where, text=True, **how).startswith(str(wheel))
    done = subprocess.run([*start, "published", "bermeo2023"], capture_output=True, text=True, **how)
    assert done.returncode == 0 and "Table 8.2" in done.stdout, done.stderr


def test_the_server_has_its_page_and_that_of_the_api(installed):
    pytest.importorskip("fastapi", reason="needs pip install 'skinkit[serve]'")
    _, how = installed
    fixtures = str(ROOT / "tests" / "fixtures")
    done = subprocess.run([sys.executable, "-c", PAGES, fixtures], capture_output=True, text=True, **how)
    assert done.returncode == 0, done.stderr
    first, docs = done.stdout.split("and then")
    assert first.startswith("302 app/\n200 ") and "<script" in first and "/predict_bulk" in docs
