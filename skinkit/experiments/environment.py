"""The environment of a result: versions, device, commit."""

import importlib.metadata
import os
import platform
import subprocess
from pathlib import Path

import numpy as np

from skinkit import __version__

_PACKAGES = ("tensorflow", "keras", "numpy", "pandas", "scikit-learn", "opencv-python")
# Instructions for bfloat16, which NumPy does not look for, as Linux names them on x86 and ARM.
_BFLOAT16 = ("avx512_bf16", "amx_bf16", "bf16")


def environment():
    """Returns versions, device, processor and git commit as a dictionary of strings."""
    return {
        "skinkit": __version__,
        "python": platform.python_version(),
        **{name: _version(name) for name in _PACKAGES},
        "device": _device(),
        "cpu_cores": str(cpu_cores()),
        **_processor(),
        "onednn": os.environ.get("TF_ENABLE_ONEDNN_OPTS", "TensorFlow's default"),
        "commit": _commit(),
    }


def cpu_cores():
    """Returns how many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()


def report_environment():
    """Prints what this notebook or command runs on, and what to do where there is no GPU."""
    facts = environment()
    print(", ".join(f"{name} {value}" for name, value in facts.items() if value))
    if facts["device"] == "CPU":
        print(
            "No GPU found: the quick profile takes minutes, the full profile days. "
            "In Colab: Runtime > Change runtime type > T4 GPU."
        )


def _version(package):
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return ""


def _device():
    import tensorflow as tf

    gpus = tf.config.list_physical_devices("GPU")
    if not gpus:
        return "CPU"
    return tf.config.experimental.get_device_details(gpus[0]).get("device_name", "GPU")


def _processor(described=Path("/proc/cpuinfo")):
    """Name of the processor, and the vector instructions that it has."""
    lines = described.read_text().splitlines() if described.exists() else []
    # Of the last core: they are alike.
    said = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    flags = f"{said.get('flags', '')} {said.get('features', '')}".split()
    found = np.show_config(mode="dicts")["SIMD Extensions"]
    features = [*found["baseline"], *found.get("found", []), *(flag for flag in _BFLOAT16 if flag in flags)]
    name = said.get("model name") or platform.processor()
    return {"processor": name, "processor_features": " ".join(features)}


def _commit():
    here = Path(__file__).parent
    try:
        found = subprocess.run(
            ["git", "-C", str(here), "describe", "--always", "--dirty", "--abbrev=12"],
            capture_output=True,
            text=True,
            timeout=10,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return found.stdout.strip()
