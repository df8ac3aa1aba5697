"""Learning rates over a phase of training, by name.

All are functions of the optimiser's own step count, which is saved with it: a resumed run goes on
where it was.
"""

from keras.optimizers import schedules

from skinkit.names import check_name


def build_schedule(name, learning_rate, epochs, steps_per_epoch, **options):
    """Returns the learning rate of one phase of training.

    Args:
        name: `"constant"`; `"cosine"`, half a cosine down to `end` times the rate; or `"step"`,
            the rate times `factor` after each share of the epochs in `after`.
        learning_rate: Float, the highest rate.
        epochs: Integer, epochs of the phase.
        steps_per_epoch: Integer, batches in an epoch.
        **options: `"cosine"`: `warmup`, share of all steps in [0, 1) with a rate that grows from 0
            in a straight line (default 0.0), and `end` (default 0.0). `"step"`: `after`, increasing
            shares between 0 and 1, and `factor` (default 0.5).

    Returns:
        A float or a `keras.optimizers.schedules.LearningRateSchedule`.

    Example:
        >>> build_schedule("step", 1e-3, epochs=30, steps_per_epoch=100, after=(10 / 30, 20 / 30), factor=0.1)
    """
    check_name("Schedules", name, SCHEDULES)
    return SCHEDULES[name](learning_rate, epochs, steps_per_epoch, **options)


def _constant(learning_rate, epochs, steps_per_epoch):
    return learning_rate


def _cosine(learning_rate, epochs, steps_per_epoch, warmup=0.0, end=0.0):
    if not 0 <= warmup < 1:
        raise ValueError(f"`warmup` is a share of all steps in [0, 1). Received: warmup={warmup!r}")
    steps = epochs * steps_per_epoch
    rising = round(warmup * steps)
    if rising == 0:
        return schedules.CosineDecay(learning_rate, steps, alpha=end)
    return schedules.CosineDecay(
        0.0, steps - rising, alpha=end, warmup_target=learning_rate, warmup_steps=rising
    )


def _step(learning_rate, epochs, steps_per_epoch, after, factor=0.5):
    if list(after) != sorted(set(after)) or not all(0 < share < 1 for share in after):
        raise ValueError(f"`after` must be increasing shares between 0 and 1. Received: after={after!r}")
    # Keras keeps the old rate at the boundary itself, and epoch e begins with step e * steps.
    boundaries = [round(share * epochs * steps_per_epoch) - 1 for share in after]
    rates = [learning_rate * factor**drops for drops in range(len(after) + 1)]
    return schedules.PiecewiseConstantDecay(boundaries, rates)


SCHEDULES = {"constant": _constant, "cosine": _cosine, "step": _step}
