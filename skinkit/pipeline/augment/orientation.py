"""The eight positions of a square image: mirrored, turned by right angles, transposed."""

import tensorflow as tf

# (transposed, then upside down, then mirrored). The manifest's column `transform`, views and random
# changes all mean these.
ORIENTATIONS = {
    "identity": (False, False, False),
    "flip_left_right": (False, False, True),
    "flip_up_down": (False, True, False),
    "rot180": (False, True, True),
    "transpose": (True, False, False),
    "rot90cw": (True, False, True),
    "rot90ccw": (True, True, False),
    "transverse": (True, True, True),
}
_QUARTER_TURNS = tuple(ORIENTATIONS[name] for name in ("identity", "rot90ccw", "rot180", "rot90cw"))


def sample_orientations(augmentation, u):
    """Returns the random orientations bool `(n, 3)` for columns of numbers in [0, 1), `(n,)` each."""
    transposed = u["transpose"] < augmentation.transpose
    up_down = u["flip_up_down"] < augmentation.flip_up_down
    left_right = u["flip_left_right"] < augmentation.flip_left_right
    still = tf.zeros_like(transposed)
    flips = tf.stack([still, up_down, left_right], axis=1)
    result = compose(flips, tf.stack([transposed, still, still], axis=1))
    if augmentation.rot90:
        quarter = tf.cast(u["rot90"] * 4, tf.int32)
        result = compose(result, tf.gather(tf.constant(_QUARTER_TURNS), quarter))
    return result


def compose(first, second):
    """Returns the orientation of doing `first`, then `second`, bool `(..., 3)` each."""
    transpose_1, up_down_1, left_right_1 = tf.unstack(first, axis=-1)
    transpose_2 = second[..., 0]
    # Transposing after a flip is flipping the other axis after transposing.
    up_down = tf.where(transpose_2, left_right_1, up_down_1)
    left_right = tf.where(transpose_2, up_down_1, left_right_1)
    done = tf.stack([transpose_1, up_down, left_right], axis=-1)
    return tf.math.logical_xor(done, second)


def orient(image, orientation):
    """Returns an image `(height, width, 3)` transposed and flipped as `orientation` bool `(3,)` says.

    Only an image of unknown sides may change them.
    """
    transposes, up_down, left_right = tf.unstack(orientation)
    result = tf.cond(transposes, lambda: tf.transpose(image, (1, 0, 2)), lambda: image)
    result = tf.cond(left_right, lambda: tf.reverse(result, [1]), lambda: result)
    rows = tf.range(tf.shape(result)[0])
    # Faster than `tf.reverse`, which copies rows number by number.
    result = tf.gather(result, tf.where(up_down, rows[::-1], rows))
    return tf.ensure_shape(result, image.shape)
