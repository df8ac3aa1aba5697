import keras
import numpy as np
import pytest
import tensorflow as tf

from skinkit.layers import PatientAttention

VARIANTS = ("text", "listing_c", "listing_e")
MASK = np.array([[1, 1, 1, 1, 1], [1, 0, 1, 1, 0], [0, 1, 0, 0, 0]], "bool")


def features(depth=16):
    return np.random.default_rng(3).normal(size=(*MASK.shape, depth)).astype("float32")


def built(depth=16, **kwargs):
    layer = PatientAttention(**kwargs)
    layer.build((None, None, depth))
    random = np.random.default_rng(4)
    layer.set_weights([random.normal(scale=0.4, size=w.shape) for w in layer.get_weights()])
    return layer


def by_hand(layer, x, mask, passes):
    """Patient by patient, image by image, head by head."""
    heads, size = layer.num_heads, x.shape[-1] // layer.num_heads
    q, q_bias, k, k_bias, v, v_bias, o, o_bias, gamma, beta = layer.get_weights()
    outputs, scores = np.zeros(x.shape), np.zeros((len(x), heads, x.shape[1], x.shape[1]))
    for patient, image in np.argwhere(mask):
        seen = [j for j in np.flatnonzero(mask[patient]) if j != image or not layer.exclude_self]
        context, result = x[patient, seen].astype("float64"), x[patient, image].astype("float64")
        for _ in range(passes):
            attended = o_bias.copy() if seen else 0.0
            for head in range(heads if seen else 0):
                keys = context @ k[:, head] + k_bias[head]
                powers = np.exp(keys @ (result @ q[:, head] + q_bias[head]) / np.sqrt(size))
                shares = powers / powers.sum()
                scores[patient, head, image, seen] = shares
                attended = attended + shares @ (context @ v[:, head] + v_bias[head]) @ o[head]
            result = result + attended
            result = (result - result.mean()) / np.sqrt(result.var() + 1e-5) * gamma + beta
        outputs[patient, image] = result
    return outputs, scores


@pytest.mark.parametrize("variant", ["text", "listing_e"])
def test_it_does_what_keras_asks_of_a_layer(check_layer, variant):
    check_layer(
        PatientAttention,
        {"variant": variant},
        (5, 16),
        supports_masking=True,
        call=lambda layer, inputs: layer(inputs, mask=inputs[..., 0] > -0.5),
    )


@pytest.mark.parametrize(
    ("variant", "heads", "exclude_self"),
    [("text", 8, True), ("listing_c", 8, False), ("listing_e", 4, False)],
)
def test_text_and_listings_differ_in_their_defaults(variant, heads, exclude_self):
    layer = PatientAttention(variant=variant)
    assert (layer.num_heads, layer.exclude_self) == (heads, exclude_self)
    assert PatientAttention(2, variant, not exclude_self).get_config()["num_heads"] == 2
    assert PatientAttention(2, variant, not exclude_self).exclude_self != exclude_self


@pytest.mark.parametrize(("variant", "passes"), [("text", 1), ("listing_c", 1), ("listing_e", 2)])
@pytest.mark.parametrize("exclude_self", [True, False])
@pytest.mark.parametrize("mask", [MASK, np.ones_like(MASK)])
def test_it_equals_the_computation_by_hand(variant, passes, exclude_self, mask, rounding):
    layer, x = built(variant=variant, exclude_self=exclude_self), features()
    expected, expected_scores = by_hand(layer, x, mask, passes)
    x[~mask] = np.nan
    outputs, scores = layer(x, mask=mask, return_scores=True)
    np.testing.assert_allclose(outputs, expected, rtol=0, atol=rounding(expected))
    np.testing.assert_allclose(scores, expected_scores, rtol=0, atol=rounding(expected_scores))
    np.testing.assert_allclose(layer(x, mask=mask), outputs, rtol=0, atol=rounding(outputs))
    if mask.all():
        np.testing.assert_array_equal(layer(x), layer(x, mask=mask))


@pytest.mark.parametrize("variant", VARIANTS)
def test_all_variants_have_the_parameters_of_the_listings(variant):
    layer = PatientAttention(variant=variant)
    layer.build((None, None, 1280))
    # Four projections with bias, and the LayerNorm.
    assert layer.count_params() == 4 * (1280 * 1280 + 1280) + 2 * 1280
    assert layer.norm.epsilon == 1e-5


@pytest.mark.parametrize("functional", [False, True])
def test_the_projections_start_as_in_pytorch(functional):
    layer = PatientAttention()
    if functional:
        layer(keras.Input((None, 1280)))
    else:
        layer.build((None, None, 1280))
    kernels = [np.array(w) for w in layer.get_weights() if w.ndim == 3]
    # sqrt(6 / (1280 + 3 * 1280)) for one matrix of query, key and value; 1 / sqrt(1280) for the output.
    for kernel, limit in zip(kernels, (0.034233, 0.034233, 0.034233, 0.027951), strict=True):
        assert np.max(np.abs(kernel)) == pytest.approx(limit, rel=1e-4)
        assert np.std(kernel) == pytest.approx(limit / np.sqrt(3), rel=0.01)
    assert not np.allclose(kernels[0], kernels[1])


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("padding", [1e30, np.nan])
def test_padding_changes_nothing_and_becomes_zero(variant, padding, rounding):
    layer, x = built(variant=variant, exclude_self=True), features()
    padded = np.full((3, 9, 16), padding, "float32")
    padded[:, :5], mask = x, np.zeros((3, 9), "bool")
    mask[:, :5] = True
    outputs = np.array(layer(padded, mask=mask))
    np.testing.assert_allclose(outputs[:, :5], layer(x), rtol=0, atol=rounding(outputs))
    np.testing.assert_array_equal(outputs[:, 5:], 0)


@pytest.mark.parametrize("variant", VARIANTS)
def test_the_order_of_the_images_does_not_matter(variant, rounding):
    layer, x, order = built(variant=variant), features(), [3, 0, 4, 2, 1]
    shuffled = layer(x[:, order], mask=MASK[:, order])
    expected = np.array(layer(x, mask=MASK))[:, order]
    np.testing.assert_allclose(shuffled, expected, rtol=0, atol=rounding(expected))


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("padding", [0.0, 1e30, np.nan])
def test_an_only_image_has_no_context_and_finite_gradients(variant, padding, rounding):
    layer = built(variant=variant, exclude_self=True)
    only = np.array([[[padding], [1.0]]] * 2, "float32") * features()[:2, :2]
    mask = np.array([[False, True]] * 2)
    x = tf.constant(only)
    with tf.GradientTape() as tape:
        tape.watch(x)
        outputs, scores = layer(x, mask=mask, return_scores=True, training=True)
        loss = tf.reduce_sum(outputs**3)
    expected = only[:, 1:]
    for _ in range(2 if variant == "listing_e" else 1):
        expected = layer.norm(expected)
    np.testing.assert_allclose(outputs[:, 1:], expected, rtol=0, atol=rounding(expected))
    np.testing.assert_array_equal(scores, 0)
    to_input, *to_weights = tape.gradient(loss, [x, *(w.value for w in layer.trainable_weights)])
    assert all(np.all(np.isfinite(gradient)) for gradient in (to_input, *to_weights))
    np.testing.assert_array_equal(np.any(to_input, axis=-1), mask)
    assert all(not np.any(gradient) for gradient in to_weights[:-2]), "no context, no attention to learn"


def test_scores_stay_in_float32_under_mixed_precision(rounding):
    layer, exact, x = built(dtype="mixed_float16"), built(), features()
    # Products of such queries and keys are beyond the largest float16 number.
    x[0] *= 100
    outputs, scores = layer(x.astype("float16"), mask=MASK.astype("float16"), return_scores=True)
    expected, expected_scores = exact(x.astype("float16").astype("float32"), mask=MASK, return_scores=True)
    assert (outputs.dtype, scores.dtype) == (tf.float16, tf.float32)
    np.testing.assert_allclose(scores, expected_scores, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(outputs, expected, rtol=0, atol=rounding(expected, dtype="float16"))
    spec, score_spec = layer(keras.Input((None, 16)), return_scores=True)
    assert (spec.dtype, score_spec.dtype) == ("float16", "float32")
    assert score_spec.shape == (None, 8, None, None)


def test_only_listing_e_drops_scores_while_training():
    x = features()
    for variant in VARIANTS:
        layer = built(variant=variant)
        trained = [np.array(layer(x, training=True)) for _ in range(2)]
        assert np.allclose(*trained) == (variant != "listing_e")
        np.testing.assert_array_equal(layer(x), layer(x))


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"variant": "listing_d"}, "text, listing_c, listing_e.*'listing_d'"),
        ({"num_heads": "8"}, "num_heads='8'"),
        ({"num_heads": 0}, "num_heads=0"),
    ],
)
def test_wrong_arguments_are_named(wrong, message):
    with pytest.raises(ValueError, match=message):
        PatientAttention(**wrong)


@pytest.mark.parametrize(("heads", "depth"), [(8, 12), (8, None)])
def test_heads_that_do_not_divide_the_depth_are_refused(heads, depth):
    with pytest.raises(ValueError, match=f"num_heads={heads}"):
        PatientAttention(heads).build((None, None, depth))


def test_large_features_give_finite_results_in_pure_float16(rounding):
    # A product of such queries and keys is beyond the largest float16 number.
    features = 2000 * np.random.default_rng(0).normal(size=(2, 5, 64)).astype("float16")
    half, full = PatientAttention(dtype="float16"), PatientAttention()
    half.build(features.shape)
    full.build(features.shape)
    full.set_weights(half.get_weights())
    found, scores = half(features, return_scores=True)
    expected = full(features.astype("float32"))
    assert (found.dtype.name, scores.dtype.name) == ("float16", "float32")
    np.testing.assert_allclose(found, expected, rtol=0, atol=rounding(expected, dtype="float16"))
