import importlib.util
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture
def script(monkeypatch):
    """The script `training_step` as a module."""
    import keras

    monkeypatch.syspath_prepend(ROOT / "benchmarks")
    yield importlib.import_module("training_step")
    keras.config.set_dtype_policy("float32")


def run(script, monkeypatch, *words):
    monkeypatch.setattr("sys.argv", ["training_step.py", *map(str, words)])
    script.main()


def test_a_pair_is_measured_and_the_table_names_the_machine(script, monkeypatch, tmp_path, capsys):
    tiny = script.network("small_cnn", (16, 16, 3), 2, width=2)
    name = "float32 / bfloat16: small_cnn 72 x 96"
    monkeypatch.setitem(script.PAIRS, name, (tiny, script.replace(tiny, precision="bfloat16")))
    # This process, which knows the tiny pair.
    monkeypatch.setattr(script, "ProcessPoolExecutor", lambda number, *_, **__: ThreadPoolExecutor(number))
    out = tmp_path / "table.csv"
    run(script, monkeypatch, "--kind", "precision", "--pair", name, "--repeats", 1, "--out", out)
    table = pd.read_csv(out, index_col="pair")
    assert table.index.tolist() == [name]
    assert (table[["ms", "ms compared", "ratio"]] > 0).all(axis=None)
    assert table["processor"].notna().all() and "tensorflow 2" in table["versions"].item()
    assert table["processor"].item() in capsys.readouterr().out


def test_a_step_has_the_loss_and_the_heads_of_its_pair(script):
    tiny = script.network("small_cnn", (16, 16, 3), 2, width=2)
    assert (
        script.compiled_model(script.replace(tiny, loss="focal")).loss.name
        == "categorical_focal_crossentropy"
    )
    two = script.replace(tiny, angles=6)
    assert set(script.compiled_model(two).output_names) == {"probabilities", "angle"}
    assert np.isfinite(script.training_step(two)()).all()


def test_keras_layer_takes_the_place_of_ours_and_nothing_else_changes(script):
    import keras

    tiny = script.network("small_cnn", (16, 16, 3), 2, width=2)
    ours, keras_own = (
        script.compiled_model(script.replace(tiny, normalisation=by)) for by in ("skinkit", "Keras")
    )
    kinds = [type(layer) for layer in keras_own.layers]
    assert kinds.count(keras.layers.BatchNormalization) == 6
    assert [layer.name for layer in ours.layers] == [layer.name for layer in keras_own.layers]
    keras_own.set_weights(ours.get_weights())
    images = np.random.default_rng(0).random((2, 16, 16, 3), dtype="float32")
    np.testing.assert_allclose(ours(images), keras_own(images), atol=1e-6)


def test_all_networks_with_the_layer_are_compared(script):
    models = (ROOT / "skinkit/models").rglob("*.py")
    with_layer = [path.stem for path in models if " BatchNormalization(" in path.read_text(encoding="utf-8")]
    assert len(with_layer) >= 6
    names = " ".join(script.KINDS["batch-normalisation"])
    assert [name for name in with_layer if name not in names] == []


def test_pytorch_is_left_out_with_a_message_where_it_is_missing(script, monkeypatch, capsys):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    run(script, monkeypatch, "--kind", "pytorch")
    assert "pip install torch timm" in capsys.readouterr().out
