"""skinkit: five documents on skin-lesion classification, reproduced in Keras 3.

Not for clinical use. Importing this package loads neither TensorFlow nor Keras, makes no folder and
downloads nothing; the rooms (`skinkit.data`, `skinkit.pipeline`, ...) are loaded when first used.
"""

import importlib

from skinkit.tensorflow_start import start_quietly, use_onednn

__version__ = "0.1.0"

_ROOMS = (
    "data",
    "pipeline",
    "layers",
    "training",
    "evaluation",
    "explain",
    "plots",
    "models",
    "papers",
    "tasks",
    "experiments",
)
_FUNCTIONS = {
    "check": "exercises",
    "load_model": "models.weights",
    "report_environment": "experiments.environment",
}
_MODULES = {"report": "experiments.report"}

__all__ = ["__version__", *_ROOMS, *_FUNCTIONS, *_MODULES]

use_onednn()
start_quietly()


def __getattr__(name):
    if name in _ROOMS or name in _MODULES:
        return importlib.import_module(f"skinkit.{_MODULES.get(name, name)}")
    if name in _FUNCTIONS:
        return getattr(importlib.import_module(f"skinkit.{_FUNCTIONS[name]}"), name)
    raise AttributeError(f"module 'skinkit' has no attribute {name!r}")


def __dir__():
    return sorted(__all__)
