import dataclasses

import numpy as np
import pandas as pd
import pytest

from skinkit import tasks
from skinkit.experiments import explain, run
from skinkit.experiments.explain import draw_overlays
from skinkit.experiments.predictions import predict
from skinkit.experiments.run_data import build_run_data
from skinkit.experiments.run_folder import SavedRun
from skinkit.explain import grad_cam, join_crops
from skinkit.papers import Phase, Recipe, choose
from skinkit.pipeline import crop_corners
from skinkit.tasks.batches import evaluation_images, pipeline_spec

CROPS = Recipe(
    name="skinkit/test/crops",
    title="The smallest run on crops",
    published="",
    image_size=(48, 64),
    input=choose("multi_crop", count=5),
    crop_size=32,
    subset=120,
    augmentation={"flip_left_right": 0.5, "brightness": 0.1, "saturation": 0.5},
    model=choose("small_cnn"),
    model_size={"width": 8},
    phases=(Phase(2, choose("adam", learning_rate=2e-3)),),
)
ORDERED = dataclasses.replace(
    CROPS,
    input=choose("ordered_crops", count=5),
    model=choose("crop_classifier", backbone="small_cnn", attention="dual", patch_dropout=0.1),
    phases=(Phase(1, choose("adam", learning_rate=2e-3)),),
)


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    return SavedRun(run(CROPS, profile="smoke", out=tmp_path_factory.mktemp("runs"), verbose=0))


@pytest.fixture(scope="module")
def run_data():
    return build_run_data(CROPS.resolve("smoke"), "smoke")


def probabilities(found):
    return found.filter(like="p_").to_numpy()


def test_multi_crop_trains_on_one_crop_and_averages_the_probabilities_of_all(finished):
    model, rows = finished.load_model(), finished.run_data().rows("test")
    assert model.input_shape == (None, 32, 32, 3)
    assert finished.recipe == CROPS.resolve("smoke")
    crops = np.concatenate(list(evaluation_images(finished.recipe, rows)))
    assert crops.shape == (len(rows), 5, 32, 32, 3)
    expected = np.mean([model.predict(crops[:, k], verbose=0) for k in range(5)], axis=0)
    np.testing.assert_allclose(probabilities(finished.predictions), expected, atol=1e-4)


def test_predictions_do_not_depend_on_the_batch_size(finished, run_data):
    model, rows = finished.load_model(), run_data.rows("test")

    def found(batch_size):
        recipe = dataclasses.replace(CROPS, batch_size=batch_size)
        return probabilities(predict(model, recipe, rows))

    one = found(1)
    np.testing.assert_allclose(one.sum(axis=1), 1, atol=1e-5)
    for batch_size in (3, 8):
        np.testing.assert_allclose(found(batch_size), one, atol=1e-6)
        np.testing.assert_array_equal(found(batch_size).argmax(axis=1), one.argmax(axis=1))


def test_a_batch_of_crops_goes_through_the_network_in_one_call(finished, run_data, monkeypatch):
    def counted(crops):
        seen.append(crops.shape[0])
        return np.ones((crops.shape[0], 7), np.float32) / 7

    seen, model = [], finished.load_model()
    monkeypatch.setattr(model, "predict_on_batch", counted)
    recipe = dataclasses.replace(CROPS, batch_size=8)
    predict(model, recipe, run_data.rows("test")[:11])
    assert seen == [40, 15]


@pytest.fixture(scope="module")
def ordered(tmp_path_factory):
    return SavedRun(run(ORDERED, profile="smoke", out=tmp_path_factory.mktemp("runs"), verbose=0))


def test_a_crop_model_trains_and_is_scored_on_all_crops_at_once(ordered):
    found = ordered
    model, rows = found.load_model(), found.run_data().rows("test")
    assert model.input_shape == (None, 5, 32, 32, 3)
    crops = np.concatenate(list(evaluation_images(found.recipe, rows)))
    np.testing.assert_allclose(probabilities(found.predictions), model.predict(crops, verbose=0), atol=1e-4)


@pytest.mark.parametrize(
    ("changes", "shape", "evaluated"),
    [
        ({"input": choose("downsampling"), "crop_size": None}, (48, 64, 3), (48, 64, 3)),
        ({"input": choose("single_crop", evaluation="centre336")}, (32, 32, 3), (32, 32, 3)),
        ({"crop_size": 24}, (24, 24, 3), (5, 24, 24, 3)),
        ({"input": choose("ordered_crops", count=9)}, (9, 32, 32, 3), (9, 32, 32, 3)),
    ],
)
def test_the_recipe_says_what_the_network_sees(changes, shape, evaluated):
    spec = pipeline_spec(dataclasses.replace(CROPS, **changes), augment=True)
    assert spec.input_shape == shape
    assert spec.shape(training=False) == evaluated


@pytest.mark.parametrize(
    ("which", "names"),
    [("finished", ["Grad-CAM"]), ("ordered", ["Grad-CAM", "initial attention", "end attention"])],
)
def test_maps_of_crops_lie_over_the_whole_image(which, names, request):
    found = request.getfixturevalue(which)
    chosen = found.predictions[:2]
    assert explain(found.folder, chosen["image_id"].tolist()) == found.folder / "overlays.png"
    rows = found.run_data().rows("test")[:2].assign(label=pd.NA)
    axes = draw_overlays(tasks.of(found.recipe).explain(found.load_model(), rows), rows, found.labels).axes
    assert [ax.get_title() for ax in axes[1 : 1 + len(names)]] == names
    best = chosen.filter(like="p_").max(axis=1)
    for row in range(2):
        first, *others = axes[row * (1 + len(names)) :][: 1 + len(names)]
        assert first.get_title().endswith(f"{best[row]:.2f}")
        assert first.images[0].get_array().shape == (48, 64, 3)
        for ax in others:
            heatmap = ax.images[1].get_array()
            assert heatmap.shape == (48, 64)
            assert heatmap.max() == pytest.approx(1)


def test_crops_are_asked_one_by_one_for_the_class_of_their_image(finished):
    rows = finished.run_data().rows("test")[:3]
    model, recipe = finished.load_model(), finished.recipe
    (crops,) = evaluation_images(recipe, rows)
    answers, maps = tasks.of(recipe).maps(model, crops)
    np.testing.assert_allclose(answers, probabilities(finished.predictions[:3]), atol=1e-4)
    each = [grad_cam(model, crops[:, k], answers.argmax(axis=1), normalise=False) for k in range(5)]
    joined = join_crops(np.stack(each, axis=1), crop_corners((48, 64), 32, 5), 32, (48, 64))
    expected = joined / joined.max(axis=(1, 2), keepdims=True)
    np.testing.assert_allclose(maps["Grad-CAM"], expected, atol=1e-4)
