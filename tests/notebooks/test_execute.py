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
    command = [sys.executable, "-m", "papermill", str(notebook), str(EXECUTED / notebook.name)]
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
    """Returns what an executed notebook shows of stderr: nothing of ours writes there."""
    cells = nbformat.read(notebook, as_version=4).cells
    outputs = [output for cell in cells for output in cell.get("outputs", ())]
    return [output.text for output in outputs if output.get("name") == "stderr"]


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebook_runs_in_smoke(notebook, tmp_path):
    returncode, log = execute(notebook, tmp_path)
    assert returncode == 0, f"see results/executed/{notebook.name}\n{log[-3000:]}"
    assert not noise(EXECUTED / notebook.name)
    stray = [path.name for path in (tmp_path / "start").iterdir()]
    assert not stray, f"{stray}: write below OUT_DIR only"
    size = (EXECUTED / notebook.name).stat().st_size
    assert size < MOST_BYTES, f"{size} bytes executed: show fewer or smaller images"
