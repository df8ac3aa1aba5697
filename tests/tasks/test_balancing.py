import collections
import dataclasses

import numpy as np
import pytest

from skinkit.experiments.run_data import build_run_data
from skinkit.papers import choose
from skinkit.tasks.batches import training_batches
from skinkit.training import class_weights, diagnosis_weights, sample_weights


@pytest.fixture(scope="module")
def run_data(tiny):
    return build_run_data(tiny.resolve("smoke"), "smoke")


@pytest.fixture(scope="module")
def epoch(tiny, run_data):
    """Labels and weights of the first epoch of the tiny recipe under a balancing."""

    def draw(balancing):
        recipe = dataclasses.replace(tiny, balancing=balancing, batch_size=16)
        dataset, steps = training_batches(recipe, run_data, seed=0)(0)
        batches = [[item.numpy() for item in batch] for batch in dataset.take(steps)]
        labels = [np.array(run_data.labels)[batch[1].argmax(axis=1)] for batch in batches]
        weights = [batch[2] for batch in batches if len(batch) > 2]
        return np.concatenate(labels), np.concatenate(weights) if weights else None

    return draw


@pytest.fixture(scope="module")
def counts(run_data):
    return collections.Counter(run_data.rows("train")["label"])


def test_without_balancing_each_image_comes_once(epoch, counts):
    labels, weights = epoch(choose("none"))
    assert collections.Counter(labels) == counts
    assert weights is None


@pytest.mark.parametrize(
    ("balancing", "spread"), [(choose("oversampling"), 0), (choose("balanced_batches"), 1)]
)
def test_samplers_bring_all_classes_equally_often(epoch, counts, balancing, spread):
    labels, weights = epoch(balancing)
    found = collections.Counter(labels)
    assert set(found) == set(counts)
    assert max(found.values()) - min(found.values()) <= spread
    assert weights is None


@pytest.mark.parametrize("name", ["weighted_random", "contextual"])
def test_samplers_bring_more_melanomas(epoch, counts, name):
    labels, weights = epoch(choose(name))
    found = collections.Counter(labels)
    assert found["mel"] / found.total() > 1.2 * counts["mel"] / counts.total()
    assert weights is None


def test_an_epoch_of_oversampling_has_more_steps_unless_told(tiny, run_data, counts):
    def steps(**options):
        recipe = dataclasses.replace(tiny, balancing=choose("oversampling", **options), batch_size=1)
        return training_batches(recipe, run_data, seed=0).steps

    assert steps() == len(counts) * max(counts.values())
    assert steps(length="equal") == counts.total()


def test_a_sampler_may_come_with_loss_weights(epoch):
    labels, weights = epoch(choose("oversampling", length="equal", weights={"mel": 5.0}))
    np.testing.assert_array_equal(weights, np.where(np.array(labels) == "mel", 5.0, 1.0))


def test_diagnosis_weights_come_with_their_images(tiny, run_data, epoch):
    rows = run_data.rows("train")
    options = {"mode": "as_released", "normalise": False}
    labels, weights = epoch(choose("diagnosis_weights", **options))
    expected = diagnosis_weights(rows, run_data.labels, table=run_data.table, **options)
    np.testing.assert_allclose(np.sort(weights), np.sort(expected), rtol=1e-6)
    factors = weights / sample_weights(labels, class_weights(rows["label"], run_data.labels))
    assert set(np.round(factors, 4)) <= {1, 2, 3, 4}


def test_an_unknown_balancing_lists_the_known_ones(tiny, run_data):
    recipe = dataclasses.replace(tiny, balancing=choose("smote"))
    with pytest.raises(ValueError, match="none, class_weights, .*, contextual.*'smote'"):
        training_batches(recipe, run_data, seed=0)


def test_without_balancing_there_is_nothing_to_set(tiny, run_data):
    recipe = dataclasses.replace(tiny, balancing=choose("none", power=0.5))
    with pytest.raises(ValueError, match=r"no options.*none\(power=0.5\)"):
        training_batches(recipe, run_data, seed=0)


def test_contextual_batches_hold_whole_groups(tiny, run_data):
    recipe = dataclasses.replace(tiny, balancing=choose("contextual", images_per_patient=5), batch_size=32)
    with pytest.raises(ValueError, match="images_per_patient=5.*batch_size=32"):
        training_batches(recipe, run_data, seed=0)


def test_the_batches_of_a_recipe_are_mixed_as_it_says_from_any_epoch_on(tiny, run_data):
    recipe = dataclasses.replace(
        tiny, balancing=choose("none"), batch_size=16, mixing=choose("mixup", weight=0.7)
    )
    batches = training_batches(recipe, run_data, seed=0)
    dataset, steps = batches(0)
    whole = [[item.numpy() for item in batch] for batch in dataset.take(2 * steps)]
    again = [[item.numpy() for item in batch] for batch in batches(1)[0].take(steps)]
    for first, second in zip(whole[steps:], again, strict=True):
        np.testing.assert_array_equal(first[0], second[0])
        np.testing.assert_array_equal(first[1], second[1])
    soft = np.concatenate([labels for _, labels in whole])
    assert set(np.unique(soft.round(4))) == {0.0, np.float32(0.3), np.float32(0.7), 1.0}
