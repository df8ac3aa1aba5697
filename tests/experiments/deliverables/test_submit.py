"""The file that the ISIC 2018 challenge asks for, scored by its own scorer."""

import dataclasses
import shutil

import pandas as pd
import pytest

from skinkit import data, evaluation
from skinkit.cli import main
from skinkit.experiments import SavedRun, run, submit
from skinkit.experiments.predictions import read_predictions
from skinkit.papers import choose

UNSCORED = "ISIC_0035068"


@pytest.fixture(scope="module")
def challenge(tmp_path_factory):
    """Folder of the releases, and the truth of the test images: the challenge's layout and its numbers."""
    root = tmp_path_factory.mktemp("releases")
    place = root / "isic2018_test"
    drawn = data.synthetic(40, seed=5, folder=place, size=(32, 40))
    for path in place.glob("*.csv"):
        path.unlink()
    named = {old: f"ISIC_{35029 + i:07}" for i, old in enumerate(drawn["image_id"])}
    for path in list(place.rglob("*.jpg")):
        path.rename(path.with_stem(named[path.stem]))
    truth = pd.get_dummies(drawn["label"].str.upper(), dtype=float)
    truth = truth.reindex(columns=[*evaluation.ISIC2018_COLUMNS], fill_value=0.0)
    truth.insert(0, "image", drawn["image_id"].map(named).astype(str))
    path = place / "ISIC2018_Task3_Test_GroundTruth.csv"
    truth.to_csv(path, index=False)
    assert UNSCORED in set(truth["image"])
    return root, path


def test_the_file_has_each_image_of_the_challenge_once(challenge, folder):
    root, truth = challenge
    path, notes = submit(folder, "isic2018_test", root)
    assert path == folder / "evaluations" / "isic2018_test" / "submission.csv"
    written, asked = pd.read_csv(path), pd.read_csv(truth)
    assert written["image"].tolist() == sorted(asked["image"])
    assert [*written.columns] == ["image", *evaluation.ISIC2018_COLUMNS]
    values = written.set_index("image")
    assert values.loc[UNSCORED].tolist() == pytest.approx([1 / 7] * 7)
    assert f"{UNSCORED} has equal probabilities: the challenge asks for it, and gives it no weight" in notes
    assert (
        main(["evaluate", str(folder), "--on", "isic2018_test", "--data", str(root), "--overlap", "keep"])
        == 0
    )
    scored = read_predictions(folder / "evaluations" / "isic2018_test.overlap-kept" / "predictions.csv.gz")
    ours = scored.set_index("image_id").sort_index()["p_mel"]
    assert values["MEL"].drop(UNSCORED).to_numpy() == pytest.approx(ours.to_numpy(), abs=1e-8)


def test_images_that_the_run_has_seen_are_submitted_and_said(challenge, folder, tmp_path):
    root = shutil.copytree(challenge[0], tmp_path / "releases")
    seen = SavedRun(folder).run_data().rows("train")["path"].iloc[0]
    (image,) = root.rglob("ISIC_0035030.jpg")
    shutil.copyfile(seen, image)
    path, notes = submit(folder, "isic2018_test", root)
    assert "kept: 1 of 39 images of a photograph that it has seen in training or validation" in notes
    assert len(pd.read_csv(path)) == 40


def test_the_scorer_of_the_challenge_finds_our_score(challenge, folder):
    reason = "the challenge's scorer is not installed"
    scoring = pytest.importorskip("isic_challenge_scoring.classification", reason=reason)
    if not hasattr(pd.DataFrame, "applymap"):
        pytest.skip("the challenge's scorer calls pandas by a name that pandas 3 no longer has")
    root, truth = challenge
    path, _ = submit(folder, "isic2018_test", root)
    metric = scoring.ClassificationMetric.BALANCED_ACCURACY
    with pytest.warns(FutureWarning, match="applymap"):
        theirs = scoring.ClassificationScore.from_file(truth, path, metric)
    written, asked = (pd.read_csv(each).set_index("image").drop(UNSCORED) for each in (path, truth))
    columns = [*evaluation.ISIC2018_COLUMNS]
    labels = asked.loc[written.index, columns].idxmax(axis=1).to_numpy(object)
    ours = evaluation.per_class(labels, written[columns].to_numpy(), columns)
    assert theirs.overall == pytest.approx(ours["recall"].mean(), abs=1e-6)
    for column in columns:
        assert theirs.per_category.loc[column, "auc"] == pytest.approx(ours.loc[column, "auc"], abs=1e-6)


def test_the_command_says_where_it_is_and_refuses_other_images(challenge, folder, capsys):
    root, _ = challenge
    assert main(["submit", str(folder), "--on", "isic2018_test", "--data", str(root)]) == 0
    assert f"Written: {folder}/evaluations/isic2018_test/submission.csv\n" in capsys.readouterr().out
    assert main(["submit", str(folder), "--on", "isic2018_tset", "--data", str(root)]) == 1
    error = capsys.readouterr().err
    assert "Data sets with a challenge are" in error and "Did you mean isic2018_test" in error
    assert error.count("\n") == 1


def test_a_run_of_other_classes_is_refused_before_it_predicts(untrained, tmp_path):
    recipe = dataclasses.replace(untrained, target=choose("one_against_rest", label="mel"))
    folder = run(recipe, "smoke", folder=tmp_path / "run", verbose=0)
    with pytest.raises(ValueError, match="holds the classes MEL, NV"):
        submit(folder, "isic2018_test", tmp_path)
    assert not (SavedRun(folder).folder / "evaluations").exists()
