"""Generate the notebooks, which Colab opens, and their checks from notebooks/src/NN_*.py, which people edit.

    python notebooks/build.py            # write what is missing or out of date
    python notebooks/build.py --check    # write nothing; exit code 1 if anything is out of date

A source is a py:percent script: `# %% [markdown]` and `# %%` start cells, and
`# %% tags=["parameters"]` a tagged one. The cells of an exercise are tagged with their role and its id:

    exercise   the open cell, which the student fills in
    solution   goes below it in notebooks/solutions/NN_*.ipynb
    check      calls `skinkit.check`; its metadata `points` says how many there are
    test       what `skinkit.check` runs: goes into skinkit/exercises.toml
    hidden     what counts when marks are given: below the check in notebooks/solutions/NN_*.ipynb
    wrong      typical wrong answers, a comment above each says why: for the instructor's guide and the tests

notebooks/solutions/NN_*.ipynb is a source of nbgrader, and notebooks/NN_*.ipynb what nbgrader makes of it for
students. The results have no outputs, cell ids counted from 0 and a fixed set of metadata, so that the same
source gives the same bytes on every machine.
"""

import argparse
import ast
import re
import sys
import tomllib
from pathlib import Path

import jupytext
from nbstripout import strip_output

NOTEBOOK_METADATA = ("accelerator", "colab", "kernelspec")
CELL_METADATA = ("cellView", "nbgrader", "tags")
FOLDER = Path(__file__).resolve().parent
FIX = "run `make notebooks`"
ROLES = ("exercise", "solution", "check", "test", "hidden", "wrong")
# What stands where the solution was.
STUB = "# your answer"
_PROJECT = tomllib.loads((FOLDER.parent / "pyproject.toml").read_text(encoding="utf-8"))["project"]
# The two words in capitals may stand in a source. Where `[project.urls]` names no repository, lines that lead
# there (badges, and where the install cell fetches from) are left out.
REPOSITORY = _PROJECT.get("urls", {}).get("Repository", "")
WORDS = {
    "REPOSITORY_SLUG": REPOSITORY.removeprefix("https://github.com/"),
    "RELEASE_TAG": f"v{_PROJECT['version']}",
}


def sources(folder=FOLDER):
    """Returns the sources in the order of their numbers."""
    return sorted((folder / "src").glob("[0-9][0-9]_*.py"))


def read(source):
    """Returns all cells of a source as a notebook."""
    text = source.read_text(encoding="utf-8")
    if not REPOSITORY:
        text = re.sub(r"(?m)(?:^.*REPOSITORY_SLUG.*\n)+(# )?(?:· )?", r"\1", text)
    for word, value in WORDS.items():
        text = text.replace(word, value)
    return jupytext.reads(text, fmt="py:percent")


def exercises(notebook):
    """Returns the cells of each exercise by their role: `{"ex-03-2": {"check": cell, ...}, ...}`."""
    found = {}
    for cell in notebook.cells:
        role, *rest = cell.metadata.get("tags", [None])
        if role in ROLES:
            found.setdefault(rest[0], {})[role] = cell
    for exercise, cells in found.items():
        if missing := [role for role in ROLES if role not in cells]:
            raise ValueError(f"{exercise} needs a cell tagged {' and one tagged '.join(missing)}")
        if "points" not in cells["check"].metadata:
            raise ValueError(f"the check cell of {exercise} needs its points: # %% tags=[...] points=2")
    return found


def nbgrader(grade_id, *, solution=False, points=None):
    """Returns nbgrader's metadata of a cell: one to answer in, or a locked one with points."""
    graded = {} if solution else {"points": points}
    return {
        "cell_type": "code",
        "grade": not solution,
        "grade_id": grade_id,
        "locked": not solution,
        "schema_version": 3,
        "solution": solution,
        "task": False,
        **graded,
    }


def region(name, code):
    """Returns code between the marks that nbgrader cuts at."""
    return f"\n### BEGIN {name}\n{code}\n### END {name}"


def arrange(notebook, solved):
    """Makes the notebook of students, or that with solutions and hidden tests, of all cells of a source."""
    for exercise, cells in exercises(notebook).items():
        answer, check = cells["exercise"], cells["check"]
        answer.metadata.nbgrader = nbgrader(f"{exercise}-answer", solution=True)
        check.metadata.nbgrader = nbgrader(exercise, points=check.metadata.points)
        answer.source += region("SOLUTION", cells["solution"].source) if solved else f"\n{STUB}"
        check.source += region("HIDDEN TESTS", cells["hidden"].source) if solved else ""
    left_out = {"solution", "test", "hidden", "wrong"}
    notebook.cells = [c for c in notebook.cells if left_out.isdisjoint(c.metadata.get("tags", []))]
    for cell in notebook.cells:
        # A grade of 0 points: nbgrader puts it back where somebody has changed or deleted it.
        if "parameters" in cell.metadata.get("tags", []):
            cell.metadata.nbgrader = nbgrader("parameters", points=0)


def keep_only(metadata, names):
    for name in metadata.keys() - set(names):
        del metadata[name]


def generate(source, solved=False):
    """Returns the text of the students' notebook of a source, or of that with solutions."""
    notebook = read(source)
    arrange(notebook, solved)
    keep_only(notebook.metadata, NOTEBOOK_METADATA)
    for cell in notebook.cells:
        keep_only(cell.metadata, CELL_METADATA)
    strip_output(notebook, keep_output=False, keep_count=False, keep_id=False)
    notebook.nbformat_minor = 5
    return jupytext.writes(notebook, fmt="ipynb").rstrip("\n") + "\n"


def answers(check):
    """Returns the names that a check cell hands to `skinkit.check`."""
    return [argument.id for argument in ast.parse(check.source).body[-1].value.args[1:]]


def checks(folder=FOLDER):
    """Returns the text of skinkit/exercises.toml, which `skinkit.check` reads."""
    parts = ["# Made by notebooks/build.py of the cells tagged `test`.\n"]
    for source in sources(folder):
        for exercise, cells in exercises(read(source)).items():
            names = ", ".join(f'"{name}"' for name in answers(cells["check"]))
            code = f"answers = [{names}]\ncode = '''\n{cells['test'].source}\n'''\n"
            parts.append(f'["{exercise.removeprefix("ex-")}"]\n{code}')
    return "\n".join(parts)


def products(folder=FOLDER):
    """Returns the text of each file that the sources give, by its path."""
    made = {}
    for source in sources(folder):
        made[folder / f"{source.stem}.ipynb"] = generate(source)
        made[folder / "solutions" / f"{source.stem}.ipynb"] = generate(source, solved=True)
    return {**made, folder.parent / "skinkit" / "exercises.toml": checks(folder)}


def notebooks(folder=FOLDER):
    """Returns the notebooks that are there, with and without solutions."""
    return sorted([*folder.glob("*.ipynb"), *folder.glob("solutions/*.ipynb")])


def problems(folder=FOLDER):
    """Returns one sentence for each file that is not what the sources give."""
    found, expected = [], products(folder)
    for target, text in expected.items():
        name = target.relative_to(folder.parent)
        if not target.exists():
            found.append(f"{name} is missing: {FIX}")
        elif target.read_bytes() != text.encode():
            found.append(f"{name} is not what notebooks/src gives: {FIX}")
    for target in notebooks(folder):
        if target not in expected:
            found.append(f"{target.name} has no src/{target.stem}.py: write it, or remove this file")
    return found


def was_used(target):
    """Returns whether a notebook holds outputs, which one that is made here never does."""
    return any(cell.get("outputs") for cell in jupytext.read(target).cells)


def write(folder=FOLDER):
    """Writes what is missing or out of date and returns the paths written; a notebook that was used stays."""
    written, expected = [], products(folder)
    if used := [target.name for target in notebooks(folder) if target in expected and was_used(target)]:
        raise SystemExit(
            f"Somebody has worked in {', '.join(used)}: there are outputs. Save the work under another name, "
            "then `git checkout` what was there"
        )
    for target, text in expected.items():
        if not target.exists() or target.read_bytes() != text.encode():
            target.parent.mkdir(exist_ok=True)
            part = target.with_suffix(".part")
            part.write_bytes(text.encode())
            part.replace(target)
            written.append(target)
    return written


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--check", action="store_true", help="only say what is out of date")
    if not parser.parse_args(arguments).check:
        for target in write():
            print(f"wrote {target.relative_to(FOLDER.parent)}")
    found = problems()
    print("\n".join(found) if found else f"{len(sources())} notebooks are up to date")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
