import dataclasses

import numpy as np
import pandas as pd
import pytest
import scipy
from sklearn.metrics import roc_auc_score

from skinkit import evaluation, explain, tasks
from skinkit.experiments import run
from skinkit.experiments.predictions import predict
from skinkit.experiments.run_data import build_run_data
from skinkit.experiments.run_folder import SavedRun
from skinkit.papers import Phase, choose
from skinkit.tasks.batches import evaluation_images

FOREST = choose("extra_trees", features="pooled")


@pytest.fixture(scope="module")
def recipe(one_epoch):
    return dataclasses.replace(one_epoch, image_size=(32, 40), tta=choose("flips"))


@pytest.fixture(scope="module")
def finished(recipe, tmp_path_factory):
    return SavedRun(run(recipe, profile="smoke", out=tmp_path_factory.mktemp("runs"), verbose=0))


def probabilities(found):
    return found.filter(like="p_").to_numpy()


def test_predictions_are_the_mean_of_four_flips(finished):
    model, rows = finished.load_model(), finished.run_data().rows("test")
    images = np.concatenate(list(evaluation_images(finished.recipe, rows)))
    flipped = [images, images[:, ::-1], images[:, :, ::-1], images[:, ::-1, ::-1]]
    each = [model.predict(view, verbose=0) for view in flipped]
    np.testing.assert_allclose(probabilities(finished.predictions), np.mean(each, axis=0), atol=1e-4)
    assert np.abs(each[0] - each[1]).max() > 1e-4


def test_an_explanation_is_of_the_class_that_all_views_name(finished, monkeypatch):
    asked = []

    def grad_cam(model, images, target):
        asked.append(target)
        return np.zeros(images.shape[:3], np.float32)

    monkeypatch.setattr(explain, "grad_cam", grad_cam)
    rows = finished.run_data().rows("test")
    found = tasks.of(finished.recipe).explain(finished.load_model(), rows)
    answers = probabilities(finished.predictions)
    np.testing.assert_allclose(found.probabilities, answers, atol=1e-4)
    np.testing.assert_array_equal(asked[0], answers.argmax(axis=1))


def test_the_settings_say_so_and_come_back(finished, recipe):
    assert finished.manifest["settings"]["tta"] == {"name": "flips", "options": {}}
    assert finished.recipe == recipe.resolve("smoke")


@pytest.mark.parametrize("selection", ["last", "best"])
def test_what_selects_is_scored_in_the_views_and_what_only_watches_is_not(
    selection, recipe, finished, tmp_path
):
    asked = dataclasses.replace(recipe, selection=selection)
    found = (
        finished if selection == recipe.selection else SavedRun(run(asked, "smoke", out=tmp_path, verbose=0))
    )
    scored = found.recipe if selection == "best" else dataclasses.replace(found.recipe, tta=None)
    rows = found.run_data().rows("validation")
    predictions = predict(found.load_model(), scored, rows)
    expected = evaluation.summary(*evaluation.unpack_predictions(predictions))["macro_auc"]
    logged = pd.read_csv(found.folder / "history.csv")["val_macro_auc"].item()
    assert logged == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"tta": choose("dihedral")}, "Only square"),
        ({"tta": choose("turns")}, "flips, dihedral"),
        ({"tta": choose("flips", of="ranks")}, "probabilities, logits"),
        ({"input": choose("multi_crop", count=5), "crop_size": 24}, "one image at a time.*flips"),
        ({"tta": choose("flips", of="logits"), "classifier": FOREST}, "that of their features.*logits"),
        ({"model": choose("patient_network", backbone="small_cnn", context="mean")}, "one image at a time"),
    ],
)
def test_views_that_a_recipe_cannot_have_stop_it_before_it_trains(changes, message, recipe):
    with pytest.raises(ValueError, match=message):
        tasks.of(dataclasses.replace(recipe, **changes).resolve("smoke"))


def test_an_epoch_may_be_selected_by_the_area_of_one_class_in_the_mean_logits_of_the_views(recipe):
    asked = dataclasses.replace(recipe, tta=choose("flips", of="logits"), monitor="auc:mel").resolve("smoke")
    task, rows = tasks.of(asked), build_run_data(asked, "smoke").rows("validation")
    model = task.model()
    scores = task.validator(model, rows)()
    assert list(scores) == ["log_loss", "accuracy", "macro_recall", "macro_auc", "auc:mel"]
    images = np.concatenate(list(evaluation_images(asked, rows)))
    flipped = [images, images[:, ::-1], images[:, :, ::-1], images[:, ::-1, ::-1]]
    logs = np.mean([np.log(model.predict(view, verbose=0)) for view in flipped], axis=0)
    melanoma = scipy.special.softmax(logs, axis=1)[:, task.labels.index("mel")]
    assert scores["auc:mel"] == pytest.approx(roc_auc_score(rows["label"] == "mel", melanoma), abs=1e-9)
    assert "auc:mel" not in tasks.of(recipe.resolve("smoke")).validator(model, rows)()


def test_a_phase_ends_when_the_monitored_score_has_not_risen_for_its_patience(recipe, tmp_path):
    # At a rate of 0, with batch normalisation frozen, all epochs are equal, and a tie is not better.
    still = Phase(9, choose("adam", learning_rate=0.0), trainable="head", patience=2)
    asked = dataclasses.replace(recipe, phases=(still,), tta=None)
    history = pd.read_csv(run(asked, "smoke", out=tmp_path, verbose=0) / "history.csv")
    assert history["epoch"].tolist() == [1, 2, 3]
