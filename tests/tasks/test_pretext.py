"""Pretext tasks: what they train on and score, alone and beside the class, and what starts from them."""

import dataclasses

import keras
import numpy as np
import pytest

from skinkit import data, models, pipeline, tasks, training
from skinkit.experiments import run
from skinkit.experiments.run_data import build_run_data
from skinkit.experiments.run_folder import SavedRun
from skinkit.papers import Phase, Recipe, choose
from skinkit.tasks.batches import evaluation_images

SMALL = {"widths": (4, 6)}
CLASS = Recipe(
    name="skinkit/test/class",
    title="The class alone",
    published="",
    image_size=(16, 16),
    subset=60,
    batch_size=16,
    model=choose("small_cnn", width=4, dropout=0.0),
    phases=(Phase(1, choose("adam", learning_rate=1e-3)),),
)
CHAIN = choose("restoration_classifier", backbone="small_cnn", width=4, dropout=0.0, **SMALL)
ANGLE = dataclasses.replace(
    CLASS, target=choose("rotation"), positive="0", monitor="accuracy", name="skinkit/test/angle"
)
PIXELS = dataclasses.replace(
    CLASS,
    name="skinkit/test/pixels",
    model=choose("restorer", **SMALL),
    target=choose("pixels", patch=4, swaps=3),
    loss=choose("mean_squared_error"),
    classifier=choose("logistic_regression", features="bottleneck_mean"),
    monitor="psnr",
)


def joint(recipe, **changes):
    target = choose(recipe.target.name, **recipe.target.options, joint=True)
    return dataclasses.replace(CLASS, target=target, name=f"{recipe.name}-joint", **changes)


ONLY_HEAD = dataclasses.replace(CLASS.phases[0], trainable="head")
BOTH = joint(ANGLE)
RESTORED = joint(PIXELS, model=CHAIN)


@pytest.fixture(scope="module")
def run_data():
    return {
        recipe.name: build_run_data(recipe.resolve("smoke"), "smoke") for recipe in (CLASS, ANGLE, PIXELS)
    }


def first_batch(recipe, data_of, seed=0):
    task = tasks.of(recipe.resolve("smoke"))
    model = task.model()
    inner = getattr(task, "task", task)
    prepared = inner.prepare(model, data_of, seed, None)
    return prepared, next(iter(prepared.batches(0)[0]))


def test_the_task_follows_from_the_target():
    kinds = [type(tasks.of(recipe)).__name__ for recipe in (CLASS, ANGLE, BOTH, RESTORED)]
    assert kinds == ["Classification", "RotationPretext", "RotationBesideClass", "RestorationBesideClass"]
    assert isinstance(tasks.of(PIXELS).task, tasks.ContextRestoration)


def test_angles_are_the_labels_whatever_the_class_and_on_the_same_split(run_data):
    angles, classes = run_data[ANGLE.name], run_data[CLASS.name]
    assert angles.labels == ("0", "60", "120", "180", "240", "300")
    assert angles.split.hash == classes.split.hash
    assert set(angles.table["label"]) == set(angles.labels)
    target = data.target_of("isic2018", ANGLE.target)
    # By the id alone: also of an image without a label, and in any order.
    shuffled = classes.table.assign(label=None).iloc[::-1]
    assert target.relabel(shuffled)["label"].tolist() == angles.table["label"].tolist()[::-1]


def test_a_training_alone_has_the_angle_as_its_label(run_data):
    prepared, (images, angles) = first_batch(ANGLE, run_data[ANGLE.name])
    assert images.shape == (16, 16, 16, 3) and angles.shape == (16, 6)
    assert (images.numpy()[:, 0, 0] == 0).all()
    assert prepared.model.output.shape == (None, 6)


def test_a_joint_training_has_both_labels_by_the_names_of_the_outputs(run_data):
    prepared, (images, labels) = first_batch(BOTH, run_data[CLASS.name])
    assert {name: tuple(value.shape) for name, value in labels.items()} == {
        "probabilities": (16, 7),
        "angle": (16, 6),
    }
    assert set(prepared.model.output_names) == set(labels) == set(tasks.of(BOTH).losses([]))
    prepared, (images, labels) = first_batch(RESTORED, run_data[CLASS.name])
    assert set(prepared.model.output_names) == set(labels) == set(tasks.of(RESTORED).losses([]))
    assert np.abs(images - labels["reconstruction"]).max() > 0


def test_restoration_learns_the_images_from_disordered_ones(run_data):
    _, (seen, images) = first_batch(PIXELS, run_data[PIXELS.name])
    assert seen.shape == images.shape and np.abs(seen - images).max() > 0
    for axis in (seen, images):
        assert axis.dtype == "float32"
    np.testing.assert_allclose(np.sort(seen, axis=None), np.sort(images, axis=None))


@pytest.mark.parametrize("batch_size", [7, 16])
def test_an_image_is_scored_at_the_angle_that_is_its_label_whatever_the_batch(run_data, batch_size):
    recipe = dataclasses.replace(ANGLE, batch_size=batch_size).resolve("smoke")
    rows = run_data[ANGLE.name].rows("test")
    plain = np.concatenate(list(evaluation_images(recipe, rows)))
    index = [recipe_angle // 60 for recipe_angle in rows["label"].astype(int)]
    task, model = tasks.of(recipe), tasks.of(recipe).model()
    seen = pipeline.turn(plain, np.array(index))
    np.testing.assert_allclose(task.inputs(rows), seen, atol=1e-6)
    np.testing.assert_allclose(task.predictor(model)(rows), model.predict(seen, verbose=0), atol=1e-5)


def test_beside_the_class_the_images_of_an_evaluation_are_upright_in_the_same_disc(run_data):
    rows = run_data[CLASS.name].rows("test")
    plain = np.concatenate(list(evaluation_images(BOTH, rows)))
    np.testing.assert_allclose(tasks.of(BOTH).inputs(rows), pipeline.turn(plain, [0] * len(rows)), atol=1e-6)


@pytest.mark.parametrize(("recipe", "beside"), [(BOTH, "angle"), (RESTORED, "reconstruction")])
def test_a_pretext_counts_beside_the_class_by_its_weight(recipe, beside):
    assert tasks.of(recipe).loss_weights == {"probabilities": 1.0, beside: 1.0}
    target = choose(recipe.target.name, **recipe.target.options, weight=0.25)
    changed = dataclasses.replace(recipe, target=target)
    assert tasks.of(changed).loss_weights == {"probabilities": 1.0, beside: 0.25}
    alone = choose(target.name, **{**target.options, "joint": False})
    with pytest.raises(ValueError, match="`weight` is beside the class.*weight=0.25"):
        tasks.of(dataclasses.replace(recipe, target=alone))


def trained_phases(recipe, data_of, monkeypatch, tmp_path):
    """The phases that `fit` is handed, without a training."""
    monkeypatch.setattr(training, "fit", lambda model, phases, *given, **options: phases)
    task = tasks.of(recipe.resolve("smoke"))
    return task.train(task.model(), data_of, 0, tmp_path)


def test_a_training_takes_the_weights_of_its_outputs(run_data, monkeypatch, tmp_path):
    target = choose(BOTH.target.name, **BOTH.target.options, weight=0.25)
    changed = dataclasses.replace(BOTH, target=target)
    (phase,) = trained_phases(changed, run_data[CLASS.name], monkeypatch, tmp_path)
    assert phase.loss_weights == {"probabilities": 1.0, "angle": 0.25}


def test_alpha_comes_from_the_training_labels_alone(run_data, monkeypatch, tmp_path):
    focal = dataclasses.replace(CLASS, loss=choose("focal", gamma=1.0, alpha="inverse_frequency"))
    found = run_data[CLASS.name]
    (phase,) = trained_phases(focal, found, monkeypatch, tmp_path)
    own, of_all = (
        list(training.class_weights(labels, found.labels, normalise=True).values())
        for labels in (found.rows("train")["label"], found.table["label"])
    )
    assert phase.loss.alpha == pytest.approx(own) and own != pytest.approx(of_all)


def test_restoration_is_scored_on_one_disorder_against_the_images(run_data):
    task, rows = tasks.of(PIXELS).task, run_data[PIXELS.name].rows("test")
    pairs = list(task.pairs(rows))
    images = np.concatenate(list(evaluation_images(PIXELS, rows)))
    np.testing.assert_array_equal(np.concatenate([original for _, original in pairs]), images)
    # A network that returns what it sees.
    image = keras.Input((16, 16, 3))
    same = keras.Model(image, keras.layers.Identity()(image))
    squares = np.square(np.concatenate([seen for seen, _ in pairs]) - images)
    assert task.validator(same, rows)() == pytest.approx(
        {"rmse": squares.mean() ** 0.5, "psnr": -10 * np.log10(squares.mean())}, rel=1e-4
    )
    assert squares.mean() > 0


@pytest.mark.parametrize(
    ("recipe", "watched", "trained"),
    [
        (ANGLE, "val_accuracy", "accuracy"),
        (BOTH, "val_macro_recall", "angle_accuracy"),
        (RESTORED, "val_macro_recall", "reconstruction_loss"),
        (PIXELS, "val_psnr", "loss"),
    ],
    ids=lambda value: getattr(value, "name", value),
)
def test_a_run_is_carried_out_scored_and_predicts_again(recipe, watched, trained, tmp_path):
    found = SavedRun(run(recipe, "smoke", out=tmp_path, verbose=0))
    assert {watched, trained} <= set(found.history)
    rows = found.run_data().rows("test")
    again = found.predictor()(rows)
    np.testing.assert_allclose(
        again.filter(like="p_"), found.predictions.filter(like="p_"), rtol=1e-4, atol=1e-5
    )
    assert again["label"].tolist() == found.predictions["label"].tolist()


@pytest.mark.parametrize(
    ("pretext", "model"),
    [
        (ANGLE, CLASS.model),
        (PIXELS, CHAIN),
        (PIXELS, choose("restoration_classifier", reuse="encoder", **SMALL)),
    ],
)
def test_a_classifier_starts_from_a_pretext_network(pretext, model):
    trained = tasks.of(pretext).model()
    found = tasks.of(dataclasses.replace(CLASS, model=model)).model(needed=[trained])
    layer = "conv1" if pretext is ANGLE else "encoder1_conv1"
    np.testing.assert_array_equal(found.get_layer(layer).kernel, trained.get_layer(layer).kernel)
    assert found.output.shape == (None, 7)
    assert models.head_layers(found)


@pytest.mark.parametrize(
    ("recipe", "changes", "message"),
    [
        (ANGLE, {"image_size": (16, 24)}, "must be square.*16 x 24"),
        (PIXELS, {"image_size": (16, 18)}, "patch=4, image 16 x 18"),
        (RESTORED, {"image_size": (16, 18)}, "patch=4, image 16 x 18"),
        (
            BOTH,
            {"input": choose("multi_crop", count=5), "crop_size": 8},
            "one image, whole or cropped.*multi_crop",
        ),
        (ANGLE, {"model": PIXELS.model}, "rotation.* is learned by a classifier of one image.*restorer"),
        (BOTH, {"model": choose("patient_network", context="mean")}, "classifier of one image"),
        (BOTH, {"classifier": PIXELS.classifier}, "classifier of one image.*logistic_regression"),
        (PIXELS, {"model": CLASS.model}, "pixels.* is learned by a model that returns images.*small_cnn"),
        (RESTORED, {"model": CLASS.model}, "is learned by restoration_classifier.*small_cnn"),
        (BOTH, {"mixing": choose("mixup", weight=0.7)}, "`mixing` belongs to"),
        (ANGLE, {"tta": choose("flips")}, "`tta` belongs to"),
        (ANGLE, {"augmentation": {"rot90": True}}, "180 degrees, which is one of the 6 angles"),
        (BOTH, {"augmentation": {"flip_left_right": 0.5, "flip_up_down": 0.5}}, "Flip one way alone"),
        (BOTH, {"selection": "last", "score_best": True}, "a head of its own.*score_best"),
        (RESTORED, {"phases": (ONLY_HEAD,)}, "a head of its own.*trainable"),
    ],
)
def test_what_does_not_go_together_is_named(recipe, changes, message):
    with pytest.raises(ValueError, match=message):
        tasks.of(dataclasses.replace(recipe, **changes))


@pytest.mark.parametrize("recipe", [ANGLE, BOTH], ids=lambda recipe: recipe.name)
def test_what_is_no_class_is_not_weighted_by_it(recipe):
    weighted = dataclasses.replace(recipe, balancing=choose("class_weights")).resolve("smoke")
    with pytest.raises(ValueError, match="cannot be weighted.*class_weights"):
        tasks.of(weighted)


def test_a_joint_training_that_goes_on_ends_like_an_undisturbed_one(run_data, tmp_path):
    """The second head is trained on, too, though it is in no saved model."""
    found = []
    for number, epochs in enumerate([(2,), (1, 2)]):
        for count in epochs:
            keras.utils.set_random_seed(0)
            task = tasks.of(dataclasses.replace(BOTH, phases=(Phase(count, BOTH.phases[0].optimiser),)))
            model = task.model()
            task.train(model, run_data[CLASS.name], 0, tmp_path / str(number), verbose=0)
        found.append(model.get_weights())
    for one, other in zip(*found, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-6)
