"""Mixup: each image of a batch is mixed with another one, and their labels likewise."""

from dataclasses import dataclass

import tensorflow as tf

from skinkit.pipeline.random_numbers import step_seeds
from skinkit.values import NonNegative, Share, check_fields


@dataclass(frozen=True)
class Mixup:
    """Mixes finished batches: `weight * image + (1 - weight) * partner`, and one-hot labels likewise.

    Every image of a batch has another one as its partner, and is the partner of one. Partners and weights are
    functions of seed and step.

    Zhang et al. 2018, mixup: Beyond empirical risk minimization, who sample the weights; butskova2021
    fixes them at 0.7.

    Args:
        weight: Float from 0 to 1, the same for all images; 1 leaves them as they are.
        alpha: Float above 0: the weight of each image is sampled from Beta(alpha, alpha). Either this or
            `weight`.

    Raises:
        ValueError: for a number out of its range, or when not one of the two is given.

    Example:
        >>> batches = Mixup(weight=0.7)(batches, seed=0)
    """

    weight: Share | None = None
    alpha: NonNegative | None = None

    def __post_init__(self):
        check_fields("mixup", self)
        if (self.weight is None) == (self.alpha is None) or self.alpha == 0:
            raise ValueError(
                "mixup needs either `weight`, from 0 to 1, or `alpha`, above 0. "
                f"Received: weight={self.weight}, alpha={self.alpha}"
            )

    def __call__(self, batches, seed, first_step=0):
        """Returns a dataset of mixed batches.

        Args:
            batches: `tf.data.Dataset` of float images `(batch, ..., 3)` and one-hot labels
                `(batch, classes)`.
            seed: Integer.
            first_step: Integer, number of steps before the first batch, through all epochs.

        Raises:
            ValueError: for images that are not float, labels that are not one-hot, or weights beside them.
        """
        _check_batches(batches.element_spec)

        @tf.autograph.experimental.do_not_convert
        def mix(step, batch):
            count = tf.shape(batch[0])[0]
            partners, weights = random_partners(count, seed, step), self.random_weights(count, seed, step)
            return tuple(_mixed(values, partners, weights) for values in batch)

        return batches.enumerate(first_step).map(mix).prefetch(2)

    def random_weights(self, count, seed, step):
        """Returns the weights of the images of a batch, float32 `(count,)`.

        Args:
            count: Integer or scalar tensor, images of the batch.
            seed: Integer.
            step: Integer or scalar tensor, steps before the batch through all epochs.
        """
        if self.alpha is None:
            return tf.fill([count], tf.cast(self.weight, tf.float32))
        # By logarithms: where alpha is small, the numbers of its gamma distribution are 0 in float32.
        gammas = tf.random.stateless_gamma([2, count], step_seeds(seed, step, "gammas"), self.alpha + 1.0)
        uniforms = tf.random.stateless_uniform([2, count], step_seeds(seed, step, "uniforms"), alg="philox")
        first, second = tf.unstack(tf.math.log(gammas) + tf.math.log1p(-uniforms) / self.alpha)
        return tf.sigmoid(first - second)


def random_partners(count, seed, step):
    """Returns the position of each image's partner in its batch, int32: the next in a random circle of all.

    Args:
        count: As in `Mixup.random_weights`.
        seed: As in `Mixup.random_weights`.
        step: As in `Mixup.random_weights`.
    """
    circle = tf.argsort(
        tf.random.stateless_uniform([count], step_seeds(seed, step, "partners"), alg="philox")
    )
    return tf.scatter_nd(circle[:, None], tf.roll(circle, -1, axis=0), [count])


def _mixed(values, partners, weights):
    weights = tf.reshape(weights, [-1] + [1] * (values.shape.rank - 1))
    return weights * values + (1 - weights) * tf.gather(values, partners)


def _check_batches(spec):
    parts = spec if isinstance(spec, tuple) else (spec,)
    if len(parts) == 3:
        raise ValueError(
            "A mixed image has two labels, and a sample weight is of one. Weigh the classes by a list as "
            "`alpha` of the focal loss instead. Received: batches with sample weights"
        )
    is_float = len(parts) == 2 and all(getattr(part, "dtype", None) == tf.float32 for part in parts)
    if not is_float or parts[1].shape.rank != 2:
        raise ValueError(
            "mixup takes batches of float32 images, scaled and changed already, and one-hot labels "
            f"`(batch, classes)`; for loss weights by class see `alpha` of the focal loss. Received: {spec}"
        )


MIXINGS = {"mixup": Mixup}
