import keras
import numpy as np
import pytest

from skinkit.layers import PatchDropout
from skinkit.training.checkpoint import Checkpoint


def kept_crops(layer, x):
    """Returns which crops are left, after checking that each is either untouched or all zero."""
    dropped = np.array(layer(x, training=True)).reshape(*x.shape[:2], -1)
    same = np.all(dropped == x.reshape(dropped.shape), axis=-1)
    np.testing.assert_array_equal(np.all(dropped == 0, axis=-1), ~same)
    return same


def test_it_does_what_keras_asks_of_a_layer(check_layer):
    check_layer(PatchDropout, {"rate": 0.3, "seed": 4}, (5, 6, 4, 3))


@pytest.mark.parametrize("inside", [(4, 3, 3), (11,)])
@pytest.mark.parametrize("dtype", ["float32", "mixed_float16"])
def test_whole_crops_are_zero_and_the_others_untouched(inside, dtype):
    x = np.random.default_rng(0).uniform(0.5, 1, (40, 5, *inside)).astype("float16")
    kept = kept_crops(PatchDropout(0.4, seed=1, dtype=dtype), x)
    assert 0.4 < kept.mean() < 0.8


@pytest.mark.parametrize("rate", [0.1, 0.5])
def test_each_crop_is_dropped_on_its_own(rate):
    lost = 5 - kept_crops(PatchDropout(rate, seed=0), np.ones((4000, 5, 2), "float32")).sum(axis=1)
    expected = np.random.default_rng(0).binomial(5, rate, 200_000)
    for number in range(6):
        assert np.mean(lost == number) == pytest.approx(np.mean(expected == number), abs=0.03)


def test_nothing_is_dropped_outside_training_or_at_rate_zero():
    x = np.ones((200, 5, 3), "float32")
    layer = PatchDropout(0.5)
    for result in (layer(x), layer(x, training=False), PatchDropout(0.0)(x, training=True)):
        np.testing.assert_array_equal(result, x)


def test_the_seed_decides_and_every_call_draws_again():
    x = np.ones((50, 5, 1), "float32")
    first, twin, other = (PatchDropout(0.5, seed=seed) for seed in (1, 1, 2))
    drawn = kept_crops(first, x)
    np.testing.assert_array_equal(kept_crops(twin, x), drawn)
    assert np.any(kept_crops(other, x) != drawn) and np.any(kept_crops(first, x) != drawn)


def test_a_resumed_training_draws_what_it_would_have_drawn(tmp_path):
    x, inputs = np.ones((50, 5, 1), "float32"), keras.Input((5, 1))
    layer = PatchDropout(0.5)
    model = keras.Model(inputs, keras.layers.Dense(1)(layer(inputs)))
    model.compile("sgd", "mse")
    model.train_on_batch(x, x)
    Checkpoint(tmp_path).save(model, {"epoch": 1, "best_file": None})
    drawn = kept_crops(layer, x)
    model.train_on_batch(x, x)
    Checkpoint(tmp_path).load_last(model)
    np.testing.assert_array_equal(kept_crops(layer, x), drawn)


@pytest.mark.parametrize("rate", [-0.1, 1.0, 5])
def test_wrong_rates_are_named(rate):
    with pytest.raises(ValueError, match=rf"rate={rate}"):
        PatchDropout(rate)
