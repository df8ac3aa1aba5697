"""Learning rates over a phase of training, by name.

All are functions of the optimiser's own step count, which is saved with it: a resumed run goes on
where it was.
"""

import math
from typing import Annotated

from keras.optimizers import schedules

from skinkit.names import check_name
from skinkit.values import Count, Share, check_options

# Parts of a phase with a constant rate in each.
_Parts = Annotated[int, (2, math.inf)]


def build_schedule(name, learning_rate, epochs, steps_per_epoch, **options):
    """Returns the learning rate of one phase of training.

    Args:
        name: `"constant"`; `"cosine"`, half a cosine down to `end` times the rate; `"cosine_restarts"`,
            several of these in a row; or `"step"`, the rate times `factor` after each share of the epochs in
            `after`, and constant in between.
        learning_rate: Float, the highest rate.
        epochs: Integer, epochs of the phase.
        steps_per_epoch: Integer, batches in an epoch.
        **options: `"cosine"`: `warmup`, share of all steps in [0, 1) with a rate that grows from 0
            in a straight line (default 0.0), `end` (default 0.0), and `parts`. `"cosine_restarts"`: `cycles`,
            cosines of equal length, `end`, and `parts`. `"step"`: `after`, increasing shares between 0 and 1,
            and `factor` (default 0.5). `parts` cuts the phase into that many equal parts with a constant rate
            in each, that of its beginning, as a rate that changes once an epoch (bermeo2023) and however many
            epochs there are: fewer see the whole sequence. `None` (default) changes the rate with each step.

    Returns:
        A float or a `keras.optimizers.schedules.LearningRateSchedule`.

    Raises:
        ValueError: for an unknown name, or options that cannot be right.

    Example:
        >>> build_schedule("step", 1e-3, epochs=30, steps_per_epoch=100, after=(10 / 30, 20 / 30), factor=0.1)
    """
    check_name("Schedules", name, SCHEDULES)
    check_options(name, (SCHEDULES[name],), options, ("learning_rate", "epochs", "steps_per_epoch"))
    return SCHEDULES[name](learning_rate, epochs, steps_per_epoch, **options)


def _constant(learning_rate, epochs, steps_per_epoch):
    return learning_rate


def _cosine(
    learning_rate, epochs, steps_per_epoch, warmup=0.0, end: Share = 0.0, parts: _Parts | None = None
):
    if not 0 <= warmup < 1 or (warmup and parts):
        raise ValueError(
            "`warmup` is a share of all steps in [0, 1), and there is none with `parts`. "
            f"Received: warmup={warmup!r}, parts={parts!r}"
        )
    if parts:
        return _cosines_in_parts(learning_rate, epochs, steps_per_epoch, parts, 1, end)
    steps = epochs * steps_per_epoch
    rising = round(warmup * steps)
    if rising == 0:
        return schedules.CosineDecay(learning_rate, steps, alpha=end)
    return schedules.CosineDecay(
        0.0, steps - rising, alpha=end, warmup_target=learning_rate, warmup_steps=rising
    )


def _cosine_restarts(
    learning_rate, epochs, steps_per_epoch, cycles: Count, end: Share = 0.0, parts: _Parts | None = None
):
    if cycles > epochs if parts is None else parts % cycles or parts == cycles:
        raise ValueError(
            "`cycles` are as many as the epochs at most, and `parts` twice as many or another multiple, so "
            f"that each falls to its own end. Received: cycles={cycles}, parts={parts}, epochs={epochs}"
        )
    if parts:
        return _cosines_in_parts(learning_rate, epochs, steps_per_epoch, parts, cycles, end)
    return schedules.CosineDecayRestarts(
        learning_rate, epochs * steps_per_epoch / cycles, t_mul=1.0, alpha=end
    )


def _cosines_in_parts(learning_rate, epochs, steps_per_epoch, parts, cycles, end):
    done = [part * cycles % parts / parts for part in range(parts)]
    rates = [learning_rate * (end + (1 - end) * (1 + math.cos(math.pi * share)) / 2) for share in done]
    return _changing(rates, [part / parts for part in range(1, parts)], epochs, steps_per_epoch)


def _step(learning_rate, epochs, steps_per_epoch, after: tuple[float, ...], factor: Share = 0.5):
    if not after or list(after) != sorted(set(after)) or not all(0 < share < 1 for share in after):
        raise ValueError(f"`after` must be increasing shares between 0 and 1. Received: after={after!r}")
    rates = [learning_rate * factor**drops for drops in range(len(after) + 1)]
    return _changing(rates, after, epochs, steps_per_epoch)


def _changing(rates, after, epochs, steps_per_epoch):
    """Constant rates, each of which takes over after a share of all steps."""
    # Keras keeps the old rate at the boundary itself, and epoch e begins with step e * steps.
    boundaries = [round(share * epochs * steps_per_epoch) - 1 for share in after]
    return schedules.PiecewiseConstantDecay(boundaries, rates)


SCHEDULES = {"constant": _constant, "cosine": _cosine, "cosine_restarts": _cosine_restarts, "step": _step}
