"""The page in Debian's Chromium, on a service that does what the test says."""

import pytest
from page_stand_in import StandIn
from page_user import User, drawn, visit


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items):
    """One browser is enough: its tests go to one process."""
    for item in items:
        if item.path.parent.name == "page":
            item.add_marker(pytest.mark.xdist_group("browser"))


@pytest.fixture
def draw():
    """Returns the function from a name to the bytes of its image."""
    return drawn


@pytest.fixture
def service():
    scores = {"mel.png": 0.9, "edge.png": 0.3}
    with StandIn(scores={drawn(name): score for name, score in scores.items()}) as service:
        service.overlay = drawn("overlay")
        yield service


@pytest.fixture
def page(browser, service):
    with visit(browser, f"{service.url}/app/") as page:
        # What a test tells the service from now on is not said to a request of the start.
        User(page).sees("macro recall")
        yield page


@pytest.fixture
def user(page):
    return User(page)
