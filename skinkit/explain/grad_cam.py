"""Grad-CAM for flat Keras models, on the TensorFlow backend."""

import keras
import numpy as np
import tensorflow as tf
from keras import ops

_NO_FEATURES = ("Pooling", "Dropout", "Reshape", "InputLayer")
_CLASSIFIERS = (keras.layers.Dense, keras.layers.Activation, keras.layers.Softmax)


def grad_cam(model, images, target=None, layer=None, batch_size=16, normalise=True):
    """Returns where a class's score rises with the features of a layer.

    Selvaraju et al. 2017: the layer's channels are weighted by the mean gradient of the score before
    the softmax or sigmoid, summed, and cut off at zero.

    A map lies on the grid of its layer. Networks which pad as TensorFlow's "same" does (EfficientNet,
    MobileNet) see each position up to half a cell further to the lower right than the map shows.

    Args:
        model: A flat `keras.Model` with one image input; its first output holds the classes.
        images: Array `(n, height, width, channels)`, or `(n, crops, height, width, channels)` for a
            `crop_classifier`, scaled as the model expects.
        target: Integer, position of the class in the output, or one for each image; `None` for the
            class each image is given by the model.
        layer: Name of a layer with a 4D output, such as `skinkit.models.feature_layer(model)`; `None` for
            the last one before pooling, attended features included.
        batch_size: Integer, images at a time.
        normalise: Whether the values of an image are divided by their largest; without, those of several
            images or crops can be compared.

    Returns:
        float32 array `(n, h, w)` on the grid of the layer, or `(n, crops, h, w)`. The largest value of
        each image is 1; an image without any positive evidence is 0 throughout.

    Raises:
        ValueError: for an unknown or nested layer, or a target that is not a class.

    Example:
        >>> heatmaps = grad_cam(model, images, target=labels.index("mel"))

    Reference:
        - [Selvaraju et al., 2017](https://arxiv.org/abs/1610.02391)
    """
    if keras.backend.backend() != "tensorflow":
        raise ValueError("Grad-CAM runs on the TensorFlow backend of Keras only")
    images = np.asarray(images, dtype="float32")
    tapped = keras.Model(model.inputs, [find_layer(model, layer).output, _before_activation(model)])
    targets = _targets(target, len(images), model.outputs[0].shape[-1])
    maps = [
        _maps(model, tapped, images[first : first + batch_size], targets[first : first + batch_size])
        for first in range(0, len(images), batch_size)
    ]
    maps = np.concatenate(maps)
    if normalise:
        largest = maps.max(axis=tuple(range(1, maps.ndim)), keepdims=True)
        maps = np.divide(maps, largest, out=np.zeros_like(maps), where=largest > 0)
    return maps


def find_layer(model, name=None):
    """Returns the layer called `name`, or the last one before pooling, with a 4D output.

    Raises:
        ValueError: when there is none, or when it may be inside a nested model.
    """
    flat = [layer for layer in model.layers if not isinstance(layer, keras.Model)]
    nested = [layer.name for layer in model.layers if isinstance(layer, keras.Model)]
    if nested and name not in {layer.name for layer in flat}:
        raise ValueError(
            f"{model.name} holds the model {nested[0]!r} as one layer, whose inner layers cannot be "
            "reached. Build it flat: keras.Model(base.input, head(base.output)). "
            f"Received: layer={name!r}"
        )
    found = [layer for layer in flat if _has_map(layer) and name in (None, layer.name)]
    if name is None:
        found = [layer for layer in found if not _makes_no_features(layer)]
    if not found:
        raise ValueError(
            f"{model.name} has no such layer with an output (batch, height, width, channels). "
            f"Received: layer={name!r}"
        )
    return found[-1]


def _has_map(layer):
    return isinstance(layer.output, keras.KerasTensor) and len(layer.output.shape) == 4


def _makes_no_features(layer):
    return any(word in type(layer).__name__ for word in _NO_FEATURES)


def _last_layer(model):
    outputs = model.outputs[0]
    return next((layer for layer in reversed(model.layers) if layer.output is outputs), None)


def _before_activation(model):
    """Returns the symbolic tensor that the last layer activates or multiplies."""
    last = _last_layer(model)
    return last.input if isinstance(last, _CLASSIFIERS) else model.outputs[0]


def _scores(model, x):
    """Returns the class scores before the softmax or sigmoid."""
    x, last = ops.cast(x, "float32"), _last_layer(model)
    if not isinstance(last, keras.layers.Dense):
        return x
    scores = ops.matmul(x, last.kernel)
    return scores + last.bias if last.use_bias else scores


def _targets(target, count, classes):
    if target is None:
        return np.full(count, -1)
    targets = np.broadcast_to(np.asarray(target, dtype=int), (count,))
    if not 0 <= targets.min(initial=0) <= targets.max(initial=0) < classes:
        raise ValueError(f"The model has classes 0 to {classes - 1}. Received: target={target!r}")
    return targets


def _maps(model, tapped, images, targets):
    images = tf.convert_to_tensor(images)
    with tf.GradientTape() as tape:
        # Without this nothing would be recorded below a frozen layer.
        tape.watch(images)
        features, before = tapped([images], training=False)
        scores = _scores(model, before)
        targets = tf.where(targets < 0, tf.argmax(scores, axis=1), targets)
        chosen = tf.reduce_sum(tf.gather(scores, targets, axis=1, batch_dims=1))
    gradients = tape.gradient(chosen, features)
    if gradients is None:
        raise ValueError(f"The classes of {model.name} do not depend on the chosen layer")
    weights = tf.reduce_mean(tf.cast(gradients, tf.float32), axis=(1, 2), keepdims=True)
    maps = tf.nn.relu(tf.reduce_sum(weights * tf.cast(features, tf.float32), axis=-1))
    # Stacked crops come apart again: images (n, height, width, channels) have no axis of crops.
    return maps.numpy().reshape(*images.shape[:-3], *maps.shape[1:])
