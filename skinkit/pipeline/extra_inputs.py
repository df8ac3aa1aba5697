"""Inputs beside the images of a batch, such as the stored features of their patients."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import tensorflow as tf


@dataclass(frozen=True)
class ExtraInputs:
    """Further inputs of each image, looked up at the moment when its batch is taken.

    Images are read ahead; these are not, so what is looked up may change from one step to the next.

    Args:
        look_up: Function of row positions, int64 `(batch,)`, that returns one array `(batch, *shape)` for
            each of `shapes`, in their order.
        shapes: Mapping from the name of an input to its shape without the batch axis and the name of its
            dtype.

    Example:
        >>> ExtraInputs(lambda rows: (ages[rows],), {"age": ((1,), "float32")})
    """

    look_up: Callable[[np.ndarray], tuple[np.ndarray, ...]]
    shapes: Mapping[str, tuple[tuple[int, ...], str]]


def attach(batches, extra_inputs):
    """Adds further inputs to a dataset of (row positions, images, targets...).

    Returns:
        Dataset of (a dictionary of `"image"` and the further inputs, targets...).
    """
    dtypes = [dtype for _, dtype in extra_inputs.shapes.values()]

    @tf.autograph.experimental.do_not_convert
    def add(rows, images, *targets):
        found = tf.numpy_function(extra_inputs.look_up, [rows], dtypes)
        named = zip(extra_inputs.shapes.items(), found, strict=True)
        beside = {name: tf.ensure_shape(value, (None, *shape)) for (name, (shape, _)), value in named}
        return {"image": images, **beside}, *targets

    options = tf.data.Options()
    # By default tf.data reads ahead behind the last operation, too.
    options.experimental_optimization.inject_prefetch = False
    return batches.map(add).with_options(options)
