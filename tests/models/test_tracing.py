import keras
import numpy as np
import pytest
from keras import layers

from skinkit.models import traced


def image_model():
    image = keras.Input((None, 8, 3))
    return keras.Model(image, layers.GlobalAveragePooling2D()(image))


def masked_model():
    inputs = [keras.Input((None, 3)), keras.Input((None,), dtype="bool")]
    return keras.Model(inputs, layers.Dot(axes=1)([inputs[0], layers.Rescaling(1.0)(inputs[1])]))


def images(count):
    return np.ones((count, 4 + count, 8, 3), "float32")


def sets(count):
    return [np.ones((count, count, 3), "float32"), np.ones((count, count), bool)]


@pytest.mark.parametrize(("make", "draw"), [(image_model, images), (masked_model, sets)])
def test_batches_of_all_sizes_share_one_graph(make, draw):
    model = make()
    for count in (4, 4, 3, 1):
        expected = np.full((count, 3), 1 if make is image_model else count)
        np.testing.assert_array_equal(traced(model).predict_on_batch(draw(count)), expected)
    assert model.predict_function.experimental_get_tracing_count() == 1


def test_a_model_that_was_compiled_since_keeps_its_graph_and_has_its_new_weights():
    image = keras.Input((3,))
    model = keras.Model(image, layers.Dense(1, use_bias=False)(image))
    x = np.ones((2, 3), "float32")
    for factor in (1.0, 2.0):
        model.compile(keras.optimizers.SGD(1.0), "mse")
        model.set_weights([np.full((3, 1), factor)])
        np.testing.assert_array_equal(traced(model).predict_on_batch(x), np.full((2, 1), 3 * factor))
    model.train_on_batch(x, np.zeros((2, 1)))
    expected = x @ model.get_weights()[0]
    np.testing.assert_allclose(traced(model).predict_on_batch(x), expected, rtol=1e-6)
    assert model.predict_function.experimental_get_tracing_count() == 1


def test_it_is_traced_again_where_it_is_carried_out_in_another_way():
    model = traced(image_model())
    model.compile(steps_per_execution=2)
    assert traced(model) is model
    np.testing.assert_array_equal(model.predict_on_batch(images(2)), np.ones((2, 3)))
    assert model.predict_function.experimental_get_tracing_count() == 1


def test_a_model_that_runs_eagerly_has_no_graph():
    model = image_model()
    model.compile(run_eagerly=True)
    np.testing.assert_array_equal(traced(model).predict_on_batch(images(2)), np.ones((2, 3)))
