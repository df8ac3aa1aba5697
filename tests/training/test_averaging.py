"""Averaged weights: what they are by hand, who sees them, and that a kill changes nothing."""

import importlib.util
import os
import subprocess
from pathlib import Path
from types import SimpleNamespace

import keras
import numpy as np
import pandas as pd
import pytest
import tensorflow as tf

from skinkit.training import Checkpoint, Plateau, TrainingPhase, build_optimiser, fit

STEPS = 4


class Killed(Exception):
    pass


def small_model():
    keras.utils.set_random_seed(3)
    return keras.Sequential(
        [
            keras.Input((6,)),
            keras.layers.Dense(8, activation="relu", name="body"),
            keras.layers.BatchNormalization(momentum=0.8, name="norm"),
            keras.layers.Dropout(0.5, name="drop"),
            keras.layers.Dense(3, activation="softmax", name="head"),
        ]
    )


def batches(first_epoch):
    """Endless batches that are a function of the epoch alone."""

    def epoch_batches(epoch):
        x = tf.random.stateless_normal((STEPS, 16, 6), seed=tf.stack([epoch, 1]))
        return tf.data.Dataset.from_tensor_slices((x, tf.one_hot(tf.argmax(x[..., :3], axis=-1), 3)))

    epochs = tf.data.Dataset.range(first_epoch, 1000, output_type=tf.int32)
    return epochs.flat_map(epoch_batches), STEPS


def phases(plateau=None):
    loss, average = keras.losses.CategoricalCrossentropy(), {"use_ema": True, "ema_momentum": 0.8}
    return [
        TrainingPhase(2, lambda: build_optimiser("adam", 1e-2, **average), loss, trainable=("head",)),
        TrainingPhase(3, lambda: build_optimiser("adamw", 1e-2, **average), loss, plateau=plateau),
    ]


class Watch:
    """Keeps the weights that it is shown, with a score that is best in the third epoch; dies when told."""

    def __init__(self, killed_at=None):
        self.seen, self.killed_at = [], killed_at

    def __call__(self, model):
        self.seen.append(model.get_weights())
        if len(self.seen) == self.killed_at:
            raise Killed
        return {"recall": float(np.abs(model.get_weights()[0]).sum()) % 1}


def equal(ours, theirs):
    return all(np.array_equal(one, other) for one, other in zip(ours, theirs, strict=True))


def trained(folder, validate=None, model=None, **options):
    model = model or small_model()
    history = fit(model, phases(), batches, folder, validate=validate, verbose=0, **options)
    return model, history


def test_an_average_by_hand_is_validated_and_kept_and_the_training_goes_on_without_it(tmp_path):
    # The loss w * w and a rate of 1/4 halve w in each step.
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1, use_bias=False)])
    model.set_weights([np.ones((1, 1))])
    data = tf.data.Dataset.from_tensors((tf.ones((1, 1)), tf.zeros((1, 1)))).repeat()
    optimiser = lambda: build_optimiser("sgd", 0.25, momentum=0.0, use_ema=True, ema_momentum=0.5)  # noqa: E731
    phase, watch = TrainingPhase(2, optimiser, keras.losses.MeanSquaredError(), metrics=()), Watch()
    fit(model, [phase], lambda first: (data, 3), tmp_path, validate=watch, verbose=0)
    # 1/2, then (1/2 + 1/4) / 2 = 3/8, then (3/8 + 1/8) / 2 = 1/4; then, from 1/8 on, 5/32, 3/32, 7/128.
    assert [float(weights[0].item()) for weights in watch.seen] == [1 / 4, 7 / 128]
    assert model.get_weights()[0].item() == 7 / 128
    Checkpoint(tmp_path / "checkpoint").load_last(model)
    assert model.get_weights()[0].item() == 1 / 64


@pytest.fixture(scope="module")
def disturbed_by_nothing(tmp_path_factory):
    folder, watch = tmp_path_factory.mktemp("whole"), Watch()
    model, history = trained(folder, watch, monitor="recall", end_with="last")
    state = Checkpoint(folder / "checkpoint")
    kept = {"model": model, "history": history, "seen": watch.seen, "end": model.get_weights()}
    return SimpleNamespace(**kept, state=state)


@pytest.fixture
def whole(disturbed_by_nothing):
    """A training to its end: what it was shown, its history and state, and the model as it was then."""
    disturbed_by_nothing.model.set_weights(disturbed_by_nothing.end)
    return disturbed_by_nothing


def test_batch_statistics_are_those_of_the_averaged_weights(whole):
    outputs = keras.Model(whole.model.inputs[0], whole.model.get_layer("body").output)
    seen = [keras.ops.convert_to_numpy(outputs(x.numpy())) for x, _ in batches(5)[0].take(STEPS)]
    shares = np.array([0.8**3, 0.8**2, 0.8, 1.0])
    shares /= shares.sum()
    _, _, mean, variance = whole.model.get_layer("norm").get_weights()
    np.testing.assert_allclose(mean, shares @ [x.mean(axis=0) for x in seen], rtol=1e-4)
    np.testing.assert_allclose(variance, shares @ [x.var(axis=0) for x in seen], rtol=1e-4)


def test_frozen_batch_statistics_stay_as_they_are(tmp_path):
    model = small_model()
    fit(model, phases()[:1], batches, tmp_path, validate=Watch(), verbose=0)
    np.testing.assert_array_equal(model.get_layer("norm").get_weights()[2:], [np.zeros(8), np.ones(8)])


def test_the_saved_best_and_the_end_are_what_was_validated(whole):
    assert equal(whole.end[:-1], whole.seen[-1][:-1])
    epoch = whole.state.load_best(whole.model)
    assert epoch == whole.history["val_recall"].idxmax() + 1
    assert equal(whole.model.get_weights(), whole.seen[epoch - 1])


def test_a_look_changes_nothing_in_the_training(whole, tmp_path):
    blind, _ = trained(tmp_path)
    Checkpoint(tmp_path / "checkpoint").load_last(blind)
    whole.state.load_last(whole.model)
    assert equal(*([variable.numpy() for variable in model.variables] for model in (blind, whole.model)))


@pytest.mark.parametrize("killed_at", [3, 5])
def test_a_training_that_died_ends_like_an_undisturbed_one(whole, tmp_path, killed_at):
    options = {"monitor": "recall", "end_with": "last"}
    with pytest.raises(Killed):
        trained(tmp_path, Watch(killed_at), **options)
    again, resumed = trained(tmp_path, Watch(), **options)
    assert equal(again.get_weights(), whole.end)
    Checkpoint(tmp_path / "checkpoint").load_best(again)
    whole.state.load_best(whole.model)
    assert equal(again.get_weights(), whole.model.get_weights())
    pd.testing.assert_frame_equal(resumed.drop(columns="seconds"), whole.history.drop(columns="seconds"))


def test_a_finished_or_stopped_training_ends_with_the_average_when_it_is_asked_again(tmp_path):
    asked = phases(plateau=Plateau("recall", 1))
    ends = []
    for _ in range(2):
        model = small_model()
        options = {"validate": lambda model: {"recall": 0.5}, "verbose": 0}
        ends.append(fit(model, asked, batches, tmp_path, **options))
        ends.append(model.get_weights())
    assert len(ends[0]) == 4 and equal(ends[1], ends[3])


@pytest.mark.skipif(importlib.util.find_spec("jax") is None, reason="needs jax (pip install 'skinkit[dev]')")
@pytest.mark.xdist_group("backends")
def test_it_is_so_on_jax_too(python_of):
    tests = ("by_hand", "those_of_the_averaged", "undisturbed_one[5]")
    done = subprocess.run(
        [*python_of("jax"), "-m", "pytest", "-q", __file__, "-k", " or ".join(tests)],
        env={**os.environ, "KERAS_BACKEND": "jax", "PYTEST_XDIST_WORKER": ""},
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout[-3000:]
    assert "3 passed" in done.stdout
