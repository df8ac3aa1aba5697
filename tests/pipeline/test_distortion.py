import cv2
import numpy as np
import pandas as pd
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from skinkit.papers.published import load_published
from skinkit.pipeline import DISTORTIONS, Augmentation, PipelineSpec, build_dataset, decode_file
from skinkit.pipeline.augment import distortion
from skinkit.pipeline.augment.changes import sample_changes
from skinkit.pipeline.augment.distortion import NUMBERS, STEPS, distort, sample_distortions

LABELS = ("bkl", "mel", "nv")
HALF = [0.5] * NUMBERS
# Those whose ranges lie around "no change".
CENTRED = (
    *("brightness_contrast", "optical_distortion", "grid_distortion", "elastic_as_published"),
    *("hue_saturation_value", "shift_scale_rotate"),
)
DISTORTED = PipelineSpec(
    image_size=(32, 32),
    scaling="raw",
    augmentation=Augmentation(flip_left_right=0.5, distortions="as_published"),
)


@pytest.fixture(scope="module")
def photo(texture):
    return texture(64, 96)


@pytest.mark.parametrize("name", DISTORTIONS)
@given(numbers=arrays(np.float32, NUMBERS, elements=st.floats(0, 1, width=32, exclude_max=True)))
@settings(max_examples=20)
def test_every_distortion_returns_a_uint8_image_of_that_shape_and_repeats_itself(name, photo, numbers):
    given_image = photo.copy()
    for image in (given_image, given_image[:32, :33]):
        first, second = (DISTORTIONS[name](image, numbers.tolist()) for _ in range(2))
        assert first.dtype == np.uint8 and first.shape == image.shape
        np.testing.assert_array_equal(first, second)
    np.testing.assert_array_equal(given_image, photo)


@pytest.mark.parametrize("name", DISTORTIONS)
def test_numbers_are_those_of_numpy_in_both_precisions_too(name, photo):
    numbers = np.random.default_rng(0).random(NUMBERS, np.float32)
    single, double, listed = (
        DISTORTIONS[name](photo, each) for each in (numbers, numbers.astype(float), numbers.tolist())
    )
    np.testing.assert_array_equal(double, listed)
    np.testing.assert_allclose(single, listed, atol=1)


@pytest.mark.parametrize("name", CENTRED)
def test_numbers_in_the_middle_change_nothing(name, photo):
    found = DISTORTIONS[name](photo, HALF).astype(int)
    # HSV of 8 bits does not hold every colour of RGB.
    assert np.abs(found - photo).max() <= (6 if name == "hue_saturation_value" else 0)


@pytest.mark.parametrize("name", DISTORTIONS)
def test_other_numbers_change_the_image(name, photo):
    numbers = [0.9, 0.1, 0.8, 0.3, 0.7, 0.2, 0.95, 0.15, 0.6, 0.4]
    assert (DISTORTIONS[name](photo, numbers) != photo).mean() > 0.1


def test_contrast_multiplies_and_brightness_adds():
    image = np.array([[[0, 100, 250]]], np.uint8)
    # 1.1 x + 0.1 x 255, and 0.9 x - 0.1 x 255.
    more = DISTORTIONS["brightness_contrast"](image, [0.75, 0.75])
    less = DISTORTIONS["brightness_contrast"](image, [0.25, 0.25])
    np.testing.assert_array_equal(more, [[[26, 136, 255]]])
    np.testing.assert_array_equal(less, [[[0, 64, 200]]])


def point(size=9):
    image = np.zeros((size, size, 3), np.uint8)
    image[size // 2, size // 2] = 240
    return image


@pytest.mark.parametrize(
    ("numbers", "expected"),
    [
        # 3 pixels, from (0, 1) to (2, 1): a row of three.
        ([0.0, 0.0, 0.5, 0.99, 0.5], {(4, 3): 80, (4, 4): 80, (4, 5): 80}),
        # 5 pixels, from (0, 0) to (4, 4): a diagonal of five.
        ([0.9, 0.0, 0.0, 0.99, 0.99], {(i, i): 48 for i in range(2, 7)}),
        # 3 pixels, from (1, 2), and 1 again: the next row from 2, which is 0. A column of three.
        ([0.0, 0.4, 0.7, 0.5, 0.0], {(3, 4): 80, (4, 4): 80, (5, 4): 80}),
    ],
)
def test_motion_blurs_along_a_line(numbers, expected):
    found = DISTORTIONS["motion_blur"](point(), numbers)[..., 0]
    assert {tuple(place): found[tuple(place)] for place in np.argwhere(found).tolist()} == expected


@given(numbers=arrays(np.float32, 5, elements=st.floats(0, 1, width=32, exclude_max=True)))
def test_motion_never_blurs_by_a_single_point(numbers):
    assert DISTORTIONS["motion_blur"](point(), numbers.tolist()).max() <= 120


@pytest.mark.parametrize(("number", "size"), [(0.4, 3), (0.6, 5)])
def test_median_of_a_square(photo, number, size):
    found = DISTORTIONS["median_blur"](photo, [number])
    reach = size // 2
    window = photo[20 - reach : 21 + reach, 30 - reach : 31 + reach].reshape(-1, 3)
    np.testing.assert_array_equal(found[20, 30], np.median(window, axis=0))


@pytest.mark.parametrize(("number", "kernel"), [(0.3, [1, 2, 1]), (0.4, [1, 4, 6, 4, 1])])
def test_gauss_kernels_are_opencvs(number, kernel):
    found = DISTORTIONS["gaussian_blur"](point(), [number])[..., 0]
    expected, reach = np.zeros((9, 9)), len(kernel) // 2
    expected[4 - reach : 5 + reach, 4 - reach : 5 + reach] = 240 * np.outer(kernel, kernel) / sum(kernel) ** 2
    np.testing.assert_allclose(found, expected, atol=0.51)


@pytest.mark.parametrize("number", [0.0, 0.5, 1.0])
def test_noise_has_its_variance_no_mean_and_differs_between_channels(number):
    grey = np.full((200, 200, 3), 128, np.uint8)
    noise = DISTORTIONS["gaussian_noise"](grey, [number, 0.3]).astype(float) - 128
    # Rounding adds a twelfth.
    assert noise.var() == pytest.approx(5 + 25 * number + 1 / 12, rel=0.03)
    assert abs(noise.mean()) < 0.06
    assert abs(np.corrcoef(noise.reshape(-1, 3).T)[0, 1]) < 0.03
    other = DISTORTIONS["gaussian_noise"](grey, [number, 0.30001]).astype(float) - 128
    assert abs(np.corrcoef(noise.ravel(), other.ravel())[0, 1]) < 0.03


def test_a_lens_moves_pixels_along_their_radius():
    """A point at radius r, in widths and heights, is read at r (1 + k r^2 + k r^4)."""
    columns = np.repeat(np.arange(101, dtype=np.uint8)[None, :, None], 101, axis=0).repeat(3, axis=2)
    k = 0.4
    found = DISTORTIONS["optical_distortion"](columns, [(1 + k) / 2])[50, :, 0]
    r = (np.arange(101) - 50) / 101
    read = 50 + 101 * r * (1 + k * r**2 + k * r**4)
    inside = (read >= 0) & (read <= 100)
    np.testing.assert_allclose(found[inside], read[inside], atol=1)


def test_a_grid_stretches_its_fifths():
    columns = np.repeat(np.arange(100, dtype=np.uint8)[None, :, None], 50, axis=0).repeat(3, axis=2)
    # The first fifth is read from twice as many columns, the second from none.
    found = DISTORTIONS["grid_distortion"](columns, [1.0, 0.0, 0.5, 0.5, 0.5, *[0.5] * 5])
    expected = np.concatenate([np.arange(0, 40, 2), np.full(20, 40), np.arange(40, 100)])
    np.testing.assert_array_equal(found[25, :, 0], expected)


def test_the_elastic_jolt_is_the_affine_map_of_three_anchors():
    image = np.random.default_rng(0).integers(0, 256, (512, 512, 3), dtype=np.uint8)
    # The first anchor moves 50 pixels to the right, the second 50 up, the third stays.
    numbers = [1.0, 0.5, 0.5, 0.0, 0.5, 0.5]
    anchors = np.float32([[426, 426], [426, 86], [86, 86]])
    moved = np.float32([[476, 426], [426, 36], [86, 86]])
    matrix = cv2.getAffineTransform(anchors, moved)
    expected = cv2.warpAffine(image, matrix, (512, 512), borderMode=cv2.BORDER_REFLECT_101)
    np.testing.assert_array_equal(DISTORTIONS["elastic_as_published"](image, numbers), expected)


def ramps(height, width):
    """The column of each pixel, its row, and nothing, in steps of which 8 bits hold all."""
    image = np.zeros((height, width, 3), np.uint8)
    image[..., 0], image[..., 1] = np.arange(width), np.arange(height)[:, None]
    return image


@pytest.mark.parametrize("number", [0.1, 0.5, 0.9])
def test_the_elastic_field_moves_pixels_by_some_and_folds_nothing(number):
    image = ramps(200, 240)
    found = DISTORTIONS["elastic_described"](image, [number]).astype(float)
    moved = (found - image)[20:-20, 20:-20, :2]
    # A 64th of 200, with what cubic interpolation adds.
    assert 1.2 < moved.std() < 2.2
    assert np.abs(moved).max() < 5
    # Never backwards by more than rounding.
    assert np.diff(found[20:-20, 20:-20, 0], axis=1).min() >= 0
    assert np.diff(found[20:-20, 20:-20, 1], axis=0).min() >= 0
    # Waves, and no shift of the whole.
    assert np.corrcoef(moved[:60].ravel(), moved[-60:].ravel())[0, 1] < 0.9


@pytest.mark.parametrize("number", [0.0, 0.4, 1.0])
def test_clahe_equalises_the_lightness_alone(photo, number):
    lab = cv2.cvtColor(photo, cv2.COLOR_RGB2LAB)
    lightness = cv2.createCLAHE(1 + 3 * number, (8, 8)).apply(np.ascontiguousarray(lab[..., 0]))
    expected = cv2.cvtColor(np.dstack([lightness, lab[..., 1:]]), cv2.COLOR_LAB2RGB)
    np.testing.assert_array_equal(DISTORTIONS["clahe"](photo, [number]), expected)


def test_hue_turns_and_saturation_and_value_are_clipped():
    red = np.array([[[200, 0, 0]]], np.uint8)
    # Hue 0 - 10 is 170 of 180; the saturation stays at 255, the value becomes 210.
    found = DISTORTIONS["hue_saturation_value"](red, [0.0, 1.0, 1.0])
    expected = cv2.cvtColor(np.uint8([[[170, 255, 210]]]), cv2.COLOR_HSV2RGB)
    np.testing.assert_array_equal(found, expected)


def test_shift_moves_the_content_and_leaves_black():
    image = np.random.default_rng(1).integers(1, 256, (40, 60, 3), dtype=np.uint8)
    # By a tenth to the right, by a twentieth up.
    found = DISTORTIONS["shift_scale_rotate"](image, [0.5, 0.5, 1.0, 0.25])
    np.testing.assert_array_equal(found[:38, 6:], image[2:, :54])
    assert not found[38:].any() and not found[:, :6].any()


def test_turn_and_scale_are_opencvs():
    image = np.random.default_rng(2).integers(0, 256, (40, 60, 3), dtype=np.uint8)
    expected = cv2.warpAffine(image, cv2.getRotationMatrix2D((30, 20), 15, 0.9), (60, 40))
    found = DISTORTIONS["shift_scale_rotate"](image, [1.0, 0.0, 0.5, 0.5])
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize(("numbers", "corner"), [((0.0, 0.0), (0, 0)), ((0.9999, 0.9999), (25, 30))])
def test_the_hole_is_whole_and_black(numbers, corner):
    image = np.full((40, 48, 3), 9, np.uint8)
    expected = image.copy()
    (top, left), height, width = corner, 15, 18
    expected[top : top + height, left : left + width] = 0
    np.testing.assert_array_equal(DISTORTIONS["cut_out"](image, numbers), expected)


@given(numbers=st.tuples(*[st.floats(0, 1, width=32, exclude_max=True)] * 2))
def test_the_hole_is_always_whole(numbers):
    image = np.full((32, 40, 3), 9, np.uint8)
    assert (DISTORTIONS["cut_out"](image, numbers) == 0).sum() == 12 * 15 * 3


# The list


# What stands for each row of Figure 7.5 that has a chance of its own, behind the flips.
OF_FIGURE = {
    "random-brightness-contrast": ("brightness_contrast",),
    "one-of-blurs-and-noise": ("motion_blur", "median_blur", "gaussian_blur", "gaussian_noise"),
    "one-of-distortions": ("optical_distortion", "grid_distortion", "elastic_{form}"),
    "clahe": ("clahe",),
    "hue-saturation-value": ("hue_saturation_value",),
    "shift-scale-rotate": ("shift_scale_rotate",),
}


def test_the_list_is_figure_7_5_in_its_order():
    cells = load_published("bermeo2023").query("table == 'figure7.5' and metric == 'p'")
    printed = list(zip(cells["row"], cells["value"].astype(float), strict=True))
    assert printed[:3] == [(row, 0.5) for row in ("transpose", "vertical-flip", "horizontal-flip")]
    assert [(OF_FIGURE[row], p) for row, p in printed[3:-1]] == [(names, p) for p, names, _ in STEPS]
    assert printed[-1] == ("coarse-dropout", distortion._CUT_OUT)
    named = [name.format(form=form) for _, names, _ in STEPS for name in names for form in ELASTIC]
    assert [*dict.fromkeys(named), "cut_out"] == list(DISTORTIONS)
    assert max(count for *_, count in STEPS) == NUMBERS


ELASTIC = distortion.ELASTIC_FORMS


@pytest.fixture
def recorded(monkeypatch):
    """The distortions that are called, by name, in the place of what they do."""
    calls = []
    for name in DISTORTIONS:
        monkeypatch.setitem(DISTORTIONS, name, lambda image, u, name=name: calls.append((name, u)) or image)
    return calls


@pytest.mark.parametrize("form", ELASTIC)
def test_steps_are_done_in_order_as_often_as_the_document_says(recorded, form):
    draws, image = 4000, np.zeros((1, 1, 3), np.uint8)
    for row in sample_distortions(draws, seed=0, epoch=0).numpy():
        before = len(recorded)
        distort(image, row, form)
        steps = [step_of(name) for name, _ in recorded[before:]]
        assert steps == sorted(set(steps))
    counts = pd.Series([name for name, _ in recorded]).value_counts() / draws
    expected = {name.format(form=form): chance / len(names) for chance, names, _ in STEPS for name in names}
    assert set(counts.index) == set(expected)
    for name, chance in expected.items():
        assert counts[name] == pytest.approx(chance, abs=4 * (chance * (1 - chance) / draws) ** 0.5), name


def step_of(name):
    named = [[each.format(form=form) for each in names for form in ELASTIC] for _, names, _ in STEPS]
    return [name in names for names in named].index(True)


def test_each_distortion_gets_numbers_of_its_own(recorded):
    numbers = np.zeros(40, np.float32)
    starts = np.cumsum([0, *(2 + count for *_, count in STEPS)])
    for start, (*_, count) in zip(starts, STEPS, strict=False):
        numbers[start + 2 : start + 2 + count] = (np.arange(count) + 1) / 64
    distort(np.zeros((1, 1, 3), np.uint8), numbers, "described")
    assert [u for _, u in recorded] == [[(i + 1) / 64 for i in range(count)] for *_, count in STEPS]


def test_draws_depend_on_seed_epoch_and_row_only():
    few, many = (sample_distortions(count, seed=1, epoch=2) for count in (3, 9))
    np.testing.assert_array_equal(few, many[:3])
    for seed, epoch in ((1, 3), (2, 2)):
        assert not np.isclose(few, sample_distortions(3, seed, epoch)).any(axis=0).all()


# In the pipeline


def batches(table, spec, count, **options):
    dataset = build_dataset(table, spec, labels=LABELS, training=True, batch_size=3, **options)
    return [images.numpy() for images, _ in dataset.take(count)]


@pytest.mark.parametrize("form", ELASTIC)
@pytest.mark.parametrize("resize", ["antialias", "bilinear"])
def test_images_are_distorted_at_their_own_size_and_cut_after_resizing(photo_table, form, resize):
    spec = PipelineSpec((32, 32), scaling="raw", resize=resize, augmentation=Augmentation(distortions=form))
    ((found, *_),) = [batches(photo_table[:1], spec, 1)[0]]
    row = sample_distortions(1, seed=0, epoch=0)[0]
    with tf.io.gfile.GFile(photo_table["path"][0], "rb") as file:
        whole = tf.io.decode_jpeg(file.read(), dct_method="INTEGER_ACCURATE").numpy()
    expected = distort(whole, row.numpy(), form)
    resized = tf.image.resize(expected, (32, 32)) if resize == "bilinear" else cv2_area(expected)
    expected = np.floor(np.asarray(resized) + 0.5)
    if row[-3] < 0.7:
        expected = DISTORTIONS["cut_out"](expected, row[-2:].numpy())
    np.testing.assert_allclose(found, expected, atol=1)


def test_images_are_turned_before_they_are_distorted(photo_table):
    # Half of the rows of a table may be turned for good, too.
    augmentation = Augmentation(flip_left_right=1.0, transpose=1.0, distortions="described")
    spec = PipelineSpec((32, 32), scaling="raw", augmentation=augmentation)
    ((found, *_),) = [batches(photo_table[:1], spec, 1)[0]]
    row = sample_distortions(1, seed=0, epoch=0)[0]
    with tf.io.gfile.GFile(photo_table["path"][0], "rb") as file:
        whole = tf.io.decode_jpeg(file.read(), dct_method="INTEGER_ACCURATE").numpy()
    (orientation,) = sample_changes(augmentation, 1, (32, 32), seed=0, epoch=0)["orientation"].numpy()
    assert orientation[0] and whole.shape[0] != whole.shape[1]
    turned = whole.swapaxes(0, 1)[:: -1 if orientation[1] else 1, :: -1 if orientation[2] else 1]
    expected = np.floor(cv2_area(distort(np.ascontiguousarray(turned), row.numpy(), "described")) + 0.5)
    if row[-3] < 0.7:
        expected = DISTORTIONS["cut_out"](expected, row[-2:].numpy())
    np.testing.assert_allclose(found, expected, atol=1)


def cv2_area(image):
    return tf.raw_ops.ResizeArea(images=image[None], size=(32, 32))[0]


def test_a_row_that_says_no_leaves_the_image_as_it_is_decoded(photo_table):
    # Of this size no JPEG is decoded at a part of its own.
    spec = PipelineSpec((40, 60), augmentation=Augmentation(distortions="described"))
    path = photo_table["path"][0]
    found = decode_file(path, spec, tf.ones(40) * 0.999)
    np.testing.assert_array_equal(found, decode_file(path, spec))


def test_equal_seeds_give_equal_images_and_others_do_not(photo_table):
    first, second = (batches(photo_table, DISTORTED, 6, seed=3) for _ in range(2))
    np.testing.assert_array_equal(np.concatenate(first), np.concatenate(second))
    assert not np.array_equal(first[0], batches(photo_table, DISTORTED, 1, seed=4)[0])


def test_a_resumed_run_sees_the_distortions_of_an_undisturbed_one(photo_table):
    undisturbed = batches(photo_table, DISTORTED, 9)
    resumed = batches(photo_table, DISTORTED, 3, first_epoch=2)
    np.testing.assert_array_equal(np.concatenate(resumed), np.concatenate(undisturbed[6:]))


@pytest.mark.parametrize("threads", [1, 4])
def test_distortions_do_not_depend_on_threads(photo_table, monkeypatch, threads):
    expected = batches(photo_table, DISTORTED, 6)
    monkeypatch.setattr(tf.data, "AUTOTUNE", threads)
    found = batches(photo_table, DISTORTED, 6)
    np.testing.assert_array_equal(np.concatenate(found), np.concatenate(expected))


def test_evaluation_sees_the_images_undistorted(photo_table):
    plain = PipelineSpec((32, 32), scaling="raw")
    (expected,), (found,) = (
        list(build_dataset(photo_table, spec).as_numpy_iterator()) for spec in (plain, DISTORTED)
    )
    np.testing.assert_array_equal(found, expected)


def test_other_changes_are_drawn_as_without_distortions(photo_table):
    flips = Augmentation(flip_left_right=0.5)
    both = Augmentation(flip_left_right=0.5, distortions="described")
    first, second = (distortion_free(flips), distortion_free(both))
    np.testing.assert_array_equal(first, second)


def distortion_free(augmentation):
    from skinkit.pipeline.augment.changes import sample_changes

    return sample_changes(augmentation, 50, (32, 32), 0, 0)["orientation"]


# Bad input


def test_images_that_are_too_small_are_refused_before_any_is_decoded(tmp_path, photo_table):
    small = tmp_path / "small.png"
    cv2.imwrite(str(small), np.zeros((31, 200, 3), np.uint8))
    table = photo_table.assign(path=pd.array([*photo_table["path"][:-1], str(small)], dtype="string"))
    with pytest.raises(ValueError, match=r"at least 32 x 32 pixels\. Received: .*small\.png, 200 x 31"):
        build_dataset(table, DISTORTED, labels=LABELS, training=True)
    assert len(list(build_dataset(table, DISTORTED, batch_size=7))) == 1


def test_a_damaged_image_is_named_as_ever(tmp_path, photo_table):
    damaged = tmp_path / "damaged.jpg"
    damaged.write_bytes(b"no image")
    table = photo_table[:2].assign(path=pd.array([photo_table["path"][0], str(damaged)], dtype="string"))
    with pytest.raises(tf.errors.InvalidArgumentError, match=r"Cannot read the image file .*damaged\.jpg"):
        batches(table, DISTORTED, 2)


@pytest.mark.parametrize("changes", [{"image_size": (31, 40)}, {"cache": "memory"}])
def test_spec_refuses_what_distortions_do_not_suit(changes):
    augmentation = Augmentation(distortions="as_published")
    with pytest.raises(ValueError, match=r"`distortions` there is no `cache`.*at least 32"):
        PipelineSpec(**{"image_size": (64, 64), "augmentation": augmentation, **changes})


def test_unknown_forms_are_refused():
    with pytest.raises(ValueError, match=r"or 'described' or None.*Received: distortions='elastic'"):
        Augmentation(distortions="elastic")
