"""Random numbers of an epoch, each a function of seed, epoch and row, for its order, changes and crops."""

import tensorflow as tf

# Different numbers of the epoch for each use, so that no two take the same random numbers.
_NUMBER = {
    "order": lambda epoch: 2 * epoch,
    "changes": lambda epoch: 2 * epoch + 1,
    "crops": lambda epoch: -1 - epoch,
    # Before all epochs of the crops.
    "pretext": lambda epoch: -(2**40) - epoch,
    "distortions": lambda epoch: -(2**41) - epoch,
    "light": lambda epoch: -(2**42) - epoch,
}
# Beyond those of all epochs, three for each step.
_FIRST_STEP, _STEP_USES = 2**40, ("partners", "gammas", "uniforms")


def sample_order(count, seed, epoch):
    """Returns a random order of `count` rows, int64."""
    seeds = _seeds(seed, epoch, "order")
    keys = tf.random.stateless_uniform((count,), seeds, None, None, dtype=tf.int64, alg="philox")
    return tf.cast(tf.argsort(keys), tf.int64)


def uniform(shape, seed, epoch, use):
    """Returns float32 numbers in [0, 1) for the rows of an epoch.

    Args:
        shape: Tuple of integers, of which the first counts the rows.
        seed: Integer.
        epoch: Integer or scalar tensor, from 0.
        use: `"changes"`, `"crops"`, `"pretext"`, `"distortions"` or `"light"`.
    """
    return tf.random.stateless_uniform(shape, seed=_seeds(seed, epoch, use), alg="philox")


def spread(numbers, limit):
    """Returns numbers in [-limit, limit) for such in [0, 1)."""
    return (2 * numbers - 1) * limit


def step_seeds(seed, step, use):
    """Returns the pair of seeds, int64, of what is random in a batch.

    Args:
        seed: Integer.
        step: Integer or scalar tensor, steps before the batch through all epochs.
        use: `"partners"`, `"gammas"` or `"uniforms"`.
    """
    number = _FIRST_STEP + len(_STEP_USES) * tf.cast(step, tf.int64) + _STEP_USES.index(use)
    return tf.stack([tf.cast(seed, tf.int64), number])


def _seeds(seed, epoch, use):
    return tf.stack([tf.cast(seed, tf.int64), _NUMBER[use](tf.cast(epoch, tf.int64))])
