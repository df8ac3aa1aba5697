"""Scores of a finished run on images of another set, some of which it has seen."""

import dataclasses
import json
import shutil

import pandas as pd
import pytest

from skinkit import data
from skinkit.experiments import SavedRun, evaluate, run
from skinkit.experiments.run_folder.seen_images import read_seen, seen_images, without_seen
from skinkit.papers import choose


@pytest.fixture(scope="module")
def release(tmp_path_factory):
    """Folder of a small release in HAM10000's own layout, with files."""
    root = tmp_path_factory.mktemp("releases")
    data.synthetic(80, seed=3, folder=root / "ham10000", size=(24, 32))
    return root


@pytest.fixture(scope="module")
def finished(tiny, release, tmp_path_factory):
    """Run without epochs, with a forest on the features of its network."""
    forest = choose("extra_trees", features="pooled", n_estimators=5)
    recipe = dataclasses.replace(tiny, phases=(), selection="last", subset=None, classifier=forest)
    out = tmp_path_factory.mktemp("runs")
    return SavedRun(run(recipe, "quick", out=out, data_dir=release, verbose=0))


@pytest.fixture(scope="module")
def parts(finished, release):
    run_data = finished.run_data(release)
    return {part: run_data.rows(part) for part in ("train", "validation", "test")}


@pytest.fixture
def ask(finished, tmp_path):
    """Evaluates on rows with own image ids; the release lies nowhere."""

    def asked(*tables, **options):
        # As objects: pandas 2 warns where a column of one table is empty.
        rows = pd.concat([table.astype(object) for table in tables], ignore_index=True)
        path = tmp_path / "asked.csv"
        rows.assign(image_id=[f"new_{i}" for i in rows.index]).to_csv(path, index=False)
        folder = tmp_path / "run"
        if not folder.exists():
            shutil.copytree(finished.folder, folder)
        text = evaluate(folder, on=path, data_dir=tmp_path / "nothing", **options)
        ending = ".overlap-kept" if options else ""
        return text, json.loads((folder / "evaluations" / f"asked{ending}" / "metrics.json").read_text())

    return asked


def test_own_test_images_are_new_and_training_images_are_not_whatever_their_names(parts, ask):
    nameless = {"lesion_id": pd.NA, "patient_id": pd.NA}
    seen = [parts["train"].head(3).assign(**nameless), parts["validation"].head(2).assign(**nameless)]
    text, found = ask(*seen, parts["test"])
    n = len(parts["test"])
    assert f"left out: 5 of {n + 5} images of a photograph that it has seen in training or val" in text
    assert found["n"] == n and found["stamp"] is None and "No leakage found." in text
    assert found["leakage"] == {"photograph": 0.0, "lesion": 0.0, "patient": 0.0}
    assert "not compared" not in text


def test_images_of_one_patient_have_scores_without_intervals(parts, ask):
    text, found = ask(parts["test"].head(8).assign(lesion_id=pd.NA, patient_id="IP_1"))
    assert "n = 8; no intervals: fewer than two groups to resample, by patient" in text
    assert " to " not in text.partition("accuracy")[2].partition("n = 8")[0]
    each = pd.DataFrame(found["scores"]).T
    assert each.loc["accuracy", "value"] is not None and each["method"].eq("none").all()
    assert each[["low", "high"]].isna().all(axis=None)


def test_seen_images_are_kept_under_the_stamp(parts, ask):
    text, found = ask(parts["train"].head(6), parts["test"].head(6), overlap="keep")
    assert "LEAKY: 50.0 % of evaluation images show a photograph, 50.0 % a lesion" in text
    assert found["stamp"].startswith("LEAKY") and found["n"] == 12 and found["leakage"]["lesion"] == 0.5
    assert "kept: 6 of 12 images of a photograph" in text and "No leakage" not in text


def test_images_seen_in_validation_alone_are_not_said_to_be_in_training(parts, ask):
    _, found = ask(parts["validation"].head(4), overlap="keep")
    assert found["stamp"].startswith("LEAKY: 100.0 %") and "also in training or validation" in found["stamp"]


def test_the_scores_of_another_table_of_the_same_name_stay(parts, finished, tmp_path):
    folder = shutil.copytree(finished.folder, tmp_path / "run")
    seen = parts["train"].head(3)
    for place, n in (("a", 9), ("b", 12)):
        (tmp_path / place).mkdir()
        # What is left out does not make it another table.
        pd.concat([parts["test"].head(n), seen]).to_csv(tmp_path / place / "own.csv", index=False)
        # The second time it is the same table.
        for _ in range(2):
            evaluate(folder, on=tmp_path / place / "own.csv", data_dir=tmp_path / "nothing")
    counts = [
        json.loads(path.read_text())["n"] for path in (folder / "evaluations").glob("own*/metrics.json")
    ]
    assert sorted(counts) == [9, 12]
    with pytest.raises(ValueError, match="an empty string"):
        evaluate(folder, on="")


def test_no_claim_is_made_where_nothing_was_compared(parts, ask):
    test = parts["test"].head(6)
    text, found = ask(test.assign(lesion_id=pd.NA, patient_id=pd.NA))
    assert "LEAKAGE UNKNOWN: 6 of 6 evaluation images have no lesion id" in text
    assert "not compared: 6 of 6 evaluation images have no patient id" in text
    assert found["stamp"].startswith("LEAKAGE UNKNOWN") and "No leakage" not in text
    named = [f"IL_{i}" for i in range(6)]
    text, _ = ask(test.assign(lesion_id=named, patient_id=pd.NA))
    assert "LEAKAGE UNKNOWN: 6 of 6 evaluation images have a lesion id that cannot be compared" in text


def test_the_fitted_forest_is_the_one_that_was_saved(finished, parts, monkeypatch):
    monkeypatch.setattr(SavedRun, "run_data", None)
    found = finished.predictor()(parts["test"])
    pd.testing.assert_frame_equal(found, finished.predictions, check_dtype=False, rtol=1e-5)


def test_what_was_seen_lies_beside_the_model_and_nowhere_else(finished, parts, release):
    seen = read_seen(finished.folder / "seen.csv.gz")
    expected = seen_images(finished.run_data(release), finished.recipe)
    pd.testing.assert_frame_equal(seen, expected, check_dtype=False)
    assert len(seen) == len(parts["train"]) + len(parts["validation"])
    assert seen["content"].str.fullmatch("[0-9a-f]{16}").all()
    assert "content" not in (finished.folder / "manifest.json").read_text()


def test_a_run_of_older_versions_reads_the_release_or_says_what_it_needs(finished, parts, release, tmp_path):
    folder = shutil.copytree(finished.folder, tmp_path / "old")
    for name in ("seen.csv.gz", "classifier.skops"):
        (folder / name).unlink()
    path = tmp_path / "asked.csv"
    pd.concat([parts["train"].head(2), parts["test"]]).to_csv(path, index=False)
    text = evaluate(folder, on=path, data_dir=release)
    assert "left out: 2 of" in text and "No leakage found." in text
    made = pd.read_csv(folder / "evaluations" / "asked" / "predictions.csv.gz")
    pd.testing.assert_frame_equal(made, pd.read_csv(finished.folder / "predictions.csv.gz"))
    with pytest.raises(FileNotFoundError, match=r"classifier\.skops is missing.*skinkit data fetch ham10000"):
        evaluate(folder, on=path, data_dir=tmp_path)
    shutil.copy(finished.folder / "classifier.skops", folder)
    with pytest.raises(FileNotFoundError, match=r"seen\.csv\.gz is missing.*skinkit data fetch ham10000"):
        evaluate(folder, on=path, data_dir=tmp_path)
    data.synthetic(90, seed=4, folder=tmp_path / "ham10000", size=(24, 32))
    with pytest.raises(ValueError, match=r"seen\.csv\.gz is missing.*another split.*--again"):
        evaluate(folder, on=path, data_dir=tmp_path)


def test_a_damaged_table_of_seen_images_is_named(finished, tmp_path):
    path = tmp_path / "seen.csv.gz"
    path.write_bytes((finished.folder / "seen.csv.gz").read_bytes()[:-30])
    with pytest.raises(ValueError, match=r"seen\.csv\.gz is damaged.*Delete it"):
        read_seen(path)


def rows(**columns):
    """Rows of one data set without files."""
    n = len(columns["image_id"])
    table = pd.DataFrame({name: pd.array([None] * n, dtype="string") for name in data.COLUMNS})
    return data.validate(table.assign(**{"label": "nv", "dataset": "derm7pt", **columns}))


SEEN = data.fingerprint(
    rows(image_id=["A_1", "A_2"], lesion_id=["L_1", "L_2"], patient_id=["P_1", "P_2"]),
)
ASKED = rows(
    image_id=["a_1.JPG", "A_3", "A_4", "A_5", "A_6"],
    lesion_id=["L_9", "l_1", "L_8", "L_7", None],
    patient_id=["P_9", "P_8", "p_2", "P_7", None],
    label=["nv", "nv", "nv", "mel", "nv"],
)


def test_each_kind_is_left_out_and_counted():
    left, notes = without_seen(ASKED, SEEN, labels=["nv"])
    assert left["image_id"].tolist() == ["A_6"]
    assert [note.partition(" that")[0] for note in notes] == [
        "left out: 1 of 5 images of a class",
        "left out: 1 of 5 images of a photograph",
        "left out: 1 of 5 images of a lesion",
        "left out: 1 of 5 images of a patient",
    ]


def test_kept_images_are_counted():
    left, notes = without_seen(ASKED, SEEN, labels=["nv", "mel"], overlap="keep")
    assert len(left) == 5 and [note.split(":")[0] for note in notes] == ["kept"] * 3


def test_nothing_left_and_a_wrong_word_are_errors():
    with pytest.raises(ValueError, match="No image is left.*4 of 5 images of a class.*1 of 5 images"):
        without_seen(ASKED, SEEN.assign(photograph="a_5"), labels=["mel"])
    with pytest.raises(ValueError, match="drop, keep.*'leave'"):
        without_seen(ASKED, SEEN, labels=["nv"], overlap="leave")
