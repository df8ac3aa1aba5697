"""Patches that trade places and turned images: hand-computed, by their properties, and in batches."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.ndimage import map_coordinates

from skinkit.pipeline import Augmentation, Disorder, PipelineSpec, Turn, build_dataset, disorder, turn

LABELS = ["mel", "nv", "bkl"]
SIDE = 16


def cells_of(images, patch):
    """All patches, one row each, in one order."""
    n, height, width, channels = images.shape
    cut = images.reshape(n, height // patch, patch, width // patch, patch, channels).swapaxes(2, 3)
    flat = cut.reshape(n, -1, patch * patch * channels)
    return np.stack([image[np.lexsort(image.T)] for image in flat])


def noise(count=2, height=SIDE, width=SIDE, seed=0):
    return np.random.default_rng(seed).random((count, height, width, 3), np.float32)


def test_two_cells_trade_places_one_pair_after_the_other():
    image = np.arange(6.0).reshape(2, 3).repeat(2, 0).repeat(2, 1)[None, ..., None]
    # Cells are counted row by row: 0 and 4 first, then what lies at 4 by then (0) and 5.
    found = disorder(image, 2, [[[0, 4], [4, 5]]])[0, ::2, ::2, 0]
    np.testing.assert_array_equal(found, [[4, 1, 2], [3, 5, 0]])


@given(st.sampled_from([2, 4, 8]), st.integers(0, 12), st.integers(0, 2**31 - 1))
def test_disorder_keeps_the_multiset_of_patches(patch, swaps, seed):
    images, task = noise(height=16, width=24), Disorder(patch, swaps)
    found, original = task.finish(images, task.sample(2, (16, 24), seed, epoch=1))
    np.testing.assert_array_equal(cells_of(found.numpy(), patch), cells_of(images, patch))
    assert original is images
    if swaps == 0:
        np.testing.assert_array_equal(found, images)


@pytest.mark.parametrize("patch, share", [(8, 0.145), (16, 0.470)])
def test_as_many_cells_move_as_are_expected_of_twenty_swaps(patch, share):
    cells = (128 // patch) ** 2
    assert 1 - (1 - 2 / cells) ** 20 == pytest.approx(share, abs=5e-4)
    images = np.arange(cells, dtype=np.int32).reshape(128 // patch, -1).repeat(patch, 0).repeat(patch, 1)
    images = np.broadcast_to(images[None, ..., None], (200, 128, 128, 1))
    task = Disorder(patch, 20)
    found, _ = task.finish(images, task.sample(200, (128, 128), seed=0, epoch=0))
    assert (found.numpy() != images).mean() == pytest.approx(share, abs=0.015)


def test_swapped_cells_are_distinct_and_draws_follow_seed_epoch_and_row():
    task = Disorder(8, 50)
    pairs = task.sample(100, (16, 16), seed=3, epoch=2).numpy()
    assert (pairs[..., 0] != pairs[..., 1]).all()
    assert {*pairs.ravel().tolist()} == {0, 1, 2, 3}
    np.testing.assert_array_equal(task.sample(100, (16, 16), seed=3, epoch=2), pairs)
    for other in ({"seed": 4, "epoch": 2}, {"seed": 3, "epoch": 3}):
        assert (task.sample(100, (16, 16), **other).numpy() != pairs).any()


def test_all_six_angles_are_drawn():
    index = Turn(6).sample(600, (SIDE, SIDE), seed=0, epoch=0).numpy()
    assert np.bincount(index, minlength=6).min() > 60


def test_four_angles_are_quarter_turns():
    images = noise(1)
    for index in range(4):
        expected = np.rot90(images[0], index)
        np.testing.assert_allclose(turn(images, [index], 4, disc=False)[0], expected, atol=1e-5)


@given(st.integers(4, 33), st.integers(0, 5))
def test_outside_the_disc_no_pixel_depends_on_the_angle(side, index):
    images = 0.5 + noise(1, side, side)
    still, turned = (turn(images, [i]).numpy()[0] for i in (0, index))
    centre = (side - 1) / 2
    inside = np.hypot(*(np.indices((side, side)) - centre)) <= side / 2
    np.testing.assert_array_equal(still[inside], images[0][inside])
    assert (turned[~inside] == 0).all() and (turned[inside] > 0).all()


def test_what_comes_from_outside_is_the_reflection():
    ramp = np.linspace(0, 1, SIDE, dtype=np.float32)
    image = np.stack([np.broadcast_to(ramp[:, None], (SIDE, SIDE))] * 3, axis=-1)
    # Counter-clockwise, as rows go down: the place that a pixel comes from is turned clockwise.
    angle, middle = np.deg2rad(60), (SIDE - 1) / 2
    down, right = np.indices((SIDE, SIDE)) - middle
    places = [down * np.cos(angle) + right * np.sin(angle), right * np.cos(angle) - down * np.sin(angle)]
    expected = map_coordinates(image[..., 0], np.stack(places) + middle, order=1, mode="reflect")
    turned = turn(image[None], [1], disc=False).numpy()[0, ..., 0]
    np.testing.assert_allclose(turned, expected, atol=0.02)


@pytest.mark.parametrize(
    "ask, message",
    [
        (lambda: disorder(noise(), 5, [[[0, 1]]] * 2), "patch=5, image 16 x 16"),
        (lambda: disorder(noise(), 0, [[[0, 1]]] * 2), "patch=0, image 16 x 16"),
        (lambda: disorder(noise(), 8, [[[0, 4]]] * 2), "`swaps` are numbers from 0 to 3. Received: 4"),
        (lambda: disorder(noise(), 8, [[[0, 1]]] * 3), "`swaps` are for each image. Received: 3 for 2"),
        (lambda: turn(noise(), [0, 1, 2]), "`index` are for each image. Received: 3 for 2 images"),
        (lambda: disorder(noise()[0], 8, [[[0, 1]]]), r"width, channels\)`. Received: shape \(16"),
        (lambda: turn(noise()[..., :1], [0, 1]), r"float32 `\(n, side, side, 3\)`. Received: float32, shape"),
        (lambda: turn(noise().astype("uint8"), [0, 1]), "Received: uint8, shape"),
        (lambda: turn(noise(), [0, 6]), "`index` are numbers from 0 to 5. Received: 6"),
        (lambda: turn(noise(), [-1, 0]), "from 0 to 5. Received: -1"),
        (lambda: turn(noise(), [0.5, 0.0]), "`index` are whole numbers. Received: float32"),
        (lambda: turn(noise(), 1), r"a number for each image. Received: shape \(\)"),
        (lambda: disorder(noise(), 8, 20), r"`swaps` are pairs of cells .*Received: shape \(\)"),
        (lambda: disorder(noise(), 16, [[[0, 0]]] * 2), "Two patches trade places. Received: patch=16"),
        (lambda: PipelineSpec((16, 24), pretext=Disorder(16)), "patch=16, image 16 x 24"),
        (lambda: Disorder(swaps=-1), "`swaps` must be a whole number from 0. Received: swaps=-1"),
        (lambda: Turn(angles=1), "`angles` must be a whole number from 2"),
        (lambda: turn(noise(width=20), [0, 1]), "must be square. Received: image 16 x 20"),
        (lambda: PipelineSpec((16, 20), pretext=Turn()), "must be square. Received: image 16 x 20"),
    ],
)
def test_bad_input_is_named(ask, message):
    with pytest.raises(ValueError, match=message):
        ask()


def batches_of(table, pretext, count=3, **options):
    spec = PipelineSpec((SIDE, SIDE), pretext=pretext, augmentation=Augmentation(flip_left_right=0.5))
    dataset = build_dataset(table, spec, labels=LABELS, training=True, batch_size=3, **options)
    return list(dataset.take(count).as_numpy_iterator())


def test_batches_hold_disordered_images_and_beside_their_labels_the_images(photo_table):
    for (seen, (labels, images)), (plain, expected) in zip(
        batches_of(photo_table, Disorder(4)), batches_of(photo_table, None), strict=True
    ):
        np.testing.assert_array_equal(images, plain)
        np.testing.assert_array_equal(labels, expected)
        np.testing.assert_array_equal(cells_of(seen, 4), cells_of(images, 4))
        assert (seen != images).any()


def test_batches_hold_turned_images_and_beside_their_labels_the_angles(photo_table):
    turned, plain = (batches_of(photo_table, pretext) for pretext in (Turn(), None))
    for (seen, (labels, angles)), (images, expected) in zip(turned, plain, strict=True):
        np.testing.assert_array_equal(labels, expected)
        np.testing.assert_allclose(seen, turn(images, angles.argmax(axis=1)), atol=1e-6)


@pytest.mark.parametrize("pretext", [Disorder(4), Turn()])
def test_a_training_that_goes_on_sees_the_images_of_an_undisturbed_one(photo_table, pretext):
    # Seven rows are three batches.
    *_, expected = batches_of(photo_table, pretext, count=4)
    (found,) = batches_of(photo_table, pretext, count=1, first_epoch=1)
    np.testing.assert_array_equal(found[0], expected[0])


def test_weights_stay_beside_and_evaluation_sees_the_images_as_they_are(photo_table):
    (_, (labels, _), weights), *_ = batches_of(photo_table, Turn(), sample_weight=range(7))
    assert labels.shape == (3, 3) and weights.shape == (3,)
    specs = (PipelineSpec((SIDE, SIDE), pretext=pretext) for pretext in (Turn(), None))
    still, plain = (next(iter(build_dataset(photo_table, spec))).numpy() for spec in specs)
    np.testing.assert_array_equal(still, plain)
