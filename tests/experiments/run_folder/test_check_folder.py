import json

import pytest

from skinkit.experiments.plan import Plan
from skinkit.experiments.run_folder import SavedRun
from skinkit.experiments.run_folder.no_run import not_a_run
from skinkit.experiments.run_folder.resume import check_folder
from skinkit.papers import recipe


def files_of(folder):
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def write(folder, **texts):
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in texts.items():
        (folder / name.replace("__", "/").replace("_json", ".json")).write_text(text)


def test_a_new_an_empty_and_an_own_folder_are_taken(tmp_path):
    check_folder(tmp_path / "new")
    (tmp_path / ".lock").touch()
    check_folder(tmp_path)
    write(tmp_path, plan_json='{"key": "0123456789abcdef"}', notes="mine")
    check_folder(tmp_path)


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        ({"notes": "mine"}, "holds notes and no run.*Give another"),
        (
            {"manifest_json": '{"name": "a web page"}'},
            "manifest.json is damaged, or is not from `skinkit run`",
        ),
        # A browser's extension has a manifest with a key, too.
        ({"manifest_json": '{"key": "MIIBIjANBg", "name": "mine"}'}, "is not from `skinkit run`"),
        ({"plan_json": '{"key": "k"}', "history": "mine"}, "is not from `skinkit run`"),
        ({"plan_json": "[1, 2"}, "plan.json is damaged"),
        ({"plan_json": "[1, 2]"}, "plan.json is damaged"),
    ],
)
def test_a_folder_of_others_is_refused(tmp_path, texts, message):
    write(tmp_path, **texts)
    with pytest.raises(ValueError, match=message):
        check_folder(tmp_path)
    assert len(files_of(tmp_path)) == len(texts)


def test_a_damaged_manifest_is_taken_for_that_of_a_run_on_request_alone(tmp_path):
    broken = {"manifest_json": '{"key": "ab', "history": "1"}
    write(tmp_path, **broken)
    with pytest.raises(ValueError, match="is damaged"):
        check_folder(tmp_path, damaged=True)
    for name in ("metrics.json", "predictions.csv.gz"):
        (tmp_path / name).touch()
    with pytest.raises(ValueError, match="is damaged"):
        check_folder(tmp_path)
    # Only beside the numbers of a run it is a run's.
    check_folder(tmp_path, damaged=True)
    write(tmp_path, manifest_json='{"name": "a web page"}')
    with pytest.raises(ValueError, match="is not from `skinkit run`"):
        check_folder(tmp_path, damaged=True)


def test_a_file_in_the_place_of_a_folder_is_refused(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(ValueError, match="is a file, and a run needs a folder"):
        check_folder(tmp_path / "file")


def test_a_recipe_instead_of_a_run_folder_says_which_folder_it_would_be(tmp_path):
    name = "skinkit/demo/ham10000"
    folder = Plan(recipe(name), "quick", "corrected", 0, 0).folder(tmp_path)
    said = not_a_run(folder.relative_to(tmp_path).parent, tmp_path)
    assert f"{name} is a recipe" in said and f"{folder.as_posix()}, which is not there" in said
    write(folder, manifest_json="{}")
    assert f"Its runs in {tmp_path}: {folder.as_posix()}" in not_a_run(
        folder.relative_to(tmp_path).parent, tmp_path
    )


def test_a_wrong_folder_says_what_it_is_instead(tmp_path):
    write(tmp_path / "corrected-quick", manifest_json="{}")
    assert "Did you mean" in not_a_run(tmp_path / "corected-quick")
    assert f"run folders: {(tmp_path / 'corrected-quick').as_posix()}" in not_a_run(tmp_path)
    above = tmp_path / "runs"
    write(above / "document" / "row", manifest_json="{}")
    assert f"`skinkit report --runs {above}` is about all runs below it" in not_a_run(above)
    write(tmp_path / "begun", plan_json=json.dumps({"key": "abc"}))
    with pytest.raises(FileNotFoundError, match="begun holds no finished run: manifest.json is missing"):
        SavedRun(tmp_path / "begun")
