import json

import keras
import numpy as np
import pytest
import tensorflow as tf

from skinkit.layers import SoftAttention

FORMS = ("described", "released")


def scores_described(x, kernel):
    """Convolution over 3 x 3 positions and all channels, term by term."""
    batch, height, width, _ = x.shape
    padded = np.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0)))
    scores = np.zeros((batch, height, width, kernel.shape[-1]))
    for i in range(3):
        for j in range(3):
            scores += padded[:, i : i + height, j : j + width] @ kernel[i, j]
    return scores


def scores_released(x, kernel):
    """The 3-D convolution of the public code: its axes lie over rows, columns and channels."""
    batch, height, width, channels = x.shape
    scores = np.zeros((batch, height, width, kernel.shape[-1]))
    for row in range(height):
        for column in range(width):
            for tap in range(channels):
                source = row + tap - (channels - 1) // 2
                for j in range(3):
                    if 0 <= source < height and 0 <= column + j - 1 < width:
                        patch = x[:, source, column + j - 1, :3]
                        scores[:, row, column] += patch @ kernel[tap, j, :, 0]
    return scores


def by_hand(x, layer):
    kernel, bias, *gamma = layer.get_weights()
    scores = scores_described if layer.kernel_form == "described" else scores_released
    scores = np.maximum(scores(x.astype("float64"), kernel) + bias, 0)
    powers = np.exp(scores)
    maps = powers / powers.sum(axis=(1, 2), keepdims=True)
    if layer.aggregate:
        features = x * maps.sum(axis=-1, keepdims=True)
    else:
        features = np.concatenate([x * maps[..., [head]] for head in range(layer.heads)], axis=-1)
    features = features * (gamma[0] if gamma else 1.0)
    if layer.concat_with_x:
        features = np.concatenate([features, x], axis=-1)
    return features, maps


def images(*shape):
    return np.random.default_rng(1).normal(size=shape).astype("float32")


@pytest.mark.parametrize(
    "init_kwargs",
    [
        {"heads": 5},
        {"heads": 3, "kernel": "released", "gamma": None},
        {"heads": 2, "aggregate": False, "concat_with_x": True},
    ],
)
def test_it_does_what_keras_asks_of_a_layer(check_layer, init_kwargs):
    check_layer(SoftAttention, init_kwargs, (6, 5, 7))


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(
    ("channels", "heads", "count"), [(192, 16, 27_664), (512, 12, 55_308), (512, 16, 73_744)]
)
def test_both_forms_have_the_published_number_of_parameters(form, channels, heads, count):
    layer = SoftAttention(heads, kernel=form, gamma=None)
    layer.build((None, 8, 8, channels))
    assert layer.count_params() == count
    assert layer.kernel.shape.num_elements() == count - heads
    with_gamma = SoftAttention(heads, kernel=form)
    with_gamma.build((None, 8, 8, channels))
    assert with_gamma.count_params() == count + 1


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("gamma", ["learnable", None])
@pytest.mark.parametrize("aggregate", [True, False])
@pytest.mark.parametrize("concat_with_x", [True, False])
def test_it_equals_the_computation_by_hand(form, gamma, aggregate, concat_with_x, rounding):
    layer = SoftAttention(3, form, gamma, aggregate, concat_with_x)
    x = images(2, 5, 4, 6)
    layer.build(x.shape)
    layer.bias.assign([0.3, -0.2, 0.1])
    features, maps = layer(x, return_maps=True)
    expected_features, expected_maps = by_hand(x, layer)
    np.testing.assert_allclose(maps, expected_maps, rtol=1e-5)
    np.testing.assert_allclose(features, expected_features, rtol=0, atol=rounding(expected_features))
    np.testing.assert_array_equal(layer(x), features)


@pytest.mark.parametrize("shape", [(2, 8, 8, 16), (2, 5, 6, 3), (1, 9, 4, 33)])
def test_the_released_form_is_the_3d_convolution_of_the_public_code(shape):
    layer, x = SoftAttention(4, kernel="released", gamma=None), images(*shape)
    _, maps = layer(x, return_maps=True)
    # Its stride over the channel axis is the whole axis, with no padding. TensorFlow 2.21 computes
    # that wrongly on the CPU (as any Conv3D whose last spatial axis ends with size 1), but stride 1
    # rightly.
    scores = tf.nn.conv3d(x[..., None], layer.kernel, strides=[1] * 5, padding="SAME")[:, :, :, 1]
    flat = tf.reshape(tf.nn.relu(scores), (shape[0], -1, 4))
    expected = tf.reshape(tf.nn.softmax(flat, axis=1), maps.shape)
    np.testing.assert_allclose(maps, expected, rtol=1e-4)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("height_width", [(8, 8), (3, 11)])
def test_each_map_sums_to_one(form, height_width):
    _, maps = SoftAttention(6, kernel=form)(images(2, *height_width, 4) * 30, return_maps=True)
    assert maps.shape == (2, *height_width, 6)
    np.testing.assert_allclose(np.sum(maps, axis=(1, 2)), 1.0, rtol=1e-5)


def kernel_gradient(form, shape, heads):
    layer, x = SoftAttention(heads, kernel=form, gamma=None), tf.constant(images(*shape))
    layer.build(shape)
    with tf.GradientTape() as tape:
        tape.watch(x)
        _, maps = layer(x, return_maps=True)
        loss = tf.reduce_sum(maps * images(*maps.shape))
    return [g.numpy() for g in tape.gradient(loss, [layer.kernel.value, x])]


@pytest.mark.parametrize(
    ("shape", "heads", "rows", "weights"),
    [
        ((4, 8, 8, 512), 12, range(248, 263), 1620),
        ((4, 14, 14, 512), 16, range(242, 269), 3888),
        ((4, 8, 8, 192), 16, range(88, 103), 2160),
    ],
)
def test_the_released_kernel_learns_only_from_three_channels(shape, heads, rows, weights):
    gradient, to_input = kernel_gradient("released", shape, heads)
    assert np.count_nonzero(gradient) == weights
    assert list(np.flatnonzero(np.any(gradient, axis=(1, 2, 3, 4)))) == list(rows)
    assert list(np.flatnonzero(np.any(to_input, axis=(0, 1, 2)))) == [0, 1, 2]


def test_the_described_kernel_learns_from_all_channels():
    gradient, to_input = kernel_gradient("described", (4, 8, 8, 512), 12)
    assert gradient.size == np.count_nonzero(gradient) == 55_296
    assert np.all(np.any(to_input, axis=(0, 1, 2)))


def test_the_softmax_is_computed_in_float32_under_mixed_precision():
    layer, x = SoftAttention(2, dtype="mixed_float16"), images(1, 64, 64, 3)
    features, maps = layer(x, return_maps=True)
    assert (features.dtype, maps.dtype) == (tf.float16, tf.float32)
    # 1 / 4096 survives float16, but a position e^-12 below the mean one does not.
    x[0, 0, 0] = 40
    _, maps = layer(x, return_maps=True)
    assert np.min(maps) > 0
    spec, map_spec = layer(keras.Input((None, None, 3)), return_maps=True)
    assert (spec.dtype, map_spec.dtype) == ("float16", "float32")
    assert map_spec.shape == (None, None, None, 2)


def test_one_model_takes_images_of_any_size():
    inputs = keras.Input((None, None, 3))
    model = keras.Model(inputs, SoftAttention(2, aggregate=False)(inputs))
    assert model.output.shape == (None, None, None, 6)
    for height, width in [(4, 9), (7, 5)]:
        assert model(images(1, height, width, 3)).shape == (1, height, width, 6)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"heads": 0}, "heads=0"),
        ({"heads": "16"}, "heads='16'"),
        ({"kernel": "3x3"}, "kernel='3x3'"),
        ({"gamma": 0.01}, "gamma=0.01"),
    ],
)
def test_wrong_arguments_are_named(wrong, message):
    with pytest.raises(ValueError, match=message):
        SoftAttention(**wrong)


def test_too_few_channels_for_the_released_form_are_refused():
    with pytest.raises(ValueError, match="at least 3"):
        SoftAttention(kernel="released").build((None, 8, 8, 2))


_FRESH_PROCESS = """
import json, sys
import keras, numpy as np
from skinkit.layers import SoftAttention
x = np.load(sys.argv[1])
found = {}
for form in ("described", "released"):
    layer = SoftAttention(3, kernel=form)
    layer.build(x.shape)
    layer.set_weights([np.load(sys.argv[2])[f"{form}{i}"] for i in range(3)])
    features, maps = layer(x, return_maps=True)
    inputs = keras.Input((None, None, x.shape[-1]))
    model = keras.Model(inputs, layer(inputs))
    found[form] = [np.asarray(v).tolist() for v in (features, maps, model.predict(x, verbose=0))]
print("RESULT" + json.dumps({"backend": keras.backend.backend(), **found}))
"""


def test_backends_give_the_same_result(other_backend, tmp_path, fresh_python, rounding):
    x, weights, expected = images(2, 6, 5, 4), {}, {}
    for form in FORMS:
        layer = SoftAttention(3, kernel=form)
        expected[form] = layer(x, return_maps=True)
        weights |= {f"{form}{i}": w for i, w in enumerate(layer.get_weights())}
    np.save(tmp_path / "x.npy", x)
    np.savez(tmp_path / "weights.npz", **weights)
    files = tmp_path / "x.npy", tmp_path / "weights.npz"
    printed = fresh_python(_FRESH_PROCESS, *files, backend=other_backend)
    found = json.loads(printed.split("RESULT")[1])
    assert found["backend"] == other_backend
    for form in FORMS:
        features, maps, predicted = (np.array(v) for v in found[form])
        np.testing.assert_allclose(maps, expected[form][1], rtol=1e-4)
        np.testing.assert_allclose(features, expected[form][0], rtol=0, atol=rounding(features))
        np.testing.assert_allclose(predicted, features, rtol=0, atol=rounding(features))
