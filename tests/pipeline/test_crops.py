import math
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from skinkit.pipeline import (
    Augmentation,
    Crops,
    PipelineSpec,
    Sampler,
    build_dataset,
    coverage,
    crop_corners,
    decode_file,
)
from skinkit.pipeline.crops import centre_box, sample_boxes

LABELS = ("bkl", "mel", "nv")
SIZE, SIDE = (40, 60), 16
# gessert2019's formula, worked out by hand for crops of 224 from 450 x 600.
ROWS = {9: (0, 113, 226), 16: (0, 75, 150, 226), 36: (0, 45, 90, 135, 180, 226)}
COLUMNS = {9: (0, 188, 376), 16: (0, 125, 250, 376), 36: (0, 75, 150, 225, 300, 376)}

sizes = st.tuples(st.integers(8, 80), st.integers(8, 80))
counts = st.sampled_from([4, 5, 9, 16, 25, 36])


def spec_of(strategy, count=None, **fields):
    fields = {"image_size": SIZE, "scaling": "raw", **fields}
    evaluation = fields.pop("evaluation", "centre85")
    return PipelineSpec(**fields, crops=Crops(strategy, SIDE, count, evaluation))


RANDOM = {"single_crop": spec_of("single_crop"), "multi_crop": spec_of("multi_crop", 5)}


def images_of(table, spec, count=9, **arguments):
    dataset = build_dataset(table, spec, labels=LABELS, **{"batch_size": 3, **arguments})
    return [images.numpy() for images, *_ in dataset.take(count)]


def whole(table, row):
    return decode_file(table["path"][row], PipelineSpec(image_size=SIZE)).numpy().astype(np.float32)


def resized(part, resize="antialias"):
    return tf.image.resize(part, (SIDE, SIDE), antialias=resize == "antialias")


def cut_by_hand(image, count, side=SIDE):
    corners = crop_corners(image.shape[:2], side, count)
    return np.stack([image[row : row + side, column : column + side] for row, column in corners])


@pytest.fixture(scope="module")
def maps(tmp_path_factory):
    """Six rows; the pixel at (row, column) of image i has the value (row, column, i)."""
    folder = tmp_path_factory.mktemp("maps")
    rows, columns = np.mgrid[: SIZE[0], : SIZE[1]].astype(np.uint8)
    table = []
    for i in range(6):
        path = folder / f"map_{i}.png"
        cv2.imwrite(str(path), np.dstack([np.full(SIZE, i, np.uint8), columns, rows]))
        table.append((f"map_{i}", str(path), LABELS[i % 3]))
    return pd.DataFrame(table, columns=["image_id", "path", "label"], dtype="string")


# Where crops lie


def test_five_crops_are_the_corners_and_then_the_centre():
    expected = [(0, 0), (0, 376), (226, 0), (226, 376), (113, 188)]
    assert crop_corners((450, 600), 224, 5).tolist() == list(map(list, expected))
    half = [(0, 0), (0, 188), (113, 0), (113, 188), (56, 94)]
    assert crop_corners((225, 300), 112, 5).tolist() == list(map(list, half))


def test_one_crop_is_the_centre():
    # butskova2021: 128 of 450 x 600 pixels.
    assert crop_corners((450, 600), 128, 1).tolist() == [[161, 236]]
    assert coverage((450, 600), 128, 1) == pytest.approx(128**2 / 450 / 600)


@pytest.mark.parametrize("count", [9, 16, 36])
def test_grids_are_read_row_by_row(count):
    expected = [[row, column] for row in ROWS[count] for column in COLUMNS[count]]
    assert crop_corners((450, 600), 224, count).tolist() == expected


def test_grids_scale_with_the_image():
    expected = [[row, column] for row in (0, 56, 113) for column in (0, 94, 188)]
    assert crop_corners((225, 300), 112, 9).tolist() == expected


@pytest.mark.parametrize(("count", "share"), [(5, 0.86999), (9, 1.0), (16, 1.0)])
def test_share_of_the_image_that_is_covered(count, share):
    assert coverage((450, 600), 224, count) == pytest.approx(share, abs=5e-6)


@given(size=sizes, side=st.integers(1, 8), count=counts)
@settings(max_examples=60)
def test_corners_lie_inside_and_mirror_each_other(size, side, count):
    corners = crop_corners(size, side, count)
    free = np.array(size) - side
    assert corners.shape == (count, 2)
    assert (corners >= 0).all() and (corners <= free).all()
    assert corners[0].tolist() == [0, 0]
    order = corners[[3, 2, 1, 0, 4]] if count == 5 else corners[::-1]
    # Both are rounded down.
    assert np.isin(free - order - corners, (0, 1)).all()
    if count != 5:
        assert corners[-1].tolist() == free.tolist()
        grid = corners.reshape(math.isqrt(count), -1, 2)
        assert (grid[..., 0] == grid[:, :1, 0]).all() and (np.diff(grid[..., 1]) >= 0).all()
    assert 0 < coverage(size, side, count) <= 1


@pytest.mark.parametrize("count", [-4, 0, 2, 3, 6, 8, 10])
def test_other_numbers_of_crops_are_refused(count):
    with pytest.raises(ValueError, match=f"1, 5 or a square number.*count={count}"):
        crop_corners((450, 600), 224, count)


@pytest.mark.parametrize("side", [0, 451])
def test_crops_larger_than_the_image_are_refused(side):
    with pytest.raises(ValueError, match=rf"\(450, 600\).*crop_size={side}"):
        crop_corners((450, 600), side, 9)


def test_centres_cover_what_document_and_code_say():
    top, left, height, width = centre_box((450, 600), 224, "centre85")
    assert height * width / (450 * 600) == pytest.approx(0.85, abs=1e-3)
    assert width / height == pytest.approx(600 / 450, abs=2e-3)
    assert abs(2 * top + height - 450) <= 1 and abs(2 * left + width - 600) <= 1
    assert centre_box((450, 600), 224, "centre336") == (57, 132, 336, 336)
    assert centre_box((225, 300), 112, "centre336") == (28, 66, 168, 168)


# Random crops


def like_torchvision(uniform, place, size, smallest, narrowest=3 / 4, widest=4 / 3):
    """`RandomResizedCrop.get_params`, fed with given random numbers."""
    height, width = size
    for share, shape in uniform.tolist():
        area = height * width * (smallest + (1 - smallest) * share)
        ratio = math.exp(math.log(narrowest) + (math.log(widest) - math.log(narrowest)) * shape)
        w, h = round(math.sqrt(area * ratio)), round(math.sqrt(area / ratio))
        if 0 < w <= width and 0 < h <= height:
            return int(place[0] * (height - h + 1)), int(place[1] * (width - w + 1)), h, w
    w, h = width, height
    if width / height < narrowest:
        h = round(w / narrowest)
    elif width / height > widest:
        w = round(h * widest)
    return (height - h) // 2, (width - w) // 2, h, w


@pytest.mark.parametrize(
    ("sides", "shapes"), [(8, (3 / 4, 4 / 3)), ((12, 16), (1, 16 / 9)), ((16, 8), (3 / 8, 2 / 3))]
)
@pytest.mark.parametrize("smallest", [0.08, 0.6])
@pytest.mark.parametrize("size", [(450, 600), (60, 80), (300, 17), (11, 201)])
def test_single_crops_are_those_of_torchvision_with_shapes_about_that_of_the_crop(
    size, smallest, sides, shapes
):
    seeds = tf.constant([7, -1 - 3], tf.int64)
    numbers = tf.random.stateless_uniform((300, 22), seed=seeds, alg="philox").numpy()
    expected = [like_torchvision(row[2:].reshape(10, 2), row[:2], size, smallest, *shapes) for row in numbers]
    crops = Crops("single_crop", sides, smallest_area=smallest)
    boxes = sample_boxes(crops, size, 300, seed=7, epoch=3).numpy()
    same = (boxes == expected).all(axis=1)
    # In float32 a number next to a half may be rounded to the other side.
    assert same.mean() > 0.99


@given(size=sizes, side=st.integers(1, 8), epoch=st.integers(0, 5), strategy=st.sampled_from(list(RANDOM)))
@settings(max_examples=40)
def test_random_crops_lie_inside(size, side, epoch, strategy):
    crops = Crops(strategy, side, None if strategy == "single_crop" else 4)
    boxes = sample_boxes(crops, size, 50, seed=0, epoch=epoch).numpy()
    corner, extent = boxes[:, :2], boxes[:, 2:]
    assert (corner >= 0).all() and (extent > 0).all() and (corner + extent <= size).all()
    if strategy == "multi_crop":
        assert (extent == side).all()


def test_random_crops_reach_every_edge():
    boxes = sample_boxes(Crops("multi_crop", 4, 4), (7, 9), 400, seed=0, epoch=0).numpy()
    assert np.unique(boxes[:, 0]).tolist() == [0, 1, 2, 3]
    assert np.unique(boxes[:, 1]).tolist() == [0, 1, 2, 3, 4, 5]


@pytest.mark.parametrize("strategy", RANDOM)
def test_random_crops_depend_on_seed_epoch_and_row_only(strategy):
    def draw(count, seed, epoch):
        return sample_boxes(RANDOM[strategy].crops, SIZE, count, seed, epoch).numpy()

    np.testing.assert_array_equal(draw(3, 1, 2), draw(9, 1, 2)[:3])
    for seed, epoch in ((1, 3), (2, 2)):
        assert not np.array_equal(draw(9, 1, 2), draw(9, seed, epoch))


# Batches


@pytest.mark.parametrize(
    ("strategy", "count", "one", "several"),
    [("single_crop", None, True, True), ("multi_crop", 5, True, False), ("ordered_crops", 9, False, False)],
)
def test_one_crop_or_several_an_image(photo_table, strategy, count, one, several):
    spec = spec_of(strategy, count)
    for training, is_one in ((True, one), (False, several)):
        shape = (SIDE, SIDE, 3) if is_one else (count, SIDE, SIDE, 3)
        assert spec.shape(training) == shape
        dataset = build_dataset(photo_table, spec, labels=LABELS, training=training, batch_size=3)
        assert dataset.element_spec[0].shape == (None, *shape)
        assert [b.shape for b, _ in dataset.take(3)] == [(n, *shape) for n in (3, 3, 1)]
    assert spec.input_shape == spec.shape(training=True)


@pytest.mark.parametrize("strategy", ["multi_crop", "ordered_crops"])
@pytest.mark.parametrize("count", [5, 9])
def test_ordered_crops_are_cut_in_their_order(maps, strategy, count):
    found = np.concatenate(images_of(maps, spec_of(strategy, count)))
    expected = [cut_by_hand(whole(maps, i), count) for i in range(6)]
    np.testing.assert_array_equal(found, expected)
    np.testing.assert_array_equal(found[0, :, 0, 0, :2], crop_corners(SIZE, SIDE, count))


@pytest.mark.parametrize("strategy", RANDOM)
def test_training_sees_the_drawn_part_of_each_image(maps, strategy):
    spec = RANDOM[strategy]
    images = np.concatenate(images_of(maps, spec, count=4, training=True, seed=5))
    boxes = [sample_boxes(spec.crops, SIZE, 6, seed=5, epoch=e).numpy() for e in (0, 1)]
    for position, image in enumerate(images):
        row = round(float(image[0, 0, 2]))
        top, left, height, width = boxes[position // 6][row]
        part = whole(maps, row)[top : top + height, left : left + width]
        np.testing.assert_allclose(image, resized(part), atol=1e-3)


def test_a_row_that_comes_again_is_cut_elsewhere(maps):
    spec = RANDOM["multi_crop"]
    sampler = Sampler(rows=6, length=5, order=lambda seed, epoch: np.zeros(5, np.int64))
    images = np.concatenate(images_of(maps, spec, count=2, training=True, seed=5, sampler=sampler))
    boxes = sample_boxes(spec.crops, SIZE, 5, seed=5, epoch=0).numpy()
    np.testing.assert_array_equal(images[:, 0, 0, :2], boxes[:, :2])
    assert len(np.unique(boxes, axis=0)) > 1


@pytest.mark.parametrize("resize", ["antialias", "bilinear"])
@pytest.mark.parametrize(
    ("evaluation", "box"), [("centre85", (1, 2, 37, 55)), ("centre336", (8, 18, 24, 24))]
)
def test_single_crop_is_evaluated_on_a_resized_centre(photo_table, evaluation, box, resize):
    spec = spec_of("single_crop", evaluation=evaluation, resize=resize)
    found = np.concatenate(images_of(photo_table, spec))
    top, left, height, width = box
    for i, image in enumerate(found):
        part = whole(photo_table, i)[top : top + height, left : left + width]
        np.testing.assert_allclose(image, resized(part, resize), atol=1e-3)


def test_random_parts_have_two_sides_and_are_evaluated_on_the_whole_image(photo_table):
    crops = Crops("single_crop", (12, 20), evaluation="whole", smallest_area=0.6)
    spec = PipelineSpec(image_size=SIZE, scaling="raw", crops=crops)
    assert spec.shape(training=True) == spec.shape(training=False) == (12, 20, 3)
    for i, image in enumerate(np.concatenate(images_of(photo_table, spec))):
        expected = tf.image.resize(whole(photo_table, i), (12, 20), antialias=True)
        np.testing.assert_allclose(image, expected, atol=1e-3)
    assert images_of(photo_table, spec, count=1, training=True)[0].shape == (3, 12, 20, 3)
    areas = sample_boxes(crops, (400, 500), 300, seed=0, epoch=0).numpy()[:, 2:].prod(axis=1) / 400 / 500
    assert 0.59 < areas.min() < 0.62 and 0.95 < areas.max() <= 1


@pytest.mark.parametrize(
    "values",
    [
        ("multi_crop", (12, 20), 5),
        ("ordered_crops", 12, 5, "whole"),
        ("ordered_crops", 12, 5, "centre85", 0.5),
        ("single_crop", (12, 20), None, "centre336"),
        ("single_crop", 12, None, "whole", 0.0),
    ],
)
def test_what_belongs_to_single_crops_alone_is_refused_elsewhere(values):
    with pytest.raises(ValueError, match="Received: "):
        Crops(*values)


def test_the_whole_image_is_augmented_before_it_is_cut(maps):
    mirrored = Augmentation(flip_left_right=1.0, brightness=1.0)
    spec = replace(spec_of("ordered_crops", 9), augmentation=mirrored)
    for batch in images_of(maps, spec, count=2, training=True):
        for image in batch:
            # One factor for all crops; row 0, column 59 stands at the first corner.
            factor = image[0, 0, 0, 1] / 59
            number = round(image[0, 0, 0, 2] / factor) if factor else 0
            expected = (cut_by_hand(np.fliplr(whole(maps, number)), 9) * factor).clip(0, 255)
            np.testing.assert_allclose(image, expected, atol=1e-3)


def test_scaling_and_channel_order_are_those_of_the_whole_image(photo_table):
    plain = PipelineSpec(image_size=SIZE, scaling="caffe", channel_order="bgr")
    (image,) = images_of(photo_table[:1], plain)
    (crops,) = images_of(photo_table[:1], replace(plain, crops=Crops("ordered_crops", SIDE, 9)))
    np.testing.assert_array_equal(crops[0], cut_by_hand(image[0], 9))


@pytest.mark.parametrize("strategy", RANDOM)
def test_a_resumed_run_sees_the_crops_of_an_undisturbed_one(photo_table, strategy):
    spec = replace(RANDOM[strategy], augmentation=Augmentation(flip_up_down=0.5, saturation=0.5))
    undisturbed = images_of(photo_table, spec, 12, training=True, seed=3)
    np.testing.assert_equal(
        images_of(photo_table, spec, 6, training=True, seed=3, first_epoch=2), undisturbed[6:]
    )


def test_crops_leave_order_and_augmentation_as_they_were(photo_table):
    plain = PipelineSpec(image_size=SIZE, augmentation=Augmentation(flip_up_down=0.5, brightness=0.2))
    crops = replace(plain, crops=Crops("ordered_crops", SIDE, 5))
    for image, found in zip(
        images_of(photo_table, plain, 3, training=True),
        images_of(photo_table, crops, 3, training=True),
        strict=True,
    ):
        np.testing.assert_array_equal(found, [cut_by_hand(one, 5) for one in image])


def test_a_cache_keeps_whole_images(photo_table, tmp_path):
    expected = images_of(photo_table, RANDOM["multi_crop"], 6, training=True)
    for place in ("memory", str(tmp_path)):
        spec = replace(RANDOM["multi_crop"], cache=place)
        np.testing.assert_equal(images_of(photo_table, spec, 6, training=True), expected)
        images_of(photo_table, replace(spec, crops=None))
    (file,) = tmp_path.glob("*.npy")
    assert np.load(file).shape == (7, *SIZE, 3)


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize(("strategy", "count"), [("single_crop", None), ("multi_crop", 5)])
def test_an_unreadable_image_is_named(photo_table, tmp_path, strategy, count, training):
    table = photo_table.copy()
    path = tmp_path / "damaged.jpg"
    path.write_bytes(Path(table["path"][2]).read_bytes()[:300])
    table.loc[2, "path"] = str(path)
    with pytest.raises(tf.errors.InvalidArgumentError, match="damaged.jpg"):
        images_of(table, spec_of(strategy, count), 3, training=training)
