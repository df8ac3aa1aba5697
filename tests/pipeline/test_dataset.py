import itertools
from pathlib import Path

import keras
import numpy as np
import pandas as pd
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st
from keras.applications.imagenet_utils import preprocess_input

from skinkit.pipeline import Augmentation, PipelineSpec, build_dataset, decode_file, steps_per_epoch

LABELS = ("bkl", "mel", "nv")
RAW = PipelineSpec(image_size=(8, 8), scaling="raw")
SQUARE = PipelineSpec(
    image_size=(16, 16),
    augmentation=Augmentation(
        flip_left_right=0.5, rot90=True, rotation=20, contrast=0.2, saturation=0.2, hue=0.05
    ),
)


def _batches(dataset, count):
    return [[item.numpy() for item in batch] for batch in dataset.take(count)]


def _assert_equal(batches, others):
    assert len(batches) == len(others)
    for batch, other in zip(batches, others, strict=True):
        for item, other_item in zip(batch, other, strict=True):
            np.testing.assert_array_equal(item, other_item)


def _rows(batch):
    """The rows of the plain table, told by their pixels."""
    return batch[0][:, 0, 0, 0].astype(int).tolist()


def test_one_pass_gives_table_order_one_hot_labels_and_a_partial_batch(plain_table):
    dataset = build_dataset(plain_table, RAW, labels=LABELS, batch_size=16)
    assert dataset.cardinality() == 3 == steps_per_epoch(40, 16)
    batches = _batches(dataset, 9)
    assert [batch[0].shape for batch in batches] == [(16, 8, 8, 3), (16, 8, 8, 3), (8, 8, 8, 3)]
    assert list(itertools.chain(*map(_rows, batches))) == list(range(40))
    labels = np.concatenate([batch[1] for batch in batches])
    assert labels.dtype == batches[0][0].dtype == np.float32
    expected = [[LABELS.index(label) == k for k in range(3)] for label in plain_table["label"]]
    np.testing.assert_array_equal(labels, expected)


def test_rows_may_come_repeatedly_and_under_any_index(plain_table):
    (batch,) = _batches(build_dataset(plain_table.iloc[[7, 2, 7]], RAW, labels=LABELS), 9)
    assert _rows(batch) == [7, 2, 7]


@pytest.mark.parametrize(
    ("scaling", "mode"), [("symmetric", "tf"), ("imagenet", "torch"), ("caffe", "caffe")]
)
def test_scalings_equal_those_of_keras(photo_table, scaling, mode):
    raw = PipelineSpec(image_size=(16, 24), scaling="raw")
    (pixels, _), *_ = _batches(build_dataset(photo_table, raw, labels=LABELS), 1)
    assert pixels.min() >= 0 and 200 < pixels.max() <= 255
    np.testing.assert_array_equal(pixels, pixels.round())
    spec = PipelineSpec(
        image_size=(16, 24), scaling=scaling, channel_order="bgr" if mode == "caffe" else "rgb"
    )
    (scaled, _), *_ = _batches(build_dataset(photo_table, spec, labels=LABELS), 1)
    np.testing.assert_allclose(scaled, preprocess_input(pixels.copy(), mode=mode), atol=1e-4)


def test_unit_scaling_and_channel_order(photo_table):
    spec = PipelineSpec(image_size=(16, 24), channel_order="bgr")
    (images, _), *_ = _batches(build_dataset(photo_table, spec, labels=LABELS), 1)
    first = decode_file(photo_table["path"][0], spec).numpy()
    np.testing.assert_allclose(images[0], first[..., ::-1] / 255, atol=1e-6)


def test_transform_column_turns_the_resized_pixels(photo_table):
    turns = {
        "identity": lambda image: image,
        "rot90cw": lambda image: np.rot90(image, -1),
        "rot90ccw": np.rot90,
        "rot180": lambda image: np.rot90(image, 2),
        "flip_up_down": np.flipud,
        "flip_left_right": np.fliplr,
    }
    table = pd.concat([photo_table[:1]] * 6, ignore_index=True)
    table["transform"] = pd.array(list(turns), dtype="string")
    table["image_id"] = "photo+" + table["transform"]
    spec = PipelineSpec(image_size=(16, 16), scaling="raw")
    ((images, _),) = _batches(build_dataset(table, spec, labels=LABELS), 9)
    for image, turn in zip(images, turns.values(), strict=True):
        np.testing.assert_array_equal(image, turn(images[0]))


def test_random_flips_come_on_top_of_the_transform_column(photo_table):
    table = photo_table[:1].assign(transform=pd.array(["rot90cw"], dtype="string"))
    spec = PipelineSpec(image_size=(16, 16), scaling="raw", augmentation=Augmentation(flip_up_down=1.0))
    (batch, *_) = _batches(build_dataset(table, spec, labels=LABELS, training=True), 1)
    plain = decode_file(table["path"][0], spec).numpy()
    np.testing.assert_array_equal(batch[0][0], np.flipud(np.rot90(plain, -1)))


@pytest.mark.parametrize("augmentation", [None, Augmentation(hue=0.5)])
def test_training_without_random_flips_applies_the_transform_column_once(photo_table, augmentation):
    table = photo_table[:1].assign(transform=pd.array(["rot90cw"], dtype="string"))
    spec = PipelineSpec(image_size=(16, 16), scaling="raw", augmentation=augmentation)
    (batch,) = _batches(build_dataset(table, spec, labels=LABELS, training=True), 1)
    plain = decode_file(table["path"][0], spec).numpy()
    # A change of hue keeps the largest channel.
    np.testing.assert_allclose(batch[0][0].max(axis=-1), np.rot90(plain, -1).max(axis=-1), atol=1e-3)


@given(count=st.integers(1, 12), batch_size=st.integers(1, 13), seed=st.integers(0, 2**31))
@settings(max_examples=8)
def test_each_row_comes_once_per_epoch(plain_table, count, batch_size, seed):
    dataset = build_dataset(
        plain_table[:count], RAW, labels=LABELS, training=True, batch_size=batch_size, seed=seed
    )
    steps = steps_per_epoch(count, batch_size)
    batches = _batches(dataset, 2 * steps)
    assert [len(batch[0]) for batch in batches[: steps - 1]] == [batch_size] * (steps - 1)
    for epoch in (batches[:steps], batches[steps:]):
        assert sorted(itertools.chain(*map(_rows, epoch))) == list(range(count))


def test_epochs_and_seeds_have_orders_of_their_own(plain_table):
    def order(seed):
        dataset = build_dataset(plain_table, RAW, labels=LABELS, training=True, batch_size=40, seed=seed)
        return [_rows(batch) for batch in _batches(dataset, 2)]

    (first, second), (other, _) = order(seed=0), order(seed=1)
    assert first != second != other != first
    assert first != sorted(first)


@pytest.mark.parametrize("threads", [1, 5])
def test_batches_do_not_depend_on_threads(photo_table, monkeypatch, threads):
    def build():
        return build_dataset(photo_table, SQUARE, labels=LABELS, training=True, batch_size=3, seed=5)

    expected = _batches(build(), 7)
    monkeypatch.setattr(tf.data, "AUTOTUNE", threads)
    _assert_equal(_batches(build(), 7), expected)


def test_a_resumed_run_sees_the_batches_of_an_undisturbed_one(photo_table):
    def build(first_epoch):
        return build_dataset(
            photo_table,
            SQUARE,
            labels=LABELS,
            training=True,
            batch_size=3,
            first_epoch=first_epoch,
            sample_weight=np.arange(7),
        )

    steps = steps_per_epoch(7, 3)
    undisturbed = _batches(build(0), 4 * steps)
    _assert_equal(_batches(build(2), 2 * steps), undisturbed[2 * steps :])


def test_fit_takes_epochs_one_after_the_other(plain_table):
    class Watch(keras.layers.Layer):
        def call(self, images):
            tf.py_function(lambda x: seen.append(x.numpy().astype(int).tolist()), [images[:, 0, 0, 0]], [])
            return images

    seen = []
    inputs = keras.Input((8, 8, 3))
    outputs = keras.layers.Dense(3)(keras.layers.Flatten()(Watch()(inputs)))
    model = keras.Model(inputs, outputs)
    model.compile("sgd", "mse")

    def build():
        return build_dataset(plain_table, RAW, labels=LABELS, training=True, batch_size=16, seed=2)

    model.fit(build(), epochs=2, steps_per_epoch=3, shuffle=False, verbose=0)
    assert seen == [_rows(batch) for batch in _batches(build(), 6)]


def test_weights_stay_with_their_rows(plain_table):
    weights = np.linspace(0.5, 5, 10)
    dataset = build_dataset(
        plain_table[10:20], RAW, labels=LABELS, training=True, batch_size=4, sample_weight=weights
    )
    for batch in _batches(dataset, 6):
        np.testing.assert_allclose(batch[2], weights[np.array(_rows(batch)) - 10], rtol=1e-6)


def test_augmentation_is_for_training_only(photo_table):
    plain = PipelineSpec(image_size=(16, 16))
    expected = _batches(build_dataset(photo_table, plain, labels=LABELS), 9)
    _assert_equal(_batches(build_dataset(photo_table, SQUARE, labels=LABELS), 9), expected)


def test_augmented_values_stay_in_the_range_of_the_scaling(photo_table):
    strong = Augmentation(brightness=1.0, contrast=1.0, saturation=1.0, rotation=180, hue=0.5)
    spec = PipelineSpec(image_size=(16, 16), scaling="symmetric", augmentation=strong)
    dataset = build_dataset(photo_table, spec, labels=LABELS, training=True)
    images = np.concatenate([batch[0] for batch in _batches(dataset, 8)])
    assert images.min() == pytest.approx(-1, abs=1e-5)
    assert images.max() == pytest.approx(1, abs=1e-5)


DAMAGES = {
    "truncated": lambda contents: contents[: len(contents) // 2],
    "empty": lambda contents: b"",
    "text": lambda contents: b"<html>404 not found</html>",
    "broken header": lambda contents: contents.replace(b"\xff\xc0\x00\x11\x08", b"\xff\xc0\x00\x11\x4d"),
}


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("position", [0, 6])
def test_an_unreadable_image_is_named(photo_table, tmp_path, damage, position):
    table = _with_damaged(photo_table, tmp_path, DAMAGES[damage], [position])
    dataset = build_dataset(table, RAW, labels=LABELS, batch_size=3)
    with pytest.raises(tf.errors.InvalidArgumentError, match=f"damaged_{position}.jpg"):
        list(dataset)


@pytest.mark.parametrize("batch_size", [3, 32])
def test_training_on_unreadable_images_only_ends_with_a_name(photo_table, tmp_path, batch_size):
    table = _with_damaged(photo_table, tmp_path, DAMAGES["truncated"], range(7))
    dataset = build_dataset(table, RAW, labels=LABELS, training=True, batch_size=batch_size)
    with pytest.raises(tf.errors.InvalidArgumentError, match="damaged_.*neither JPEG nor PNG"):
        next(iter(dataset))


def test_fit_names_an_unreadable_image(photo_table, tmp_path):
    table = _with_damaged(photo_table, tmp_path, DAMAGES["truncated"], [4])
    model = keras.Sequential([keras.layers.Flatten(), keras.layers.Dense(3)])
    model.compile("sgd", "mse")
    dataset = build_dataset(table, RAW, labels=LABELS, training=True, batch_size=2)
    with pytest.raises(tf.errors.InvalidArgumentError, match="damaged_4.jpg"):
        model.fit(dataset, steps_per_epoch=4, shuffle=False, verbose=0)


def _with_damaged(table, folder, damage, positions):
    table = table.copy()
    for position in positions:
        path = folder / f"damaged_{position}.jpg"
        path.write_bytes(damage(Path(table["path"][position]).read_bytes()))
        table.loc[position, "path"] = str(path)
    return table


def test_missing_files_are_counted_and_named(photo_table):
    table = photo_table.copy()
    table.loc[[2, 5], "path"] = ["/nowhere/a.jpg", "/nowhere/b.jpg"]
    with pytest.raises(FileNotFoundError, match="2 image files not there, first /nowhere/a.jpg"):
        build_dataset(table, RAW, labels=LABELS)


@pytest.mark.parametrize(
    ("column", "value", "message"),
    [
        ("label", "wart", r"row 3 \(image_id photo_3\) has a label.*bkl, mel, nv.*'wart'"),
        ("label", pd.NA, r"row 3 \(image_id photo_3\) has a label"),
        ("path", pd.NA, r"row 3 \(image_id photo_3\) has no path"),
        ("transform", "mirror", r"row 3 \(image_id photo_3\).*unknown transform.*'mirror'"),
    ],
)
def test_a_wrong_row_is_named(photo_table, column, value, message):
    table = photo_table.copy()
    table["transform"] = pd.array([pd.NA] * 7, dtype="string")
    table.loc[3, column] = value
    with pytest.raises(ValueError, match=message):
        build_dataset(table, RAW, labels=LABELS)


def test_turned_rows_need_square_images(photo_table):
    table = photo_table.assign(transform=pd.array(["rot90cw"] * 7, dtype="string"))
    spec = PipelineSpec(image_size=(8, 9))
    with pytest.raises(ValueError, match=r"row 0.*square.*\(8, 9\)"):
        build_dataset(table, spec, labels=LABELS)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"sample_weight": [1.0, 2.0]}, r"7 finite numbers.*shape \(2,\)"),
        ({"sample_weight": [1.0] * 6 + [np.nan]}, "6 finite"),
        ({"batch_size": 0}, "batch_size=0"),
        ({"first_epoch": -1}, "first_epoch=-1"),
    ],
)
def test_wrong_arguments_are_explained(photo_table, arguments, message):
    with pytest.raises(ValueError, match=message):
        build_dataset(photo_table, RAW, labels=LABELS, **arguments)


def test_a_table_without_rows_is_refused(photo_table):
    with pytest.raises(ValueError, match="no rows"):
        build_dataset(photo_table[:0], RAW, labels=LABELS)


@pytest.mark.parametrize(("count", "batch_size", "steps"), [(1, 32, 1), (32, 32, 1), (33, 32, 2)])
def test_steps_per_epoch_counts_the_partial_batch(count, batch_size, steps):
    assert steps_per_epoch(count, batch_size) == steps
