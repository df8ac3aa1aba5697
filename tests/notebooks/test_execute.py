"""Every notebook runs from top to bottom in `smoke`: no images, no GPU, nothing written elsewhere.

The executed copy and what it printed are kept in results/executed (not in git).
"""

import os
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

ROOT = Path(__file__).parents[2]
EXECUTED = ROOT / "results" / "executed"
NOTEBOOKS = sorted((ROOT / "notebooks").glob("[0-9][0-9]_*.ipynb"))
SECONDS = 300
MOST_BYTES = 1_000_000
# From this notebook on, a check fails with a hint while an answer is empty.
FIRST_WITH_HINTS = "15"
# Notebooks that need an extra, and a package of it.
EXTRAS = {"19_serve_a_model": ("serve", "fastapi")}
PROBE = """
try:
    exec({check!r}, globals().copy())
except AssertionError as error:
    assert str(error), {no_hint!r}
else:
    raise RuntimeError({passes!r})
"""


def with_probes(notebook):
    """Returns a notebook that tries the check of each exercise before the solution runs, too."""
    cells, checks = [], {}
    for cell in reversed(notebook.cells):
        tags = cell.metadata.get("tags", [])
        if "check" in tags:
            checks[tags[1]] = cell.source
        if "exercise" in tags:
            cells.append(nbformat.v4.new_code_cell(probe(tags[1], checks[tags[1]])))
        cells.append(cell)
    return nbformat.from_dict({**notebook, "cells": cells[::-1]})


def probe(exercise, check):
    """Returns the code that fails when a check passes an empty answer, or refuses it without a hint."""
    return PROBE.format(
        check=check,
        no_hint=f"{exercise}: the check refuses an empty answer without a hint",
        passes=f"{exercise}: the check passes an empty answer",
    )


def environment(folder):
    """Returns variables without a GPU, without real images, without the tester's own settings."""
    hidden = {"SKINKIT_DATA", "MPLBACKEND", "PYTHONWARNINGS", "TF_CPP_MIN_LOG_LEVEL"}
    kept = {name: value for name, value in os.environ.items() if name not in hidden}
    return kept | {
        "CUDA_VISIBLE_DEVICES": "-1",
        "PYTHONPATH": str(ROOT),
        "SKINKIT_CACHE": str(folder / "cache"),
        "IPYTHONDIR": str(folder / "ipython"),
        "JUPYTER_DATA_DIR": str(folder / "jupyter"),
        "JUPYTER_RUNTIME_DIR": str(folder / "jupyter"),
    }


def execute(notebook, folder):
    """Runs papermill in a process of its own, so that one limit holds for the whole notebook."""
    EXECUTED.mkdir(parents=True, exist_ok=True)
    start = folder / "start"
    start.mkdir()
    tried = folder / notebook.name
    content = nbformat.read(notebook, as_version=4)
    nbformat.write(with_probes(content) if notebook.stem >= FIRST_WITH_HINTS else content, tried)
    command = [sys.executable, "-m", "papermill", str(tried), str(EXECUTED / notebook.name)]
    command += ["--kernel", "python3", "--log-output", "--no-progress-bar", "--cwd", str(start)]
    command += ["--parameters", "PROFILE", "smoke", "--parameters", "OUT_DIR", str(folder / "out")]
    log = EXECUTED / f"{notebook.stem}.log"
    with log.open("w", encoding="utf-8") as stream:
        done = subprocess.run(
            command,
            stdout=stream,
            stderr=stream,
            env=environment(folder),
            timeout=SECONDS,
            check=False,
        )
    return done.returncode, log.read_text(encoding="utf-8")


def noise(notebook):
    """Returns what an executed notebook shows of stderr and of TensorFlow's warnings: nothing of ours."""
    cells = nbformat.read(notebook, as_version=4).cells
    outputs = [output for cell in cells for output in cell.get("outputs", ()) if "text" in output]
    return [each.text for each in outputs if each.name == "stderr" or "WARNING:tensorflow" in each.text]


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebook_runs_in_smoke(notebook, tmp_path):
    if notebook.stem in EXTRAS:
        extra, package = EXTRAS[notebook.stem]
        pytest.importorskip(package, reason=f"needs pip install 'skinkit[{extra}]'")
    returncode, log = execute(notebook, tmp_path)
    assert returncode == 0, f"see results/executed/{notebook.name}\n{log[-3000:]}"
    assert not noise(EXECUTED / notebook.name)
    stray = [path.name for path in (tmp_path / "start").iterdir()]
    assert not stray, f"{stray}: write below OUT_DIR only"
    size = (EXECUTED / notebook.name).stat().st_size
    assert size < MOST_BYTES, f"{size} bytes executed: show fewer or smaller images"


@pytest.mark.parametrize(
    ("check", "message"),
    [
        ('assert answer == 2, "count again"', None),
        ("assert answer == 2", "refuses an empty answer without a hint"),
        ("assert answer != 2", "passes an empty answer"),
        ("assert answer + 1 == 3", "NoneType"),
    ],
)
def test_an_empty_answer_needs_a_check_that_fails_with_a_hint(check, message):
    code = probe("ex-01-1", check)
    if message is None:
        exec(code, {"answer": None})
    else:
        with pytest.raises((AssertionError, RuntimeError, TypeError), match=message):
            exec(code, {"answer": None})


def test_probes_stand_between_an_exercise_and_its_solution():
    tags = [["parameters"], ["exercise", "ex-01-1"], ["solution", "ex-01-1"], ["check", "ex-01-1"]]
    cells = [nbformat.v4.new_code_cell("a", metadata={"tags": each}) for each in tags]
    probed = with_probes(nbformat.v4.new_notebook(cells=cells)).cells
    assert [cell.source == "a" for cell in probed] == [True, True, False, True, True]
