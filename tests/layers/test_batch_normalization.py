"""The fused layer against Keras' own, on the same inputs."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from skinkit import models
from skinkit.layers import BatchNormalization

STEPS = 20
BATCHES = [3 * np.random.default_rng(i).normal(size=(4, 6, 5, 3)).astype("float32") + 1 for i in range(STEPS)]


def trained(cls, trainable=True, dtype=None, **options):
    """A layer after `STEPS` steps, with the outputs and gradients of each."""
    layer = cls(momentum=0.9, name="bn", dtype=dtype, **options)
    layer.build((None, 6, 5, 3))
    layer.trainable = trainable
    layer.moving_mean.assign([0.5, 1.0, 1.5])

    @tf.function
    def step(images):
        with tf.GradientTape() as tape:
            tape.watch(images)
            outputs = layer(images, training=True)
            total = tf.reduce_sum(tf.sin(tf.cast(outputs, "float32")))
        return outputs, *tape.gradient(total, [images, *(weight.value for weight in layer.trainable_weights)])

    return layer, [[np.asarray(tf.cast(part, "float32")) for part in step(tf.constant(b))] for b in BATCHES]


@pytest.fixture
def fused_only(monkeypatch):
    """Fails where the layer goes Keras' own way."""
    monkeypatch.setattr(keras.layers.BatchNormalization, "call", None)


def test_it_does_what_keras_asks_of_a_layer(check_layer):
    check_layer(BatchNormalization, {"momentum": 0.9}, (6, 5, 3), fresh_process=True, supports_masking=True)


@pytest.mark.parametrize("trainable", [True, False])
def test_outputs_gradients_and_statistics_are_those_of_keras(trainable, monkeypatch):
    theirs, expected = trained(keras.layers.BatchNormalization, trainable)
    monkeypatch.setattr(keras.layers.BatchNormalization, "call", None)
    ours, found = trained(BatchNormalization, trainable)
    for mine, other in zip(found, expected, strict=True):
        for part, known in zip(mine, other, strict=True):
            np.testing.assert_allclose(part, known, rtol=0, atol=1e-5 * max(1, np.abs(known).max()))
    for mine, other in zip(ours.get_weights(), theirs.get_weights(), strict=True):
        np.testing.assert_allclose(mine, other, rtol=1e-5)
    assert np.any(ours.moving_mean != [0.5, 1.0, 1.5]) == trainable


def test_the_moving_variance_is_that_of_all_values_by_hand(fused_only):
    layer = BatchNormalization(momentum=0.0)
    values = np.array([1.0, 2.0, 3.0, 6.0], "float32").reshape(1, 2, 2, 1)
    layer(values, training=True)
    # Squared distances from 3 are 4, 1, 0 and 9: 14 by 4, not by 3.
    assert float(layer.moving_mean[0]) == 3 and float(layer.moving_variance[0]) == pytest.approx(3.5)


def test_bfloat16_is_as_close_as_its_digits(fused_only):
    layer, found = trained(BatchNormalization, dtype="mixed_bfloat16")
    _, expected = trained(BatchNormalization)
    assert {weight.dtype for weight in layer.weights} == {"float32"}
    for mine, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(mine[0], other[0], rtol=0, atol=2**-7 * np.abs(other[0]).max())


@pytest.mark.parametrize(
    ("options", "shape"),
    [({"axis": 1}, (2, 3, 4, 4)), ({}, (8, 3)), ({"dtype": "mixed_float16"}, (2, 4, 4, 3))],
)
def test_what_is_not_fused_goes_the_way_of_keras(options, shape):
    ours, theirs = BatchNormalization(**options), keras.layers.BatchNormalization(**options)
    images = np.random.default_rng(0).normal(size=shape).astype("float32")
    for training in (True, False):
        np.testing.assert_array_equal(ours(images, training=training), theirs(images, training=training))


def test_without_scale_and_centre(fused_only):
    layer = BatchNormalization(scale=False, center=False, epsilon=0.0)
    found = np.asarray(layer(BATCHES[0], training=True))
    np.testing.assert_allclose(found.mean(axis=(0, 1, 2)), 0, atol=1e-6)
    np.testing.assert_allclose(found.std(axis=(0, 1, 2)), 1, atol=1e-5)
    assert len(layer.weights) == 2


def test_equal_seeds_give_equal_steps():
    (_, first), (_, second) = trained(BatchNormalization), trained(BatchNormalization)
    for one, other in zip(first, second, strict=True):
        for a, b in zip(one, other, strict=True):
            np.testing.assert_array_equal(a, b)


def with_layers_of_keras(model):
    """The same network with Keras' own layer, as older versions saved it."""

    def clone(layer):
        if isinstance(layer, BatchNormalization):
            return keras.layers.BatchNormalization.from_config(layer.get_config())
        return layer.__class__.from_config(layer.get_config())

    old = keras.models.clone_model(model, clone_function=clone)
    old.set_weights(model.get_weights())
    return old


def test_models_and_weights_of_older_versions_load(tmp_path):
    images = np.random.default_rng(0).random((3, 32, 32, 3), dtype="float32")
    model = models.build("small_cnn", (32, 32, 3), classes=4)
    old = with_layers_of_keras(model)
    assert not any(isinstance(layer, BatchNormalization) for layer in old.layers)
    old.save(tmp_path / "old.keras")
    old.save_weights(tmp_path / "old.weights.h5")
    expected = old.predict(images, verbose=0)
    other = models.build("small_cnn", (32, 32, 3), classes=4, weights=tmp_path / "old.weights.h5")
    for found in (models.load_model(tmp_path / "old.keras"), other):
        np.testing.assert_allclose(found.predict(images, verbose=0), expected, atol=1e-6)


def test_it_is_exported(tmp_path):
    model = models.build("small_cnn", (32, 32, 3), classes=4)
    images = np.random.default_rng(0).random((3, 32, 32, 3), dtype="float32")
    model.export(tmp_path / "exported", verbose=False)
    served = tf.saved_model.load(tmp_path / "exported")
    np.testing.assert_allclose(served.serve(images), model.predict(images, verbose=0), atol=1e-6)
