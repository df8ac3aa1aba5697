"""What the README says works, from a folder without data."""

import os
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGES = ("README.md", "notebooks/README.md", "data/README.md", "CONTRIBUTING.md")
TEXT = (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_five_lines_run_without_any_data(tmp_path, warm_python):
    (code,) = re.findall(r"```python\n(.*?)```", TEXT, re.S)
    lines = [line for line in code.splitlines() if line and not line.startswith("import")]
    assert len(lines) == 5
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "SKINKIT_DATA": ""}
    done = subprocess.run(
        [*warm_python[:-1], "-c", code], cwd=tmp_path, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert re.search(r"^all +\d+ +0\.0 +0\.0 +0\.0$", done.stdout, re.M), done.stdout
    assert "macro_recall" in done.stdout and "No leakage found." in done.stdout


def test_what_matters_comes_first():
    order = ["Not for clinical use", "Open in Colab", "make demo", "docs/report.jpg", "import skinkit"]
    places = [TEXT.index(words) for words in order]
    assert places == sorted(places)
    first = TEXT.split("\n\n")[1]
    assert not re.search(r"[a-z]+(2019|2020|2021|2023)", first), "keys of documents come later"
    assert TEXT[: TEXT.index("## Commands")].count("![") == 2, "the badge and one image of the report"


@pytest.mark.parametrize("name", PAGES)
def test_links_lead_somewhere(name):
    page = ROOT / name
    links = re.findall(r"\]\(([^)\s]+)\)", page.read_text(encoding="utf-8"))
    inner = [link.partition("#")[0] for link in links if "://" not in link]
    assert [link for link in inner if link and not (page.parent / link).exists()] == []


def test_every_notebook_is_in_the_table():
    table = (ROOT / "notebooks/README.md").read_text(encoding="utf-8")
    linked = re.findall(r"^\| \[.*?\]\((\d\d_\w+\.ipynb)\)", table, re.M)
    assert linked == sorted(path.name for path in (ROOT / "notebooks").glob("*.ipynb"))
