import subprocess
import sys

import skinkit.data

HEAVY = ("tensorflow", "keras", "sklearn", "cv2", "requests", "matplotlib", "PIL", "tqdm")


def test_every_public_name_is_there():
    missing = [name for name in skinkit.data.__all__ if not hasattr(skinkit.data, name)]
    assert missing == [] and len(set(skinkit.data.__all__)) == len(skinkit.data.__all__)


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
