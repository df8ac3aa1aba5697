"""The list of recipes says what the run folders say."""

import json
import shutil
import statistics
from pathlib import Path

import pytest

from skinkit.experiments.results.recipe_list import list_recipes, recipe_list
from skinkit.papers import recipes

RUNS = Path(__file__).parents[3] / "results" / "runs"
DEMO, TABLE = "skinkit/demo/ham10000", "skinkit/demo"


@pytest.fixture
def add(tmp_path):
    """Copies the manifest of a committed run below another name, changed."""

    def add(name=DEMO, source=DEMO, **changes):
        (path,) = (RUNS / source).glob("*quick-fold0-seed0/manifest.json")
        folder = tmp_path / f"{len(list(tmp_path.iterdir()))}"
        folder.mkdir()
        manifest = json.loads(path.read_text()) | {"recipe": name} | changes
        (folder / "manifest.json").write_text(json.dumps(manifest))
        return tmp_path

    return add


def only(table, name):
    columns = ["state", "profile", "protocol", "runs", "folds", "seeds", "seconds"]
    return table.loc[table["recipe"] == name, columns].to_numpy().tolist()


def test_runs_are_counted_by_state_profile_and_protocol(add):
    add(seconds=10.0)
    # Another key than that of the recipe today; twice, as two runs have two keys.
    for seed, key, seconds in ((1, "a", 20.0), (2, "b", 50.0)):
        runs = add(seed=seed, key=key, seconds=seconds)
    table = list_recipes(TABLE, runs)
    assert only(table, DEMO) == [
        ["run", "quick", "corrected", 1, 1, 1, 10.0],
        ["stale", "quick", "corrected", 2, 1, 2, 35.0],
    ]
    assert only(table, "skinkit/demo/synthetic")[0][:6] == ["not run", "", "", 0, 0, 0]


def test_folds_seeds_and_the_median_are_of_the_committed_runs():
    name = "hernandez2020/controls/lite0-base"
    (found,) = only(list_recipes("hernandez2020/controls", RUNS), name)
    manifests = [json.loads(path.read_text()) for path in (RUNS / name).glob("*/manifest.json")]
    folds, seeds = (len({m[each] for m in manifests}) for each in ("fold", "seed"))
    assert folds > 1
    assert found[:6] == ["run", "quick", "corrected", len(manifests), folds, seeds]
    assert found[6] == statistics.median(m["seconds"] for m in manifests)


def test_a_row_that_is_the_same_experiment_shows_the_runs_of_the_other():
    table = list_recipes("gessert2019", RUNS).set_index("recipe")
    twin, first = table.loc["gessert2019/figure5/mobilenet-p0.2"], "gessert2019/table2/mobilenet-initial"
    assert (twin["state"], twin["same_as"], twin["seconds"]) == ("run", first, table.loc[first, "seconds"])
    assert table.loc[first, "same_as"] == ""
    assert f"= {first}\n" in recipe_list("gessert2019/figure5", RUNS)


def test_the_data_of_a_recipe_are_named_with_the_external_ones():
    data = dict(list_recipes(runs=RUNS)[["recipe", "data"]].to_numpy())
    assert data["koefler2023/table5a/cnn"] == "ham10000+isic2019"
    assert data["koefler2023/table4a/cnn"] == "ham10000"
    assert "gessert2019/table4 (derm7pt)" in recipe_list("gessert2019", RUNS)


@pytest.mark.parametrize("folder", ["nowhere", "."])
def test_without_run_folders_nothing_has_been_run_and_nothing_is_made(folder, tmp_path):
    table = list_recipes(runs=tmp_path / folder)
    assert table["recipe"].nunique() == len(table) == len(recipes())
    assert set(table["state"]) == {"not run"} and table["seconds"].isna().all()
    assert not any(tmp_path.iterdir())


def test_a_list_tells_each_table_once_and_each_recipe_once():
    blocks = [block.splitlines() for block in recipe_list(runs=RUNS).split("\n\n")]
    told = [
        block[0].split()[0] + "/" + line.split()[0]
        for block in blocks[:-1]
        for line in block[1:]
        if line[2] != " "
    ]
    assert sorted(told) == sorted(recipe.name for recipe in recipes())
    documents = [block[0].split("/")[0] for block in blocks[:-1]]
    assert len(dict.fromkeys(documents)) == 1 + sum(
        a != b for a, b in zip(documents, documents[1:], strict=False)
    )


def test_states_are_counted_by_recipe_the_best_state_first(add):
    add()
    runs = add(seed=1, key="a")
    assert "Recipes: 1 run, 0 stale, 1 not run, 2 in all." in recipe_list(TABLE, runs)
    shutil.rmtree(runs / "0")
    assert "Recipes: 0 run, 1 stale, 1 not run, 2 in all." in recipe_list(TABLE, runs)


def test_titles_are_cut_where_a_terminal_ends_and_whole_elsewhere():
    title = "A small CNN with soft attention, trained from nothing on HAM10000"
    assert f"  {title}\n" in recipe_list(TABLE, RUNS)
    rows = recipe_list(TABLE, RUNS, width=110).split("\n\n")[0].splitlines()
    assert max(map(len, rows)) == 110 and rows[1].endswith("…")


def test_a_table_that_does_not_exist_names_those_of_the_document():
    with pytest.raises(
        ValueError, match=r"Tables of koefler2023 .* table4a, .*Received: 'tabel4a'.*mean table4a"
    ):
        recipe_list("koefler2023/tabel4a", RUNS)
