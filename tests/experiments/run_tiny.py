"""Carries the tiny recipe out in a process of its own, which a test may kill: `run_tiny.py FOLDER`."""

import importlib.util
import sys
from pathlib import Path

from skinkit.experiments import run

spec = importlib.util.spec_from_file_location("conftest", Path(__file__).with_name("conftest.py"))
conftest = importlib.util.module_from_spec(spec)
spec.loader.exec_module(conftest)
run(conftest.TINY, profile="smoke", folder=sys.argv[1], verbose=0)
