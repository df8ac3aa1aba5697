"""Grad-CAM for Keras models, flat or with a nested backbone, on the TensorFlow backend."""

import keras
import numpy as np
import tensorflow as tf
from keras import ops

from skinkit.explain.inner_layers import inner_layers, recorded, run_model

_NO_FEATURES = ("Pooling", "Dropout", "Reshape", "InputLayer")
_CLASSIFIERS = (keras.layers.Dense, keras.layers.Activation, keras.layers.Softmax)
# Functions of `keras.ops` in the graph of a model.
_ACTIVATIONS = ("Softmax", "Sigmoid")
# Without training the first three return their input, and a cast its values.
_PASS_ON = ("Dropout", "Identity", "ActivityRegularization", "Cast")


def grad_cam(model, images, target=None, layer=None, batch_size=16, normalise=True):
    """Returns where a class's score rises with the features of a layer.

    Selvaraju et al. 2017: the layer's channels are weighted by the mean gradient of the score before
    the softmax or sigmoid, summed, and cut off at zero.

    A map lies on the grid of its layer. Networks which pad as TensorFlow's "same" does (EfficientNet,
    MobileNet) see each position up to half a cell further to the lower right than the map shows.

    Args:
        model: A `keras.Model` with one image input, flat or with a nested backbone, as transfer learning
            makes it; its first output holds the classes.
        images: Array `(n, height, width, channels)`, or `(n, crops, height, width, channels)` for a
            `crop_classifier`, scaled as the model expects.
        target: Integer, position of the class in the output, or one for each image; `None` for the
            class each image is given by the model. If there is one output only, that is the class of
            position 0 where its probability is above one half, and what speaks against it where not.
        layer: Name of a layer with a 4D output, such as `skinkit.models.feature_layer(model)`; `None` for
            the last one before pooling, attended features included. Of a layer that the model calls
            several times, the last call counts.
        batch_size: Integer, images at a time.
        normalise: Whether the values of an image are divided by their largest; without, those of several
            images or crops can be compared.

    Returns:
        float32 array `(n, h, w)` on the grid of the layer, or `(n, crops, h, w)`. The largest value of
        each image is 1; an image without any positive evidence is 0 throughout.

    Raises:
        ValueError: for an unknown layer, or a target that is not a class.

    Example:
        >>> heatmaps = grad_cam(model, images, target=labels.index("mel"))

    Reference:
        - [Selvaraju et al., 2017](https://arxiv.org/abs/1610.02391)
    """
    if keras.backend.backend() != "tensorflow":
        raise ValueError("Grad-CAM runs on the TensorFlow backend of Keras only")
    images = _batch(model, images)
    found = find_layer(model, layer)
    targets = _targets(target, len(images), model.outputs[0].shape[-1])
    maps = [
        _maps(model, found, images[first : first + batch_size], targets[first : first + batch_size])
        for first in range(0, len(images), batch_size)
    ]
    maps = np.concatenate(maps)
    if normalise:
        largest = maps.max(axis=tuple(range(1, maps.ndim)), keepdims=True)
        maps = np.divide(maps, largest, out=np.zeros_like(maps), where=largest > 0)
    return maps


def _batch(model, images):
    """The images as an array, of the shape that the model takes."""
    images = np.asarray(images)
    wanted = model.inputs[0].shape
    if images.ndim != len(wanted) or images.dtype.kind not in "fiub":
        raise ValueError(
            f"`images` is an array of a batch, {wanted}, scaled as the model expects; of one image, pass "
            f"image[None]. Received: {images.dtype} of shape {images.shape}"
        )
    return images.astype("float32")


def find_layer(model, name=None):
    """Returns the layer called `name`, or the last one before pooling, with a 4D output.

    Layers of nested models count like the model's own.

    Raises:
        ValueError: when there is none.
    """
    found = [layer for layer in inner_layers(model) if _has_map(layer) and name in (None, layer.name)]
    if name is None:
        found = [layer for layer in found if not _makes_no_features(layer)]
    if not found:
        raise ValueError(
            f"{model.name} has no such layer with an output (batch, height, width, channels). "
            f"Received: layer={name!r}"
        )
    return found[-1]


def _has_map(layer):
    output = getattr(layer, "output", None)
    return isinstance(output, keras.KerasTensor) and len(output.shape) == 4


def _makes_no_features(layer):
    return any(word in type(layer).__name__ for word in _NO_FEATURES)


def _last_layer(tensor):
    """Returns the layer that makes a symbolic tensor, without those that pass on its values."""
    layer, call, position = tensor._keras_history
    last = _last_layer(layer.outputs[position]) if hasattr(layer, "outputs") else layer
    # A nested model whose layers all pass on their values ends in its own input.
    only_passes_on = last is not layer and isinstance(last, keras.layers.InputLayer)
    if only_passes_on or _passes_on(last):
        return _last_layer(layer._inbound_nodes[call].input_tensors[0])
    return last


def _passes_on(layer):
    linear = getattr(layer, "activation", None) is keras.activations.linear
    return type(layer).__name__ in _PASS_ON or (linear and isinstance(layer, keras.layers.Activation))


def _scores(last, x):
    """Returns the class scores before the softmax or sigmoid, from the input of the last layer."""
    x = ops.cast(x, "float32")
    if not isinstance(last, keras.layers.Dense):
        return x
    scores = ops.matmul(x, last.kernel)
    return scores + last.bias if last.use_bias else scores


def _targets(target, count, classes):
    if target is None:
        return np.full(count, -1)
    asked = np.asarray(target)
    if asked.dtype.kind not in "iu" or asked.shape not in ((), (count,)):
        raise ValueError(
            f"`target` is one position, or one for each of {count} images: labels.index('mel'). "
            f"Received: target={target!r}"
        )
    targets = np.broadcast_to(asked, (count,))
    if not 0 <= targets.min(initial=0) <= targets.max(initial=0) < classes:
        raise ValueError(f"The model has classes 0 to {classes - 1}. Received: target={target!r}")
    return targets


def _maps(model, layer, images, targets):
    images, last = tf.convert_to_tensor(images), _last_layer(model.outputs[0])
    with tf.GradientTape() as tape, recorded(layer, last) as seen:
        # Without this nothing would be recorded below a frozen layer.
        tape.watch(images)
        outputs = run_model(model, images)
        classifies = isinstance(last, _CLASSIFIERS) or type(last).__name__ in _ACTIVATIONS
        scores = _scores(last, seen[last][0]) if classifies else ops.cast(outputs, "float32")
        chosen = tf.reduce_sum(_chosen(scores, targets))
    features = seen[layer][1]
    gradients = tape.gradient(chosen, features)
    if gradients is None:
        raise ValueError(f"The classes of {model.name} do not depend on the chosen layer")
    weights = tf.reduce_mean(tf.cast(gradients, tf.float32), axis=(1, 2), keepdims=True)
    maps = tf.nn.relu(tf.reduce_sum(weights * tf.cast(features, tf.float32), axis=-1))
    # Stacked crops come apart again: images (n, height, width, channels) have no axis of crops.
    return maps.numpy().reshape(*images.shape[:-3], *maps.shape[1:])


def _chosen(scores, targets):
    """Returns the score of each image's target, or of the class that the model gives it."""
    asked = tf.where(targets < 0, tf.argmax(scores, axis=1), targets)
    chosen = tf.gather(scores, asked, axis=1, batch_dims=1)
    if scores.shape[-1] > 1:
        return chosen
    # The score of the class that is not in the output is the negative one.
    return tf.where(targets < 0, tf.abs(chosen), chosen)
