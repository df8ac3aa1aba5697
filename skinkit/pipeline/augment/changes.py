"""The random changes of an epoch's images: sampled for all of them at once, applied one by one."""

import tensorflow as tf

from skinkit.pipeline.augment.affine import sample_warps, warp
from skinkit.pipeline.augment.colour import recolour, sample_colours, sample_light
from skinkit.pipeline.augment.distortion import sample_distortions
from skinkit.pipeline.augment.orientation import orient, sample_orientations
from skinkit.pipeline.random_numbers import uniform

# One column of random numbers for each use, so that switching one change on leaves the others be.
_COLUMNS = (
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
_LATER_COLUMNS = ("zoom_columns", "first_brightness", "first_contrast", "first_saturation")


def sample_changes(augmentation, count, image_size, seed, epoch):
    """Samples one epoch's random changes.

    Args:
        augmentation: An `Augmentation`.
        count: Integer, number of rows n.
        image_size: Pair of integers, height and width in pixels.
        seed: Integer.
        epoch: Integer or scalar tensor, from 0.

    Returns:
        Dictionary of tensors with n rows, with only the keys that are needed: `orientation` bool `(n, 3)`,
        `warp` `(n, 8)` from output to input pixels, `mix` `(n, 3, 3)` RGB matrices, `lift` `(n,)` share of
        the image's mean grey to add, or instead of these two `factors` `(n, 3)` of brightness, contrast and
        saturation and their `steps` int `(n, 3)` in order, `hue` `(n,)` in turns, `light` `(n, 3)` factors of
        red, green and blue, `distortions` as in `sample_distortions`. Row i depends on seed, epoch and i.
    """
    u = random_columns(count, seed, epoch)
    changes = {}
    if augmentation.orients:
        changes["orientation"] = sample_orientations(augmentation, u)
    if augmentation.warps:
        changes["warp"] = sample_warps(augmentation, u, image_size)
    if augmentation.distortions:
        changes["distortions"] = sample_distortions(count, seed, epoch)
    if augmentation.illuminant:
        changes["light"] = sample_light(augmentation, count, seed, epoch)
    return changes | sample_colours(augmentation, u)


def random_columns(count, seed, epoch):
    """Returns a dictionary of columns `(count,)` of numbers in [0, 1), one for each use."""
    first = uniform((count, len(_COLUMNS)), seed, epoch, "changes")
    # In a table of their own: a longer first one would change all its numbers.
    later = uniform((count, len(_LATER_COLUMNS)), -1 - seed, epoch, "changes")
    columns = tf.unstack(tf.concat([first, later], axis=1), axis=1)
    return dict(zip(_COLUMNS + _LATER_COLUMNS, columns, strict=True))


def change(image, changes, top=255, fill="reflect"):
    """Applies one row of `sample_changes` to an image, except what comes before resizing.

    That are distortions, and the orientation where there are some.

    Args:
        image: Tensor `(height, width, 3)`, uint8 RGB.
        changes: Dictionary of tensors, without the axis of rows.
        top: Number that 255 becomes.
        fill: String, as in `Augmentation`.

    Returns:
        Tensor of the same shape, float32 RGB, 0 to `top`.
    """
    if "orientation" in changes:
        image = orient(image, changes["orientation"])
    image = tf.cast(image, tf.float32)
    if "warp" in changes:
        image = warp(image[None], changes["warp"][None], fill=fill)[0]
    return recolour(image, changes, top)
