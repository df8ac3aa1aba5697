"""The course: nbgrader itself hands out a short chapter, marks what comes back, and writes the marks down.

The chapter is the first one without its middle: what its exercises need, and the exercises.
"""

import copy
import os
import subprocess
import sys
from pathlib import Path

import nbformat
import pandas as pd
import pytest
from warm_python import write_kernel

import course

ROOT = Path(__file__).parents[2]
NAME = "01_prepare_data"
POINTS = {"ex-01-1": 2, "ex-01-2": 3, "ex-01-3": 2}


@pytest.fixture(scope="module")
def short_chapter(tmp_path_factory):
    text = (ROOT / "notebooks" / "src" / f"{NAME}.py").read_text(encoding="utf-8")
    text = text.replace("skinkit.report_environment()\n", "")
    start, middle = text.split("# %% [markdown]\n# ## 2. ")
    source = tmp_path_factory.mktemp("src") / f"{NAME}.py"
    exercises = middle[middle.index("# %% [markdown]\n# ## Exercises") :]
    source.write_text(start + exercises, encoding="utf-8")
    return source


@pytest.fixture(scope="module")
def folder(short_chapter, tmp_path_factory):
    folder = tmp_path_factory.mktemp("course")
    course.make(folder, [short_chapter])
    return folder


@pytest.fixture(scope="module")
def released(folder):
    return nbformat.read(folder / "release" / NAME / f"{NAME}.ipynb", as_version=4)


def cell_of(notebook, grade_id):
    return next(c for c in notebook.cells if c.metadata.get("nbgrader", {}).get("grade_id") == grade_id)


def answered(released, short_chapter, *ids):
    """Returns the student's notebook with the right answers to some exercises."""
    notebook = copy.deepcopy(released)
    for exercise, cells in course.BUILD["exercises"](course.BUILD["read"](short_chapter)).items():
        if exercise in ids:
            cell_of(notebook, f"{exercise}-answer").source += f"\n{cells['solution'].source}"
    return notebook


def saved_by_colab(notebook):
    """Returns a notebook as Colab saves it: format 4.0, ids of its own in the metadata, outputs."""
    notebook = copy.deepcopy(notebook)
    notebook.nbformat_minor = 0
    notebook.metadata.colab = {"provenance": [], "toc_visible": True}
    for number, cell in enumerate(notebook.cells):
        del cell["id"]
        cell.metadata.update(id=f"qX{number}", colab={"base_uri": "https://localhost:8080/"}, outputId="f0")
        for lost in ("deletable", "editable"):
            cell.metadata.pop(lost, None)
    return notebook


def hand_in(folder, student, notebook):
    target = folder / "submitted" / student / NAME / f"{NAME}.ipynb"
    target.parent.mkdir(parents=True)
    nbformat.write(notebook, target)


def ask_nbgrader(folder, warm, *arguments):
    hidden = {"SKINKIT_DATA", "MPLBACKEND", "PYTHONWARNINGS"}
    environment = {name: value for name, value in os.environ.items() if name not in hidden} | {
        "CUDA_VISIBLE_DEVICES": "-1",
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]),
        "PYTHONPATH": str(ROOT),
        **{f"JUPYTER_{kind}_DIR": str(folder / "jupyter") for kind in ("CONFIG", "DATA", "RUNTIME")},
    }
    command = [*warm, "nbgrader", *arguments]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=300)
    return done.returncode, done.stdout + done.stderr


@pytest.fixture(scope="module")
def marked(folder, released, short_chapter, warm_python):
    """What nbgrader says when it marks three submissions, and its table of marks."""
    write_kernel(folder / "jupyter", warm_python, "python3")
    right = answered(released, short_chapter, *POINTS)
    colab = saved_by_colab(right)
    cell_of(colab, "parameters").source = 'PROFILE = "full"'
    colab.cells.remove(cell_of(colab, "ex-01-2"))
    added = nbformat.v4.new_code_cell("1 / 0", metadata={"id": "added"})
    del added["id"]
    colab.cells.insert(8, added)
    cut = copy.deepcopy(right)
    cut.cells = [c for c in cut.cells if "ex-01-2" not in c.metadata.get("tags", [])]
    half = answered(released, short_chapter, "ex-01-1")
    cell_of(half, "ex-01-2-answer").source = "leakage_of_share = {0.1: 0.5, 0.5: 0.3}"
    # Somebody who does not like the check.
    cell_of(half, "ex-01-3").source = "pass"
    submitted = {"half": half, "colab": colab, "cut": cut}
    for student, notebook in submitted.items():
        hand_in(folder, student, notebook)
    code, said = ask_nbgrader(folder, warm_python, "autograde", NAME)
    assert ask_nbgrader(folder, warm_python, "export", "--to=marks.csv")[0] == 0
    return code, said, pd.read_csv(folder / "marks.csv", index_col="student_id")


def test_the_student_gets_the_public_notebook_without_answers_and_hidden_tests(released, short_chapter):
    public = nbformat.reads(course.BUILD["generate"](short_chapter), as_version=4)
    for ours, theirs in zip(public.cells, released.cells, strict=True):
        expected = ours.source.replace('PROFILE = "quick"', 'PROFILE = "smoke"')
        assert theirs.source == expected
        assert ours.metadata.get("nbgrader", {}).items() <= theirs.metadata.get("nbgrader", {}).items()
    assert {name: cell_of(released, name).metadata.nbgrader.points for name in POINTS} == POINTS


def test_the_guide_has_each_exercise_with_its_marks_and_wrong_answers():
    plan = course.weeks()
    guide, syllabus = course.guide(plan), course.syllabus(plan)
    for source in course.BUILD["sources"]():
        for exercise, cells in course.BUILD["exercises"](course.BUILD["read"](source)).items():
            assert f"### {exercise}: " in guide
            assert cells["hidden"].source in guide
        assert f"| {source.stem[:2]} " in syllabus
    assert "**2 points.** A solution\n\n```python\nmean_views = None\nby_label = " in guide
    assert "\n# Counts lesions, and not their images.\nmean_views = " in guide
    assert len(plan) == 12


def test_a_chapter_that_no_week_has_is_named(tmp_path):
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "99_look_twice.py").touch()
    (tmp_path / "course.toml").write_text("weeks = []", encoding="utf-8")
    with pytest.raises(ValueError, match=r"each chapter of notebooks/src once. Look for \['99_look_twice'\]"):
        course.weeks(tmp_path)


def test_marks_are_as_expected_and_exported(marked):
    _, said, marks = marked
    expected = {"half": 2, "colab": 7}
    assert marks["score"][list(expected)].to_dict() == expected, said
    assert set(marks["max_score"]) == {7}


def test_a_notebook_that_cannot_be_marked_is_refused_with_the_id_of_its_cell(marked):
    code, said, marks = marked
    assert code != 0
    assert "ex-01-2-answer" in said
    assert marks["score"]["cut"] == 0
