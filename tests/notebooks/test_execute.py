"""Every notebook runs from top to bottom in `smoke`: no images, no GPU, nothing written elsewhere.

What runs is the notebook with solutions. Before each of its answers the exercise is tried as the student
finds it, and after it with the typical wrong answers. The executed copy and what it printed are kept in
results/executed (not in git).
"""

import ast
import json
import os
import runpy
import subprocess
from pathlib import Path

import nbformat
import pytest
from warm_python import write_kernel

ROOT = Path(__file__).parents[2]
BUILD = runpy.run_path(str(ROOT / "notebooks" / "build.py"))
EXECUTED = ROOT / "results" / "executed"
SECONDS = 300
MOST_BYTES = 1_000_000
# Notebooks that need an extra, and a package of it.
EXTRAS = {"19_serve_a_model": ("serve", "fastapi")}
# Parameters with which a notebook trains and measures less, and shows the same.
FEWER = {
    "02_build_pipelines": {"REPEATS": 1},
    "03_train_a_cnn": {"EPOCHS": 2},
    "06_train_vgg_with_soft_attention": {"ARMS": ["table4a/cnn", "table4b/cnn-sa"]},
    "10_add_patch_attention": {"DROPOUTS": ["0.2"]},
    "11_balance_classes": {"EXPONENTS": []},
    "13_learn_features_without_labels": {"PROTOCOLS": ["corrected"]},
    "14_add_patient_context": {"ROWS": ["base", "attention", "zscore"]},
    "15_focus_and_mix": {"GAMMAS": ["0"]},
    "17_guess_the_turn_restore_the_image": {"RESTORERS": ["restoration"]},
    "21_build_an_ensemble": {"MEMBERS": 2},
}
# Notebooks that look at the same runs, which the first of them trains.
TOGETHER = (
    ("03_train_a_cnn", "04_evaluate_and_report", "05_explain_with_grad_cam"),
    ("06_train_vgg_with_soft_attention", "08_see_the_leak"),
    ("09_compare_input_strategies", "10_add_patch_attention", "11_balance_classes"),
)
# The one that loads TensorFlow itself, as it does at a user's.
COLD = "03_train_a_cnn"
EMPTY = """
{open}
try:
    {check}
except AssertionError as error:
    assert "the check stopped" not in str(error), error
else:
    raise RuntimeError("{exercise}: the check passes an empty answer")
"""
WRONG = """
for _wrong in {answers!r}:
    for _name, _test in {tests!r}.items():
        _session = globals().copy()
        exec(_wrong, _session)
        try:
            exec(_test, _session)
        except Exception:
            continue
        raise RuntimeError(f"{exercise}: the {{_name}} passes {{_wrong}}")
"""


def with_probes(source):
    """Returns the notebook with solutions, in which each exercise is tried open, and with wrong answers."""
    cells, tried = [], BUILD["exercises"](BUILD["read"](source))
    notebook = nbformat.reads(BUILD["generate"](source, solved=True), as_version=4)
    for cell in notebook.cells:
        role, *exercise = cell.metadata.get("tags", [None])
        if role == "exercise":
            cells.append(nbformat.v4.new_code_cell(empty_probe(*exercise, tried[exercise[0]])))
        cells.append(cell)
        if role == "check":
            cells.append(nbformat.v4.new_code_cell(wrong_probe(*exercise, tried[exercise[0]])))
    notebook.cells = cells
    return notebook


def empty_probe(exercise, cells):
    """Returns code that fails where the check passes an empty answer, or refuses it without a hint."""
    return EMPTY.format(exercise=exercise, open=cells["exercise"].source, check=cells["check"].source)


def wrong_probe(exercise, cells):
    """Returns code that fails where check or hidden test passes the open cell or a typical wrong answer."""
    answers = [cells["exercise"].source, *map(ast.unparse, ast.parse(cells["wrong"].source).body)]
    tests = {"check": cells["check"].source, "hidden test": cells["hidden"].source}
    return WRONG.format(exercise=exercise, answers=answers, tests=tests)


def environment(folder):
    """Returns variables without a GPU, without real images, without the tester's own settings."""
    hidden = {"SKINKIT_DATA", "MPLBACKEND", "PYTHONWARNINGS", "TF_CPP_MIN_LOG_LEVEL"}
    kept = {name: value for name, value in os.environ.items() if name not in hidden}
    return kept | {
        "CUDA_VISIBLE_DEVICES": "-1",
        "PYTHONPATH": str(ROOT),
        "IPYTHONDIR": str(folder / "ipython"),
        "JUPYTER_DATA_DIR": str(folder / "jupyter"),
        "JUPYTER_RUNTIME_DIR": str(folder / "jupyter"),
    }


def execute(source, folder, out, warm):
    """Runs papermill in a process of its own, so that one limit holds for the whole notebook."""
    EXECUTED.mkdir(parents=True, exist_ok=True)
    start, at_once = folder / "start", folder / "ipython" / "profile_default" / "startup"
    start.mkdir()
    at_once.mkdir(parents=True)
    # As in conftest.py.
    (at_once / "collect_less.py").write_text("import gc; gc.set_threshold(50_000, 20, 20)", encoding="utf-8")
    tried = folder / f"{source.stem}.ipynb"
    nbformat.write(with_probes(source), tried)
    write_kernel(folder / "jupyter", warm, "warm")
    command = [*warm, "papermill", str(tried), str(EXECUTED / tried.name)]
    command += ["--kernel", "python3" if source.stem == COLD else "warm"]
    command += ["--log-output", "--no-progress-bar", "--cwd", str(start)]
    parameters = {"PROFILE": "smoke", "OUT_DIR": str(out)} | FEWER.get(source.stem, {})
    command += ["--parameters_yaml", json.dumps(parameters)]
    log = EXECUTED / f"{source.stem}.log"
    with log.open("w", encoding="utf-8") as stream:
        both = {"stdout": stream, "stderr": stream}
        done = subprocess.run(command, env=environment(folder), timeout=SECONDS, check=False, **both)
    return done.returncode, log.read_text(encoding="utf-8")


def noise(notebook):
    """Returns what an executed notebook shows of stderr and of TensorFlow's warnings: nothing of ours."""
    cells = nbformat.read(notebook, as_version=4).cells
    outputs = [output for cell in cells for output in cell.get("outputs", ()) if "text" in output]
    return [each.text for each in outputs if each.name == "stderr" or "WARNING:tensorflow" in each.text]


def group_of(notebook):
    """Returns the name under which it shares runs with others."""
    return next((group[0] for group in TOGETHER if notebook in group), notebook)


def in_one_process(source):
    """Returns the parameter of a notebook, with the mark that keeps those with the same runs together."""
    return pytest.param(source, id=source.stem, marks=pytest.mark.xdist_group(group_of(source.stem)))


@pytest.mark.parametrize("source", [in_one_process(source) for source in BUILD["sources"]()])
def test_notebook_runs_in_smoke(source, tmp_path, tmp_path_factory, warm_python):
    if source.stem in EXTRAS:
        extra, package = EXTRAS[source.stem]
        pytest.importorskip(package, reason=f"needs pip install 'skinkit[{extra}]'")
    out = tmp_path_factory.getbasetemp() / group_of(source.stem)
    returncode, log = execute(source, tmp_path, out, warm_python)
    executed = EXECUTED / f"{source.stem}.ipynb"
    assert returncode == 0, f"see results/executed/{executed.name}\n{log[-3000:]}"
    assert not noise(executed)
    stray = [path.name for path in (tmp_path / "start").iterdir()]
    assert not stray, f"{stray}: write below OUT_DIR only"
    size = executed.stat().st_size
    assert size < MOST_BYTES, f"{size} bytes executed: show fewer or smaller images"


@pytest.mark.parametrize(
    ("check", "message"),
    [
        ('assert answer == 2, "count again"', None),
        ('raise AssertionError("the check stopped with TypeError")', "the check stopped"),
        ("assert answer != 2", "passes an empty answer"),
    ],
)
def test_an_empty_answer_needs_a_check_that_fails_with_a_hint(check, message):
    code = empty_probe("ex-01-1", cells_of(exercise="answer = None", check=check))
    if message is None:
        exec(code, {})
    else:
        with pytest.raises((AssertionError, RuntimeError), match=message):
            exec(code, {})


@pytest.mark.parametrize(("role", "name"), [("check", "check"), ("hidden", "hidden test")])
def test_a_guess_needs_a_check_and_a_hidden_test_that_fail(role, name):
    tests = dict.fromkeys(("check", "hidden"), "assert answer == 2")
    wrong = "# Even.\nanswer = 1\n# Odd.\nanswer = 3"
    session = {"answer": 2}
    exec(wrong_probe("ex-01-1", cells_of(exercise="answer = None", wrong=wrong, **tests)), session)
    assert session["answer"] == 2
    cells = cells_of(exercise="answer = None", wrong=wrong, **tests | {role: "assert answer < 3"})
    with pytest.raises(RuntimeError, match=f"ex-01-1: the {name} passes answer = 1"):
        exec(wrong_probe("ex-01-1", cells), session)


def cells_of(**sources):
    return {role: nbformat.v4.new_code_cell(source) for role, source in sources.items()}
