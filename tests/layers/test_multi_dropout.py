import keras
import numpy as np
import pytest

from skinkit.layers import MultiDropout
from skinkit.training.checkpoint import Checkpoint


def test_it_does_what_keras_asks_of_a_layer(check_layer):
    check_layer(MultiDropout, {"rate": 0.3, "samples": 3, "seed": 4}, (6, 4))


@pytest.mark.parametrize("rate", [0.2, 0.5])
def test_it_equals_the_average_of_that_many_dropouts_through_one_dense_layer(rate, rounding):
    features = np.random.default_rng(0).normal(size=(6, 40)).astype("float32")
    dense = keras.layers.Dense(8)
    found = dense(MultiDropout(rate, samples=5, seed=3)(features, training=True))
    draws = np.array(keras.random.uniform((5, 6, 40), seed=keras.random.SeedGenerator(3)))
    each = [dense(features * (draw >= rate) / (1 - rate)) for draw in draws]
    assert np.std(each, axis=0).min() > 0
    np.testing.assert_allclose(found, np.mean(each, axis=0), rtol=0, atol=rounding(np.abs(each).sum(axis=0)))


def test_each_number_is_kept_in_as_many_samples_as_chance_has_it():
    found = np.array(MultiDropout(0.5, samples=5, seed=0)(np.ones((400, 100), "float32"), training=True))
    kept = np.round(found / 0.4).astype(int)
    np.testing.assert_allclose(found, kept * 0.4, rtol=1e-6)
    expected = [1 / 32, 5 / 32, 10 / 32, 10 / 32, 5 / 32, 1 / 32]
    np.testing.assert_allclose(np.bincount(kept.ravel()) / kept.size, expected, atol=0.01)


def test_nothing_is_dropped_outside_training_or_at_rate_zero():
    x = np.ones((20, 30), "float32")
    layer = MultiDropout(0.5)
    for result in (layer(x), layer(x, training=False), MultiDropout(0.0)(x, training=True)):
        np.testing.assert_array_equal(result, x)


def test_the_seed_decides_and_every_call_draws_again():
    x = np.ones((5, 30), "float32")
    first, twin, other = (MultiDropout(0.5, seed=seed) for seed in (1, 1, 2))
    drawn = np.array(first(x, training=True))
    np.testing.assert_array_equal(twin(x, training=True), drawn)
    assert np.any(other(x, training=True) != drawn) and np.any(first(x, training=True) != drawn)


def test_a_resumed_training_draws_what_it_would_have_drawn(tmp_path):
    x, inputs = np.ones((50, 3), "float32"), keras.Input((3,))
    layer = MultiDropout(0.5)
    model = keras.Model(inputs, keras.layers.Dense(1)(layer(inputs)))
    model.compile("sgd", "mse")
    model.train_on_batch(x, x[:, :1])
    Checkpoint(tmp_path).save(model, {"epoch": 1, "best_file": None})
    drawn = np.array(layer(x, training=True))
    model.train_on_batch(x, x[:, :1])
    Checkpoint(tmp_path).load_last(model)
    np.testing.assert_array_equal(layer(x, training=True), drawn)


@pytest.mark.parametrize(
    "wrong",
    [
        *({"rate": rate} for rate in (-0.1, 1.0, "a", False)),
        *({"rate": 0.5, "samples": samples} for samples in (0, 2.5, True)),
    ],
)
def test_wrong_numbers_are_named(wrong):
    name, value = list(wrong.items())[-1]
    with pytest.raises(ValueError, match=f"MultiDropout: `{name}` must be .*Received: {name}={value!r}"):
        MultiDropout(**wrong)
