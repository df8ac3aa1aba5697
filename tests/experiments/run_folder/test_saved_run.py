"""What a run folder tells without the names that its recipe needs."""

import json

import pytest

from skinkit.experiments.results.finished_runs import staleness
from skinkit.experiments.run_folder import SavedRun
from skinkit.experiments.run_folder.saved_run import _MANIFEST


@pytest.mark.parametrize(("rule", "is_of_ranks"), [("rank_mean", True), ("mean", False), (None, False)])
def test_whether_predictions_are_ranks_is_known_where_names_of_a_notebook_are_not(
    tmp_path, rule, is_of_ranks
):
    members = {"name": rule, "options": {}} if rule else None
    said = dict.fromkeys(_MANIFEST, 0) | {"settings": {"members": members}}
    said |= {"own": {"__main__": ["Recipes: mine/gamma/a"]}}
    (tmp_path / "manifest.json").write_text(json.dumps(said))
    run = SavedRun(tmp_path)
    assert run.is_of_ranks == is_of_ranks
    assert "not registered here" in staleness(run)
