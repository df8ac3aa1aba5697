import json

import keras
import numpy as np
import pytest

from skinkit.layers import PatchAttention, PatchDropout, StackCrops, UnstackCrops


def numbered(*shape):
    return np.arange(np.prod(shape), dtype="float32").reshape(shape)


def test_stacking_does_what_keras_asks_of_a_layer(check_layer):
    check_layer(StackCrops, {}, (5, 6, 4, 3))


def test_unstacking_does_what_keras_asks_of_a_layer(check_layer):
    check_layer(UnstackCrops, {"crops": 2}, (7,))


def test_crops_are_stacked_image_by_image_in_their_order():
    x = numbered(3, 5, 4, 2, 3)
    stacked = np.array(StackCrops()(x))
    assert stacked.shape == (15, 4, 2, 3)
    for image in range(3):
        for crop in range(5):
            np.testing.assert_array_equal(stacked[5 * image + crop], x[image, crop])


@pytest.mark.parametrize("inside", [(7,), (4, 2, 3)])
def test_unstacking_undoes_stacking(inside):
    x = numbered(3, 5, *inside)
    np.testing.assert_array_equal(UnstackCrops(5)(StackCrops()(x)), x)


@pytest.mark.parametrize(
    ("layer", "before", "after"),
    [
        (StackCrops(), (None, 5, 8, 8, 3), (None, 8, 8, 3)),
        (StackCrops(), (4, 5, 8, None, 3), (20, 8, None, 3)),
        (StackCrops(), (4, None, None, None, 3), (None, None, None, 3)),
        (UnstackCrops(5), (None, 7), (None, 5, 7)),
        (UnstackCrops(5), (20, None), (4, 5, None)),
    ],
)
def test_unknown_sizes_stay_unknown(layer, before, after):
    assert layer.compute_output_shape(before) == after
    assert layer(keras.Input(batch_shape=before)).shape == after


def test_no_crops_are_refused():
    for crops in (0, "5", 2.5):
        with pytest.raises(ValueError, match=f"crops={crops!r}"):
            UnstackCrops(crops)


_FRESH_PROCESS = """
import json, sys
import keras, numpy as np
import skinkit.layers
model = keras.saving.load_model(sys.argv[1])
x = np.load(sys.argv[2])
_, weights = model.get_layer("attention")(x, return_weights=True)
dropped = model.get_layer("dropout")(x, training=True)
found = {"predicted": model.predict(x, verbose=0), "weights": weights, "dropped": dropped}
found = {name: np.asarray(value).tolist() for name, value in found.items()}
print("RESULT" + json.dumps({"backend": keras.backend.backend(), **found}))
"""


def test_all_layers_of_crops_work_in_a_fresh_process_of_any_backend(backend, tmp_path, fresh_python):
    x = np.random.default_rng(0).uniform(0.5, 1, (20, 5, 4, 3, 2)).astype("float32")
    inputs = keras.Input((5, None, None, 2))
    attended = PatchAttention(name="attention")(PatchDropout(0.5, name="dropout")(inputs))
    pooled = keras.layers.GlobalAveragePooling2D()(StackCrops()(attended))
    model = keras.Model(inputs, PatchAttention()(UnstackCrops(5)(pooled)))
    model.save(tmp_path / "model.keras")
    np.save(tmp_path / "x.npy", x)
    printed = fresh_python(_FRESH_PROCESS, tmp_path / "model.keras", tmp_path / "x.npy", backend=backend)
    found = json.loads(printed.split("RESULT")[1])
    assert found["backend"] == backend
    np.testing.assert_allclose(found["predicted"], model.predict(x, verbose=0), rtol=1e-5)
    _, weights = model.get_layer("attention")(x, return_weights=True)
    np.testing.assert_allclose(found["weights"], weights, rtol=1e-5)
    left = np.array(found["dropped"]) != 0
    np.testing.assert_array_equal(left.any(axis=(2, 3, 4)), left.all(axis=(2, 3, 4)))
    assert 0.3 < left.mean() < 0.7
