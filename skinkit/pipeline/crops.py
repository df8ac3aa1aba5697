"""Crops of images: where the ordered ones lie, random ones sampled for a whole epoch at once, and the cut."""

import math

import numpy as np
import tensorflow as tf

from skinkit.pipeline.random_numbers import uniform

# Corners and centre: the one number of crops that is not a grid.
_FIVE = 5
# torchvision's `RandomResizedCrop`: smallest share of the area, largest width / height, attempts.
SMALLEST_AREA, _WIDEST, _ATTEMPTS = 0.08, 4 / 3, 10


def crop_corners(image_size, crop_size, count):
    """Returns the top-left corners of ordered crops.

    gessert2019, section II-D: the crops are spread evenly over the image, and the outer ones touch its
    edges. Their order is part of the method: patch attention has weights for each position, and a recurrent
    network reads the crops in this order.

    Args:
        image_size: Pair of integers, height and width in pixels.
        crop_size: Integer, side of the square crops in pixels, at most the image's shorter side.
        count: Integer, 1 (the centre), 5 (the corners, then the centre), or n x n from 4 (a grid, row by
            row).

    Returns:
        Integer array `(count, 2)` of row and column.

    Raises:
        ValueError: for another count, or crops larger than the image.

    Example:
        >>> crop_corners((450, 600), 224, 5).tolist()
        [[0, 0], [0, 376], [226, 0], [226, 376], [113, 188]]
    """
    if not 0 < crop_size <= min(image_size):
        raise ValueError(
            f"crop_corners: `crop_size` must be from 1 to the shorter side of {tuple(image_size)}. "
            f"Received: crop_size={crop_size}"
        )
    centre = np.array([[(side - crop_size) // 2 for side in image_size]])
    if count == 1:
        return centre
    if count == _FIVE:
        return np.vstack([_grid(image_size, crop_size, 2), centre])
    side = math.isqrt(max(count, 0))
    if side < 2 or side**2 != count:
        raise ValueError(
            f"crop_corners: `count` must be 1, 5 or a square number from 4. Received: count={count}"
        )
    return _grid(image_size, crop_size, side)


def _grid(image_size, crop_size, side):
    rows, columns = (np.arange(side) * (whole - crop_size) // (side - 1) for whole in image_size)
    return np.stack(np.meshgrid(rows, columns, indexing="ij"), axis=-1).reshape(-1, 2)


def coverage(image_size, crop_size, count):
    """Returns the share of the image that `crop_corners` covers, above 0 and up to 1.

    Example:
        >>> round(coverage((450, 600), 224, 5), 5)
        0.86999
    """
    covered = np.zeros(image_size, bool)
    for row, column in crop_corners(image_size, crop_size, count):
        covered[row : row + crop_size, column : column + crop_size] = True
    return float(covered.mean())


def centre_box(image_size, crop_size, evaluation):
    """Returns the (top, left, height, width) that a network of random parts of images is evaluated on.

    Args:
        image_size: Pair of integers, height and width in pixels.
        crop_size: Integer, side in pixels to which the box is resized.
        evaluation: String: `"centre85"` is 85 % of the image's area in its own shape (section II-D);
            `"centre336"` is a square of 336/224 of the crop's side (the released code), 42 % of 450 x 600
            pixels; `"whole"` is the whole image.

    Raises:
        ValueError: when the square is larger than the image.
    """
    if evaluation == "whole":
        return 0, 0, *image_size
    if evaluation == "centre85":
        height, width = (round(side * 0.85**0.5) for side in image_size)
    else:
        height = width = round(crop_size * 336 / 224)
    if max(height / image_size[0], width / image_size[1]) > 1:
        raise ValueError(
            f"centre_box: centre336 takes {height} x {width} pixels. Received: image_size={tuple(image_size)}"
        )
    return (image_size[0] - height) // 2, (image_size[1] - width) // 2, height, width


def sample_boxes(crops, image_size, count, seed, epoch):
    """Samples one epoch's random crops.

    Args:
        crops: `Crops` that train on one random crop.
        image_size: Pair of integers, height and width in pixels.
        count: Integer, number of rows n.
        seed: Integer.
        epoch: Integer or scalar tensor, from 0.

    Returns:
        Tensor `(n, 4)`, int32: top, left, height, width. Row i depends on seed, epoch and i.
    """
    numbers = uniform((count, 2 + 2 * _ATTEMPTS), seed, epoch, "crops")
    if crops.strategy == "single_crop":
        attempts = tf.reshape(numbers[:, 2:], (count, _ATTEMPTS, 2))
        sizes, found = _random_sizes(attempts, image_size, crops)
    else:
        sizes, found = tf.fill((count, 2), crops.size), tf.fill((count,), True)
    free = tf.constant(image_size) - sizes
    corners = tf.cast(numbers[:, :2] * tf.cast(free + 1, tf.float32), tf.int32)
    return tf.concat([tf.where(found[:, None], corners, free // 2), sizes], axis=1)


def _random_sizes(numbers, image_size, crops):
    """Heights and widths of random resized crops, as torchvision samples them.

    The area is U[smallest area, 1] of the image's. Width / height is that of what the network sees, times a
    factor whose logarithm is U[log 3/4, log 4/3]: torchvision's is a square. Of ten attempts the first that
    fits into the image counts. Without one it is the largest crop in that range of shapes.

    Args:
        numbers: Tensor `(n, 10, 2)` in [0, 1), for area and shape of each attempt.
        image_size: Pair of integers, height and width in pixels.
        crops: As in `sample_boxes`.

    Returns:
        Heights and widths, int32 `(n, 2)`, and bool `(n,)`, whether an attempt fitted.
    """
    (height, width), smallest = image_size, crops.smallest_area
    own = crops.sides[1] / crops.sides[0]
    area = height * width * (smallest + (1 - smallest) * numbers[..., 0])
    shape = own * tf.exp(math.log(_WIDEST) * (2 * numbers[..., 1] - 1))
    sizes = tf.cast(tf.round(tf.sqrt(tf.stack([area / shape, area * shape], axis=-1))), tf.int32)
    fits = tf.reduce_all((sizes > 0) & (sizes <= image_size), axis=-1)
    first = tf.gather(sizes, tf.argmax(fits, axis=1), axis=1, batch_dims=1)
    largest = min(height, round(width * _WIDEST / own)), min(width, round(height * _WIDEST * own))
    found = tf.reduce_any(fits, axis=1)
    return tf.where(found[:, None], first, largest), found


def cut(image, spec, box=None):
    """Returns an image's crops as a spec says.

    Args:
        image: Tensor `(height, width, 3)`, float32.
        spec: A `PipelineSpec`.
        box: One row of `sample_boxes`; `None` for the fixed crops.

    Returns:
        The image itself without crops, one crop `(size, size, 3)`, or ordered crops
        `(count, size, size, 3)`.
    """
    crops = spec.crops
    if crops is None:
        return image
    if crops.strategy == "single_crop":
        box = centre_box(spec.image_size, crops.size, crops.evaluation) if box is None else box
        return _resized(image, box, spec)
    if box is not None:
        return _cut_at(image, tf.unstack(box[:2]), crops.size)
    corners = crop_corners(spec.image_size, crops.size, crops.count).tolist()
    return tf.stack([_cut_at(image, corner, crops.size) for corner in corners])


def _cut_at(image, corner, size):
    return tf.slice(image, [*corner, 0], [size, size, 3])


def _resized(image, box, spec):
    top, left, height, width = tf.unstack(box)
    part = tf.slice(image, [top, left, 0], [height, width, 3])
    size = spec.crops.sides
    return tf.ensure_shape(tf.image.resize(part, size, antialias=spec.resize == "antialias"), (*size, 3))
