"""Mixup: by hand, as properties, and through the batches of a training."""

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from skinkit.pipeline import Mixup, PipelineSpec, build_dataset
from skinkit.pipeline.mixup import random_partners

LABELS = ("mel", "nv", "bkl")


def plain_batches(table, first_epoch=0, **arguments):
    """Batches of 9 of the 40 plain images, grey i; an epoch has five, the last of 4."""
    spec = PipelineSpec(image_size=(8, 8), scaling="raw")
    arguments = {"labels": LABELS, "training": True, "batch_size": 9, "seed": 3, **arguments}
    return build_dataset(table, spec, first_epoch=first_epoch, **arguments)


def arrays(dataset, count):
    return [tuple(part.numpy() for part in batch) for batch in dataset.take(count)]


def test_images_and_labels_are_the_weighted_mean_of_two_of_the_batch(plain_table):
    before = arrays(plain_batches(plain_table), 5)
    after = arrays(Mixup(weight=0.7)(plain_batches(plain_table), seed=3), 5)
    for step, ((images, labels), (mixed, soft)) in enumerate(zip(before, after, strict=True)):
        partners = random_partners(len(images), 3, step).numpy()
        np.testing.assert_allclose(mixed, 0.7 * images + 0.3 * images[partners], atol=1e-5)
        np.testing.assert_allclose(soft, 0.7 * labels + 0.3 * labels[partners], atol=1e-6)
        np.testing.assert_allclose(soft.sum(axis=1), 1, atol=1e-6)


def test_a_weight_of_1_gives_the_original_bytes(plain_table):
    before = arrays(plain_batches(plain_table), 6)
    after = arrays(Mixup(weight=1.0)(plain_batches(plain_table), seed=3), 6)
    assert [tuple(map(bytes, batch)) for batch in before] == [tuple(map(bytes, batch)) for batch in after]


@pytest.mark.parametrize("mix", [Mixup(weight=0.7), Mixup(alpha=0.2)])
def test_batches_from_any_epoch_on_are_those_of_an_undisturbed_training(plain_table, mix):
    whole = arrays(mix(plain_batches(plain_table), seed=3), 15)
    later = arrays(mix(plain_batches(plain_table, first_epoch=2), seed=3, first_step=10), 5)
    assert [tuple(map(bytes, batch)) for batch in whole[10:]] == [tuple(map(bytes, b)) for b in later]
    assert len({bytes(images) for images, _ in whole}) == 15


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 40), st.integers(0, 2**31), st.integers(0, 10**6))
def test_every_image_is_the_partner_of_one_other(count, seed, step):
    partners = random_partners(count, seed, step).numpy()
    assert sorted(partners) == list(range(count))
    assert count == 1 or (partners != np.arange(count)).all()
    np.testing.assert_array_equal(partners, random_partners(count, seed, step))


@pytest.mark.parametrize("alpha", [0.01, 0.2, 1.0, 4.0])
def test_drawn_weights_are_those_of_a_beta_distribution(alpha):
    weights = Mixup(alpha=alpha).random_weights(20_000, seed=1, step=5).numpy()
    assert np.isfinite(weights).all() and weights.min() >= 0 and weights.max() <= 1
    assert weights.mean() == pytest.approx(0.5, abs=0.015)
    # The variance of Beta(a, a) is 1 / (4 (2 a + 1)).
    assert weights.var() == pytest.approx(1 / (4 * (2 * alpha + 1)), rel=0.05)
    assert not np.array_equal(weights, Mixup(alpha=alpha).random_weights(20_000, seed=1, step=6))


@pytest.mark.parametrize(
    "options",
    [{"weight": 1.1}, {"weight": -0.1}, {"alpha": 0.0}, {"alpha": -1}, {}, {"weight": 1, "alpha": 1}],
)
def test_a_weight_that_cannot_be_is_refused(options):
    with pytest.raises(ValueError, match="mixup"):
        Mixup(**options)


def test_loss_weights_beside_mixed_images_are_refused(plain_table):
    with pytest.raises(ValueError, match="list as `alpha` of the focal loss"):
        Mixup(weight=0.7)(plain_batches(plain_table, sample_weight=np.ones(40)), seed=0)


@pytest.mark.parametrize(
    "labels", [np.arange(4), np.eye(4, dtype=int), np.zeros(4, "float32")], ids=["positions", "whole", "flat"]
)
def test_labels_that_are_not_one_hot_are_refused(labels):
    images = np.zeros((4, 8, 8, 3), "float32")
    with pytest.raises(ValueError, match="one-hot labels"):
        Mixup(weight=0.7)(tf.data.Dataset.from_tensor_slices((images, labels)).batch(2), seed=0)
    with pytest.raises(ValueError, match="float32 images"):
        whole = tf.data.Dataset.from_tensor_slices((images.astype("uint8"), np.eye(4, dtype="float32")))
        Mixup(weight=0.7)(whole.batch(2), seed=0)
