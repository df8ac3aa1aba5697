"""Views of an image, mirrored and transposed, whose mean is its prediction (test-time augmentation)."""

from skinkit.names import check_name
from skinkit.pipeline.augment.orientation import ORIENTATIONS

VIEWS = {
    "flips": ("identity", "flip_left_right", "flip_up_down", "rot180"),
    "dihedral": tuple(ORIENTATIONS),
}


def check_views(name, image_size):
    """Raises `ValueError` for unknown views, and for views that images of this size cannot have.

    Args:
        name: `"flips"` or `"dihedral"`.
        image_size: Height and width in pixels.
    """
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
    for transposed, upside_down, mirrored in map(ORIENTATIONS.get, VIEWS[name]):
        view = images.swapaxes(1, 2) if transposed else images
        yield view[:, :: -1 if upside_down else 1, :: -1 if mirrored else 1]


def symbolic_views(images, name):
    """Yields the same views of a Keras tensor, for a model that holds them.

    Args:
        images: Keras tensor `(n, height, width, channels)`.
        name: As in `image_views`.
    """
    from keras import ops

    for transposed, upside_down, mirrored in map(ORIENTATIONS.get, VIEWS[name]):
        view = ops.swapaxes(images, 1, 2) if transposed else images
        for axis in [axis for axis, turned in ((1, upside_down), (2, mirrored)) if turned]:
            view = ops.flip(view, axis=axis)
        yield view
