"""Random numbers of an epoch, each a function of seed, epoch and row."""

import tensorflow as tf

_ORDER, _CHANGES = 0, 1


def uniform_columns(names, count, seed, epoch):
    """Returns a dictionary of one column `(count,)` of numbers in [0, 1) for each name."""
    seeds = _seeds(seed, epoch, _CHANGES)
    uniform = tf.random.stateless_uniform((count, len(names)), seed=seeds, alg="philox")
    return dict(zip(names, tf.unstack(uniform, axis=1), strict=True))


def draw_order(count, seed, epoch):
    """Returns a random order of `count` rows, int64."""
    keys = tf.random.stateless_uniform(
        (count,),
        seed=_seeds(seed, epoch, _ORDER),
        minval=None,
        maxval=None,
        dtype=tf.int64,
        alg="philox",
    )
    return tf.cast(tf.argsort(keys), tf.int64)


def spread(uniform, limit):
    """Returns numbers in [-limit, limit) for such in [0, 1)."""
    return (2 * uniform - 1) * limit


def _seeds(seed, epoch, stream):
    return tf.stack([tf.cast(seed, tf.int64), 2 * tf.cast(epoch, tf.int64) + stream])
