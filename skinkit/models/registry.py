"""Models by name, and the one function that builds them."""

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from functools import partial, wraps
from numbers import Integral

import keras

from skinkit.models.backbones.registry import BACKBONES, Backbone, extract_features
from skinkit.models.crop_classifier import crop_classifier
from skinkit.models.datta import PRETRAINED, datta_pretrained, datta_vgg16
from skinkit.models.head import add_head, insert_layer
from skinkit.models.koefler_cnn import koefler_cnn
from skinkit.models.patient_network import patient_network
from skinkit.models.restoration import restoration_classifier, restorer
from skinkit.models.segnet_autoencoder import segnet_autoencoder
from skinkit.models.torch_weights import load_classifier
from skinkit.models.weights import Weights, check_finite, load_weights
from skinkit.names import check_name
from skinkit.registration import calling_place, register
from skinkit.values import BelowOne, Count, check_options


@dataclass(frozen=True)
class ModelEntry(Weights):
    """A model under its name.

    Args:
        make: Function `(input_shape, classes, weights, **options)` that returns the model.
        reconstructs: Whether the output is the image again, and not class probabilities.
        own_pixels: Whether its pixels are scaled as it says itself, whatever its backbone expects.
        **weights: Of the model, or of its backbone: as in `Weights`.
    """

    make: Callable[..., keras.Model]
    reconstructs: bool = False
    own_pixels: bool = False


def _image_model(
    name,
    input_shape,
    classes,
    weights=None,
    dropout: BelowOne = 0.2,
    soft_attention: bool | Mapping = False,
    hidden: tuple[Count, ...] = (),
    dropout_samples: Count = 1,
    layer: str | None = None,
    layer_options: Mapping | None = None,
    **options,
):
    """Returns the backbone of that name, perhaps with a layer on its map, and the head of `add_head`."""
    image = keras.Input(input_shape, name="image")
    features = insert_layer(extract_features(name, image, weights, **options), layer, layer_options)
    probabilities = add_head(features, classes, dropout, soft_attention, hidden, dropout_samples)
    model = keras.Model(image, probabilities, name=name)
    if str(weights).endswith(".pth") and (last := BACKBONES[name].torch_classifier):
        load_classifier(model.get_layer("logits"), weights, last, name)
    return model


def _autoencoder(make):
    """The entry of a model that knows no classes and has no pretrained weights."""

    @wraps(make)
    def without_classes(input_shape, classes, weights=None, **options):
        return make(input_shape, **options)

    return ModelEntry(without_classes, reconstructs=True)


def _entry(name):
    weights = {field.name: getattr(BACKBONES[name], field.name) for field in fields(Weights)}
    return ModelEntry(partial(_image_model, name), **weights)


MODELS = {
    **{name: _entry(name) for name in BACKBONES},
    "crop_classifier": ModelEntry(crop_classifier, imagenet=True, torch=True, no_top=True),
    "patient_network": ModelEntry(patient_network, imagenet=True, torch=True, no_top=True),
    "koefler_cnn": ModelEntry(koefler_cnn),
    "datta_vgg16": ModelEntry(datta_vgg16, scaling="symmetric"),
    **{
        name: ModelEntry(partial(datta_pretrained, name), scaling="symmetric", imagenet=True)
        for name in PRETRAINED
    },
    "segnet_autoencoder": _autoencoder(segnet_autoencoder),
    "restorer": _autoencoder(restorer),
    "restoration_classifier": ModelEntry(restoration_classifier, own_pixels=True),
}


def register_model(name, **about):
    """Decorator that makes a function of one's own the network `name` of `build` and of recipes.

    Args:
        name: String, for `model=choose(name, ...)` in a recipe.
        **about: Fields of `ModelEntry`, such as `scaling="symmetric"` for pixels from -1 to 1 (0 to 1 by
            default).

    Returns:
        Decorator of a function `(input_shape, classes, weights=None, ...)` that returns a flat
        `keras.Model`, which ends best in `add_head`; its further parameters are the options.

    Raises:
        ValueError: for a name that is taken, or a function of other parameters.

    Example:
        >>> @register_model("two_convolutions")
        ... def two_convolutions(input_shape, classes, weights=None, width=8):
        ...     image = keras.Input(input_shape)
        ...     features = keras.layers.Conv2D(width, 3, strides=2, activation="relu")(image)
        ...     features = keras.layers.Conv2D(2 * width, 3, strides=2, activation="relu")(features)
        ...     return keras.Model(image, add_head(features, classes))
        >>> build("two_convolutions", (32, 32, 3), classes=3, width=4).output.shape
        (None, 3)
    """
    place = calling_place()

    def add(make):
        wanted = ["input_shape", "classes", "weights"]
        if (found := list(inspect.signature(make).parameters)[:3]) != wanted:
            raise ValueError(
                f"{name}: parameters begin with {', '.join(wanted)}. Received: {', '.join(found)}"
            )
        checked = make if about.get("reconstructs") else _with_checked_output(name, make)
        entry = ModelEntry(checked, **about)
        register("Models", MODELS, name, entry, place)
        return make

    return add


def register_backbone(name, **about):
    """Decorator that makes a function of one's own the backbone `name`, and a network with the usual head.

    Args:
        name: String, for `model=choose(name, ...)` in a recipe, and `backbone=name` of other networks.
        **about: Fields of `skinkit.models.backbones.registry.Backbone`, as in `register_model`.

    Returns:
        Decorator of a function `(image, ...)` from a symbolic image to a symbolic feature map; its further
        parameters are the options.

    Raises:
        ValueError: for a name that is taken.

    Example:
        >>> @register_backbone("one_convolution")
        ... def one_convolution(image, width=8):
        ...     return keras.layers.Conv2D(width, 3, strides=2, activation="relu")(image)
        >>> build("one_convolution", (32, 32, 3), classes=3, layer="soft_attention").output.shape
        (None, 3)
    """
    place = calling_place()

    def add(features):
        register("Backbones", BACKBONES, name, Backbone(features, **about), place)
        register("Models", MODELS, name, _entry(name), place)
        return features

    return add


def build(name, input_shape, classes, weights=None, **options):
    """Returns a flat model whose last layer, `"probabilities"`, is a float32 softmax.

    An autoencoder (`MODELS[name].reconstructs`) ends in `"reconstruction"` instead, a float32 image.

    Args:
        name: Key of `MODELS`.
        input_shape: `(height, width, channels)`, and for `crop_classifier` the number of crops before them.
        classes: Integer, number of classes.
        weights: `None`, `"imagenet"` for the backbone, or the path of a file: `.keras` or
            `.weights.h5` of the same model with the same classes, or a file of the backbone's weights
            alone (`BACKBONES`).
        **options: Of the model, such as `soft_attention` and `dropout`, and of its backbone
            (`extract_features`).

    Raises:
        FileNotFoundError: when the weights are not there.
        ValueError: for an unknown name, or weights that do not fit or are not finite.

    Example:
        >>> build("small_cnn", (96, 128, 3), classes=7, soft_attention=True).output.shape
        (None, 7)
    """
    check_name("Models", name, MODELS)
    entry = MODELS[name]
    _check_sizes(input_shape, classes)
    check_options(name, makers(name, **options), options, ("input_shape", "classes", "image", "name"))
    entry.check_imagenet(name, weights)
    by_maker = weights in (None, "imagenet") or entry.reads(weights)
    model = entry.make(input_shape, classes, weights if by_maker else None, **options)
    if not by_maker:
        load_weights(model, weights)
    if weights is not None:
        check_finite(model, weights)
    return model


def _check_sizes(input_shape, classes):
    sides = input_shape if isinstance(input_shape, Sequence) else ()
    if len(sides) < 3 or not all(side is None or isinstance(side, Integral) for side in sides):
        raise ValueError(
            "`input_shape` is (height, width, channels), such as (224, 224, 3). "
            f"Received: input_shape={input_shape!r}"
        )
    if not isinstance(classes, Integral):
        raise ValueError(f"`classes` is the number of classes, such as len(labels). Received: {classes!r}")


def _with_checked_output(name, make):
    @wraps(make)
    def checked(input_shape, classes, weights=None, **options):
        model = make(input_shape, classes, weights, **options)
        shape = getattr(getattr(model, "output", None), "shape", None)
        if shape is None or shape[-1] != classes:
            raise ValueError(
                f"{name} must be a functional keras.Model with one output of {classes} class probabilities. "
                f"Received: {'none' if shape is None else shape}"
            )
        return model

    return checked


def makers(name, backbone="small_cnn", **_):
    """Returns the functions whose parameters are the options of a model: its own, and its backbone's.

    Args:
        name: Key of `MODELS`.
        backbone: Key of `BACKBONES`, of a model that has a choice of them.
    """
    check_name("Models", name, MODELS)
    make = MODELS[name].make
    if "backbone" not in inspect.signature(make).parameters:
        return (make, BACKBONES[name].features) if name in BACKBONES else (make,)
    check_name("Backbones", backbone, BACKBONES)
    return make, BACKBONES[backbone].features


def expected_pixels(name, backbone=None, **_):
    """Returns scaling and channel order of the pixels that a model expects, or its `backbone`, if it has one.

    Args:
        name: Key of `MODELS`.
        backbone: Key of `BACKBONES`, of a `crop_classifier` or `patient_network`.

    Example:
        >>> expected_pixels("crop_classifier", backbone="vgg16")
        ('caffe', 'bgr')
    """
    check_name("Models", name, MODELS)
    own = backbone is None or MODELS[name].own_pixels
    entry = MODELS[name] if own else BACKBONES[backbone]
    return entry.scaling, entry.channel_order
