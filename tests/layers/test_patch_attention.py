import keras
import numpy as np
import pytest

from skinkit.layers import PatchAttention


def values(*shape):
    return np.random.default_rng(1).normal(size=shape).astype("float32")


def built(x, **kwargs):
    layer = PatchAttention(**kwargs)
    layer.build(x.shape)
    layer.bias.assign(np.linspace(-1, 1, x.shape[1]))
    return layer


def by_hand(x, layer):
    """Term by term: the weight of a crop is one row of sums over all crops."""
    kernel, bias = layer.get_weights()
    weights = np.zeros(x.shape[:2])
    features = np.zeros(x.shape)
    for image in range(x.shape[0]):
        for crop in range(x.shape[1]):
            score = bias[crop]
            for other in range(x.shape[1]):
                score += kernel[other, crop] * x[image, other].astype("float64").mean()
            weights[image, crop] = 1 / (1 + np.exp(-score))
            features[image, crop] = x[image, crop] * weights[image, crop]
    return features, weights


@pytest.mark.parametrize("shape", [(5, 6, 4, 3), (9, 7)])
def test_it_does_what_keras_asks_of_a_layer(check_layer, shape):
    check_layer(PatchAttention, {}, shape, known=(0, -1))


@pytest.mark.parametrize(("crops", "count"), [(5, 30), (9, 90), (16, 272)])
@pytest.mark.parametrize("inside", [(224, 224, 3), (None, None, 3), (1024,)])
def test_it_has_the_documents_number_of_parameters(crops, count, inside):
    layer = PatchAttention()
    layer.build((None, crops, *inside))
    assert layer.count_params() == count


@pytest.mark.parametrize("shape", [(3, 5, 6, 4, 3), (2, 9, 11), (1, 16, 2, 2, 8)])
def test_it_equals_the_computation_by_hand(shape):
    x = values(*shape)
    layer = built(x)
    features, weights = layer(x, return_weights=True)
    expected_features, expected_weights = by_hand(x, layer)
    assert np.ptp(expected_weights) > 0.1
    np.testing.assert_allclose(weights, expected_weights, rtol=1e-5)
    np.testing.assert_allclose(features, expected_features, rtol=1e-5)
    np.testing.assert_array_equal(layer(x), features)


def test_weights_are_float32_throughout_under_mixed_precision():
    # The sum of 3,072 such pixels is beyond the largest float16 number.
    x = (150 + 100 * values(2, 5, 32, 32, 3)).astype("float16")
    half, full = built(x, dtype="mixed_float16"), built(x)
    full.kernel.assign(half.kernel / 500)
    half.kernel.assign(full.kernel)
    features, weights = half(x, return_weights=True)
    _, expected = full(x.astype("float32"), return_weights=True)
    assert (features.dtype.name, weights.dtype.name) == ("float16", "float32")
    np.testing.assert_allclose(weights, expected, rtol=1e-6)
    spec, weight_spec = half(keras.Input((5, 32, 32, 3)), return_weights=True)
    assert (spec.dtype, spec.shape) == ("float16", (None, 5, 32, 32, 3))
    assert (weight_spec.dtype, weight_spec.shape) == ("float32", (None, 5))


@pytest.mark.parametrize("shape", [(None, None, 8, 8, 3), (None, None, 16), (None, 5)])
def test_the_number_of_crops_must_be_known(shape):
    with pytest.raises(ValueError, match="known number of crops.*Received: input_shape"):
        PatchAttention().build(shape)


def test_another_number_of_crops_is_refused():
    with pytest.raises(ValueError, match="axis 1"):
        built(values(2, 5, 7))(values(2, 9, 7))


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_weights_are_computed_in_float32_where_they_are_kept_in_half_precision(dtype):
    x = (150 + 100 * values(2, 5, 32, 32, 3)).astype("float16")
    half, full = PatchAttention(dtype=dtype), PatchAttention()
    half.build(x.shape)
    half.kernel.assign(half.kernel / 500)
    full.build(x.shape)
    full.set_weights([keras.ops.cast(weight, "float32") for weight in half.get_weights()])
    x = keras.ops.cast(x, dtype)
    features, weights = half(x, return_weights=True)
    _, expected = full(keras.ops.cast(x, "float32"), return_weights=True)
    assert (features.dtype.name, weights.dtype.name) == (dtype, "float32")
    np.testing.assert_allclose(weights, expected, rtol=1e-6)


def test_integer_crops_are_weighted_and_not_cut_to_zero():
    x = np.full((1, 2, 4, 4, 1), 200, "uint8")
    layer = built(x)
    with pytest.warns(UserWarning, match="PatchAttention casts its inputs from uint8 to float32"):
        features, weights = layer(x, return_weights=True)
    assert features.dtype.name == "float32"
    np.testing.assert_allclose(features[..., 0, 0, 0], 200 * np.asarray(weights), rtol=1e-6)
