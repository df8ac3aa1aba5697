"""Random changes of training images: where pixels lie (orientation, affine) and their colour."""

from skinkit.pipeline.augment.affine import affine_transforms, rotate, warp
from skinkit.pipeline.augment.changes import change, draw
from skinkit.pipeline.augment.colour import colour_mix
from skinkit.pipeline.augment.orientation import ORIENTATIONS, compose, orient

__all__ = [
    "ORIENTATIONS",
    "affine_transforms",
    "change",
    "colour_mix",
    "compose",
    "draw",
    "orient",
    "rotate",
    "warp",
]
