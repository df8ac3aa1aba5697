"""Averaged weights of a training, by Keras' own moving average, with batch statistics that belong to them."""

import contextlib

import keras

# Wu and Johnson (2021): about a thousand images are enough.
_BATCHES = 32


def averages_weights(optimizer):
    """Returns whether a Keras optimiser keeps an average of the weights (its option `use_ema`)."""
    # Under the one that scales the loss of float16.
    return getattr(optimizer, "inner_optimizer", optimizer).use_ema


@contextlib.contextmanager
def averaged_weights(model, batches, epoch):
    """Puts the averaged weights into the model within the block, and then its own back, to the last bit.

    Nothing happens where the optimiser keeps no average. `keras.callbacks.SwapEMAWeights` swaps by adding and
    subtracting, which rounds, and leaves the batch statistics as they are.

    Args:
        model: A compiled `keras.Model`, trained for one step at least.
        batches: As in `skinkit.training.fit`.
        epoch: Integer, epochs done; the statistics come from the batches of the next one.
    """
    if not averages_weights(model.optimizer):
        yield
        return
    # With the states of the random generators, which the statistics use.
    own = [variable.numpy() for variable in model.variables]
    keep_average(model, batches, epoch)
    try:
        yield
    finally:
        for variable, value in zip(model.variables, own, strict=True):
            variable.assign(value)


def keep_average(model, batches, epoch):
    """Puts the averaged weights into the model for good, as at the end of a phase.

    Args:
        model: As in `averaged_weights`.
        batches: As in `averaged_weights`.
        epoch: As in `averaged_weights`.
    """
    if averages_weights(model.optimizer):
        model.optimizer.finalize_variable_values(model.trainable_variables)
        refresh_batch_statistics(model, batches, epoch)


def refresh_batch_statistics(model, batches, epoch):
    """Computes moving means and variances again over training images, for the weights as they are.

    Those that a training leaves belong to the weights of its last steps, not to their average. Layers that do
    not train keep theirs.

    Args:
        model: A built `keras.Model`.
        batches: As in `skinkit.training.fit`; the first 32 are seen.
        epoch: Integer, the epoch whose batches they are, from 0.

    Reference:
    - [Wu, Johnson: Rethinking "Batch" in BatchNorm](https://arxiv.org/abs/2105.07576)
    """
    norms = [x for x in model.layers if isinstance(x, keras.layers.BatchNormalization) and x.trainable]
    if not norms:
        return
    _scale_statistics(norms, lambda momentum: 0.0)
    data, steps = batches(epoch)
    count = min(steps, _BATCHES)
    for images, *_ in data.take(count).as_numpy_iterator():
        model(images, training=True)
    # From zero, n steps of a moving mean give all they have seen a weight of 1 - momentum ** n.
    _scale_statistics(norms, lambda momentum: 1 / (1 - momentum**count))


def _scale_statistics(norms, factor):
    for layer in norms:
        for statistic in (layer.moving_mean, layer.moving_variance):
            statistic.assign(statistic * factor(layer.momentum))
