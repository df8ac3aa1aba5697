"""The packages of the extra, without which nothing of the server is tested."""

import pytest


def test_the_extra_is_installed():
    pytest.importorskip("fastapi", reason="tests of the server need pip install 'skinkit[serve]'")
