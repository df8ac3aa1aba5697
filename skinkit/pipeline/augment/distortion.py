"""Distortions of training images with OpenCV: those of bermeo2023, Figure 7.5, in their order.

Each is a function of an image `(height, width, 3)`, uint8 RGB, and of random numbers in [0, 1), at most
`NUMBERS`; it returns an image of the same shape and dtype and leaves the given one as it is. Where a range
lies around "no change", numbers of 0.5 change nothing.

The document calls albumentations 1.2 and 1.3. Its settings are here, and those defaults of the library that
count (kernels of 3 and 5 pixels, reflected borders, tiles). Four things differ, all below what an eye sees:
levels are rounded, where the library cuts decimals off; the centre of a lens is that of the image; the cells
of a grid are fifths of a side; and the anchors of the affine jolt move by 50 pixels of 512, whatever the size
of the image, because the document distorts images of 512 x 512.
"""

import cv2
import numpy as np
import tensorflow as tf

from skinkit.pipeline.random_numbers import spread, uniform

# Sides of fewer pixels leave too little for the 64 tiles of CLAHE.
SMALLEST_SIDE = 32
ELASTIC_FORMS = ("as_published", "described")
NUMBERS = 10

_LEVELS = np.arange(256.0)
_REFLECT = cv2.BORDER_REFLECT_101


def brightness_contrast(image, u):
    """Multiplies by U[0.8, 1.2] and adds U[-0.2, 0.2] of 255."""
    contrast, brightness = 1 + spread(u[0], 0.2), spread(u[1], 0.2)
    return cv2.LUT(image, _rounded(contrast * _LEVELS + 255 * brightness))


def motion_blur(image, u):
    """Averages along a random line in a square of 3 or 5 pixels."""
    size = _odd(u[0] < 1 / 2)
    x, y, x_end, y_end = (int(size * number) for number in u[1:5])
    if x == x_end:
        # A line of one point would blur nothing.
        y_end = (y + 1 + int((size - 1) * u[4])) % size
    kernel = cv2.line(np.zeros((size, size), np.float32), (x, y), (x_end, y_end), 1)
    return cv2.filter2D(image, -1, kernel / kernel.sum())


def median_blur(image, u):
    """Takes the median of each square of 3 or 5 pixels."""
    return cv2.medianBlur(image, _odd(u[0] < 1 / 2))


def gaussian_blur(image, u):
    """Blurs by OpenCV's Gauss kernel of 3 pixels (one in three), 1 2 1, or of 5, 1 4 6 4 1."""
    size = _odd(u[0] < 1 / 3)
    return cv2.GaussianBlur(image, (size, size), 0)


def gaussian_noise(image, u):
    """Adds noise of variance U[5, 30] to each channel of each pixel."""
    noise = _generator(u[1]).standard_normal(image.shape, np.float32)
    return cv2.add(image, noise * (5 + 25 * u[0]) ** 0.5, dtype=cv2.CV_8U)


def optical_distortion(image, u):
    """Sees the image through a lens: a barrel or a cushion, of radial coefficients U[-1, 1]."""
    height, width = image.shape[:2]
    k = spread(u[0], 1.0)
    camera = np.array([[width, 0, (width - 1) / 2], [0, height, (height - 1) / 2], [0, 0, 1]])
    lens = np.array([k, k, 0, 0])
    maps = cv2.initUndistortRectifyMap(camera, lens, None, camera, (width, height), cv2.CV_32FC1)
    return _resampled(image, *maps)


def grid_distortion(image, u):
    """Stretches and shrinks the fifths of both sides, by U[0, 2] each."""
    height, width = image.shape[:2]
    return _resampled(image, *np.meshgrid(_stretched(width, u[:5]), _stretched(height, u[5:10])))


def elastic_as_published(image, u):
    """Moves three anchors by U[-50, 50] of 512 pixels: an affine map.

    The document's elastic distortion has alpha 3 and the library's sigma of 50, which move pixels by 0.009 on
    average. What is left of it is the affine map that the library puts before.
    """
    height, width = image.shape[:2]
    side, centre = min(height, width), np.array([width // 2, height // 2])
    anchors = centre + side // 3 * np.array([[1, 1], [1, -1], [-1, -1]])
    moved = anchors + spread(np.reshape(u[:6], (3, 2)), side * 50 / 512)
    matrix = cv2.getAffineTransform(np.float32(anchors), np.float32(moved))
    return cv2.warpAffine(image, matrix, (width, height), borderMode=_REFLECT)


def elastic_described(image, u):
    """Moves 8 x 8 points by up to a 64th of the shorter side, and what lies between smoothly.

    An elastic distortion that can be seen, as the word says. Of 512 pixels it moves up to 8, at points 64
    apart: enough to bend the border of a lesion, too little to fold anything. A coarse grid of moves, as in
    U-Net (Ronneberger et al. 2015, section 3.1), takes a small part of the time of smoothing noise.
    """
    height, width = image.shape[:2]
    points = spread(_generator(u[0]).random((8, 8, 2), np.float32), min(height, width) / 64)
    right, down = cv2.split(cv2.resize(points, (width, height), interpolation=cv2.INTER_CUBIC))
    return _resampled(image, np.arange(width) + right, np.arange(height)[:, None] + down)


def clahe(image, u):
    """Equalises the lightness (of Lab) in 8 x 8 tiles, with a clip limit of U[1, 4]."""
    lab = cv2.cvtColor(image, cv2.COLOR_RGB2LAB)
    equaliser = cv2.createCLAHE(1 + 3 * u[0], (8, 8))
    lab[..., 0] = equaliser.apply(cv2.extractChannel(lab, 0))
    return cv2.cvtColor(lab, cv2.COLOR_LAB2RGB)


def hue_saturation_value(image, u):
    """Adds U[-10, 10] to the hue (0 to 179), U[-20, 20] to the saturation and U[-10, 10] to the value."""
    hue, saturation, value = (_LEVELS + spread(*each) for each in zip(u, (10, 20, 10), strict=False))
    levels = np.stack([_rounded(np.rint(hue) % 180), _rounded(saturation), _rounded(value)], axis=-1)
    hsv = cv2.LUT(cv2.cvtColor(image, cv2.COLOR_RGB2HSV), levels[None])
    return cv2.cvtColor(hsv, cv2.COLOR_HSV2RGB)


def shift_scale_rotate(image, u):
    """Turns by U[-15, 15] degrees, scales by U[0.9, 1.1], moves by U[-0.1, 0.1] of a side; black outside."""
    height, width = image.shape[:2]
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), spread(u[0], 15), 1 + spread(u[1], 0.1))
    matrix[:, 2] += spread(u[2], 0.1) * width, spread(u[3], 0.1) * height
    return cv2.warpAffine(image, matrix, (width, height))


def cut_out(image, u):
    """Blackens one rectangle of 37.5 % of both sides, always whole; takes and returns a tensor, too."""
    rows, columns = (_in_hole(side, number) for side, number in zip(image.shape[:2], u, strict=False))
    return tf.where((rows[:, None] & columns)[..., None], tf.zeros_like(image), image)


DISTORTIONS = {
    "brightness_contrast": brightness_contrast,
    "motion_blur": motion_blur,
    "median_blur": median_blur,
    "gaussian_blur": gaussian_blur,
    "gaussian_noise": gaussian_noise,
    "optical_distortion": optical_distortion,
    "grid_distortion": grid_distortion,
    "elastic_as_published": elastic_as_published,
    "elastic_described": elastic_described,
    "clahe": clahe,
    "hue_saturation_value": hue_saturation_value,
    "shift_scale_rotate": shift_scale_rotate,
    "cut_out": lambda image, u: cut_out(image, u).numpy(),
}
# The list: how likely a step is, what is done then (one of these, evenly), and how many numbers that takes.
STEPS = (
    (0.75, ("brightness_contrast",), 2),
    (0.7, ("motion_blur", "median_blur", "gaussian_blur", "gaussian_noise"), 5),
    (0.7, ("optical_distortion", "grid_distortion", "elastic_{form}"), 10),
    (0.7, ("clahe",), 1),
    (0.5, ("hue_saturation_value",), 3),
    (0.85, ("shift_scale_rotate",), 4),
)
_CUT_OUT, _CUT_OUT_NUMBERS = 0.7, 3
# Two of each step say whether and which.
_COLUMNS = sum(2 + numbers for _, _, numbers in STEPS) + _CUT_OUT_NUMBERS


def sample_distortions(count, seed, epoch):
    """Returns the random numbers of one epoch, `(count, columns)`; row i depends on seed, epoch and i."""
    return uniform((count, _COLUMNS), seed, epoch, "distortions")


def distort(image, numbers, form):
    """Applies all steps but the cut-out, as one row of `sample_distortions` says.

    Args:
        image: Array `(height, width, 3)`, uint8 RGB.
        numbers: Array of numbers in [0, 1).
        form: String, one of `ELASTIC_FORMS`.

    Returns:
        Array of the same shape and dtype; the image itself where the numbers say that nothing is done.
    """
    rest = numbers.tolist()
    for chance, names, count in STEPS:
        (happens, which, *own), rest = rest[: 2 + count], rest[2 + count :]
        if happens < chance:
            name = names[int(which * len(names))].format(form=form)
            image = DISTORTIONS[name](image, own)
    return image


def distort_decoded(pixels, numbers, form):
    """`distort` within a graph, for a tensor of any height and width."""

    def call(image, row):
        return distort(image, row, form)

    # Stateless: under op determinism tf.data calls others one by one.
    found = tf.numpy_function(call, [pixels, numbers], tf.uint8, stateful=False)
    return tf.ensure_shape(found, (None, None, 3))


def cut_out_resized(image, numbers):
    """The cut-out of one row of `sample_distortions` within a graph, where there is one."""
    happens, *place = tf.unstack(numbers[-_CUT_OUT_NUMBERS:])
    return tf.cond(happens < _CUT_OUT, lambda: cut_out(image, place), lambda: image)


def _odd(is_small):
    return 3 if is_small else 5


def _rounded(levels):
    return np.clip(np.rint(levels), 0, 255).astype(np.uint8)


def _generator(number):
    """The noise that belongs to a number, which holds 24 bits."""
    return np.random.default_rng(int(number * 2**24))


def _stretched(side, u):
    """Where the pixels of a side come from."""
    ends = np.cumsum([0.0, *(1 + spread(number, 1.0) for number in u)]) * side / 5
    return np.interp(np.arange(side), np.linspace(0, side, 6), ends).astype(np.float32)


def _resampled(image, columns, rows):
    maps = np.asarray(columns, np.float32), np.asarray(rows, np.float32)
    return cv2.remap(image, *maps, cv2.INTER_LINEAR, borderMode=_REFLECT)


def _in_hole(side, number):
    """Which pixels of a side lie in the hole."""
    length = int(0.375 * side)
    # NumPy's own numbers are float64, which TensorFlow does not compare with float32.
    first = tf.floor(tf.cast(number * (side - length + 1), tf.float32))
    place = tf.range(side, dtype=tf.float32)
    return (place >= first) & (place < first + length)
