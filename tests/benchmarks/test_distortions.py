import importlib
import importlib.util
from pathlib import Path

import pandas as pd
import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture
def script(monkeypatch):
    """The script `distortions` as a module, with few and small batches."""
    monkeypatch.syspath_prepend(ROOT / "benchmarks")
    pipeline = importlib.import_module("pipeline")
    for name in ("BATCH", "WARM_UP", "TIMED"):
        monkeypatch.setattr(pipeline, name, 1)
    module = importlib.import_module("distortions")
    monkeypatch.setattr(module, "SIZE", 32)
    # Of a process that has begun to compute, TensorFlow's threads cannot be changed.
    monkeypatch.setattr("tensorflow.config.threading.set_inter_op_parallelism_threads", lambda number: None)
    return module


def test_all_ways_are_measured_and_albumentations_is_left_out_where_it_is_missing(
    script, monkeypatch, tmp_path, capsys
):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    out = tmp_path / "table.csv"
    words = ["--images", "2", "--repeats", "1", "--out", str(out)]
    monkeypatch.setattr("sys.argv", ["distortions.py", *words])
    script.main()
    table = pd.read_csv(out, index_col="way")
    assert table.index.tolist() == [name for name in script.WAYS if name != script.ALBUMENTATIONS]
    assert (table["images/s"] > 0).all() and "x albumentations" not in table
    said = capsys.readouterr().out
    assert "pip install albumentations==2.0.8" in said and "8.5 to 10.1 images/s" in said


@pytest.mark.skipif(importlib.util.find_spec("albumentations") is None, reason="needs albumentations 2.0.8")
def test_albumentations_takes_the_documents_list(script):
    import numpy as np

    image = np.random.default_rng(0).integers(0, 256, (225, 300, 3), dtype=np.uint8)
    found = script.figure_7_5()(image=image)["image"]
    assert found.shape == (32, 32, 3) and found.dtype == np.float32
