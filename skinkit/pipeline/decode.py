"""Decoding of image files into uint8 RGB pixels of one size."""

import functools

import tensorflow as tf

from skinkit.files import IMAGE_SIGNATURES
from skinkit.pipeline.augment.distortion import cut_out_resized, distort_decoded
from skinkit.pipeline.augment.orientation import orient
from skinkit.pipeline.spec import PipelineSpec

_UNKNOWN = f"neither {' nor '.join(IMAGE_SIGNATURES)}"
# Before and after the name of a file that cannot be decoded.
UNREADABLE = (
    "Cannot read the image file ",
    f": missing, damaged, or {_UNKNOWN}. `skinkit data check` lists all files with errors.",
)
_REDUCTIONS = (1, 2, 4, 8)
_SMOOTH_SHRINK = 1.5


def decode_file(path, spec, numbers=None, orientation=None):
    """Reads one JPEG or PNG file into uint8 pixels.

    Grey, palette, RGBA and CMYK files become RGB (an alpha channel is dropped), 16-bit PNG keeps
    its high byte, and an EXIF orientation is ignored, as PIL-based code ignores it.

    JPEGs are decoded with the transform and rounding of OpenCV. With `resize="antialias"` they are
    decoded at 1/2, 1/4 or 1/8 where that divides both sides and is still large enough. On
    dermoscopic photographs the result differs from averaging the full image over areas by 0.5 grey
    levels on average and 5 at the 99.9th percentile (1/2), or 0.8 and 7 (1/4): no more than one
    antialias filter differs from another. OpenCV's default, bilinear without antialias, differs by
    0.7 and 9, or 2.1 and 19.

    Args:
        path: Scalar string tensor.
        spec: A `PipelineSpec`.
        numbers: One row of `sample_distortions`, by which the image is distorted in its full size, or `None`.
        orientation: bool `(3,)`, how it is turned before that, or `None`; without `numbers` it says nothing.

    Returns:
        Tensor `(height, width, 3)`, uint8 RGB, 0 to 255.

    Raises:
        tf.errors.OpError: when the file is missing, damaged or not an image.
    """
    return decode_contents(tf.io.read_file(path), spec, numbers, orientation)


def decode_contents(contents, spec, numbers=None, orientation=None):
    """Decodes what a JPEG or PNG file holds, a scalar string tensor, as `decode_file` does."""
    if numbers is None:
        # What else a spec says, crops for instance, makes no other graph.
        plain = PipelineSpec(spec.image_size, resize=spec.resize, colour_constancy=spec.colour_constancy)
        return _graph(plain)(contents)
    return _decode(contents, spec, numbers, orientation)


@functools.lru_cache
def _graph(spec):
    """One graph for all datasets of a process: to make it takes longer than to decode many images."""
    contents = tf.TensorSpec((), tf.string)
    return tf.function(lambda contents: _decode(contents, spec), [contents], autograph=False)


def _decode(contents, spec, numbers=None, orientation=None):
    pixels, is_reduced = tf.cond(
        _is(contents, "JPEG"),
        lambda: _decode_jpeg(contents, spec, numbers is not None or spec.resize == "bilinear"),
        lambda: (_decode_png(contents), False),
    )
    if numbers is not None:
        pixels = pixels if orientation is None else orient(pixels, orientation)
        pixels = distort_decoded(pixels, numbers, spec.augmentation.distortions)
    pixels = _resize(pixels, is_reduced, spec)
    if spec.colour_constancy:
        pixels = shades_of_gray(pixels)
    pixels = tf.cast(pixels + 0.5, tf.uint8)
    return pixels if numbers is None else cut_out_resized(pixels, numbers)


def _is(contents, kind):
    signature = IMAGE_SIGNATURES[kind]
    return tf.strings.substr(contents, 0, len(signature)) == signature


def _decode_png(contents):
    # TensorFlow's function takes other formats as well, which no other room reads.
    tf.debugging.Assert(_is(contents, "PNG"), [_UNKNOWN])
    return tf.io.decode_png(contents, channels=3)


def _decode_jpeg(contents, spec, is_whole):
    """Returns pixels, still at least as large as wanted, and whether they are fewer than stored."""

    def decode(reduction):
        return tf.io.decode_jpeg(contents, channels=3, ratio=reduction, dct_method="INTEGER_ACCURATE")

    if is_whole:
        return decode(1), False
    shape = tf.io.extract_jpeg_shape(contents)[:2, None]
    # Only whole divisors: otherwise the last row or column would stand for less than the others,
    # and the image would shift by up to a pixel.
    fits = (shape % _REDUCTIONS == 0) & (shape // _REDUCTIONS >= tf.constant(spec.image_size)[:, None])
    step = tf.reduce_sum(tf.cast(tf.reduce_all(fits, axis=0)[1:], tf.int32))
    return tf.switch_case(step, [lambda r=r: decode(r) for r in _REDUCTIONS]), step > 0


def _resize(pixels, is_reduced, spec):
    def smooth():
        # The sums are those of uint8, but of float32 TensorFlow does several at a time.
        return tf.image.resize(tf.cast(pixels, tf.float32), spec.image_size)

    def area():
        return tf.raw_ops.ResizeArea(images=pixels[None], size=spec.image_size)[0]

    def antialias():
        return tf.image.resize(pixels, spec.image_size, antialias=True)

    if spec.resize == "bilinear":
        resized = tf.image.resize(pixels, spec.image_size)
    else:
        # Averaging areas is four times faster than `antialias`, but repeats pixels where it
        # enlarges. After a reduced decode the little shrinking that is left needs neither.
        shrink = tf.shape(pixels)[:2] / spec.image_size
        is_smooth = is_reduced & tf.reduce_all(shrink <= _SMOOTH_SHRINK)
        resized = tf.cond(
            tf.reduce_all(shrink >= 1),
            lambda: tf.cond(is_smooth, smooth, area),
            antialias,
        )
    return tf.ensure_shape(resized, (*spec.image_size, 3))


def shades_of_gray(images, power=6):
    """Colour constancy: scales the channels so that the estimated light becomes grey.

    The light of a channel is its Minkowski mean; the gains are 1 / (sqrt(3) x light / ||light||).
    Finlayson and Trezzi 2004; used with p = 6 by the winners of ISIC 2018.

    Args:
        images: Tensor `(..., height, width, 3)`, 0 to 255.
        power: Number, order of the mean; 1 is Grey World.

    Returns:
        Tensor of the same shape, float32, clipped to 0..255.
    """
    images = tf.cast(images, tf.float32)
    # On 0..1, because 255**6 loses bits when summed in float32.
    light = tf.reduce_mean((images / 255) ** power, axis=(-3, -2), keepdims=True) ** (1 / power)
    light = tf.maximum(light, 1e-6)
    gains = tf.norm(light, axis=-1, keepdims=True) / (light * 3**0.5)
    return tf.clip_by_value(images * gains, 0.0, 255.0)
