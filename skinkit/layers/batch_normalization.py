"""Batch normalisation in one operation of TensorFlow, where TensorFlow has it."""

import keras
from keras import ops

from skinkit.layers.float_inputs import as_floats


@keras.saving.register_keras_serializable(package="skinkit")
class BatchNormalization(keras.layers.BatchNormalization):
    """`keras.layers.BatchNormalization` with TensorFlow's fused operation on processors.

    Keras 3 normalises with half a dozen operations over the whole feature map, each of which reads it from
    memory; on a CPU a training step of EfficientNet-Lite0 takes 1.6 times as long with them. This layer has
    the same weights, configuration, masks and numbers (to float32 rounding). What the fused operation does
    not know (other axes than the last of four, float16, masks, renormalisation, several replicas, a GPU,
    other backends) goes Keras' own way.

    Integer inputs are cast to floats with a warning. `skinkit.models.load_model(path)` loads a saved model
    with this layer; before Keras' own function there must be `import skinkit.layers`.

    Args:
        **options: As in `keras.layers.BatchNormalization`.

    Example:
        >>> tuple(BatchNormalization(momentum=0.9)(ops.ones((2, 4, 4, 3)), training=True).shape)
        (2, 4, 4, 3)
    """

    def call(self, inputs, training=None, mask=None):
        inputs = as_floats(self, inputs)
        if mask is not None or not self._is_fused(inputs):
            return super().call(inputs, training=training, mask=mask)
        return self._fused(inputs, bool(training and self.trainable))

    def _is_fused(self, inputs):
        is_usual = not (self.synchronized or getattr(self, "renorm", False))
        fits = len(inputs.shape) == 4 and self.axis in (-1, 3)
        dtype = keras.backend.standardize_dtype(inputs.dtype)
        return is_usual and fits and dtype in ("float32", "bfloat16") and _has_fused_kernels()

    def _fused(self, inputs, learns):
        import tensorflow as tf

        moving = [ops.cast(weight, "float32") for weight in (self.moving_mean, self.moving_variance)]
        outputs, mean, variance, *_ = tf.raw_ops.FusedBatchNormV3(
            x=inputs,
            scale=ops.cast(self.gamma, "float32") if self.scale else ops.ones_like(moving[0]),
            offset=ops.cast(self.beta, "float32") if self.center else ops.zeros_like(moving[0]),
            mean=[] if learns else moving[0],
            variance=[] if learns else moving[1],
            epsilon=self.epsilon,
            is_training=learns,
        )
        if learns:
            # TensorFlow divides by n - 1, Keras by n.
            count = ops.cast(ops.prod(ops.shape(inputs)[:-1]), "float32")
            variance = variance * (count - 1) / count
            for weight, old, new in zip(self._statistics(), moving, (mean, variance), strict=True):
                weight.assign(old * self.momentum + new * (1 - self.momentum))
        return ops.cast(outputs, self.compute_dtype)

    def _statistics(self):
        return self.moving_mean, self.moving_variance


def _has_fused_kernels():
    if keras.backend.backend() != "tensorflow":
        return False
    import tensorflow as tf

    # There, compiled whole, Keras' own are as fast.
    return not tf.config.list_physical_devices("GPU")
