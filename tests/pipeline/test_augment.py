import colorsys
import itertools
import math

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from skinkit.data import TRANSFORMS
from skinkit.pipeline import Augmentation, rotate
from skinkit.pipeline.augment.affine import affine_transforms
from skinkit.pipeline.augment.changes import change, random_columns, sample_changes
from skinkit.pipeline.augment.colour import colour_mix
from skinkit.pipeline.augment.orientation import ORIENTATIONS, compose, orient

EVERYTHING = Augmentation(
    flip_left_right=0.5,
    flip_up_down=0.3,
    transpose=0.5,
    rot90=True,
    rotation=30,
    zoom=0.2,
    shift=0.1,
    brightness=0.2,
    contrast=0.3,
    saturation=0.4,
    hue=0.1,
)
NUMPY = {
    "identity": lambda image: image,
    "rot90cw": lambda image: np.rot90(image, -1),
    "rot90ccw": lambda image: np.rot90(image),
    "rot180": lambda image: np.rot90(image, 2),
    "flip_up_down": np.flipud,
    "flip_left_right": np.fliplr,
    "transpose": lambda image: image.swapaxes(0, 1),
    "transverse": lambda image: np.rot90(image, 2).swapaxes(0, 1),
}
orientations = st.tuples(st.booleans(), st.booleans(), st.booleans())


@pytest.fixture(scope="module")
def image():
    return np.random.default_rng(0).integers(0, 256, (9, 9, 3), dtype=np.uint8)


@pytest.mark.parametrize("name", ORIENTATIONS)
def test_named_orientations_equal_numpy(image, name):
    np.testing.assert_array_equal(orient(image, ORIENTATIONS[name]), NUMPY[name](image))


def test_every_transform_of_a_manifest_table_has_a_position():
    assert set(TRANSFORMS) < set(ORIENTATIONS)


@given(first=orientations, second=orientations)
@settings(max_examples=64)
def test_composed_orientation_equals_one_after_the_other(first, second):
    image = np.arange(27).reshape(3, 3, 3)
    both = compose(tf.constant(first), tf.constant(second))
    one_by_one = orient(orient(image, first), second)
    np.testing.assert_array_equal(orient(image, both), one_by_one)


@given(orientation=orientations)
@settings(max_examples=8)
def test_orientations_move_pixels_and_change_none(orientation):
    image = np.arange(75).reshape(5, 5, 3)
    result = orient(image, orientation).numpy()
    assert sorted(result.ravel()) == sorted(image.ravel())


def test_draws_depend_on_seed_epoch_and_row_only():
    few = sample_changes(EVERYTHING, 3, (8, 8), seed=1, epoch=2)
    many = sample_changes(EVERYTHING, 9, (8, 8), seed=1, epoch=2)
    for name, values in few.items():
        np.testing.assert_array_equal(values, many[name][:3])
    for seed, epoch in ((1, 3), (2, 2)):
        other = sample_changes(EVERYTHING, 3, (8, 8), seed=seed, epoch=epoch)
        assert not np.array_equal(few["warp"], other["warp"])


def test_switching_one_change_on_leaves_the_others_as_they_were():
    alone = sample_changes(Augmentation(flip_up_down=0.5, hue=0.1), 50, (8, 8), 0, 0)
    together = sample_changes(Augmentation(flip_up_down=0.5, hue=0.1, zoom=0.2), 50, (8, 8), 0, 0)
    np.testing.assert_array_equal(alone["orientation"], together["orientation"])
    np.testing.assert_array_equal(alone["hue"], together["hue"])


def test_only_what_is_asked_for_is_drawn():
    assert sample_changes(Augmentation(), 4, (8, 8), 0, 0) == {}
    assert set(sample_changes(Augmentation(brightness=0.1), 4, (8, 8), 0, 0)) == {"mix"}
    assert set(sample_changes(Augmentation(contrast=0.1), 4, (8, 8), 0, 0)) == {"mix", "lift"}


def test_flips_come_as_often_as_asked():
    flips = Augmentation(flip_left_right=0.25, flip_up_down=0.5)
    transposed, up_down, left_right = sample_changes(flips, 4000, (8, 8), 0, 0)["orientation"].numpy().T
    assert not transposed.any()
    assert up_down.mean() == pytest.approx(0.5, abs=0.03)
    assert left_right.mean() == pytest.approx(0.25, abs=0.03)


def test_quarter_turns_are_equally_frequent():
    turns = sample_changes(Augmentation(rot90=True), 4000, (8, 8), 0, 0)["orientation"].numpy()
    kinds, counts = np.unique(turns, axis=0, return_counts=True)
    expected = {ORIENTATIONS[name] for name in ("identity", "rot90cw", "rot90ccw", "rot180")}
    assert {tuple(kind.tolist()) for kind in kinds} == expected
    assert counts.min() > 900


@given(brightness=st.floats(0.5, 1.5), contrast=st.floats(0.5, 1.5), saturation=st.floats(0.0, 2.0))
@settings(max_examples=25)
def test_colour_changes_equal_their_formulas(brightness, contrast, saturation):
    pixels = np.random.default_rng(1).integers(0, 256, (6, 7, 3), dtype=np.uint8)
    weights = np.array([0.299, 0.587, 0.114])
    expected = pixels.astype(np.float64) * brightness
    expected = contrast * expected + (1 - contrast) * (expected @ weights).mean()
    expected = saturation * expected + (1 - saturation) * (expected @ weights)[..., None]
    factors = (tf.constant([x], tf.float32) for x in (brightness, contrast, saturation))
    mix, lift = colour_mix(*factors)
    changes = {"mix": mix[0], "lift": lift[0]}
    result = change(tf.constant(pixels), changes)
    np.testing.assert_allclose(result, expected.clip(0, 255), atol=2e-3)
    unit = change(tf.constant(pixels), changes, top=1)
    np.testing.assert_allclose(unit, expected.clip(0, 255) / 255, atol=1e-5)


@pytest.mark.parametrize("shape", [(5, 7, 3), (6, 7, 3), (6, 8, 3)])
def test_each_pixel_is_mixed_alone_whatever_their_number(shape):
    rng = np.random.default_rng(0)
    image, mix = rng.integers(0, 256, shape, np.uint8), rng.uniform(-0.2, 1, (3, 3)).astype(np.float32)
    result = change(tf.constant(image), {"mix": tf.constant(mix)})
    np.testing.assert_allclose(result, np.clip(image @ mix, 0, 255), rtol=1e-5)


def test_drawn_brightness_stays_within_its_range():
    mix = sample_changes(Augmentation(brightness=0.2), 1000, (8, 8), 0, 0)["mix"].numpy()
    factors = mix[:, 0, 0]
    np.testing.assert_allclose(mix, factors[:, None, None] * np.eye(3), atol=1e-6)
    assert 0.8 <= factors.min() < 0.81
    assert 1.19 < factors.max() <= 1.2


@pytest.mark.parametrize("steps", list(itertools.permutations(range(3))))
def test_colour_changes_in_an_order_are_clipped_one_by_one(image, steps):
    factors = (1.4, 0.6, 1.7)
    expected = image.astype(np.float64)
    for step in steps:
        grey = expected @ [0.299, 0.587, 0.114]
        other = (0.0, grey.mean(), grey[..., None])[step]
        expected = (factors[step] * expected + (1 - factors[step]) * other).clip(0, 255)
    changes = {"factors": tf.constant(factors), "steps": tf.constant(steps)}
    np.testing.assert_allclose(change(tf.constant(image), changes), expected, atol=2e-3)
    unit = change(tf.constant(image), changes, top=1)
    np.testing.assert_allclose(unit, expected / 255, atol=1e-5)


def test_all_orders_of_colour_changes_are_equally_frequent_and_no_factor_changes():
    asked = {"brightness": 0.1, "saturation": 0.5}
    drawn = sample_changes(Augmentation(**asked, colour_order="random"), 6000, (8, 8), 0, 0)
    assert set(drawn) == {"factors", "steps"}
    orders, counts = np.unique(drawn["steps"], axis=0, return_counts=True)
    assert len(orders) == 6
    assert counts.min() > 900
    joint = sample_changes(Augmentation(**asked), 6000, (8, 8), 0, 0)["mix"]
    brightness, contrast, saturation = drawn["factors"].numpy().T
    np.testing.assert_array_equal(contrast, 1)
    np.testing.assert_array_equal(colour_mix(brightness, contrast, saturation)[0], joint)


def test_light_of_another_colour_multiplies_each_channel_before_the_other_colours(image):
    light, mix = np.array([1.2, 0.9, 0.8], np.float32), np.full((3, 3), 0.5, np.float32)
    expected = (image * light).clip(0, 255) @ mix
    changes = {"light": tf.constant(light), "mix": tf.constant(mix)}
    np.testing.assert_allclose(change(tf.constant(image), changes), expected.clip(0, 255), rtol=1e-5)
    unit = change(tf.constant(image), {"light": tf.constant(light)}, top=1)
    np.testing.assert_allclose(unit, (image * light).clip(0, 255) / 255, atol=1e-6)


def test_the_colours_of_drawn_light_are_independent_and_leave_the_other_draws_be():
    light = sample_changes(Augmentation(illuminant=0.2), 4000, (8, 8), 0, 0)["light"].numpy()
    assert 0.8 <= light.min() < 0.801 and 1.199 < light.max() <= 1.2
    np.testing.assert_allclose(np.corrcoef(light.T), np.eye(3), atol=0.06)
    other = sample_changes(Augmentation(illuminant=0.2, hue=0.1), 100, (8, 8), 0, 0)
    np.testing.assert_array_equal(other["light"], light[:100])
    np.testing.assert_array_equal(
        other["hue"], sample_changes(Augmentation(hue=0.1), 100, (8, 8), 0, 0)["hue"]
    )


@pytest.mark.parametrize("turns", [0.1, -0.3, 0.5])
def test_hue_moves_by_a_part_of_a_turn(image, turns):
    def shifted(rgb):
        hue, saturation, value = colorsys.rgb_to_hsv(*rgb)
        return colorsys.hsv_to_rgb((hue + turns) % 1, saturation, value)

    expected = np.apply_along_axis(shifted, 2, image / 255)
    result = change(tf.constant(image), {"hue": tf.constant(turns)}, top=1)
    np.testing.assert_allclose(result, expected, atol=1e-4)


def _warp_of(image, radians=0.0, scale=1.0, down=0.0, right=0.0):
    numbers = {"radians": radians, "scale": scale, "down": down, "right": right}
    transforms = affine_transforms(
        image.shape[:2], **{name: tf.constant([value]) for name, value in numbers.items()}
    )
    return change(tf.constant(image), {"warp": transforms[0]}).numpy()


def test_shift_moves_the_content_and_mirrors_the_edge(image):
    result = _warp_of(image, down=2.0, right=-1.0)
    padded = np.pad(image, ((2, 0), (0, 1), (0, 0)), mode="symmetric")
    np.testing.assert_allclose(result, padded[:9, 1:], atol=1e-3)


def test_zoom_enlarges_about_the_centre():
    ramp = np.repeat(np.arange(0, 90, 10, dtype=np.uint8)[None, :, None], 9, axis=0)
    ramp = np.repeat(ramp, 3, axis=2)
    expected = 40 + (np.arange(9) * 10 - 40) / 2
    np.testing.assert_allclose(_warp_of(ramp, scale=2.0)[4, :, 0], expected, atol=1e-3)


@pytest.mark.parametrize("fill", ["nearest", "reflect"])
def test_zoom_per_axis_and_fill_are_scipys(image, fill):
    rows, columns = 0.8, 1.3
    transform = affine_transforms(
        image.shape[:2],
        radians=tf.zeros(1),
        scale=(1 / tf.constant([rows]), 1 / tf.constant([columns])),
        down=tf.zeros(1),
        right=tf.zeros(1),
    )
    found = change(tf.constant(image), {"warp": transform[0]}, fill=fill)
    for channel in range(3):
        pixels = image[..., channel].astype(np.float64)
        expected = ndimage.affine_transform(
            pixels, np.diag([rows, columns]), [4 - rows * 4, 4 - columns * 4], order=1, mode=fill
        )
        np.testing.assert_allclose(found[..., channel], expected, atol=1e-3)


def test_turning_shifting_and_zooming_come_in_the_order_of_keras(image):
    """`ImageDataGenerator` multiplies the matrices of rotation, shift and zoom, about the centre."""
    asked = Augmentation(rotation=180.0, zoom=0.1, shift=0.1, zoom_per_axis=True, fill="nearest")
    warp = sample_changes(asked, 1, image.shape[:2], 0, 0)["warp"]
    u = random_columns(1, 0, 0)
    turn, down, right, rows, columns = (
        2 * float(u[name][0]) - 1
        for name in ("rotation", "shift_rows", "shift_columns", "zoom", "zoom_columns")
    )
    # Rows first; of what is seen, which moves the other way than the content.
    cosine, sine = np.cos(-turn * np.pi), np.sin(-turn * np.pi)
    matrix = np.array([[cosine, -sine], [sine, cosine]])
    zoom, shift = np.diag([1 + 0.1 * rows, 1 + 0.1 * columns]), -0.1 * 9 * np.array([down, right])
    centre = np.array([4.0, 4.0])
    offset = centre + matrix @ shift - matrix @ zoom @ centre
    found = change(tf.constant(image), {"warp": warp[0]}, fill="nearest")
    for channel in range(3):
        pixels = image[..., channel].astype(np.float64)
        expected = ndimage.affine_transform(pixels, matrix @ zoom, offset, order=1, mode="nearest")
        np.testing.assert_allclose(found[..., channel], expected, atol=0.01)


def test_zoom_per_axis_divides_each_axis_by_a_factor_of_its_own():
    zoom = Augmentation(zoom=0.2, zoom_per_axis=True)
    warp = sample_changes(zoom, 4000, (50, 100), 0, 0)["warp"].numpy()
    columns, rows = warp[:, 0], warp[:, 4]
    for factors in (rows, columns):
        assert factors.min() == pytest.approx(0.8, abs=1e-3)
        assert factors.max() == pytest.approx(1.2, abs=1e-3)
        assert factors.mean() == pytest.approx(1, abs=0.01)
    assert abs(np.corrcoef(rows, columns)[0, 1]) < 0.05
    np.testing.assert_allclose(warp[:, [1, 3, 6, 7]], 0, atol=1e-7)


@pytest.mark.parametrize("quarter", [1, 2, 3])
def test_any_angle_rotation_agrees_with_quarter_turns(image, quarter):
    result = _warp_of(image, radians=quarter * math.pi / 2)
    np.testing.assert_allclose(result, np.rot90(image, quarter), atol=1e-2)


def test_shift_is_a_fraction_of_each_side():
    warp = sample_changes(Augmentation(shift=0.1), 2000, (50, 100), 0, 0)["warp"].numpy()
    assert np.abs(warp[:, 2]).max() == pytest.approx(10, abs=0.1)
    assert np.abs(warp[:, 5]).max() == pytest.approx(5, abs=0.1)


@pytest.mark.parametrize("interpolation", ["nearest", "bilinear"])
@pytest.mark.parametrize("quarter", [-1, 0, 1, 2, 3])
@pytest.mark.parametrize("side", [8, 9])
def test_rotate_by_right_angles_equals_numpy(interpolation, quarter, side):
    image = np.random.default_rng(2).random((side, side, 3), dtype=np.float32)
    result = rotate(image, quarter * math.pi / 2, interpolation)
    np.testing.assert_allclose(result, np.rot90(image, quarter), atol=1e-5)


def test_rotate_takes_an_angle_for_each_image_and_keeps_the_dtype(image):
    result = rotate(np.stack([image, image]), [0.0, math.pi]).numpy()
    assert result.dtype == np.uint8
    np.testing.assert_array_equal(result, [image, np.rot90(image, 2)])


def test_rotate_fills_with_zero():
    corners = rotate(np.ones((9, 9, 1), np.float32), math.pi / 4).numpy()[[0, 0, -1, -1], [0, -1, 0, -1]]
    np.testing.assert_array_equal(corners, 0)


def test_rotate_refuses_other_shapes():
    with pytest.raises(ValueError, match="shape"):
        rotate(np.ones((3, 3)), 0.1)
