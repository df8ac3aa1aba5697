import collections
import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skinkit.pipeline import Augmentation, PipelineSpec, build_dataset, steps_per_epoch
from skinkit.pipeline.sampling import (
    SAMPLERS,
    balanced_batches,
    contextual,
    oversampling,
    weighted_random,
)

LABELS = ("bkl", "mel", "nv")
HAM = {"mel": 1113, "nv": 6705, "bcc": 514, "akiec": 327, "bkl": 1099, "df": 115, "vasc": 142}

labels_of_rows = st.lists(st.sampled_from("abcd"), min_size=1, max_size=40)
seeds = st.integers(0, 2**40)
epochs = st.integers(0, 50)


@st.composite
def patients(draw):
    """Labels and patients of up to twelve patients, of whom some have a melanoma and some have none."""
    kinds = st.lists(st.booleans(), min_size=1, max_size=7)
    images = draw(st.lists(kinds, min_size=0, max_size=10))
    images += [[False], [True, *draw(st.lists(st.booleans(), max_size=6))]]
    rows = [(f"p{i}", "malignant" if ill else "benign") for i, own in enumerate(images) for ill in own]
    rows = draw(st.permutations(rows))
    return pd.DataFrame(rows, columns=["patient", "label"])


def sample_epochs(sampler, seed, first, last):
    return np.concatenate([sampler.order(seed, epoch) for epoch in range(first, last)])


@pytest.mark.parametrize("name", SAMPLERS)
@given(table=patients(), seed=seeds, epoch=epochs)
@settings(max_examples=25)
def test_an_epoch_is_a_function_of_seed_and_epoch(name, table, seed, epoch):
    columns = [table["label"], table["patient"]][: 2 if name == "contextual" else 1]
    sampler = SAMPLERS[name](*columns)
    order = sampler.order(seed, epoch)
    assert (order.shape, order.dtype) == ((sampler.length,), np.int64)
    assert 0 <= order.min() <= order.max() < len(table) == sampler.rows
    again = SAMPLERS[name](*columns)
    again.order(seed, epoch + 1)
    np.testing.assert_array_equal(again.order(seed, epoch), order)


@pytest.mark.parametrize("name", SAMPLERS)
def test_epochs_and_seeds_have_orders_of_their_own(name):
    columns = [["mel", "nv", "nv", "nv", "nv"] * 20]
    columns += [np.arange(100) // 10 + 10 * (np.arange(100) % 5 > 2)] if name == "contextual" else []
    sampler = SAMPLERS[name](*columns)
    orders = [sampler.order(seed, epoch) for seed, epoch in ((0, 0), (0, 1), (1, 0), (1, 1))]
    assert len({tuple(order) for order in orders}) == 4


@given(labels=labels_of_rows, seed=seeds, epoch=epochs)
@settings(max_examples=50)
def test_oversampling_repeats_each_class_to_the_size_of_the_largest(labels, seed, epoch):
    counts = collections.Counter(labels)
    largest = max(counts.values())
    order = oversampling(labels).order(seed, epoch)
    assert collections.Counter(np.array(labels)[order]) == dict.fromkeys(counts, largest)
    times = np.bincount(order, minlength=len(labels))
    for label, n, count in zip(labels, times, (counts[label] for label in labels), strict=True):
        assert n in (largest // count, math.ceil(largest / count)), label


@given(labels=labels_of_rows, seed=seeds)
@settings(max_examples=50)
def test_equal_epochs_are_the_released_draws_in_shorter_pieces(labels, seed):
    released, equal = oversampling(labels), oversampling(labels, length="equal")
    assert equal.length == len(labels)
    expected = sample_epochs(released, seed, 0, 2)
    found = sample_epochs(equal, seed, 0, len(expected) // len(labels))
    np.testing.assert_array_equal(found, expected[: len(found)])


def test_released_oversampling_of_the_document_makes_4_7_times_the_updates():
    counts = {"mel": 554, "nv": 3350, "bcc": 256, "akiec": 161, "bkl": 549, "df": 55, "vasc": 68}
    sampler = oversampling(np.repeat(list(counts), list(counts.values())))
    assert (sampler.rows, sampler.length) == (4993, 23450)
    assert sampler.length / sampler.rows == pytest.approx(4.7, abs=0.01)


@given(labels=labels_of_rows, seed=seeds, first=epochs)
@settings(max_examples=50)
def test_balanced_batches_take_the_classes_in_turn_over_epochs(labels, seed, first):
    sampler, classes = balanced_batches(labels), len(set(labels))
    assert sampler.length == len(labels)
    drawn = np.array(labels)[sample_epochs(sampler, seed, first, first + 3)]
    for start in range(len(drawn) - classes + 1):
        assert set(drawn[start : start + classes]) == set(labels)


@given(labels=labels_of_rows, seed=seeds)
@settings(max_examples=50)
def test_balanced_batches_bring_all_images_of_a_class_before_any_comes_again(labels, seed):
    labels, sampler = np.array(labels), balanced_batches(labels)
    enough = math.ceil(len(set(labels)) * max(collections.Counter(labels).values()) / len(labels))
    times = np.bincount(sample_epochs(sampler, seed, 0, enough + 1), minlength=len(labels))
    for label in set(labels):
        assert np.ptp(times[labels == label]) <= 1
    assert times.min() > 0


def test_balanced_batches_are_exact_when_the_number_of_classes_divides_them():
    labels = np.repeat(list(HAM), list(HAM.values()))
    batches = labels[balanced_batches(labels).order(0, 3)[: 21 * 50]].reshape(50, 21)
    for batch in batches:
        assert set(collections.Counter(batch).values()) == {3}


def test_weighted_random_draws_all_classes_alike_and_images_repeatedly():
    labels = np.repeat(list(HAM), list(HAM.values()))
    sampler = weighted_random(labels)
    order = sampler.order(0, 0)
    assert sampler.length == len(labels)
    shares = pd.Series(labels[order]).value_counts(normalize=True)
    # Five standard deviations of a share of 1/7 in 10,015 draws.
    np.testing.assert_allclose(shares, 1 / 7, atol=0.0175)
    times = np.bincount(order, minlength=len(labels))
    assert times[labels == "df"].mean() == pytest.approx(10015 / 7 / 115, rel=0.15)
    assert times[labels == "nv"].max() > 1


def test_weighted_random_reaches_every_image():
    labels = ["nv"] * 30 + ["mel"]
    assert set(sample_epochs(weighted_random(labels), 0, 0, 20)) == set(range(31))


@given(
    table=patients(),
    seed=seeds,
    epoch=epochs,
    half=st.integers(1, 4),
    count=st.integers(2, 6),
    fraction=st.sampled_from([0.1, 0.5, 0.75]),
)
@settings(max_examples=100)
def test_contextual_batches_are_groups_of_a_patient_half_of_them_with_melanoma(
    table, seed, epoch, half, count, fraction
):
    sampler = contextual(table["label"], table["patient"], 2 * half, count, fraction)
    assert 0 <= sampler.length - len(table) < 2 * half * count
    groups = sampler.order(seed, epoch).reshape(-1, 2 * half, count)
    patient = table["patient"].to_numpy()[groups]
    assert (patient == patient[..., :1]).all()
    malignant = (table["label"] == "malignant").to_numpy()
    is_ill = table["patient"].isin(table["patient"][malignant]).to_numpy()[groups[..., 0]]
    assert (is_ill.sum(axis=1) == half).all()
    for group in groups[is_ill]:
        own = table["patient"] == table["patient"][group[0]]
        wanted = [math.floor(count * fraction), math.ceil(count * fraction)]
        assert malignant[group].sum() in (wanted if not malignant[own].all() else [count])
    for group in groups.reshape(-1, count):
        own = (table["patient"] == table["patient"][group[0]]).to_numpy()
        for kind in (malignant, ~malignant):
            drawn = group[kind[group]]
            assert len(set(drawn)) == min(len(drawn), (own & kind).sum())


def one_to_114():
    """A patient with one image, one with 114 and a melanoma, one with a melanoma alone, twenty others."""
    sizes = {"one": 1, "most": 114, "melanoma": 1, **{f"p{i}": 5 for i in range(20)}}
    table = pd.DataFrame({"patient": np.repeat(list(sizes), list(sizes.values())), "label": "benign"})
    table.loc[[1, 115], "label"] = "malignant"
    return table


@pytest.mark.parametrize("count", [1, 4])
def test_contextual_reaches_every_image_and_repeats_the_only_one(count):
    table = one_to_114()
    sampler = contextual(table["label"], table["patient"], 8, count)
    drawn = sample_epochs(sampler, 0, 0, 40)
    assert set(drawn) == set(range(len(table)))
    groups = drawn.reshape(-1, count)
    for only in (0, 115):
        assert (groups[(groups == only).any(axis=1)] == only).all()


@pytest.mark.parametrize("count", [1, 3, 4])
def test_a_quarter_of_the_contextual_images_is_malignant(count):
    rng = np.random.default_rng(0)
    patient = np.repeat(np.arange(400), rng.integers(2, 20, 400))
    first = np.unique(patient, return_index=True)[1]
    malignant = np.isin(np.arange(len(patient)), first[::5])
    sampler = contextual(np.where(malignant, "mel", "nv"), patient, images_per_patient=count)
    drawn = sample_epochs(sampler, 0, 0, 4)
    assert malignant[drawn].mean() == pytest.approx(0.25, abs=1e-9 if count == 4 else 0.02)


def test_one_image_per_patient_draws_patients_at_random():
    table = one_to_114()
    order = contextual(table["label"], table["patient"], 8, 1).order(0, 0)
    ill = table["patient"].isin(["most", "melanoma"]).to_numpy()[order].reshape(-1, 8).sum(axis=1)
    assert len(set(ill)) > 1
    assert ill.mean() == pytest.approx(4, abs=1)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"patients_per_batch": 5}, "even number.*patients_per_batch=5"),
        ({"images_per_patient": 0}, "images_per_patient=0"),
        ({"malignant_fraction": 1.0}, "malignant_fraction=1.0"),
        ({"patients": ["a", pd.NA, "b"]}, "1 of 3 rows without"),
        ({"labels": ["nv"] * 3}, "0 of 2 patients"),
        ({"labels": ["mel"] * 3}, "2 of 2 patients"),
    ],
)
def test_contextual_says_what_it_lacks(changes, message):
    columns = {"labels": ["nv", "nv", "mel"], "patients": ["a", "a", "b"]}
    with pytest.raises(ValueError, match=message):
        contextual(**{**columns, **changes})


def test_oversampling_knows_two_lengths():
    with pytest.raises(ValueError, match="released, equal.*'longer'"):
        oversampling(["nv"], length="longer")


RAW = PipelineSpec(image_size=(8, 8), scaling="raw")


def batches_of(table, sampler, first_epoch, count, spec=RAW, **options):
    dataset = build_dataset(
        table,
        spec,
        labels=LABELS,
        training=True,
        batch_size=9,
        seed=5,
        first_epoch=first_epoch,
        sampler=sampler,
        **options,
    )
    return [[item.numpy() for item in batch] for batch in dataset.take(count)]


def test_a_dataset_follows_its_sampler_with_labels_and_weights(plain_table):
    sampler = oversampling(plain_table["label"])
    steps = steps_per_epoch(sampler.length, 9)
    batches = batches_of(plain_table, sampler, 0, 2 * steps, sample_weight=np.arange(40))
    images, labels, weights = (np.concatenate(items) for items in zip(*batches, strict=True))
    expected = np.concatenate([sampler.order(5, 0), sampler.order(5, 1)])
    np.testing.assert_array_equal(images[:, 0, 0, 0], expected)
    np.testing.assert_array_equal(weights, expected)
    codes = [LABELS.index(label) for label in plain_table["label"][expected]]
    np.testing.assert_array_equal(labels.argmax(axis=1), codes)


SQUARE = PipelineSpec(
    image_size=(16, 16), augmentation=Augmentation(flip_up_down=0.5, rot90=True, brightness=0.3)
)


def test_a_resumed_run_sees_the_draws_of_an_undisturbed_one(photo_table):
    table = photo_table.assign(transform=pd.array(["rot90cw"] * 7, dtype="string"))
    sampler = balanced_batches(table["label"])
    undisturbed = batches_of(table, sampler, 0, 4, SQUARE)
    resumed = batches_of(table, sampler, 2, 2, SQUARE)
    for batch, other in zip(resumed, undisturbed[2:], strict=True):
        for item, other_item in zip(batch, other, strict=True):
            np.testing.assert_array_equal(item, other_item)


def test_a_row_that_comes_again_comes_changed_in_another_way(photo_table):
    sampler = oversampling(["mel", "nv", "nv", "nv", "nv", "nv", "nv"])
    batches = batches_of(photo_table, sampler, 0, 2, SQUARE)
    images = np.concatenate([batch[0] for batch in batches])
    repeated = images[sampler.order(5, 0) == 0]
    assert len(repeated) == 6
    assert len({image.tobytes() for image in repeated}) == 6


def test_a_sampler_of_other_rows_is_refused(plain_table):
    with pytest.raises(ValueError, match="40 chosen rows.*a sampler of 3 rows"):
        batches_of(plain_table, weighted_random(["a", "b", "c"]), 0, 1)
