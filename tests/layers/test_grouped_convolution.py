import keras
import numpy as np
import pytest

from skinkit.layers import GroupedConv2D

OPTIONS = {"filters": 8, "kernel_size": 3, "groups": 4, "strides": 2, "padding": "same", "name": "conv"}


def test_it_does_what_keras_asks_of_a_layer(check_layer):
    check_layer(GroupedConv2D, {k: v for k, v in OPTIONS.items() if k != "name"}, (7, 6, 12))


@pytest.mark.parametrize("gpus", [[], ["gpu:0"]])
def test_it_gives_what_the_convolution_of_keras_gives(monkeypatch, gpus, rounding):
    monkeypatch.setattr(keras.distribution, "list_devices", lambda kind: gpus)
    inputs = np.random.default_rng(0).normal(size=(2, 7, 6, 12)).astype("float32")
    reference, layer = keras.layers.Conv2D(**OPTIONS), GroupedConv2D(**OPTIONS)
    expected = reference(inputs)
    layer.build(inputs.shape)
    layer.set_weights(reference.get_weights())
    np.testing.assert_allclose(layer(inputs), expected, rtol=0, atol=rounding(expected))
    assert layer.get_config() == reference.get_config()
