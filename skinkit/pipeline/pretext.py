"""Images of pretext tasks: with patches that trade places, or turned by one of a few angles."""

import functools
import math
from dataclasses import dataclass
from typing import Annotated

import numpy as np
import tensorflow as tf

from skinkit.pipeline.random_numbers import uniform
from skinkit.values import Count, Natural, check_fields


@dataclass(frozen=True)
class Disorder:
    """Cells of an image's grid trade places; what is to be learned is the image as it was.

    butskova2021, Algorithm 1; Chen et al. 2019, Self-supervised learning for medical image analysis using
    image context restoration.

    Args:
        patch: Integer, side of the square cells in pixels.
        swaps: Integer, how often two distinct cells trade places.

    Example:
        >>> task = Disorder(patch=8, swaps=20)
        >>> disordered, images = task.finish(images, task.sample(len(images), (32, 32), seed=0, epoch=0))
    """

    patch: Count = 8
    swaps: Natural = 20

    def __post_init__(self):
        check_fields("Disorder", self)

    def check_fit(self, size):
        """Raises `ValueError` for images `(height, width)` that the cells do not fill, or of one cell."""
        _cells(size, self.patch)

    def sample(self, count, size, seed, epoch):
        """Returns the two cells of each swap, int32 `(count, swaps, 2)`; row i depends on seed, epoch and i.

        Args:
            count: Integer, number of rows.
            size: Pair of integers, height and width of the images in pixels.
            seed: Integer.
            epoch: Integer or scalar tensor, from 0.
        """
        cells = math.prod(_cells(size, self.patch))
        numbers = uniform((count, self.swaps, 2), seed, epoch, "pretext")
        first, step = tf.unstack(tf.cast(numbers * (cells, cells - 1), tf.int32), axis=-1)
        return tf.stack([first, (first + 1 + step) % cells], axis=-1)

    def finish(self, images, swaps):
        """Returns the disordered images of a batch, and the images."""
        return disorder(images, self.patch, swaps), images


@dataclass(frozen=True)
class Turn:
    """Turns by one of several angles; what is to be learned is the angle.

    butskova2021, after Gidaris et al. 2018, Unsupervised representation learning by predicting image
    rotations. The corners of a turned photograph tell its angle without a look at the lesion; the disc hides
    them. What a turn between pixels smooths has a pattern, which still tells six angles apart, up to half a
    turn: without a look at the lesion every second guess is right (notebook 17).

    Args:
        angles: Integer, 2 or more: the angles are 0 and its multiples of 360 degrees / `angles`.
        disc: Whether all outside the inscribed circle is hidden.

    Example:
        >>> task = Turn(angles=6)
        >>> turned = turn(images, task.sample(len(images), (96, 96), seed=0, epoch=0))
    """

    angles: Annotated[int, (2, math.inf)] = 6
    disc: bool = True

    def __post_init__(self):
        check_fields("Turn", self)

    def check_fit(self, size):
        """Raises `ValueError` for images `(height, width)` that are not square."""
        _check_square(size)

    def sample(self, count, size, seed, epoch):
        """Returns the number of each row's angle, int32 `(count,)`: see `Disorder.sample`."""
        return tf.cast(uniform((count,), seed, epoch, "pretext") * self.angles, tf.int32)

    def finish(self, images, index):
        """Returns the turned images of a batch, and their angles, one-hot."""
        return turn(images, index, self.angles, self.disc), tf.one_hot(index, self.angles)


def disorder(images, patch, swaps):
    """Returns images in whose grids cells have traded places.

    Args:
        images: Array or tensor `(n, height, width, channels)`.
        patch: Integer, side of the square cells in pixels, which divides height and width.
        swaps: Integers `(n, swaps, 2)`: pairs of cells, counted row by row, that trade places one pair after
            the other, as `Disorder.sample` gives them.

    Raises:
        ValueError: for cells that do not fill the images, or fewer than 2; for a number of swaps, or a cell
            that is not there.
    """
    images, swaps = tf.convert_to_tensor(images), tf.convert_to_tensor(swaps)
    if images.shape.rank != 4:
        raise ValueError(
            f"`images` are `(n, height, width, channels)`. Received: shape {tuple(images.shape)}"
        )
    _cells(images.shape[1:3], patch)
    if swaps.shape.rank != 3 or swaps.shape[2] != 2:
        raise ValueError(
            "`swaps` are pairs of cells `(n, swaps, 2)`, as `Disorder.sample` gives them. Received: shape "
            f"{tuple(swaps.shape)}"
        )
    _check_count("swaps", swaps, images)
    _check_numbers("swaps", swaps, math.prod(side // patch for side in images.shape[1:3]))
    found = tf.numpy_function(
        functools.partial(_disordered, patch), [images, swaps], images.dtype, stateful=False
    )
    return tf.ensure_shape(found, images.shape)


def _disordered(patch, images, swaps):
    # Most cells stay: half the time of gathering all of them.
    found, (count, height, width, channels) = images.copy(), images.shape
    lines = found.reshape(count, height // patch, patch, width // patch, patch * channels)
    cells, image = lines.swapaxes(2, 3), np.arange(count)[:, None]
    for pair in swaps.swapaxes(0, 1):
        row, column = np.divmod(pair, width // patch)
        cells[image, row, column] = cells[image, row[:, ::-1], column[:, ::-1]]
    return found


def turn(images, index, angles=6, disc=True):
    """Returns images turned counter-clockwise about their centre; outside them lies their reflection.

    Args:
        images: float32 array or tensor `(n, side, side, 3)`.
        index: Integers `(n,)`: 0 is not turned, 1 by 360 degrees / `angles`.
        angles: Integer, number of angles.
        disc: Whether all outside the inscribed circle becomes 0.

    Raises:
        ValueError: for images that are not square, or another number than that of an angle, one an image.
    """
    images, index = tf.convert_to_tensor(images), tf.convert_to_tensor(index)
    if images.dtype != tf.float32 or images.shape.rank != 4 or images.shape[3] != 3:
        raise ValueError(
            "`images` are float32 `(n, side, side, 3)`. Received: "
            f"{images.dtype.name}, shape {tuple(images.shape)}"
        )
    if index.shape.rank != 1:
        raise ValueError(f"`index` is a number for each image. Received: shape {tuple(index.shape)}")
    _check_count("index", index, images)
    _check_numbers("index", index, angles)
    shown = _disc(_check_square(images.shape[1:3])) if disc else np.float32(1)
    # A sixth of the time of TensorFlow's projective transform.
    turned = tf.numpy_function(
        functools.partial(_turned, angles, shown), [images, index], tf.float32, stateful=False
    )
    return tf.ensure_shape(turned, images.shape)


def _check_count(name, numbers, images):
    """Raises `ValueError` for numbers of more or fewer images; that of a dataset's batch is not known."""
    given, count = numbers.shape[0], images.shape[0]
    if None not in (given, count) and given != count:
        raise ValueError(f"`{name}` are for each image. Received: {given} for {count} images")


def _check_numbers(name, numbers, count):
    """Raises `ValueError` for numbers outside 0 to `count` - 1; a dataset samples none."""
    if not numbers.dtype.is_integer:
        raise ValueError(f"`{name}` are whole numbers. Received: {numbers.dtype.name}")
    if tf.executing_eagerly():
        values = numbers.numpy()
        if (wrong := values[(values < 0) | (values >= count)]).size:
            raise ValueError(f"`{name}` are numbers from 0 to {count - 1}. Received: {wrong[0]}")


def _turned(angles, shown, images, index):
    import cv2

    found, side = np.empty_like(images), images.shape[1]
    centre = ((side - 1) / 2, (side - 1) / 2)
    turns = [cv2.getRotationMatrix2D(centre, 360 * number / angles, 1.0) for number in range(angles)]
    for image, i, out in zip(images, index, found, strict=True):
        cv2.warpAffine(image, turns[i], (side, side), out, borderMode=cv2.BORDER_REFLECT)
        # Image by image, while it is in the processor's cache.
        out *= shown
    return found


def _disc(side):
    """1 inside the inscribed circle and 0 outside it, float32 `(side, side, 3)`."""
    square = np.square(np.arange(side) - (side - 1) / 2)
    inside = np.add.outer(square, square) <= (side / 2) ** 2
    # Of three channels, because a multiplication by one for all is four times as slow.
    return np.repeat(inside[..., None], 3, axis=2).astype(np.float32)


def _cells(size, patch):
    """Rows and columns of the grid."""
    height, width = size
    if patch < 1 or height % patch or width % patch:
        raise ValueError(
            f"A patch must divide height and width of the image. Received: patch={patch}, image {height} x "
            f"{width}"
        )
    if height * width < 2 * patch**2:
        raise ValueError(f"Two patches trade places. Received: patch={patch}, image {height} x {width}")
    return height // patch, width // patch


def _check_square(size):
    height, width = size
    if height != width:
        raise ValueError(f"A turned image must be square. Received: image {height} x {width}")
    return height
