"""Random light, brightness, contrast, saturation and hue of images."""

import math

import tensorflow as tf

from skinkit.pipeline.random_numbers import spread, uniform

# Shares of red, green and blue in the grey of a pixel (ITU-R BT.601).
_GREY = (0.299, 0.587, 0.114)
_LINEAR = ("brightness", "contrast", "saturation")


def sample_colours(augmentation, u):
    """Returns the random colours of `sample_changes` for columns of numbers in [0, 1), `(n,)` each."""
    changes = {}
    if augmentation.mixes_colours:
        factors = [1 + spread(u[name], getattr(augmentation, name)) for name in _LINEAR]
        if augmentation.colour_order == "random":
            steps = tf.argsort(tf.stack([u[f"first_{name}"] for name in _LINEAR], axis=1))
            changes |= {"factors": tf.stack(factors, axis=1), "steps": steps}
        else:
            mix, lift = colour_mix(*factors)
            changes |= {"mix": mix, "lift": lift} if augmentation.contrast else {"mix": mix}
    if augmentation.hue:
        changes["hue"] = spread(u["hue"], augmentation.hue)
    return changes


def sample_light(augmentation, count, seed, epoch):
    """Returns the factors of red, green and blue, `(count, 3)`, of the rows of an epoch."""
    return 1 + spread(uniform((count, 3), seed, epoch, "light"), augmentation.illuminant)


def colour_mix(brightness, contrast, saturation):
    """Returns brightness, contrast and saturation as one matrix and a share of the mean grey.

    The three are linear in the pixels: b x; then c x + (1 - c) mean; then s x + (1 - s) grey(x).
    The matrix is b c (s I + (1 - s) grey), the share is b (1 - c).

    Args:
        brightness: Tensor `(n,)`, factors from 0.
        contrast: Tensor `(n,)`, factors from 0.
        saturation: Tensor `(n,)`, factors from 0.

    Returns:
        Matrices `(n, 3, 3)`, to be multiplied from the right, and shares `(n,)`.
    """
    grey = tf.constant(_GREY)[:, None] * tf.ones((1, 3))
    keep = saturation[:, None, None]
    matrix = keep * tf.eye(3) + (1 - keep) * grey
    return (brightness * contrast)[:, None, None] * matrix, brightness * (1 - contrast)


def recolour(image, changes, top):
    """Returns an image `(height, width, 3)`, float32 RGB 0..255, in its changed colours, 0 to `top`."""
    gain = top / 255
    if "light" in changes:
        image = tf.clip_by_value(image * changes["light"], 0.0, 255.0)
    if "steps" in changes:
        image = _jitter(image, changes["factors"], changes["steps"]) * gain
    elif "mix" in changes:
        image = tf.clip_by_value(_mix(image, changes, gain), 0.0, float(top))
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
    return tf.tensordot(image, _GREY, 1)[..., None]


def _mix(image, changes, gain):
    mixed = _multiply(image, changes["mix"] * gain)
    if "lift" in changes:
        mean_grey = tf.tensordot(tf.reduce_mean(image, axis=(0, 1)), _GREY, 1)
        mixed += changes["lift"] * gain * mean_grey
    return mixed


def _multiply(image, matrix):
    """The pixels of an image times a 3 x 3 matrix, to the same bits as `@`."""
    # Four pixels side by side fill the processor's registers; three numbers do not.
    pixels = math.gcd(4, image.shape.num_elements() // 3)
    blocks = tf.reshape(tf.eye(pixels)[:, None, :, None] * matrix[:, None], (3 * pixels, 3 * pixels))
    rows = tf.reshape(image, (-1, 3 * pixels))
    # `@` may be oneDNN's, which waits for threads that decode other images.
    return tf.reshape(tf.raw_ops.BatchMatMulV3(x=rows, y=blocks, Tout=tf.float32), image.shape)
