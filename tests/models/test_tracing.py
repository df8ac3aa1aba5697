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


def test_a_model_that_was_compiled_since_is_traced_again():
    model = traced(image_model())
    model.compile()
    assert traced(model) is model
    model.predict_on_batch(images(2))
    assert model.predict_function.experimental_get_tracing_count() == 1
