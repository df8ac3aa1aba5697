import subprocess
import sys

import skinkit.data

HEAVY = ("tensorflow", "keras", "sklearn", "cv2", "requests", "matplotlib", "PIL", "tqdm")


def test_a_function_hides_its_module_of_the_same_name():
    hidden = ("external_test", "load", "overlap", "synthetic")
    assert [name for name in hidden if not callable(getattr(skinkit.data, name))] == []


def test_synthetic_is_the_function_whatever_is_imported_first():
    code = (
        "from skinkit.data.synthetic.dataset import synthetic as function; "
        "import skinkit.data; from skinkit.data import synthetic; "
        "print(callable(synthetic) and synthetic is function is skinkit.data.synthetic)"
    )
    assert run(code) == "True"


def test_importing_loads_nothing_heavy():
    code = f"import sys, skinkit.data; print([name for name in {HEAVY} if name in sys.modules])"
    assert run(code) == "[]"


def run(code):
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return done.stdout.strip()
