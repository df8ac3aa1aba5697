"""Random changes of images, drawn for a whole epoch at once."""

import math

import tensorflow as tf

from skinkit.pipeline.spec import ORIENTATIONS

GREY = (0.299, 0.587, 0.114)
_COLOURS = ("brightness", "contrast", "saturation")

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
# In a table of their own: a longer first one would draw all its numbers anew.
_LATER_DRAWS = ("zoom_columns", "first_brightness", "first_contrast", "first_saturation")


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
        of the image's mean grey to add, or instead of these two `factors` (n, 3) of brightness, contrast
        and saturation and their `steps` int (n, 3) in order, `hue` (n,) in turns. Row i depends on seed,
        epoch and i.
    """
    u = _uniform(_DRAWS, count, seed, epoch) | _uniform(_LATER_DRAWS, count, -1 - seed, epoch)
    changes = {}
    if augmentation.orients:
        changes["orientation"] = _draw_orientation(augmentation, u)
    if augmentation.warps:
        changes["warp"] = _draw_warp(augmentation, u, image_size)
    if augmentation.mixes_colours:
        changes |= _draw_colours(augmentation, u)
    if augmentation.hue:
        changes["hue"] = _spread(u["hue"], augmentation.hue)
    return changes


def _uniform(names, count, seed, epoch):
    """Numbers in [0, 1), one column (n,) under each name."""
    uniform = tf.random.stateless_uniform(
        (count, len(names)), seed=_epoch_seed(seed, epoch, stream=1), alg="philox"
    )
    return dict(zip(names, tf.unstack(uniform, axis=1), strict=True))


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
    scale = 1 + _spread(u["zoom"], augmentation.zoom)
    down = _spread(u["shift_rows"], augmentation.shift * height)
    right = _spread(u["shift_columns"], augmentation.shift * width)
    if augmentation.zoom_per_axis:
        scale = rows, columns = 1 / scale, 1 / (1 + _spread(u["zoom_columns"], augmentation.zoom))
        # Keras shifts what it has zoomed.
        down, right = down * rows, right * columns
    radians = _spread(u["rotation"], math.radians(augmentation.rotation))
    return affine(image_size, radians=radians, scale=scale, down=down, right=right)


def _draw_colours(augmentation, u):
    factors = [1 + _spread(u[name], getattr(augmentation, name)) for name in _COLOURS]
    if augmentation.colour_order == "random":
        steps = tf.argsort(tf.stack([u[f"first_{name}"] for name in _COLOURS], axis=1))
        return {"factors": tf.stack(factors, axis=1), "steps": steps}
    mix, lift = colour_mix(*factors)
    return {"mix": mix, "lift": lift} if augmentation.contrast else {"mix": mix}


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
        scale: above 1 enlarges, (n,); or a pair of these, for the rows and for the columns.
        down, right: movement of the content in pixels, (n,).
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


def change(image, changes, top=255, fill="reflect"):
    """Applies one row of `draw` to an image.

    Args:
        image: uint8 (height, width, 3), RGB.
        changes: dict of tensors, without the dimension of rows.
        top: value that 255 becomes.
        fill: as in `Augmentation`.

    Returns:
        float32 RGB of the same shape, 0..top.
    """
    if "orientation" in changes:
        image = orient(image, changes["orientation"])
    image, gain = tf.cast(image, tf.float32), top / 255
    if "warp" in changes:
        image = warp(image[None], changes["warp"][None], fill=fill)[0]
    if "steps" in changes:
        image = _jitter(image, changes["factors"], changes["steps"]) * gain
    elif "mix" in changes:
        image = _mix(image, changes, gain)
        image = tf.raw_ops.ClipByValue(t=image, clip_value_min=0.0, clip_value_max=float(top))
    elif gain != 1:
        image *= gain
    return tf.image.adjust_hue(image, changes["hue"]) if "hue" in changes else image


def _jitter(image, factors, steps):
    """Blends 0..255 with black, its mean grey and its own grey, in the order of `steps`."""
    blended_with = (
        tf.zeros_like,
        lambda pixels: tf.zeros_like(pixels) + tf.reduce_mean(_grey(pixels)),
        lambda pixels: tf.zeros_like(pixels) + _grey(pixels),
    )
    for step in tf.unstack(steps):
        other = tf.switch_case(step, [lambda f=f, now=image: f(now) for f in blended_with])
        image = tf.clip_by_value(factors[step] * image + (1 - factors[step]) * other, 0.0, 255.0)
    return image


def _grey(image):
    return tf.tensordot(image, GREY, 1)[..., None]


def _mix(image, changes, gain):
    mixed = tf.reshape(image, (-1, 3)) @ (changes["mix"] * gain)
    if "lift" in changes:
        mean_grey = tf.tensordot(tf.reduce_mean(image, axis=(0, 1)), GREY, 1)
        mixed += changes["lift"] * gain * mean_grey
    return tf.reshape(mixed, image.shape)
