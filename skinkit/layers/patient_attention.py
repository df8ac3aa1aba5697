"""Attention of each image to the images of its patient, as the text says and as the listings say."""

import math
from typing import NamedTuple

import keras
from keras import layers, ops

from skinkit.layers.float_inputs import as_floats, wide_dtype
from skinkit.layers.patient_mask import context_pairs, every_image, with_context, without_padding
from skinkit.names import check_name
from skinkit.values import Count, check_value


class _Variant(NamedTuple):
    num_heads: int
    dropout: float
    passes: int
    exclude_self: bool


VARIANTS = {
    "text": _Variant(num_heads=8, dropout=0.0, passes=1, exclude_self=True),
    "listing_c": _Variant(num_heads=8, dropout=0.0, passes=1, exclude_self=False),
    "listing_e": _Variant(num_heads=4, dropout=0.6, passes=2, exclude_self=False),
}


@keras.saving.register_keras_serializable(package="skinkit")
class PatientAttention(keras.layers.Layer):
    """Adds to each image what it attends to in the images of its patient.

    hernandez2020, section 3.4.2 and appendices C and E: multi-head attention with the image as
    query and the patient's images as keys and values, then `LayerNorm(image + attended)`.

    | variant | heads | dropout of the scores | passes | the image itself |
    | --- | --- | --- | --- | --- |
    | `"text"` | 8 | 0 | 1 | excluded |
    | `"listing_c"` | 8 | 0 | 1 | included |
    | `"listing_e"` | 4 | 0.6 | 2 | included |

    The second pass of `"listing_e"` has the same weights and the same LayerNorm; its query is the
    result of the first, its keys and values are the patient's features as they came in. Nothing here
    depends on the order of the images. An image without context (the patient has no other one) is only
    normalised: what it attends to is zero.

    Integer inputs are cast to floats with a warning. `skinkit.models.load_model(path)` loads a saved model
    with this layer; before Keras' own function there must be `import skinkit.layers`.

    Args:
        num_heads: Integer that divides the depth. Defaults to that of the variant.
        variant: `"text"`, `"listing_c"` or `"listing_e"`.
        exclude_self: Whether an image is kept out of its own context. Defaults to what the variant
            does.
        **kwargs: Keyword arguments of `keras.layers.Layer`, such as `name` and `dtype`.

    Call arguments:
        features: 3D tensor `(patients, images, depth)`; all but the depth may be unknown.
        mask: Boolean tensor `(patients, images)`, true for an image and false for padding, which no
            image attends to. Without it all images are real.
        context: 3D tensor `(patients, others, depth)` of further images of the patients, which are
            attended to and do not attend themselves; or `None`.
        context_mask: Boolean tensor `(patients, others)`, as `mask`.
        return_scores: Whether the scores are returned too.

    Returns:
        The features `(patients, images, depth)`, zeros for the padding; with `return_scores`, a tuple
        of these and the scores of the last pass before dropout, `(patients, heads, images, images)`,
        attending by attended image (those of `context` last), in float32 at least. They sum to 1 over the
        last axis, and to 0 for an image without context and for padding.

    Raises:
        ValueError: for an unknown variant, fewer than one head, or a depth that the heads do not divide.

    Example:
        >>> tuple(PatientAttention()(np.ones((1, 3, 1280))).shape)
        (1, 3, 1280)
    """

    def __init__(self, num_heads=None, variant="text", exclude_self=None, **kwargs):
        super().__init__(**kwargs)
        check_name("Variants of PatientAttention", variant, VARIANTS)
        check_value("PatientAttention", "num_heads", num_heads, Count | None)
        defaults = VARIANTS[variant]
        self.variant = variant
        self.num_heads = defaults.num_heads if num_heads is None else num_heads
        self.exclude_self = defaults.exclude_self if exclude_self is None else exclude_self
        self.supports_masking = True

    def build(self, features_shape):
        depth = features_shape[-1]
        if depth is None or depth % self.num_heads:
            raise ValueError(
                "PatientAttention needs a known depth that `num_heads` divides. "
                f"Received: features_shape={features_shape}, num_heads={self.num_heads}"
            )
        # PyTorch initialises query, key and value as one matrix of three times the depth, and the output as
        # any linear layer. Keras would take the heads for positions of a convolution, and make the former
        # 6.5 times smaller (8 heads, 1280).
        inner, outer = (_uniform(limit) for limit in (math.sqrt(1.5 / depth), math.sqrt(1 / depth)))
        # Scores, softmax and sums overflow in float16, and so these weights are float32 in any case.
        self.attention = layers.MultiHeadAttention(
            self.num_heads,
            key_dim=depth // self.num_heads,
            dropout=VARIANTS[self.variant].dropout,
            kernel_initializer=inner,
            dtype=wide_dtype(self),
            name="attention",
        )
        self.attention.build(features_shape, features_shape)
        output = self.attention.output_dense.kernel
        output.assign(outer(output.shape))
        # PyTorch's epsilon.
        self.norm = layers.LayerNormalization(epsilon=1e-5, dtype=wide_dtype(self), name="norm")
        self.norm.build(features_shape)

    # By keyword only: Keras does not mark the output with the mask of a positional argument.
    def call(self, features, *, mask=None, context=None, context_mask=None, return_scores=False):
        if mask is None:
            mask = every_image(features)
        attending = ops.cast(without_padding(as_floats(self, features), mask), wide_dtype(self))
        images, seen = with_context(attending, mask, context, context_mask)
        pairs = context_pairs(seen, self.exclude_self)[:, : ops.shape(attending)[1]]
        for _ in range(VARIANTS[self.variant].passes):
            attended, scores = self._attend(attending, images, pairs, return_scores)
            attending = self.norm(attending + attended)
        outputs = ops.cast(without_padding(attending, mask), self.compute_dtype)
        return (outputs, scores) if return_scores else outputs

    def _attend(self, attending, images, pairs, return_scores):
        found = self.attention(attending, images, attention_mask=pairs, return_attention_scores=return_scores)
        attended, scores = found if return_scores else (found, None)
        # A softmax over nothing is a mean over everything, padding included.
        return ops.where(ops.any(pairs, axis=-1, keepdims=True), attended, 0), scores

    def compute_output_shape(self, features_shape):
        return features_shape

    def compute_output_spec(
        self, features, *, mask=None, context=None, context_mask=None, return_scores=False
    ):
        outputs = keras.KerasTensor(features.shape, dtype=self.compute_dtype)
        if not return_scores:
            return outputs
        patients, images, _ = features.shape
        others = 0 if context is None else context.shape[1]
        seen = None if None in (images, others) else images + others
        shape = (patients, self.num_heads, images, seen)
        return outputs, keras.KerasTensor(shape, dtype=wide_dtype(self))

    def get_config(self):
        return {
            **super().get_config(),
            "num_heads": self.num_heads,
            "variant": self.variant,
            "exclude_self": self.exclude_self,
        }


def _uniform(limit):
    return keras.initializers.RandomUniform(-limit, limit)
