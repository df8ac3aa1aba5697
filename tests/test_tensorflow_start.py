"""What processes that use skinkit write to stderr, and what is held back."""

import logging
import os
import platform
import subprocess
import sys

import numpy as np
import pytest

from skinkit.tensorflow_start import _without_log, use_onednn

START = (
    "import skinkit, keras, tensorflow as tf; tf.constant(1) + 1; import sys; print('ours', file=sys.stderr)"
)
WARNING = b"WARNING: All log messages before absl::InitializeLog() is called are written to STDERR\n"
INFORMATION = b"I0000 00:00:1795915150.623778    7480 port.cc:153] oneDNN custom operations are on.\n"
ERROR = b"E0000 00:00:1795915150.623778    7480 cuda_dnn.cc:8579] Unable to register cuDNN factory\n"
FATAL = b"F0000 00:00:1795915150.623778    7480 check.cc:1] Check failed\n"


def test_tensorflow_starts_without_a_word():
    environment = {name: value for name, value in os.environ.items() if name != "TF_CPP_MIN_LOG_LEVEL"}
    done = subprocess.run(
        [sys.executable, "-c", START], env=environment, capture_output=True, text=True, check=True
    )
    assert done.stderr == "ours\n"


@pytest.mark.parametrize(("before", "after"), [(None, "1"), ("0", "0"), ("1", "1")])
@pytest.mark.skipif(platform.machine().lower() not in ("x86_64", "amd64"), reason="kernels of x86 processors")
def test_onednn_is_on_unless_somebody_has_said_no(before, after, monkeypatch):
    from skinkit.experiments.environment import environment

    monkeypatch.setenv("TF_ENABLE_ONEDNN_OPTS", before or "")
    if before is None:
        monkeypatch.delenv("TF_ENABLE_ONEDNN_OPTS")
    use_onednn()
    assert (os.environ["TF_ENABLE_ONEDNN_OPTS"], environment()["onednn"]) == (after, after)


@pytest.mark.skipif(platform.machine().lower() not in ("x86_64", "amd64"), reason="kernels of x86 processors")
def test_it_is_on_before_tensorflow_is_loaded(mock):
    done = mock(
        "import os, skinkit, tensorflow; print(tensorflow.onednn)", start="unset TF_ENABLE_ONEDNN_OPTS;"
    )
    assert (done.returncode, done.stdout) == (0, "1\n")


@pytest.mark.parametrize(
    ("level", "kept"),
    [
        ("0", WARNING + INFORMATION + b"ours\n" + ERROR + FATAL),
        ("1", b"ours\n" + ERROR + FATAL),
        ("3", b"ours\n" + FATAL),
        ("loud", WARNING + INFORMATION + b"ours\n" + ERROR + FATAL),
    ],
)
def test_what_is_above_the_level_and_what_is_not_tensorflows_is_handed_on(
    level, kept, monkeypatch, capfdbinary
):
    monkeypatch.setenv("TF_CPP_MIN_LOG_LEVEL", level)
    with pytest.raises(ImportError, match="broken"), _without_log():
        os.write(2, WARNING + INFORMATION + b"ours\n" + ERROR + FATAL)
        raise ImportError("broken")
    assert capfdbinary.readouterr().err == kept


def test_each_network_may_be_traced_once_and_a_function_of_ones_own_is_still_told(caplog):
    import keras
    import tensorflow as tf

    logger = logging.getLogger("tensorflow")
    logger.addHandler(caplog.handler)
    try:
        for _ in range(6):
            network = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
            network.predict_on_batch(np.ones((1, 1)))
        assert "retracing" not in caplog.text
        own = tf.function(lambda one: one)
        for number in range(6):
            own(number)
        assert "retracing" in caplog.text
    finally:
        logger.removeHandler(caplog.handler)


@pytest.fixture
def mock(tmp_path):
    """Runs code with a `tensorflow` that only logs a line."""
    package = tmp_path / "tensorflow"
    package.mkdir()
    (package / "__init__.py").write_text(
        f"import gc, os\nos.write(2, {INFORMATION!r})\ncollects = gc.isenabled()\n"
        "onednn = os.environ.get('TF_ENABLE_ONEDNN_OPTS')\n"
    )

    def run(code, start="", end=""):
        command = ["sh", "-c", f'{start} exec "$0" -c "$1" {end}', sys.executable, code]
        environment = {**os.environ, "PYTHONPATH": f"{tmp_path}:{os.environ.get('PYTHONPATH', '')}"}
        return subprocess.run(command, env=environment, capture_output=True, text=True)

    return run


def test_a_process_without_stderr_starts_too(mock):
    done = mock("from skinkit.tensorflow_start import _without_log as w; w()(print)('begun')", end="2>&-")
    assert (done.returncode, done.stdout) == (0, "begun\n")


def test_looking_for_tensorflow_does_not_load_it(mock):
    look = "import sys, skinkit; from importlib.util import find_spec; find_spec('tensorflow')"
    done = mock(f"{look}; assert 'tensorflow' not in sys.modules; import tensorflow")
    assert (done.returncode, done.stderr) == (0, "")


def test_garbage_is_left_alone_while_tensorflow_is_loaded_and_only_then(mock):
    done = mock("import gc, skinkit, tensorflow; print(tensorflow.collects, gc.isenabled())")
    assert (done.returncode, done.stdout) == (0, "False True\n")
