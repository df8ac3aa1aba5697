"""Crops cut out of images, the random ones drawn for a whole epoch at once."""

import math

import tensorflow as tf

from skinkit.pipeline.crops import centre_box, crop_corners

# torchvision's `RandomResizedCrop`: smallest share of the area, largest width / height, attempts.
_SMALLEST_AREA, _WIDEST, _ATTEMPTS = 0.08, 4 / 3, 10


def draw_boxes(crops, image_size, count, seed, epoch):
    """Draws one epoch's random crops.

    Args:
        crops: a `Crops` whose strategy trains on one random crop.
        image_size: (height, width).
        count: number of rows n.
        seed: whole number.
        epoch: whole number or scalar tensor.

    Returns:
        int32 tensor (n, 4): top, left, height, width. Row i depends on seed, epoch and i.
    """
    # Below zero, where neither the order of an epoch nor its other changes take their numbers.
    seeds = tf.stack([tf.cast(seed, tf.int64), -1 - tf.cast(epoch, tf.int64)])
    uniform = tf.random.stateless_uniform((count, 2 + 2 * _ATTEMPTS), seed=seeds, alg="philox")
    if crops.strategy == "single_crop":
        sizes, found = _random_sizes(tf.reshape(uniform[:, 2:], (count, _ATTEMPTS, 2)), image_size)
    else:
        sizes, found = tf.fill((count, 2), crops.size), tf.fill((count,), True)
    free = tf.constant(image_size) - sizes
    corners = tf.cast(uniform[:, :2] * tf.cast(free + 1, tf.float32), tf.int32)
    return tf.concat([tf.where(found[:, None], corners, free // 2), sizes], axis=1)


def _random_sizes(uniform, image_size):
    """Heights and widths of random resized crops, as torchvision draws them.

    The area is U[0.08, 1] of the image's and the logarithm of width / height U[log 3/4, log 4/3]; of ten
    attempts the first that fits into the image counts. Without one it is the largest crop in that range of
    shapes.

    Args:
        uniform: (n, 10, 2) numbers in [0, 1), for area and shape of each attempt.
        image_size: (height, width).

    Returns:
        int32 (n, 2) heights and widths, and bool (n,), whether an attempt fitted.
    """
    height, width = image_size
    area = height * width * (_SMALLEST_AREA + (1 - _SMALLEST_AREA) * uniform[..., 0])
    shape = tf.exp(math.log(_WIDEST) * (2 * uniform[..., 1] - 1))
    sizes = tf.cast(tf.round(tf.sqrt(tf.stack([area / shape, area * shape], axis=-1))), tf.int32)
    fits = tf.reduce_all((sizes > 0) & (sizes <= image_size), axis=-1)
    first = tf.gather(sizes, tf.argmax(fits, axis=1), axis=1, batch_dims=1)
    largest = min(height, round(width * _WIDEST)), min(width, round(height * _WIDEST))
    found = tf.reduce_any(fits, axis=1)
    return tf.where(found[:, None], first, largest), found


def cut(image, spec, box=None):
    """Takes out of a whole image what the spec's crops say.

    Args:
        image: float32 (height, width, 3).
        spec: a `PipelineSpec`.
        box: one row of `draw_boxes`; None for what is fixed.

    Returns:
        The image itself without crops, one crop (size, size, 3), or ordered crops (count, size, size, 3).
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
    size = (spec.crops.size, spec.crops.size)
    return tf.ensure_shape(tf.image.resize(part, size, antialias=spec.resize == "antialias"), (*size, 3))
