import keras
import numpy as np
import pytest
import tensorflow as tf

from skinkit.layers import PatientMean

MASK = np.array([[1, 1, 1, 1, 1], [1, 0, 1, 1, 0], [0, 1, 0, 0, 0]], "bool")


def features(depth=6):
    return np.random.default_rng(3).normal(size=(*MASK.shape, depth)).astype("float32")


def by_hand(x, mask, exclude_self):
    outputs = np.zeros((*x.shape[:2], 2 * x.shape[2]))
    for patient, image in np.argwhere(mask):
        seen = [j for j in np.flatnonzero(mask[patient]) if j != image or not exclude_self]
        mean = sum(x[patient, j].astype("float64") for j in seen) / max(len(seen), 1)
        outputs[patient, image] = [*x[patient, image], *np.broadcast_to(mean, x.shape[2:])]
    return outputs


@pytest.mark.parametrize("exclude_self", [True, False])
def test_it_does_what_keras_asks_of_a_layer(check_layer, exclude_self):
    check_layer(
        PatientMean,
        {"exclude_self": exclude_self},
        (5, 8),
        supports_masking=True,
        call=lambda layer, inputs: layer(inputs, mask=inputs[..., 0] > -0.5),
    )


@pytest.mark.parametrize("exclude_self", [True, False])
@pytest.mark.parametrize("mask", [MASK, np.ones_like(MASK)])
def test_it_equals_the_computation_by_hand(exclude_self, mask):
    x, layer = features(), PatientMean(exclude_self)
    expected = by_hand(x, mask, exclude_self)
    x[~mask] = np.nan
    np.testing.assert_allclose(layer(x, mask=mask), expected, rtol=1e-5, atol=1e-6)
    if mask.all():
        np.testing.assert_array_equal(layer(x), layer(x, mask=mask))


def test_the_mean_of_an_only_image_is_zero_and_so_is_its_gradient():
    x = tf.constant(features())
    with tf.GradientTape() as tape:
        tape.watch(x)
        outputs = PatientMean()(x, mask=MASK)
        loss = tf.reduce_sum(outputs[:, :, 6:] ** 2)
    np.testing.assert_array_equal(outputs[2, 1, 6:], 0)
    gradient = tape.gradient(loss, x).numpy()
    assert np.all(np.isfinite(gradient))
    np.testing.assert_array_equal(np.any(gradient, axis=-1), MASK & (MASK.sum(axis=1) > 1)[:, None])


def test_with_itself_and_one_patient_it_is_the_mean_over_the_batch_of_appendix_b():
    x = features()[:1]
    expected = np.broadcast_to(x.mean(axis=1, keepdims=True), x.shape)
    np.testing.assert_allclose(PatientMean(exclude_self=False)(x)[..., 6:], expected, rtol=1e-5)


def test_the_order_of_the_images_does_not_matter():
    x, order, layer = features(), [3, 0, 4, 2, 1], PatientMean()
    shuffled = layer(x[:, order], mask=MASK[:, order])
    np.testing.assert_allclose(shuffled, np.array(layer(x, mask=MASK))[:, order], rtol=1e-5, atol=1e-6)


def test_means_are_float32_throughout_under_mixed_precision():
    # 100 features of 1000 have a sum beyond the largest float16 number.
    x = np.full((1, 100, 4), 1000, "float16")
    outputs = PatientMean(dtype="mixed_float16")(x)
    assert outputs.dtype.name == "float16"
    np.testing.assert_allclose(outputs, 1000, rtol=1e-3)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_the_mean_of_many_images_does_not_overflow_in_half_precision(dtype):
    # The sum, 100,000, is beyond the largest float16 number.
    mean = PatientMean(exclude_self=False, dtype=dtype)(np.full((1, 1000, 1), 100.0, "float32"))
    np.testing.assert_array_equal(keras.ops.cast(mean, "float32"), np.full((1, 1000, 2), 100.0))
