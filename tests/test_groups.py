"""Tests that share a run, or what a file makes once, are sent to one process."""

import pytest


@pytest.mark.xdist_group("probe")
def test_groups_are_known_to_the_scheduler(request, worker_id):
    if worker_id == "master":
        pytest.skip("there is one process")
    # pytest-xdist tells by this ending; with pytest 9.2 it is lost without a word.
    assert request.node.nodeid.endswith("@probe")


@pytest.fixture(scope="module")
def shared():
    return object()


def test_what_a_file_shares_is_made_in_one_process(shared, request):
    assert request.node.get_closest_marker("xdist_group").args == ("test_groups",)
