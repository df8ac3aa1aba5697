"""The start of TensorFlow: its fast kernels on, its log off, no search for garbage meanwhile."""

import contextlib
import gc
import importlib.machinery
import logging
import os
import platform
import re
import sys
import tempfile

_LEVEL = "TF_CPP_MIN_LOG_LEVEL"
_ONEDNN = "TF_ENABLE_ONEDNN_OPTS"


def use_onednn():
    """Turns on TensorFlow's oneDNN kernels on x86 processors, unless the user has said yes or no.

    On Linux, TensorFlow turns them on itself only where the processor has AVX512-VNNI or newer; without, a
    training step of EfficientNet-Lite on an AVX2 processor takes 1.3 to 1.8 times as long.
    """
    if platform.machine().lower() in ("x86_64", "amd64"):
        os.environ.setdefault(_ONEDNN, "1")


def start_quietly():
    """Lets TensorFlow log fatal errors only, from its import on; what fails still raises.

    A level that is set already stays. TensorFlow 2.21 logs some lines before it reads the
    variable (that oneDNN is on, that there is no GPU): they are left out here, by the same level.
    """
    os.environ.setdefault(_LEVEL, "3")
    logging.getLogger("tensorflow").addFilter(_is_news)
    if "tensorflow" not in sys.modules and _QuietFinder not in sys.meta_path:
        sys.meta_path.insert(0, _QuietFinder)


def _is_news(record):
    """Leaves out that Keras traces too often: TensorFlow counts the calls of all networks as those of one.

    Each network is traced once, so a notebook that trains several for a few steps would be warned.
    """
    message = record.getMessage()
    return "triggered tf.function retracing" not in message or "TensorFlowTrainer." not in message


class _QuietFinder:
    """Finds TensorFlow where Python does, and loads it without its log and without a search for garbage."""

    @staticmethod
    def find_spec(name, path=None, target=None):
        if name != "tensorflow":
            return None
        spec = importlib.machinery.PathFinder.find_spec(name, path, target)
        if spec is not None:
            spec.loader.exec_module = _without_garbage()(_without_log()(spec.loader.exec_module))
        return spec


@contextlib.contextmanager
def _without_garbage():
    """Lets Python look for no garbage while it loads modules, which are kept: half a second less."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


@contextlib.contextmanager
def _without_log():
    """Holds back what is written to file descriptor 2, and hands on what is not TensorFlow's log."""
    try:
        stderr = os.dup(2)
    except OSError:  # a process without stderr
        yield
        return
    with tempfile.TemporaryFile() as held:
        os.dup2(held.fileno(), 2)
        try:
            yield
        finally:
            os.dup2(stderr, 2)
            os.close(stderr)
            held.seek(0)
            os.write(2, _log_lines().sub(b"", held.read()))


def _log_lines():
    """The lines that Abseil logs below the level: `I0000 00:00:... port.cc:153] oneDNN ...`."""
    level = os.environ[_LEVEL]
    severities = "IWE"[: int(level)] if level.isdigit() else ""
    if not severities:
        return re.compile(rb"(?!)")
    return re.compile(
        rf"^(?:[{severities}]\d{{4}} |WARNING: All log messages before absl).*\n".encode(), re.M
    )
