"""Tables of results, printed and written with the machine that they were measured on; and peak memory."""

import datetime
import importlib.metadata
import importlib.util
from pathlib import Path

# Before any script imports TensorFlow: skinkit turns on its fast kernels.
from skinkit.experiments.environment import environment

# Where they are installed; skinkit's own report knows the others.
_COMPARED = ("torch", "timm", "albumentations")
_OURS = ("python", "tensorflow", "keras", "numpy", "scikit-learn", "opencv-python")


def show(table, out=None, digits=3):
    """Prints a table, and writes it to a CSV file if one is named.

    Args:
        table: DataFrame, one row for each thing measured; the name of its index is that of the first column.
        out: Path of the CSV file, or `None`. The same columns in each row name the machine, so that tables of
            several machines can be put below each other.
        digits: Integer, decimals to print.
    """
    said = machine()
    print(", ".join(f"{name}: {value}" for name, value in said.items()))
    print(table.to_string(float_format=f"{{:.{digits}f}}".format))
    if out:
        table.assign(**said).to_csv(out, float_format="%.3f")


def machine():
    """Returns what a time depends on, as a dictionary of strings."""
    found = environment()
    versions = {name: found[name] for name in _OURS}
    versions |= {
        name: importlib.metadata.version(name) for name in _COMPARED if importlib.util.find_spec(name)
    }
    return {
        "processor": found["processor"],
        "features": found["processor_features"],
        "cores": found["cpu_cores"],
        "device": found["device"],
        "versions": "; ".join(f"{name} {version}" for name, version in versions.items()),
        "commit": found["commit"],
        "date": f"{datetime.date.today()}",
    }


def peak_memory():
    """MiB; from /proc, because getrusage starts with the peak of the process that started this."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(status.split("VmHWM:")[1].split()[0]) / 1024
