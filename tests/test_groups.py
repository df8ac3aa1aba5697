"""Tests that share a run are sent to one process."""

import pytest


@pytest.mark.xdist_group("probe")
def test_groups_are_known_to_the_scheduler(request, worker_id):
    if worker_id == "master":
        pytest.skip("there is one process")
    # pytest-xdist tells by this ending; with pytest 9.2 it is lost without a word.
    assert request.node.nodeid.endswith("@probe")
