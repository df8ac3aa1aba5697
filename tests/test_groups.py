"""Tests that share a run, or what a file makes once, are sent to one process."""

import pytest


@pytest.fixture
def group(request, worker_id):
    """What pytest-xdist goes by: an ending of the name, which with pytest 9.2 is lost without a word."""
    if worker_id == "master":
        pytest.skip("there is one process")
    return request.node.nodeid.rpartition("@")[2]


@pytest.mark.xdist_group("probe")
def test_groups_are_known_to_the_scheduler(group):
    assert group == "probe"


@pytest.fixture(scope="module")
def shared():
    return object()


def test_what_a_file_shares_is_made_in_one_process(shared, group):
    assert group == "test_groups"
