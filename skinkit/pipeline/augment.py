"""Random changes of images, drawn for a whole epoch at once."""

import math

import tensorflow as tf

from skinkit.pipeline.spec import ORIENTATIONS

GREY = (0.299, 0.587, 0.114)

_QUARTER_TURNS = tuple(ORIENTATIONS[k] for k in ("identity", "rot90ccw", "rot180", "rot90cw"))

# One column of random numbers for each use, so that switching one change on leaves the others be.
_DRAWS = (
    "flip_left_right",
    "flip_up_down",
    "transpose",
    "rot90",
    "rotation",
    "zoom",
    "shift_rows",
    "shift_columns",
    "brightness",
    "contrast",
    "saturation",
    "hue",
)


def draw(augmentation, count, image_size, seed, epoch):
    """Draws one epoch's random changes.

    Args:
        augmentation: an `Augmentation`.
        count: number of rows n.
        image_size: (height, width).
        seed: whole number.
        epoch: whole number or scalar tensor.

    Returns:
        dict of tensors with n rows, with only the keys that are needed: `orientation` bool (n, 3),
        `warp` (n, 8) from output to input pixels, `mix` (n, 3, 3) RGB matrices, `lift` (n,) share
        of the image's mean grey to add, `hue` (n,) in turns. Row i depends on seed, epoch and i.
    """
    uniform = tf.random.stateless_uniform(
        (count, len(_DRAWS)), seed=_epoch_seed(seed, epoch, stream=1), alg="philox"
    )
    u = dict(zip(_DRAWS, tf.unstack(uniform, axis=1), strict=True))
    changes = {}
    if augmentation.orients:
        changes["orientation"] = _draw_orientation(augmentation, u)
    if augmentation.warps:
        changes["warp"] = _draw_warp(augmentation, u, image_size)
    if augmentation.mixes_colours:
        changes["mix"], changes["lift"] = _draw_mix(augmentation, u)
    if not augmentation.contrast:
        changes.pop("lift", None)
    if augmentation.hue:
        changes["hue"] = _spread(u["hue"], augmentation.hue)
    return changes


def draw_order(count, seed, epoch):
    """A random order of `count` rows, int64, as a function of seed and epoch."""
    keys = tf.random.stateless_uniform(
        (count,),
        seed=_epoch_seed(seed, epoch, stream=0),
        minval=None,
        maxval=None,
        dtype=tf.int64,
        alg="philox",
    )
    return tf.cast(tf.argsort(keys), tf.int64)


def _epoch_seed(seed, epoch, stream):
    return tf.stack([tf.cast(seed, tf.int64), 2 * tf.cast(epoch, tf.int64) + stream])


def _spread(uniform, limit):
    return (2 * uniform - 1) * limit


def _draw_orientation(augmentation, u):
    flips = tf.stack(
        [
            tf.zeros_like(u["flip_up_down"], tf.bool),
            u["flip_up_down"] < augmentation.flip_up_down,
            u["flip_left_right"] < augmentation.flip_left_right,
        ],
        axis=1,
    )
    transposes = u["transpose"] < augmentation.transpose
    still = tf.zeros_like(transposes)
    result = compose(flips, tf.stack([transposes, still, still], axis=1))
    if augmentation.rot90:
        quarter = tf.cast(u["rot90"] * 4, tf.int32)
        result = compose(result, tf.gather(tf.constant(_QUARTER_TURNS), quarter))
    return result


def _draw_warp(augmentation, u, image_size):
    height, width = image_size
    return affine(
        image_size,
        radians=_spread(u["rotation"], math.radians(augmentation.rotation)),
        scale=1 + _spread(u["zoom"], augmentation.zoom),
        down=_spread(u["shift_rows"], augmentation.shift * height),
        right=_spread(u["shift_columns"], augmentation.shift * width),
    )


def _draw_mix(augmentation, u):
    brightness, contrast, saturation = (
        1 + _spread(u[name], getattr(augmentation, name)) for name in ("brightness", "contrast", "saturation")
    )
    return colour_mix(brightness, contrast, saturation)


def compose(first, second):
    """Orientation of doing `first`, then `second` (bool tensors (..., 3))."""
    transpose_1, up_down_1, left_right_1 = tf.unstack(first, axis=-1)
    transpose_2, up_down_2, left_right_2 = tf.unstack(second, axis=-1)
    # Transposing after a flip is flipping the other axis after transposing.
    up_down = tf.where(transpose_2, left_right_1, up_down_1)
    left_right = tf.where(transpose_2, up_down_1, left_right_1)
    return tf.stack(
        [
            tf.math.logical_xor(transpose_1, transpose_2),
            tf.math.logical_xor(up_down, up_down_2),
            tf.math.logical_xor(left_right, left_right_2),
        ],
        axis=-1,
    )


def orient(image, orientation):
    """Transposes and flips one image (height, width, 3) as `orientation` (3,) says; exact."""
    transposes, up_down, left_right = tf.unstack(orientation)
    result = tf.cond(transposes, lambda: tf.transpose(image, (1, 0, 2)), lambda: image)
    result = tf.cond(up_down, lambda: tf.reverse(result, [0]), lambda: result)
    result = tf.cond(left_right, lambda: tf.reverse(result, [1]), lambda: result)
    return tf.ensure_shape(result, image.shape)


def affine(image_size, *, radians, scale, down, right):
    """Projective transforms (n, 8), output to input, about the centre of the image.

    Args:
        image_size: (height, width).
        radians: counter-clockwise angle, (n,).
        scale: above 1 enlarges, (n,).
        down, right: movement of the content in pixels, (n,).
    """
    row, column = (image_size[0] - 1) / 2, (image_size[1] - 1) / 2
    cosine, sine = tf.cos(radians) / scale, tf.sin(radians) / scale
    x, y = column + right, row + down
    offset_x = column - cosine * x + sine * y
    offset_y = row - sine * x - cosine * y
    zero = tf.zeros_like(cosine)
    return tf.stack([cosine, -sine, offset_x, sine, cosine, offset_y, zero, zero], axis=-1)


def warp(images, transforms, interpolation="bilinear", fill="reflect"):
    """Resamples images (n, height, width, channels) by transforms (n, 8)."""
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
        images: (n, height, width, channels) or (height, width, channels), integer or float.
        radians: one angle, or one for each image.
        interpolation: "nearest" or "bilinear".

    Returns:
        Tensor of the images' shape and dtype.

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
    transforms = affine(size, radians=angles, scale=1.0, down=0.0, right=0.0)
    turned = warp(batch, transforms, interpolation, fill="constant")
    return tf.reshape(turned, tf.shape(images))


def colour_mix(brightness, contrast, saturation):
    """Brightness, contrast, saturation as one matrix and a share of the mean grey.

    The three are linear in the pixels: b x; then c x + (1 - c) mean; then s x + (1 - s) grey(x).
    The matrix is b c (s I + (1 - s) grey), the share is b (1 - c).

    Args:
        brightness, contrast, saturation: factors, (n,).

    Returns:
        matrices (n, 3, 3), to be multiplied from the right, and shares (n,).
    """
    grey = tf.constant(GREY)[:, None] * tf.ones((1, 3))
    keep = saturation[:, None, None]
    matrix = keep * tf.eye(3) + (1 - keep) * grey
    return (brightness * contrast)[:, None, None] * matrix, brightness * (1 - contrast)


def change(image, changes, top=255):
    """Applies one row of `draw` to an image.

    Args:
        image: uint8 (height, width, 3), RGB.
        changes: dict of tensors, without the dimension of rows.
        top: value that 255 becomes.

    Returns:
        float32 RGB of the same shape, 0..top.
    """
    if "orientation" in changes:
        image = orient(image, changes["orientation"])
    image, gain = tf.cast(image, tf.float32), top / 255
    if "warp" in changes:
        image = warp(image[None], changes["warp"][None])[0]
    if "mix" in changes:
        image = _mix(image, changes, gain)
        image = tf.raw_ops.ClipByValue(t=image, clip_value_min=0.0, clip_value_max=float(top))
    elif gain != 1:
        image *= gain
    return tf.image.adjust_hue(image, changes["hue"]) if "hue" in changes else image


def _mix(image, changes, gain):
    mixed = tf.reshape(image, (-1, 3)) @ (changes["mix"] * gain)
    if "lift" in changes:
        mean_grey = tf.tensordot(tf.reduce_mean(image, axis=(0, 1)), GREY, 1)
        mixed += changes["lift"] * gain * mean_grey
    return tf.reshape(mixed, image.shape)
