import runpy
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[2] / "benchmarks"
SCRIPTS = sorted(path for path in FOLDER.glob("*.py") if "__main__" in path.read_text(encoding="utf-8"))


def test_all_scripts_are_found():
    assert len(SCRIPTS) >= 6


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.stem)
def test_script_says_how_it_is_used(path, monkeypatch, capsys):
    monkeypatch.syspath_prepend(FOLDER)
    monkeypatch.setattr("sys.argv", [path.name, "--help"])
    with pytest.raises(SystemExit) as stop:
        runpy.run_path(path, run_name="__main__")
    assert stop.value.code == 0
    said = capsys.readouterr().out
    assert "usage:" in said and "--out" in said


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.stem)
def test_script_is_in_the_readme_and_in_the_makefile(path):
    assert f"## `{path.name}`" in (FOLDER / "README.md").read_text(encoding="utf-8")
    assert path.stem in (FOLDER.parent / "Makefile").read_text(encoding="utf-8")
