import math

import keras
import numpy as np
import pandas as pd
import pytest
import tensorflow as tf

from skinkit.training import Plateau, TrainingPhase, fit

STEPS = 2
# Better at first, and after the fifth epoch never again.
SCORES = [1.0, 2.0, 2.0, 1.0, 3.0, *[1.0] * 20]
PLATEAU = Plateau("score", factor=0.5, patience=2, stop=4)


def linear_model():
    keras.utils.set_random_seed(0)
    return keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])


def phases():
    loss = keras.losses.MeanSquaredError()
    return [
        TrainingPhase(12, lambda: keras.optimizers.Adam(0.1), loss, plateau=PLATEAU, metrics=()),
        # Its plateau looks at its own epochs alone.
        TrainingPhase(2, lambda: keras.optimizers.SGD(0.3), loss, plateau=PLATEAU),
    ]


def batches(first_epoch):
    x = tf.random.stateless_normal((STEPS, 4, 3), seed=(0, 1))
    return tf.data.Dataset.from_tensor_slices((x, tf.reduce_sum(x, -1, keepdims=True))).repeat(), STEPS


class Killed(Exception):
    pass


def scripted(killed_in=None):
    """Scores by the optimiser's own epoch; dies in the epoch-th call."""
    calls = []

    def validate(model):
        calls.append(1)
        if len(calls) == killed_in:
            raise Killed
        return {"score": SCORES[int(model.optimizer.iterations) // STEPS - 1]}

    return validate


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    """History and final weights."""
    model = linear_model()
    folder = tmp_path_factory.mktemp("whole")
    return fit(model, phases(), batches, folder, validate=scripted(), verbose=0), model.get_weights()


def test_the_rate_falls_and_the_phase_ends_where_nothing_improves(undisturbed):
    history, _ = undisturbed
    assert history["phase"].tolist() == [1] * 9 + [2] * 2
    assert history["epoch"].tolist() == [*range(1, 10), 13, 14], "epochs count through whole phases"
    rates = [0.1] * 4 + [0.05] * 3 + [0.025] * 2 + [0.3] * 2
    np.testing.assert_allclose(history["learning_rate"], rates, rtol=1e-6)
    assert history["accuracy"].notna().tolist() == [False] * 9 + [True] * 2


@pytest.mark.parametrize("killed_in", [6, 10])
def test_a_phase_that_died_on_a_plateau_ends_like_an_undisturbed_one(tmp_path, undisturbed, killed_in):
    with pytest.raises(Killed):
        fit(linear_model(), phases(), batches, tmp_path, validate=scripted(killed_in), verbose=0)
    again = linear_model()
    resumed = fit(again, phases(), batches, tmp_path, validate=scripted(), verbose=0)
    history, weights = undisturbed
    pd.testing.assert_frame_equal(resumed.drop(columns="seconds"), history.drop(columns="seconds"))
    for weight, expected in zip(again.get_weights(), weights, strict=True):
        np.testing.assert_array_equal(weight, expected)


def test_epochs_are_counted_from_the_first_of_the_best():
    assert [PLATEAU.lowers(SCORES[:n]) for n in range(8)] == [False] * 4 + [True] + [False] * 2 + [True]
    assert [PLATEAU.stops(SCORES[:n]) for n in (0, 1, 8, 9, 10)] == [False, False, False, True, True]
    assert PLATEAU.stops([2.0, 2.0, 2.0, 2.0, 2.0]), "as good is not better"
    assert not PLATEAU.stops([math.nan, 1.0, 2.0, 3.0, 4.0]) and PLATEAU.stops([1.0, *[math.nan] * 4])


@pytest.mark.parametrize(
    "wrong", [{"factor": 1.0}, {"patience": 0}, {"stop": 0}, {"factor": None}, {"patience": None}]
)
def test_numbers_that_make_no_plateau_are_refused(wrong):
    with pytest.raises(ValueError, match="a factor between 0 and 1"):
        Plateau(**{"monitor": "psnr", "factor": 0.8, "patience": 8, "stop": 20, **wrong})


def test_without_epochs_there_is_an_empty_history(tmp_path):
    model = linear_model()
    before = model.get_weights()
    history = fit(model, [], batches, tmp_path / "new", validate=scripted(), monitor="score", verbose=0)
    assert history.empty and {"epoch", "loss", "seconds"} <= set(history)
    assert pd.read_csv(tmp_path / "new" / "history.csv").empty
    np.testing.assert_array_equal(model.get_weights()[0], before[0])


def stopping(killed_in=None, folder=None):
    """A training whose rate falls as a cosine, and which stops after two epochs that are not better."""
    model = linear_model()
    rate = keras.optimizers.schedules.CosineDecay(0.1, 24)
    early = TrainingPhase(
        12, lambda: keras.optimizers.SGD(rate), keras.losses.MeanSquaredError(), plateau=Plateau("score", 2)
    )
    options = {"validate": scripted(killed_in), "monitor": "score", "verbose": 0}
    return fit(model, [early, phases()[1]], batches, folder, **options), model.get_weights()


@pytest.fixture(scope="module")
def stopped(tmp_path_factory):
    return stopping(folder=tmp_path_factory.mktemp("stopped"))


def test_an_early_stop_leaves_the_rate(stopped):
    history, _ = stopped
    # 2.0 again is not better, and neither is 1.0.
    assert history["epoch"].tolist() == [1, 2, 3, 4, 13, 14]
    rates = [0.05 * (1 + np.cos(np.pi * done / 24)) for done in (2, 4, 6, 8)]
    np.testing.assert_allclose(history["learning_rate"][:4], rates, rtol=1e-5)


@pytest.mark.parametrize("killed_in", [3, 4])
def test_an_early_stop_outlives_a_kill(tmp_path, stopped, killed_in):
    with pytest.raises(Killed):
        stopping(killed_in, tmp_path)
    resumed, again = stopping(folder=tmp_path)
    history, weights = stopped
    pd.testing.assert_frame_equal(resumed.drop(columns="seconds"), history.drop(columns="seconds"))
    for weight, expected in zip(again, weights, strict=True):
        np.testing.assert_array_equal(weight, expected)


def test_an_early_stop_waits_from_the_first_of_the_best():
    stop = Plateau("score", 3)
    assert not any(map(stop.lowers, (SCORES[:n] for n in range(12))))
    assert [stop.stops(SCORES[:n]) for n in (0, 1, 4, 5, 7, 8)] == [False] * 5 + [True]
    assert stop.stops([0.5] * 4) and not stop.stops([0.5] * 3)
