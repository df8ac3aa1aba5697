"""The seed of the whole suite, and equality up to the rounding of float32."""

import atexit
import gc
import os
import random
import sys

import numpy as np
import pytest
from hypothesis import HealthCheck, settings

pytest_plugins = ["tiny_run", "sweep_package", "headless_browser", "own_registries", "warm_python"]
pytest_plugins += ["real_tables"]

SEED = int(os.environ.get("SKINKIT_TEST_SEED") or 0)

# Two test processes share two cores. More threads inside an operation, in them and in the processes that
# they start, only wait for each other; TensorFlow and BLAS read these when they are loaded.
for name in ("TF_NUM_INTRAOP_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(name, "1")
# A test process has said all by then; to take TensorFlow apart takes it some seconds more. What is asked for
# first is done last.
if os.environ.get("PYTEST_XDIST_WORKER"):
    atexit.register(os._exit, 0)
# Graphs are many small objects; looking through all of them as often as usual is an eighth of the time.
gc.set_threshold(50_000, 20, 20)

# How long an example takes depends on what else the machine does; what an earlier run found, on that run.
settings.register_profile(
    "skinkit",
    deadline=None,
    derandomize=False,
    database=None,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("skinkit")


def pytest_configure(config):
    if config.getoption("--hypothesis-seed") is None:
        config.option.hypothesis_seed = SEED


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items):
    """What the tests of a file share is made once: they go to one process, unless they say to which."""
    for item in items:
        shared = (found for each in item._fixtureinfo.name2fixturedefs.values() for found in each)
        if any(each.scope == "module" for each in shared) and not item.get_closest_marker("xdist_group"):
            item.add_marker(pytest.mark.xdist_group(item.path.stem))


def start_generators():
    random.seed(SEED)
    np.random.seed(SEED)  # noqa: NPY002
    if "keras" in sys.modules:
        sys.modules["keras"].utils.set_random_seed(SEED)


@pytest.fixture(autouse=True)
def seed():
    """Starts every generator anew before each test, those of Keras only where Keras is in use."""
    start_generators()
    return SEED


@pytest.hookimpl(tryfirst=True)
def pytest_fixture_setup(fixturedef):
    """Draws what tests share from the seed, too, whichever test asks for it first."""
    if fixturedef.scope != "function":
        start_generators()


@pytest.fixture(scope="session")
def rounding():
    """Returns the function from the size of what was added to the error that rounding may leave."""
    return _rounding


def _rounding(parts, count=64, dtype="float32"):
    """Returns the absolute error that may remain of numbers of this size.

    What is rounded is as large as the parts of a sum. Where they cancel, a result near zero has the error
    of its parts; where a few are left, as in a softmax, it has less. A processor with wider registers, or
    a batch of another size, adds in another order.

    Args:
        parts: Array-like, the numbers that are added, or the results where nothing cancels; only the
            largest counts.
        count: Integer, roundings that may come together; each is at most half of `eps`.
        dtype: String, the type that is computed with.
    """
    return count * float(np.finfo(dtype).eps) / 2 * float(np.max(np.abs(parts)))
