"""Specification of a pipeline as plain numbers: image size, value range, augmentation, crops."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from skinkit.pipeline.augment.distortion import ELASTIC_FORMS, SMALLEST_SIDE
from skinkit.pipeline.crops import SMALLEST_AREA, centre_box, crop_corners
from skinkit.pipeline.pretext import Disorder, Turn
from skinkit.values import Count, Share, check_fields

CHANNEL_ORDERS = ("rgb", "bgr")
SCALINGS = ("unit", "raw", "symmetric", "imagenet", "caffe")
RESIZES = ("antialias", "bilinear")
STRATEGIES = ("single_crop", "multi_crop", "ordered_crops")
CENTRES = ("centre85", "centre336", "whole")
FILLS = ("reflect", "nearest")
COLOUR_ORDERS = ("joint", "random")


@dataclass(frozen=True)
class Augmentation:
    """Random changes of a training image; everything is off by default.

    They are applied in the order of the first eleven fields, `illuminant` before brightness, and
    `distortions` after flips, transposition and turns by right angles. Brightness and saturation
    are those of the documents' PyTorch code (multiply; blend with grey), not of
    `keras.layers.RandomBrightness` and `RandomSaturation`, which are defined differently.

    Args:
        flip_left_right: Float, probability of a mirror image, 0 to 1.
        flip_up_down: Float, probability of an image upside down, 0 to 1.
        transpose: Float, probability of exchanging rows and columns, 0 to 1; square images only.
        rot90: Boolean, turn by 0, 90, 180 or 270 degrees with equal chances; square images only.
        rotation: Float, largest angle in degrees, 0 to 180; the angle is U[-rotation, rotation].
        zoom: Float, 0 to 0.9; the scale is U[1 - zoom, 1 + zoom], and above 1 the lesion grows.
        shift: Float, largest move along each axis as a fraction of that side, 0 to 1.
        brightness: Float, 0 to 1; pixels times U[1 - b, 1 + b].
        contrast: Float, 0 to 1; blend with the image's mean grey by U[1 - c, 1 + c].
        saturation: Float, 0 to 1; blend with the grey image by U[1 - s, 1 + s].
        hue: Float, 0 to 0.5; shift of the HSV hue by U[-hue, hue] of a full turn.
        zoom_per_axis: Boolean, height and width are divided by a U[1 - zoom, 1 + zoom] of their own, as
            Keras' `ImageDataGenerator` does, so that the shape of a lesion changes too; `shift` is then one
            of the zoomed image.
        fill: String, what comes from outside the image: `"reflect"`, its reflection; `"nearest"`, its edge.
        colour_order: String. `"joint"`: brightness, contrast and saturation are one linear change, clipped
            to 0..255 once. `"random"`: they come in random order with a clip after each, as torchvision's
            `ColorJitter` does it.
        distortions: String, or `None`. The list of bermeo2023, Figure 7.5, from
            `skinkit.pipeline.DISTORTIONS`, with its chances: brightness and contrast, a blur or noise, a
            lens, grid or elastic distortion, CLAHE, hue and an affine change at the size that the file has,
            and a hole after resizing. Its flips and transposition are the fields above, and come before. The
            elastic one is `"as_published"`, an affine jolt, or as `"described"`, waves.
        illuminant: Float, 0 to 1; light of another colour: red, green and blue, each times its own
            U[1 - i, 1 + i].

    Rotation, zoom and shift are one bilinear interpolation.

    Raises:
        ValueError: when a number is outside its range, or a name is unknown.

    Example:
        >>> Augmentation(flip_left_right=0.5, brightness=32 / 255, saturation=0.5)
    """

    flip_left_right: Share = 0.0
    flip_up_down: Share = 0.0
    transpose: Share = 0.0
    rot90: bool = False
    rotation: Annotated[float, (0, 180)] = 0.0
    zoom: Annotated[float, (0, 0.9)] = 0.0
    shift: Share = 0.0
    brightness: Share = 0.0
    contrast: Share = 0.0
    saturation: Share = 0.0
    hue: Annotated[float, (0, 0.5)] = 0.0
    zoom_per_axis: bool = False
    fill: Literal[FILLS] = FILLS[0]
    colour_order: Literal[COLOUR_ORDERS] = COLOUR_ORDERS[0]
    distortions: Literal[ELASTIC_FORMS] | None = None
    illuminant: Share = 0.0

    def __post_init__(self):
        check_fields("Augmentation", self)

    @property
    def orients(self):
        """Boolean, whether images are mirrored, transposed or turned by right angles."""
        return bool(self.flip_left_right or self.flip_up_down or self.turns)

    @property
    def turns(self):
        """Boolean, whether rows may become columns, which needs square images."""
        return bool(self.transpose or self.rot90)

    @property
    def warps(self):
        """Boolean, whether images are interpolated between pixels."""
        return bool(self.rotation or self.zoom or self.shift)

    @property
    def mixes_colours(self):
        """Boolean, whether brightness, contrast or saturation change."""
        return bool(self.brightness or self.contrast or self.saturation)


@dataclass(frozen=True)
class Crops:
    """Crops of the whole image that the network sees (gessert2019, section II-D).

    Args:
        strategy: String. `"single_crop"` trains on a random part of the image (`smallest_area` to all of its
            area, width / height from 3/4 to 4/3 of the crop's) resized to the crop, and evaluates the image's
            centre; `"multi_crop"` trains on one random crop of the whole image and evaluates ordered crops;
            `"ordered_crops"` takes these in training too.
        size: Integer, side of the square crops in pixels; for `"single_crop"` also a pair, height and width.
        count: Integer, number of ordered crops, 1, 5 or n x n, as `crop_corners` places them; `None` for
            `"single_crop"`.
        evaluation: String, centre of `"single_crop"`: `"centre85"` covers 85 % of the image, as the document
            says; `"centre336"` is 336 of 450 x 600 pixels for crops of 224, as the released code has it;
            `"whole"` is the whole image.
        smallest_area: Float, share of the image that the random parts of `"single_crop"` have at least; 0.08
            is torchvision's.

    Raises:
        ValueError: when a value is not among those above, or does not belong to the strategy.

    Example:
        >>> Crops("multi_crop", size=224, count=9)
    """

    strategy: Literal[STRATEGIES]
    size: Count | tuple[Count, Count]
    count: Count | None = None
    evaluation: Literal[CENTRES] = CENTRES[0]
    smallest_area: Annotated[float, (0.01, 1)] = SMALLEST_AREA

    def __post_init__(self):
        check_fields("Crops", self)
        if self.strategy == "single_crop" and self.count is not None:
            raise ValueError(f"Crops: single_crop takes no `count`. Received: count={self.count}")
        usual = self.is_square, self.evaluation, self.smallest_area
        of_single = usual != (True, CENTRES[0], SMALLEST_AREA)
        if self.strategy != "single_crop" and (self.count is None or of_single):
            raise ValueError(
                f"Crops: {self.strategy} needs a `count`, and each of `evaluation`, `smallest_area` and a "
                f"second side belongs to single_crop. Received: {self}"
            )
        if self.evaluation == "centre336" and not self.is_square:
            raise ValueError(f"Crops: centre336 is a square. Received: size={self.size}")

    @property
    def sides(self):
        """Height and width in pixels of what the network sees."""
        return (self.size, self.size) if self.is_square else tuple(self.size)

    @property
    def is_square(self):
        """Boolean, whether `size` is one number."""
        return isinstance(self.size, int)

    @property
    def is_random(self):
        """Boolean, whether training sees one random crop of an image."""
        return self.strategy != "ordered_crops"

    def check_fit(self, image_size):
        """Raises `ValueError` when an image `(height, width)` has no room for the fixed crops."""
        if self.strategy == "single_crop":
            centre_box(image_size, self.size, self.evaluation)
        else:
            crop_corners(image_size, self.size, self.count)


@dataclass(frozen=True)
class PipelineSpec:
    """Everything between an image file and a model's input.

    Args:
        image_size: Pair of integers, height and width in pixels of the whole image, before any crop.
        channel_order: String, `"rgb"`, or `"bgr"` as OpenCV code has it (koefler2023).
        scaling: String: `"unit"` 0 to 1; `"raw"` 0 to 255; `"symmetric"` -1 to 1; `"imagenet"` 0 to 1, then
            the usual mean and standard deviation of torchvision; `"caffe"` 0 to 255 minus the ImageNet mean
            of each channel (with `"bgr"` this is Keras' preprocessing of VGG and ResNet).
        resize: String. `"antialias"` averages when it shrinks (JPEGs are then decoded at 1/2, 1/4 or 1/8
            where that is still large enough); `"bilinear"` samples four neighbours of the full-size image,
            as OpenCV's default does (koefler2023). The aspect ratio is not kept.
        augmentation: `Augmentation`, applied in training only, or `None`.
        colour_constancy: Boolean, Shades-of-Gray (p = 6) on the resized image.
        cache: String. `None` decodes anew in each epoch; `"memory"` keeps the decoded uint8 pixels
            (height x width x 3 bytes an image); any other text is a folder for one packed file.
        crops: `Crops` of the whole image after its augmentation; `None` takes all of it (Downsampling in
            gessert2019).
        pretext: `Disorder` or `Turn`, what is done in training to what the network sees; or `None`.

    Raises:
        ValueError: when a value is not among those above, an augmentation that exchanges rows and columns
            meets an image size that is not square, `distortions` meet a cache or a side of less than 32
            pixels, the crops do not fit into the image, or the pretext does not fit what is left of it.

    Example:
        >>> PipelineSpec(image_size=(100, 100), channel_order="bgr", scaling="raw",
        ...              resize="bilinear")
    """

    image_size: tuple[Count, Count] = (224, 224)
    channel_order: Literal[CHANNEL_ORDERS] = "rgb"
    scaling: Literal[SCALINGS] = "unit"
    resize: Literal[RESIZES] = "antialias"
    augmentation: Augmentation | None = None
    colour_constancy: bool = False
    cache: str | Path | None = None
    crops: Crops | None = None
    pretext: Disorder | Turn | None = None

    def __post_init__(self):
        check_fields("PipelineSpec", self)
        object.__setattr__(self, "image_size", tuple(self.image_size))
        if self.augmentation is not None and self.augmentation.turns and not self.is_square:
            raise ValueError(
                "PipelineSpec: `transpose` and `rot90` exchange rows and columns and need a square "
                "`image_size`; use flips, or `rotation` in degrees. "
                f"Received: image_size={self.image_size}"
            )
        if self.augmentation is not None and self.augmentation.distortions:
            self._check_distortions()
        if self.crops is not None:
            self.crops.check_fit(self.image_size)
        if self.pretext is not None:
            self.pretext.check_fit(self.input_shape[:-1])

    def _check_distortions(self):
        if self.cache is not None or min(self.image_size) < SMALLEST_SIDE:
            raise ValueError(
                "PipelineSpec: images are distorted before they are resized, anew in each epoch; so with "
                f"`distortions` there is no `cache`, and sides have at least {SMALLEST_SIDE} pixels. "
                f"Received: cache={self.cache!r}, image_size={self.image_size}"
            )

    @property
    def is_square(self):
        """Boolean, whether height equals width."""
        return self.image_size[0] == self.image_size[1]

    @property
    def input_shape(self):
        """Shape of one image in training: `(height, width, 3)`, or `(count, size, size, 3)`."""
        return self.shape(training=True)

    def shape(self, training):
        """Returns the shape of one image, in training or in evaluation, as `build_dataset` makes it."""
        if self.crops is None:
            return (*self.image_size, 3)
        one = (*self.crops.sides, 3)
        is_one = self.crops.strategy == "single_crop" or (training and self.crops.is_random)
        return one if is_one else (self.crops.count, *one)
