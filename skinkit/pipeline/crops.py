"""Where crops lie in an image, as plain numbers (no TensorFlow here)."""

import math

import numpy as np

# Corners and centre: the one number of crops that is not a grid.
_FIVE = 5


def crop_corners(image_size, crop_size, count):
    """Returns the top-left corners of ordered crops.

    gessert2019, section II-D: the crops are spread evenly over the image, and the outer ones touch its
    edges. Their order is part of the method: patch attention has weights for each position, and a recurrent
    network reads the crops in this order.

    Args:
        image_size: (height, width) in pixels.
        crop_size: side of the square crops in pixels, at most the image's shorter side.
        count: 5 (the corners, then the centre), or n x n from 4 (a grid, row by row).

    Returns:
        int array (count, 2) of (row, column).

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
    if count == _FIVE:
        centre = [(side - crop_size) // 2 for side in image_size]
        return np.vstack([_grid(image_size, crop_size, 2), centre])
    side = math.isqrt(max(count, 0))
    if side < 2 or side**2 != count:
        raise ValueError(
            f"crop_corners: `count` must be 5 or a square number from 4. Received: count={count}"
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
    """Returns the (top, left, height, width) that gessert2019's Single-Crop is evaluated on.

    Args:
        image_size: (height, width) in pixels.
        crop_size: side in pixels of what the box is resized to.
        evaluation: "centre85" is 85 % of the image's area in its own shape (section II-D); "centre336" is a
            square of 336/224 of the crop's side (the released code), 42 % of 450 x 600 pixels.

    Raises:
        ValueError: when the square is larger than the image.
    """
    if evaluation == "centre85":
        height, width = (round(side * 0.85**0.5) for side in image_size)
    else:
        height = width = round(crop_size * 336 / 224)
    if max(height / image_size[0], width / image_size[1]) > 1:
        raise ValueError(
            f"centre_box: centre336 takes {height} x {width} pixels. Received: image_size={tuple(image_size)}"
        )
    return (image_size[0] - height) // 2, (image_size[1] - width) // 2, height, width
