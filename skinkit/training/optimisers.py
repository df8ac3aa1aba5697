"""Optimisers by name, with every number that PyTorch and Keras default differently."""

import functools

import keras

from skinkit.names import check_name
from skinkit.values import check_options


def build_optimiser(name, learning_rate, **options):
    """Returns a new Keras optimiser.

    Args:
        name: `"adam"`, `"adamw"` or `"sgd"`.
        learning_rate: Float, or a `keras.optimizers.schedules.LearningRateSchedule`.
        **options: Of the Keras class. Set `epsilon` of Adam to what the source used: 1e-7 is Keras'
            default and ours, 1e-8 PyTorch's, 1e-3 koefler2023's, 0.1 Datta's. (PyTorch adds it after
            the bias correction, Keras before: a difference in the first steps only.)
            `weight_decay` of AdamW (default 0.01 as in PyTorch, where Keras has 0.004) is
            multiplied by the learning rate, as in PyTorch. `momentum` of SGD defaults to 0.9. `use_ema` keeps
            an average of the weights over about 1 / (1 - `ema_momentum`) steps, and `fit` takes that. It
            begins with the weights of the first step, which a phase should be long enough to forget.

    Returns:
        A `keras.optimizers.Optimizer`.

    Raises:
        ValueError: for an unknown name or option.

    Example:
        >>> build_optimiser("adam", 1e-4, epsilon=1e-3)
    """
    check_name("Optimisers", name, OPTIMISERS)
    check_options(name, (OPTIMISERS[name],), options, ("learning_rate",))
    return OPTIMISERS[name](learning_rate, **options)


OPTIMISERS = {
    "adam": functools.partial(keras.optimizers.Adam, epsilon=1e-7),
    "adamw": functools.partial(keras.optimizers.AdamW, epsilon=1e-7, weight_decay=0.01),
    "sgd": functools.partial(keras.optimizers.SGD, momentum=0.9),
}
