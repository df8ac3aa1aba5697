"""Every notebook has the anatomy readers rely on; a message says what to change in the source."""

import ast
import re
import runpy
from collections import Counter
from pathlib import Path

import nbformat
import pytest

ROOT = Path(__file__).parents[2]
BUILD = runpy.run_path(str(ROOT / "notebooks" / "build.py"))
SOURCES = BUILD["sources"]()

MOST_CELLS, MOST_CODE_LINES, MOST_LINES_IN_A_CELL = 60, 250, 12
PARAMETERS = {"PROFILE", "SEED", "DATA_DIR", "OUT_DIR"}
CLOSING_SECTIONS = ["What could go wrong", "Exercises"]
MACHINE_PATH = re.compile(r"(?<![\w.:/])/(home|Users|tmp|content|root|mnt|work)/|\b[A-Z]:\\|\.\./shared")


def code_cells(notebook, tag=None):
    return [
        cell
        for cell in notebook.cells
        if cell.cell_type == "code" and (tag is None or tag in cell.metadata.get("tags", []))
    ]


def prose(notebook):
    cells = [cell.source for cell in notebook.cells if cell.cell_type == "markdown"]
    return re.sub(r"```.*?```", "", "\n\n".join(cells), flags=re.DOTALL)


def headings(notebook, level):
    return re.findall(rf"^{'#' * level} (.+)$", prose(notebook), flags=re.MULTILINE)


def lines_of(cell):
    return [line for line in cell.source.splitlines() if line.strip()]


def title_and_buttons(notebook, stem):
    if not re.fullmatch(r"\d\d(_[a-z0-9]+){2,}", stem):
        yield "name the file NN_verb_object.py"
    if len(headings(notebook, 1)) != 1 or not notebook.cells[0].source.startswith("# "):
        yield "start with one `# Title` and use `##` for everything below it"
    slug = BUILD["WORDS"]["REPOSITORY_SLUG"]
    colab = f"https://colab.research.google.com/github/{slug}/blob/main/notebooks/{stem}.ipynb"
    row = next((row for row in notebook.cells[0].source.split("\n\n") if "](https://" in row), "")
    if slug and f"]({colab})" not in row:
        yield f"put a Colab badge that leads to {colab} into the first cell"
    links = re.findall(r"\]\((https://[^)]+)\)", row.replace(slug or "none", "own"))
    # The badge's image and the links into this repository do not lead to a document.
    if not [link for link in links if "/own/" not in link and not link.endswith(".svg")]:
        yield "put a link to the document's section into the row of the Colab badge"


def promise(notebook, stem):
    table = [line for line in notebook.cells[1].source.lower().splitlines() if line.startswith("|")]
    for word in ("cpu", "t4", "memory", "data"):
        if not table or word not in table[0]:
            yield f"give the table of the second cell a column `{word}`"
    for profile in ("smoke", "quick", "full"):
        if not any(f"`{profile}`" in line for line in table):
            yield f"give the table of the second cell a row for `{profile}`"
    if "You will produce" not in notebook.cells[1].source:
        yield "say `You will produce ...` in the second cell"
    if "not for clinical use" not in prose(notebook).lower():
        yield "say `Not for clinical use`"


def imports_of(notebook):
    """The third code cell, and the fourth where twelve lines do not hold all imports."""
    third, fourth = code_cells(notebook)[2:4]
    return [third, fourth] if re.match("(import|from) ", fourth.source) else [third]


def first_code_cells(notebook, stem):
    install, parameters = code_cells(notebook)[:2]
    imports = imports_of(notebook)
    if "install" not in install.metadata.get("tags", []):
        yield 'tag the first code cell "install"'
    release = [BUILD["WORDS"]["RELEASE_TAG"]] if BUILD["REPOSITORY"] else []
    for word in ("find_spec", "--quiet", "skinkit-*.whl", *release):
        if word not in install.source:
            yield f"use {word} in the install cell: conditional, quiet, a wheel or a released version"
    if 'import_module("skinkit")' not in lines_of(install)[-1]:
        yield 'end the install cell with importlib.import_module("skinkit"): it quiets TensorFlow\'s start'
    if "--upgrade" in install.source:
        yield "do not upgrade what Colab has installed"
    if code_cells(notebook, "parameters") != [parameters]:
        yield 'tag the second code cell "parameters", and no other'
    if lines_of(imports[-1])[-1] != "skinkit.report_environment()":
        yield "end the third code cell, the imports, with `skinkit.report_environment()`"
    for cell in code_cells(notebook)[2 + len(imports) :]:
        if re.search(r"^\s*(import|from) ", cell.source, flags=re.MULTILINE):
            yield f"move the import of cell {cell.id} to the third code cell"


def real_images(notebook, stem):
    """Where a chapter reads a data set, one cell says three ways to get it, each with size and time."""
    cells = code_cells(notebook, "images")
    reads = any("available_profile" in cell.source for cell in imports_of(notebook))
    if [cell.id for cell in cells] != [code_cells(notebook)[2 + len(imports_of(notebook))].id] * reads:
        yield 'tag the code cell behind the imports "images" where real images can be used, and no other'
    for cell in cells:
        ways = re.findall(r"^# skinkit\.data\.\w+\(.*\)  # .*(?:minute|hour)", cell.source, re.MULTILINE)
        if len(ways) < 3:
            yield f"give cell {cell.id} three ways to real images, one a line, each with size and minutes"


def parameters(notebook, stem):
    for cell in code_cells(notebook, "parameters"):
        # Behind the value of a slider Colab wants its form; what it does then stands above it.
        said = re.sub(r"(?m)^(# .+)\n([A-Z_0-9]+ = .+?)  # @param \{.+\}$", r"\2  \1", cell.source)
        names = re.findall(r"^([A-Z_0-9]+) = .+?  # (?!@param)\S.*$", said, flags=re.MULTILINE)
        if len(names) != len([line for line in said.splitlines() if line.strip()]):
            yield "write each line of the parameters cell as `NAME = value  # what it does`"
        for name in sorted(PARAMETERS - set(names)):
            yield f"add {name} to the parameters cell"


def sizes(notebook, stem):
    if len(notebook.cells) > MOST_CELLS:
        yield f"{len(notebook.cells)} cells: at most {MOST_CELLS}"
    lines = [line for cell in code_cells(notebook) for line in lines_of(cell)]
    total = sum(not line.startswith("#") for line in lines)
    if total > MOST_CODE_LINES:
        yield f"{total} lines of code: at most {MOST_CODE_LINES}; move code to the package"
    for cell in code_cells(notebook):
        if len(lines_of(cell)) > MOST_LINES_IN_A_CELL:
            yield f"split cell {cell.id}: {len(lines_of(cell))} lines of {MOST_LINES_IN_A_CELL}"
        if not lines_of(cell):
            yield f"remove the empty cell {cell.id}"


def closing(notebook, stem):
    found = [heading for heading in headings(notebook, 2) if heading in CLOSING_SECTIONS]
    if found != CLOSING_SECTIONS:
        yield f"close with the sections {CLOSING_SECTIONS}, in this order; found {found}"


def exercises(notebook, stem):
    ids = re.findall(r"^### (ex-\d\d-\d+): \S", prose(notebook), flags=re.MULTILINE)
    wanted = [f"ex-{stem[:2]}-{number}" for number in range(1, len(ids) + 1)]
    if not ids or ids != wanted:
        yield f"head the exercises `### ex-{stem[:2]}-1: question` and so on; found {ids}"
    for exercise in ids:
        tags = [cell.metadata.get("tags", []) for cell in code_cells(notebook, exercise)]
        if tags != [[role, exercise] for role in BUILD["ROLES"]]:
            yield f"give {exercise} code cells tagged {', '.join(BUILD['ROLES'])}, in this order"
        else:
            yield from one_exercise(exercise, *code_cells(notebook, exercise))


def one_exercise(exercise, answer, solution, check, test, hidden, wrong):
    call = f'skinkit.check("{exercise.removeprefix("ex-")}", '
    if not re.fullmatch(re.escape(call) + r"\w+(, \w+)*\)", check.source):
        yield f"let the check cell of {exercise} be {call}answer)"
    if not isinstance(check.metadata.points, int) or check.metadata.points < 1:
        yield f"give the check cell of {exercise} one point or more"
    asserts = [node for node in ast.walk(ast.parse(test.source)) if isinstance(node, ast.Assert)]
    if not asserts or None in [node.msg for node in asserts]:
        yield f"let the test cell of {exercise} assert something, each time with a hint"
    if "'''" in test.source:
        yield f"use no ''' in the test cell of {exercise}: it is kept between them"
    if "assert " not in hidden.source:
        yield f"let the hidden cell of {exercise} assert something"
    lines, answers = wrong.source.splitlines(), ast.parse(wrong.source).body
    if not answers or not all(lines[each.lineno - 2].startswith("# ") for each in answers):
        yield f"let each wrong answer of {exercise} have a comment above it that says why"


def no_machine_paths(notebook, stem):
    for cell in notebook.cells:
        if found := MACHINE_PATH.search(cell.source):
            yield f"cell {cell.id}: {found.group()!r} is one machine's; use DATA_DIR or OUT_DIR"


def no_outputs(notebook, stem):
    for cell in code_cells(notebook):
        if cell.outputs or cell.execution_count is not None:
            yield f"cell {cell.id} has outputs: {BUILD['FIX']}"


# Of what the student gets; the last two of all cells of a source.
RULES = [title_and_buttons, promise, first_code_cells, real_images, parameters, sizes, closing, no_outputs]
SOURCE_RULES = [exercises, no_machine_paths]


def problems(source):
    notebook, cells = nbformat.reads(BUILD["generate"](source), as_version=4), BUILD["read"](source)
    found = [problem for rule in RULES for problem in rule(notebook, source.stem)]
    return found + [problem for rule in SOURCE_RULES for problem in rule(cells, source.stem)]


def test_the_exercise_in_contributing_is_a_real_one():
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    [example] = re.findall(r"```py\n(# %% \[markdown\]\n# ### ex-.*?)```", text, re.DOTALL)
    # The first of a chapter has the chapter's words above it.
    assert example.partition("\n")[2] in (ROOT / "notebooks/src/03_train_a_cnn.py").read_text(
        encoding="utf-8"
    )


def test_there_is_a_notebook():
    assert SOURCES, "notebooks/src has no NN_verb_object.py"


@pytest.mark.parametrize("source", SOURCES, ids=lambda source: source.stem)
def test_notebook_has_the_anatomy(source):
    found = problems(source)
    assert not found, f"in notebooks/src/{source.name}:\n" + "\n".join(f"- {line}" for line in found)


@pytest.mark.parametrize("notebook", BUILD["notebooks"](), ids=lambda path: f"{path.parent.stem}-{path.stem}")
def test_committed_notebook_has_no_outputs(notebook):
    assert not list(no_outputs(nbformat.read(notebook, as_version=4), notebook.stem))


def test_no_function_is_defined_twice():
    names = Counter(
        node.name
        for source in SOURCES
        for node in ast.walk(ast.parse(source.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef | ast.ClassDef)
    )
    twice = [name for name, times in names.items() if times > 1]
    assert not twice, f"{twice}: on its second use a function moves to the package"


def test_numbers_are_used_once_and_in_order():
    numbers = [source.name[:2] for source in SOURCES]
    assert numbers == [f"{number:02d}" for number in range(len(numbers))]


COLAB = "https://colab.research.google.com/github/REPOSITORY_SLUG/blob/main/notebooks"
GOOD = f"""# %% [markdown]
# # Look twice
# [![Colab](https://b.svg)]({COLAB}/01_look_twice.ipynb) [Section 2](https://doi.org/1)

# %% [markdown]
# You will produce Figure 1. Not for clinical use.
#
# | profile | CPU | T4 | memory | data |
# | --- | --- | --- | --- | --- |
# | `smoke` | 1 s | 1 s | 1 GB | none |
# | `quick` | 1 s | 1 s | 1 GB | none |
# | `full` | 1 s | 1 s | 1 GB | none |

# %% tags=["install"]
if find_spec("skinkit") is None:
    run("pip install --quiet " + (glob("skinkit-*.whl") or "skinkit@RELEASE_TAG"))
import_module("skinkit")

# %% tags=["parameters"]
PROFILE = "quick"  # how much
SEED = 0  # any integer
DATA_DIR = None  # the images
OUT_DIR = "results"  # the figures

# %%
import numpy

# %%
import skinkit
from skinkit.experiments import available_profile

skinkit.report_environment()

# %% tags=["images"]
# skinkit.data.get("dataverse")  # 2.8 GB, 3 to 10 minutes
# skinkit.data.get("kaggle")  # 5.6 GB, 4 to 15 minutes
# skinkit.data.get("drive")  # no download, 2 minutes

# %% [markdown]
# ## What could go wrong
# ## Exercises
# ### ex-01-1: How many?

# %% tags=["exercise", "ex-01-1"]
answer = None

# %% tags=["solution", "ex-01-1"]
answer = 2

# %% tags=["check", "ex-01-1"] points=1
skinkit.check("01-1", answer)

# %% tags=["test", "ex-01-1"]
assert answer == 2, "count again"

# %% tags=["hidden", "ex-01-1"]
assert answer - 1 == 1

# %% tags=["wrong", "ex-01-1"]
# One was forgotten.
answer = 1
"""


OUT_OF_ORDER = '# %% tags=["wrong", "ex-01-1"]\n\n# %% tags=["solution"'


def problems_of_source(text, tmp_path, stem="01_look_twice"):
    source = tmp_path / f"{stem}.py"
    source.write_text(text, encoding="utf-8")
    return problems(source)


def test_a_notebook_with_the_anatomy_passes(tmp_path):
    assert problems_of_source(GOOD, tmp_path) == []


def test_the_form_of_a_slider_may_stand_behind_its_value(tmp_path):
    slider = '# any integer\nSEED = 0  # @param {type:"slider", min:0}'
    assert problems_of_source(GOOD.replace("SEED = 0  # any integer", slider), tmp_path) == []


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("# # Look twice", "# # Look twice\n# # Again", "start with one `# Title`"),
        ("01_look_twice.ipynb", "02_look_twice.ipynb", "put a Colab badge that leads to"),
        (" [Section 2](https://doi.org/1)", "", "a link to the document's section"),
        ("| memory ", "| space ", "column `memory`"),
        ("| T4 ", "", "column `t4`"),
        ("# | `quick` | 1 s | 1 s | 1 GB | none |\n", "", "row for `quick`"),
        ("You will produce", "See", "say `You will produce"),
        ("Not for clinical use.", "", "say `Not for clinical use`"),
        ('tags=["install"]', "", 'tag the first code cell "install"'),
        ("--quiet ", "", "use --quiet"),
        ('import_module("skinkit")\n', "", "end the install cell with"),
        ("--quiet", "--quiet --upgrade", "do not upgrade"),
        ("@RELEASE_TAG", "", "a released version"),
        ("skinkit-*.whl", "", "use skinkit-*.whl"),
        ('tags=["images"]', "", 'behind the imports "images"'),
        ("from skinkit.experiments import available_profile\n", "", 'behind the imports "images"'),
        ("# no download, 2 minutes", "", "three ways to real images"),
        ('tags=["parameters"]', "", 'tag the second code cell "parameters"'),
        ("SEED = 0  # any integer", "SEED = 0", "as `NAME = value  # what it does`"),
        ("SEED = 0  # any integer", "SEED = 0  # @param {min:0}", "as `NAME = value  # what it does`"),
        ("SEED = 0  # any integer\n", "", "add SEED"),
        ("skinkit.report_environment()", "print(1)", "end the third code cell"),
        ("answer = None", "import os\n\nanswer = None", "move the import of cell 8"),
        ("answer = None", "answer = None\n" * 12, "split cell 8: 13 lines of 12"),
        ("# ## Exercises\n", "# ## Exercises\n\n# %%\n\n# %% [markdown]\n", "remove the empty cell 8"),
        ("answer = None", "answer = None\n\n# %% [markdown]\n# -" * 60, "cells: at most 60"),
        ("answer = None", "# %%\n" + "a = 1\n" * 250, "lines of code: at most 250"),
        ("# ## What could go wrong\n", "", "close with the sections"),
        ("# ### ex-01-1", "# ### ex-01-2", "head the exercises `### ex-01-1"),
        (
            '# %% tags=["solution"',
            OUT_OF_ORDER,
            "give ex-01-1 code cells tagged exercise, solution",
        ),
        ('check("01-1", answer)', 'check("01-2", answer)', 'of ex-01-1 be skinkit.check("01-1", answer)'),
        ("points=1", "points=0", "give the check cell of ex-01-1 one point"),
        (', "count again"', "", "let the test cell of ex-01-1 assert something, each time with a hint"),
        ("assert answer - 1 == 1", "answer", "let the hidden cell of ex-01-1 assert"),
        ("# One was forgotten.\n", "", "let each wrong answer of ex-01-1 have a comment"),
        ('"results"', '"/home/me/results"', "is one machine's"),
    ],
)
def test_what_is_missing_is_named(old, new, message, tmp_path):
    assert old in GOOD
    found = problems_of_source(GOOD.replace(old, new, 1), tmp_path)
    assert any(message in problem for problem in found), found


def test_a_name_without_verb_and_object_is_named(tmp_path):
    found = problems_of_source(GOOD, tmp_path, stem="01_look")
    assert "name the file NN_verb_object.py" in found
