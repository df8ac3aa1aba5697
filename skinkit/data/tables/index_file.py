"""Index files: pickles of NumPy arrays, read without running what else may be in them."""

import pickle
from pathlib import Path

import numpy as np

# Names that a pickle of NumPy's arrays holds; their module paths differ between versions of NumPy.
_ARRAY_PARTS = {
    "_reconstruct": np.empty(0).__reduce__()[0],
    "_frombuffer": np.empty(0).__reduce_ex__(5)[0],
    "ndarray": np.ndarray,
    "dtype": np.dtype,
}


class _ArrayUnpickler(pickle.Unpickler):
    """Loads dicts, lists and NumPy arrays; a pickle that names anything else is refused."""

    def find_class(self, module, name):
        if module.split(".")[0] == "numpy" and name in _ARRAY_PARTS:
            return _ARRAY_PARTS[name]
        if (module, name) == ("_codecs", "encode"):
            return _latin1
        raise pickle.UnpicklingError(f"it wants {module}.{name}; only NumPy arrays are allowed")


def _latin1(text, encoding="latin1"):
    if encoding != "latin1":
        raise pickle.UnpicklingError(f"it wants the encoding {encoding}; only latin1 is allowed")
    return text.encode("latin1")


def read_index_file(path):
    """Reads a pickle of NumPy arrays without running anything else that is in it.

    Raises:
        ValueError: if it holds anything but dicts, lists, strings, numbers and NumPy arrays.
    """
    with Path(path).open("rb") as file:
        try:
            # Python 2 wrote its strings as bytes.
            return _ArrayUnpickler(file, encoding="latin1").load()
        except Exception as error:
            raise ValueError(f"{path}: refused as an index file: {error}") from None
