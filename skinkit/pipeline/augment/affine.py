"""Rotation, zoom and shift of images, as one interpolation."""

import math

import tensorflow as tf

from skinkit.pipeline.random_numbers import spread


def sample_warps(augmentation, u, image_size):
    """Returns the random transforms `(n, 8)` for columns of numbers in [0, 1), `(n,)` each."""
    height, width = image_size
    scale = 1 + spread(u["zoom"], augmentation.zoom)
    down = spread(u["shift_rows"], augmentation.shift * height)
    right = spread(u["shift_columns"], augmentation.shift * width)
    if augmentation.zoom_per_axis:
        scale = rows, columns = 1 / scale, 1 / (1 + spread(u["zoom_columns"], augmentation.zoom))
        # Keras shifts what it has zoomed.
        down, right = down * rows, right * columns
    radians = spread(u["rotation"], math.radians(augmentation.rotation))
    return affine_transforms(image_size, radians=radians, scale=scale, down=down, right=right)


def affine_transforms(image_size, *, radians, scale, down, right):
    """Returns projective transforms `(n, 8)`, output to input, about the centre of the image.

    Args:
        image_size: Pair of numbers, height and width in pixels.
        radians: Tensor `(n,)`, counter-clockwise angle.
        scale: Tensor `(n,)`, above 1 enlarges; or a pair of these, for the rows and for the columns.
        down: Tensor `(n,)`, movement of the content in pixels.
        right: Tensor `(n,)`, movement of the content in pixels.
    """
    rows, columns = scale if isinstance(scale, tuple) else (scale, scale)
    row, column = (image_size[0] - 1) / 2, (image_size[1] - 1) / 2
    cosine, sine = tf.cos(radians), tf.sin(radians)
    matrix = (cosine / columns, -sine / rows), (sine / columns, cosine / rows)
    x, y = column + right, row + down
    offsets = (centre - a * x - b * y for centre, (a, b) in zip((column, row), matrix, strict=True))
    zero = tf.zeros_like(cosine)
    numbers = [n for pair, offset in zip(matrix, offsets, strict=True) for n in (*pair, offset)]
    return tf.stack([*numbers, zero, zero], axis=-1)


def warp(images, transforms, interpolation="bilinear", fill="reflect"):
    """Returns images `(n, height, width, channels)` resampled by transforms `(n, 8)`."""
    warped = tf.raw_ops.ImageProjectiveTransformV3(
        images=images,
        transforms=transforms,
        output_shape=tf.shape(images)[1:3],
        interpolation=interpolation.upper(),
        fill_mode=fill.upper(),
        fill_value=0.0,
    )
    return tf.ensure_shape(warped, images.shape)


def rotate(images, radians, interpolation="nearest"):
    """Turns images counter-clockwise about their centre; what comes from outside is 0.

    Stands in for `tensorflow_addons.image.rotate`, which cannot be imported beside TensorFlow 2.16+.

    Args:
        images: Array or tensor `(n, height, width, channels)` or `(height, width, channels)`, integers or
            floats.
        radians: Number, or one for each image.
        interpolation: `"nearest"` or `"bilinear"`.

    Returns:
        Tensor of the images' shape and dtype.

    Raises:
        ValueError: when the images have another shape.

    Example:
        >>> skinkit.pipeline.rotate(image, math.pi / 2)  # equals np.rot90(image)
    """
    images = tf.convert_to_tensor(images)
    if images.shape.rank not in (3, 4):
        raise ValueError(
            "rotate: `images` must be (n, height, width, channels) or (height, width, channels). "
            f"Received: shape {images.shape}"
        )
    batch = images if images.shape.rank == 4 else images[None]
    size = tuple(tf.unstack(tf.cast(tf.shape(batch)[1:3], tf.float32)))
    angles = tf.broadcast_to(tf.cast(radians, tf.float32), tf.shape(batch)[:1])
    transforms = affine_transforms(size, radians=angles, scale=1.0, down=0.0, right=0.0)
    turned = warp(batch, transforms, interpolation, fill="constant")
    return tf.reshape(turned, tf.shape(images))
