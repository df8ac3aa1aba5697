import json

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import ops

from skinkit.layers import MaxPoolWithIndices, MaxUnpool


def images(*shape):
    return np.random.default_rng(5).normal(size=shape).astype("float32")


def by_hand(x):
    """Maxima, their places and the image with all else set to zero, window by window."""
    batch, height, width, channels = x.shape
    pooled = np.zeros((batch, height // 2, width // 2, channels), "float32")
    indices, kept = pooled.astype("int32"), np.zeros((batch, height // 2 * 2, width // 2 * 2, channels))
    for image, row, column, channel in np.ndindex(pooled.shape):
        window = x[image, 2 * row : 2 * row + 2, 2 * column : 2 * column + 2, channel]
        place = int(np.argmax(window))
        pooled[image, row, column, channel] = window.max()
        indices[image, row, column, channel] = place
        kept[image, 2 * row + place // 2, 2 * column + place % 2, channel] = window.max()
    return pooled, indices, kept


def test_pooling_does_what_keras_asks_of_a_layer(check_layer):
    check_layer(MaxPoolWithIndices, {}, (6, 8, 3), call=lambda layer, inputs: layer(inputs)[0])


def test_unpooling_does_what_keras_asks_of_a_layer(check_layer):
    def call(layer, inputs):
        return layer(inputs, ops.cast(ops.abs(inputs) * 10, "int32") % 4)

    check_layer(MaxUnpool, {}, (6, 8, 3), call=call)


@pytest.mark.parametrize("shape", [(2, 6, 8, 3), (1, 2, 2, 1), (2, 5, 7, 3)])
def test_they_equal_the_computation_by_hand(shape):
    x = images(*shape)
    pooled, indices = MaxPoolWithIndices()(x)
    kept = MaxUnpool()(pooled, indices)
    for found, expected in zip((pooled, indices, kept), by_hand(x), strict=True):
        np.testing.assert_array_equal(found, expected)


def test_the_places_are_those_of_tensorflow():
    x = images(2, 6, 8, 3)
    _, flat = tf.nn.max_pool_with_argmax(x, 2, 2, "VALID")
    row, column = flat.numpy() // 3 // 8, flat.numpy() // 3 % 8
    np.testing.assert_array_equal(MaxPoolWithIndices()(x)[1], row % 2 * 2 + column % 2)


def test_the_first_of_equals_is_kept():
    pooled, indices = MaxPoolWithIndices()(np.zeros((1, 4, 4, 2), "float32"))
    np.testing.assert_array_equal(indices, 0)


def test_the_gradient_goes_through_the_largest_pixel_only():
    x, weights = tf.constant(images(2, 6, 7, 3)), images(2, 6, 6, 3)
    with tf.GradientTape() as tape:
        tape.watch(x)
        kept = MaxUnpool()(*MaxPoolWithIndices()(x))
        loss = tf.reduce_sum(kept * weights)
    expected = np.zeros(x.shape)
    expected[:, :, :6] = np.where(np.array(kept) != 0, weights, 0)
    np.testing.assert_array_equal(tape.gradient(loss, x), expected)


def test_an_odd_last_row_and_column_are_left_out():
    x = images(1, 5, 7, 2)
    odd, even = MaxPoolWithIndices()(x), MaxPoolWithIndices()(x[:, :4, :6])
    for found, expected in zip(odd, even, strict=True):
        np.testing.assert_array_equal(found, expected)
    assert MaxUnpool()(*odd).shape == (1, 4, 6, 2)


def test_one_model_takes_images_of_any_size():
    inputs = keras.Input((None, None, 3))
    pooled, indices = MaxPoolWithIndices()(inputs)
    assert (indices.dtype, indices.shape) == ("int32", (None, None, None, 3))
    known, _ = MaxPoolWithIndices()(keras.Input((9, 6, 3)))
    assert known.shape == (None, 4, 3, 3)
    model = keras.Model(inputs, MaxUnpool()(pooled, indices))
    for height, width in [(4, 10), (7, 5)]:
        x = images(2, height, width, 3)
        np.testing.assert_array_equal(model.predict(x, verbose=0), by_hand(x)[2])


_FRESH_PROCESS = """
import json, sys
import keras, numpy as np
import skinkit.layers
model = keras.saving.load_model(sys.argv[1])
found = [np.asarray(value).tolist() for value in model.predict(np.load(sys.argv[2]), verbose=0)]
print("RESULT" + json.dumps([keras.backend.backend(), *found]))
"""


def test_they_work_in_a_fresh_process_of_any_backend(backend, tmp_path, fresh_python):
    x, inputs = images(2, 6, 7, 3), keras.Input((None, None, 3))
    pooled, indices = MaxPoolWithIndices()(inputs)
    keras.Model(inputs, [pooled, indices, MaxUnpool()(pooled, indices)]).save(tmp_path / "model.keras")
    np.save(tmp_path / "x.npy", x)
    printed = fresh_python(_FRESH_PROCESS, tmp_path / "model.keras", tmp_path / "x.npy", backend=backend)
    found_backend, *found = json.loads(printed.split("RESULT")[1])
    assert found_backend == backend
    for value, expected in zip(found, by_hand(x), strict=True):
        np.testing.assert_allclose(value, expected, rtol=1e-6)
