import dataclasses

import keras
import numpy as np
import pandas as pd
import pytest

from skinkit import data, models, tasks
from skinkit.experiments import evaluate, explain, run
from skinkit.experiments.predictions import predictor
from skinkit.experiments.report import write_report
from skinkit.experiments.run_data import RunData, build_run_data
from skinkit.experiments.run_folder import SavedRun
from skinkit.papers import Phase, Recipe, choose
from skinkit.tasks import feature_classifier
from skinkit.tasks.batches import evaluation_images
from skinkit.tasks.feature_classifier import image_features

CAE = Recipe(
    name="skinkit/test/cae",
    title="The smallest autoencoder with a forest on its bottleneck",
    published="",
    dataset="isic2020",
    classes="isic2020",
    positive="malignant",
    # Enough patients in each part: a drawn one has up to an eighth of the images.
    split=choose(
        "stratified_group_split",
        group="patient",
        fractions={"train": 0.5, "validation": 0.2, "test": 0.3},
    ),
    image_size=(32, 32),
    subset=120,
    augmentation={"flip_left_right": 0.5},
    model=choose("segnet_autoencoder"),
    model_size={"widths": (4, 6, 8, 10, 12)},
    loss=choose("root_mean_squared_error"),
    classifier=choose("extra_trees", features="bottleneck_mean", n_estimators=20),
    phases=(Phase(2, choose("adam", learning_rate=1e-2), choose("plateau", factor=0.8, patience=1, stop=9)),),
    monitor="psnr",
)
UNTRAINED = dataclasses.replace(
    CAE,
    model=choose("small_cnn"),
    model_size={"width": 4},
    loss=choose("categorical_crossentropy"),
    classifier=choose("extra_trees", features="pooled", n_estimators=20),
    phases=(),
    selection="last",
)


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """Run of the autoencoder."""
    return SavedRun(run(CAE, profile="smoke", out=tmp_path_factory.mktemp("runs"), verbose=0))


@pytest.fixture(scope="module")
def forest(tmp_path_factory):
    """Run of a forest on the features of an untrained network, which takes no time."""
    return SavedRun(run(UNTRAINED, profile="smoke", out=tmp_path_factory.mktemp("runs"), verbose=0))


@pytest.fixture(scope="module")
def run_data():
    return build_run_data(CAE.resolve("smoke"), "smoke")


def fitted(recipe, model, run_data, seed=0):
    task = tasks.of(recipe)
    task.fit(model, run_data, seed)
    return task


def probabilities(found):
    return found.filter(like="p_").to_numpy()


def test_only_a_run_with_a_classifier_loads_what_keeps_one(fresh_python):
    # To load it takes longer than to read a small network.
    assert fresh_python("import sys, skinkit.tasks; print('skops' in sys.modules)") == "False\n"


def test_an_autoencoder_learns_images_and_its_forest_classifies_them(finished, run_data):
    history = pd.read_csv(finished.folder / "history.csv")
    assert {"loss", "val_rmse", "val_psnr"} <= set(history) and "accuracy" not in history
    np.testing.assert_allclose(history["val_psnr"], -20 * np.log10(history["val_rmse"]))
    assert finished.predictions["image_id"].tolist() == run_data.split.ids("test")
    np.testing.assert_allclose(probabilities(finished.predictions).sum(axis=1), 1, atol=1e-5)
    assert finished.recipe.classifier == CAE.classifier
    # Twenty trees grown to the end vote in twentieths.
    votes = 20 * probabilities(finished.predictions)
    np.testing.assert_allclose(votes, votes.round(), atol=1e-4)


def test_an_autoencoder_is_given_its_own_images_as_targets(run_data):
    images, targets = next(iter(tasks.Autoencoding(CAE).prepare(None, run_data, 0, None).batches(0)[0]))
    np.testing.assert_array_equal(images, targets)
    assert images.shape[1:] == (32, 32, 3)


def test_equal_seeds_grow_equal_forests_which_know_their_images_by_heart(forest, run_data):
    rows, model = run_data.rows("test"), forest.load_model()
    again, other = (predictor(fitted(forest.recipe, model, run_data, seed), model) for seed in (0, 1))
    np.testing.assert_allclose(probabilities(again(rows)), probabilities(forest.predictions), atol=1e-6)
    assert np.abs(probabilities(other(rows)) - probabilities(again(rows))).max() > 0.01
    train = run_data.rows("train")
    right = probabilities(again(train)).argmax(axis=1) == (train["label"] == "malignant")
    assert right.all()


def test_the_saved_forest_makes_the_saved_predictions(forest, run_data, monkeypatch):
    monkeypatch.setattr(SavedRun, "run_data", None)  # Neither images nor a new fit.
    again = forest.predictor()(run_data.rows("test"))
    np.testing.assert_array_equal(probabilities(again), probabilities(forest.predictions))


def test_a_run_with_a_forest_is_scored_on_other_images(forest, tmp_path):
    ids = ["image_id", "patient_id"]
    other = data.synthetic(24, seed=3, layout="isic2020", size=(32, 32))
    other.assign(**{name: "NEW_" + other[name] for name in ids}).to_csv(tmp_path / "new.csv", index=False)
    assert "n = 24" in evaluate(forest.folder, on=tmp_path / "new.csv")


def test_no_map_of_the_network_explains_a_forest(forest):
    with pytest.raises(ValueError, match="classifier beside it.*extra_trees"):
        explain(forest.folder)


def test_the_error_of_a_reconstruction_is_counted_in_pixels(run_data):
    brighter = keras.Sequential([keras.Input((32, 32, 3)), keras.layers.Rescaling(1.0, offset=0.5)])
    found = tasks.Autoencoding(CAE).reconstruction_scores(brighter, run_data.rows("test"))
    assert found == {"rmse": pytest.approx(0.5), "psnr": pytest.approx(6.0206, abs=1e-4)}


def test_a_network_without_epochs_of_its_own_gives_features(forest):
    assert pd.read_csv(forest.folder / "history.csv").empty
    assert "no epochs of its own" in write_report(forest.folder).read_text()
    rows = forest.run_data().rows("test")
    features = image_features(forest.load_model(), forest.recipe, rows)
    assert features.shape == (len(rows), 24) and np.ptp(features, axis=0).max() > 0


def test_with_views_the_features_of_an_image_are_their_mean(forest, run_data):
    rows, model = run_data.rows("test"), forest.load_model()
    task = fitted(dataclasses.replace(forest.recipe, tta=choose("flips")), model, run_data)
    images, network = (
        np.concatenate(list(evaluation_images(forest.recipe, rows))),
        models.pooled_features(model),
    )
    views = [images, images[:, ::-1], images[:, :, ::-1], images[:, ::-1, ::-1]]
    each = [network.predict(np.ascontiguousarray(view), verbose=0) for view in views]
    np.testing.assert_allclose(task.describe(model, rows), np.mean(each, axis=0), atol=1e-5)
    assert np.abs(each[0] - each[1]).max() > 1e-4


def test_components_are_found_piece_by_piece(monkeypatch):
    monkeypatch.setattr(feature_classifier, "_PIECE", 20)
    rng = np.random.default_rng(0)
    # Three directions in ten dimensions: three components lose nothing.
    features = rng.normal(size=(90, 3)) @ rng.normal(size=(3, 10)) + 4
    rows = pd.DataFrame({"row": range(90)})
    seen = []

    def describe(piece):
        seen.append(len(piece))
        return features[piece["row"]]

    reduction = feature_classifier._fit_reduction(describe, rows, components=3)
    assert seen == [23, 23, 22, 22]
    np.testing.assert_allclose(reduction.inverse_transform(reduction.transform(features)), features)
    assert len(feature_classifier._pieces(rows.head(7))) == 1


@pytest.fixture
def told_by_site(monkeypatch):
    """Data whose images say nothing and whose sites say everything."""
    labels = ["malignant", "benign"] * 10
    rows = pd.DataFrame({"image_id": [f"I{i:02d}" for i in range(20)], "label": labels})
    rows["site"] = rows["label"].map({"malignant": "torso", "benign": "arm"}).astype("string")
    rows = rows.assign(age=pd.array([None] * 20, dtype="Float64"), sex=pd.array([None] * 20, dtype="string"))
    monkeypatch.setattr(
        feature_classifier, "image_features", lambda model, recipe, rows, **_: np.ones((len(rows), 2))
    )
    parts = pd.Series(["train"] * 16 + ["test"] * 4, index=rows["image_id"])
    split = data.Split("told", parts, None, "image")
    return RunData(rows, split, data.CLASS_MAPS["isic2020"].labels, "built")


def saved_and_loaded(task, folder):
    task.save(folder)
    assert [path.name for path in folder.iterdir()] == ["classifier.skops"]
    again = tasks.of(task.recipe)
    again.restore(folder, None, None, seed=0)
    return again


@pytest.mark.parametrize("name", ["extra_trees", "logistic_regression"])
@pytest.mark.parametrize("metadata", [False, True])
def test_metadata_lie_beside_the_features(told_by_site, name, metadata, tmp_path):
    chosen = choose(name, features="pooled", metadata=metadata)
    recipe = dataclasses.replace(UNTRAINED, classifier=chosen)
    rows = told_by_site.rows("test")
    task = fitted(recipe, None, told_by_site)
    found = task.predictor(None)(rows)
    np.testing.assert_array_equal(saved_and_loaded(task, tmp_path).predictor(None)(rows), found)
    assert (found[:, 1] > 0.9).tolist() == [metadata and label == "malignant" for label in rows["label"]]
    unknown = task.predictor(None)(rows.assign(site="toe"))
    assert np.isfinite(unknown).all()


def test_the_whole_bottleneck_is_asked_for_and_reduced(told_by_site, monkeypatch, tmp_path):
    def bottleneck(model, recipe, rows, of, views):
        assert of == "bottleneck"
        code = rows["site"].map({"torso": 8.0, "arm": -8.0}).to_numpy(float)
        return np.stack([code, code, np.arange(len(rows)) % 2], axis=1)

    monkeypatch.setattr(feature_classifier, "image_features", bottleneck)
    chosen = choose("logistic_regression", features="bottleneck_pca", components=1)
    recipe = dataclasses.replace(UNTRAINED, classifier=chosen)
    rows = told_by_site.rows("test")
    task = fitted(recipe, None, told_by_site)
    found = task.predictor(None)(rows)
    assert (found[:, 1] > 0.5).tolist() == (rows["label"] == "malignant").tolist()
    np.testing.assert_array_equal(saved_and_loaded(task, tmp_path).predictor(None)(rows), found)


def test_a_class_that_training_lacks_is_never_likely(told_by_site):
    rows = told_by_site.rows("train").assign(label="benign")
    task = fitted(UNTRAINED, None, dataclasses.replace(told_by_site, table=rows))
    np.testing.assert_array_equal(task.predictor(None)(rows), [[1.0, 0.0]] * len(rows))


def test_a_damaged_classifier_or_one_of_other_types_is_named(told_by_site, tmp_path):
    recipe = dataclasses.replace(UNTRAINED, classifier=choose("logistic_regression", features="pooled"))
    task = fitted(recipe, None, told_by_site)
    saved_and_loaded(task, tmp_path)
    path = tmp_path / "classifier.skops"
    path.write_bytes(path.read_bytes()[:-50])
    with pytest.raises(ValueError, match=r"classifier\.skops is damaged.*Delete it.*fitted again"):
        tasks.of(recipe).restore(tmp_path, None, None, seed=0)
    task.fitted["reduction"] = dataclasses.replace
    task.save(tmp_path)
    with pytest.raises(ValueError, match=r"classifier\.skops.*types that no classifier has.*dataclasses"):
        tasks.of(recipe).restore(tmp_path, None, None, seed=0)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"classifier": choose("extra_trees", features="logits")}, "bottleneck_mean.*'logits'"),
        ({"classifier": choose("extra_trees")}, "bottleneck_mean.*None"),
        ({"classifier": choose("svm", features="pooled")}, "extra_trees, logistic_regression.*'svm'"),
    ],
)
def test_unknown_classifiers_and_features_are_named(changes, message):
    recipe = dataclasses.replace(UNTRAINED, **changes)
    with pytest.raises(ValueError, match=message):
        tasks.of(recipe)


def test_what_an_autoencoder_cannot_do_is_refused(run_data):
    with pytest.raises(ValueError, match="segnet_autoencoder tells no classes apart.*`classifier`"):
        tasks.of(dataclasses.replace(CAE, classifier=None))
    weighted = dataclasses.replace(CAE, balancing=choose("class_weights"))
    with pytest.raises(ValueError, match="cannot be weighted.*class_weights"):
        tasks.Autoencoding(weighted).prepare(None, run_data, 0, None)
    crops = dataclasses.replace(UNTRAINED, input=choose("multi_crop", count=5), crop_size=16)
    with pytest.raises(ValueError, match="one image at a time.*multi_crop"):
        tasks.of(crops)
