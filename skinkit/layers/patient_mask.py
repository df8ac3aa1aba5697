"""Masks of the images of a patient: real or padding, and context of one another."""

import keras
from keras import ops

from skinkit.layers.float_inputs import as_floats


def without_padding(features, mask):
    """Returns `features` with zeros where `mask` is false, whatever stood there.

    Args:
        features: Tensor `(patients, images, depth)`.
        mask: Tensor `(patients, images)`, true for an image and false for padding.
    """
    # Times zero, NaN and infinity would stay.
    return ops.where(ops.expand_dims(ops.cast(mask, "bool"), -1), features, 0)


def every_image(features):
    """Returns the mask `(patients, images)` of features without padding."""
    return ops.ones(ops.shape(features)[:2], dtype="bool")


def with_context(images, mask, context, context_mask):
    """Returns images followed by further images of their patients, and the mask of both.

    Args:
        images: Tensor `(patients, images, depth)` without padding other than zeros.
        mask: Boolean tensor `(patients, images)`.
        context: Tensor `(patients, others, depth)`, or `None` for no further images.
        context_mask: Tensor `(patients, others)`, or `None` if all of them are real.
    """
    if context is None:
        return images, mask
    if context_mask is None:
        context_mask = every_image(context)
    others = ops.cast(without_padding(context, context_mask), images.dtype)
    masks = [ops.cast(mask, "bool"), ops.cast(context_mask, "bool")]
    return ops.concatenate([images, others], axis=1), ops.concatenate(masks, axis=1)


def context_pairs(mask, exclude_self):
    """Returns which image of a patient sees which: boolean `(patients, images, images)`, seeing by seen.

    Args:
        mask: Tensor `(patients, images)`, true for an image and false for padding.
        exclude_self: Whether an image is kept out of its own context.
    """
    mask = ops.cast(mask, "bool")
    pairs = ops.logical_and(ops.expand_dims(mask, 2), ops.expand_dims(mask, 1))
    if not exclude_self:
        return pairs
    image = ops.arange(ops.shape(mask)[1])
    others = ops.not_equal(ops.expand_dims(image, 0), ops.expand_dims(image, 1))
    return ops.logical_and(pairs, others)


@keras.saving.register_keras_serializable(package="skinkit")
class PatientMask(keras.layers.Layer):
    """Sets the padding among the images of a patient to zero and marks it.

    Patients have different numbers of images; in a batch they are filled up to the largest. Layers
    after this one see the mask, and so does the loss, which then counts real images only.

    Integer inputs are cast to floats with a warning. `skinkit.models.load_model(path)` loads a saved model
    with this layer; before Keras' own function there must be `import skinkit.layers`.

    Args:
        **kwargs: Keyword arguments of `keras.layers.Layer`, such as `name` and `dtype`.

    Call arguments:
        inputs: List of the features `(patients, images, depth)` and the boolean mask
            `(patients, images)`, true for an image and false for padding; all sizes may be unknown.

    Returns:
        The features, with zeros for the padding.

    Example:
        >>> tuple(PatientMask()([np.ones((1, 3, 1280)), np.array([[True, True, False]])]).shape)
        (1, 3, 1280)
    """

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.supports_masking = True

    def call(self, inputs):
        features, mask = inputs
        return without_padding(as_floats(self, features), mask)

    # Older versions of Keras do not see a mask that is an argument of its own.
    def compute_mask(self, inputs, previous_mask):
        return inputs[1]

    def compute_output_shape(self, input_shape):
        return input_shape[0]
