"""The mean of a patient's other images beside each image."""

import keras
from keras import ops

from skinkit.layers.float_inputs import as_floats, wide_dtype
from skinkit.layers.patient_mask import context_pairs, every_image, with_context, without_padding


@keras.saving.register_keras_serializable(package="skinkit")
class PatientMean(keras.layers.Layer):
    """Appends the mean features of the patient's images to the features of each image.

    hernandez2020, late fusion (sections 3.4.1 and 4.2.4, appendix B). The listing of
    appendix B takes the mean over the whole batch, the image itself included, which is a patient's
    mean if the batch is one patient: `exclude_self=False` on one patient is the same.

    Integer inputs are cast to floats with a warning. `skinkit.models.load_model(path)` loads a saved model
    with this layer; before Keras' own function there must be `import skinkit.layers`.

    Args:
        exclude_self: Whether an image is left out of its own mean. Its mean is then zero if the
            patient has no other image.
        **kwargs: Keyword arguments of `keras.layers.Layer`, such as `name` and `dtype`.

    Call arguments:
        features: 3D tensor `(patients, images, depth)`; all but the depth may be unknown.
        mask: Boolean tensor `(patients, images)`, true for an image and false for padding, which
            counts in no mean. Without it all images are real.
        context: 3D tensor `(patients, others, depth)` of further images of the patients, which count in
            the means and get none themselves; or `None`.
        context_mask: Boolean tensor `(patients, others)`, as `mask`.

    Returns:
        Tensor `(patients, images, 2 * depth)`: the features, then the mean; zeros for the padding.

    Example:
        >>> tuple(PatientMean()(np.ones((1, 3, 1280))).shape)
        (1, 3, 2560)
    """

    def __init__(self, exclude_self=True, **kwargs):
        super().__init__(**kwargs)
        self.exclude_self = exclude_self
        self.supports_masking = True

    # By keyword only: Keras does not mark the output with the mask of a positional argument.
    def call(self, features, *, mask=None, context=None, context_mask=None):
        if mask is None:
            mask = every_image(features)
        # Sums of float16 lose small features beside large ones.
        images = ops.cast(without_padding(as_floats(self, features), mask), wide_dtype(self))
        seen, seen_mask = with_context(images, mask, context, context_mask)
        pairs = context_pairs(seen_mask, self.exclude_self)[:, : ops.shape(images)[1]]
        pairs = ops.cast(pairs, images.dtype)
        count = ops.maximum(ops.sum(pairs, axis=-1, keepdims=True), 1)
        mean = ops.matmul(pairs, seen) / count
        return ops.cast(ops.concatenate([images, mean], axis=-1), self.compute_dtype)

    def compute_output_shape(self, features_shape):
        return (*features_shape[:-1], 2 * features_shape[-1])

    def get_config(self):
        return {**super().get_config(), "exclude_self": self.exclude_self}
