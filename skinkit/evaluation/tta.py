"""Test-time augmentation: one prediction from several views of an image."""

import numpy as np

from skinkit.names import check_name

# Each view: transposed, then upside down, then mirrored.
_FLIPS = ((False, False, False), (False, False, True), (False, True, False), (False, True, True))
VIEWS = {"flips": _FLIPS, "dihedral": (*_FLIPS, *((True, *flips) for _, *flips in _FLIPS))}
MEANS = ("probabilities", "logits")


def check_views(name, image_size, of="probabilities"):
    """Raises `ValueError` for unknown views or means, and for views that images of this size cannot have.

    Args:
        name: `"flips"` or `"dihedral"`.
        image_size: Height and width in pixels.
        of: What the mean is taken of, as in `mean_over_views`.
    """
    _check_mean(of)
    check_name("Views", name, VIEWS)
    height, width = image_size
    if name == "dihedral" and height != width:
        raise ValueError(
            f"Only square images can be transposed, and height x width is {height} x {width}. "
            "Take 'flips', or square images"
        )


def image_views(images, name):
    """Yields the images in one view after the other, first as they are.

    Bermeo2023 (released code) takes the four flips; its function for eight views repeats one of them four
    times, where the ISIC 2020 winners' takes the eight positions of a square, as here.

    Args:
        images: Array `(n, height, width, channels)`.
        name: `"flips"`: as they are, mirrored, upside down, both; or `"dihedral"`: all 8 positions of a
            square.

    Raises:
        ValueError: for unknown views, or `"dihedral"` of images that are not square.
    """
    check_views(name, images.shape[1:3])
    for transposed, upside_down, mirrored in VIEWS[name]:
        view = images.swapaxes(1, 2) if transposed else images
        yield view[:, :: -1 if upside_down else 1, :: -1 if mirrored else 1]


def mean_over_views(probabilities, of="probabilities"):
    """Returns the mean prediction of several views or crops of each image.

    Args:
        probabilities: Array `(n, views, classes)`, each row summing to 1.
        of: `"probabilities"` (gessert2019, section II-D), or `"logits"` (bermeo2023, released code): the
            softmax of the mean logits, which is the geometric mean of the probabilities made to sum to 1.

    Returns:
        Array `(n, classes)`, each row summing to 1.

    Raises:
        ValueError: for an unknown mean.
    """
    _check_mean(of)
    if of == "probabilities":
        return probabilities.mean(axis=1)
    smallest = np.finfo(probabilities.dtype).tiny
    means = np.exp(np.log(np.maximum(probabilities, smallest)).mean(axis=1))
    return means / means.sum(axis=-1, keepdims=True)


def _check_mean(of):
    check_name("Means", of, MEANS)
