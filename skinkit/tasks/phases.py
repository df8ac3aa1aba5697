"""The phases of a training, as a recipe says them."""

from skinkit import models, training

_TRAINABLE = {
    "all": lambda model: None,
    "head": models.head_layers,
    "all_but_batch_normalization": models.all_but_batch_normalization,
}


def training_phases(recipe, model, steps, **compiled):
    """Returns the recipe's phases as `skinkit.training.TrainingPhase`s.

    Args:
        recipe: A resolved `Recipe`.
        model: Its model, whose head the `"head"` phases train.
        steps: Integer, steps per epoch, to which the schedules are stretched.
        **compiled: `loss`, `loss_weights` and `metrics` of `skinkit.training.TrainingPhase`.
    """
    return [_phase(phase, recipe.monitor, model, steps, compiled) for phase in recipe.phases]


def _phase(phase, monitor, model, steps, compiled):
    options = dict(phase.optimiser.options)
    rate = options.pop("learning_rate")
    name, asked, plateau = _schedule(phase, monitor)

    def optimiser():
        schedule = training.build_schedule(name, rate, phase.epochs, steps, **asked)
        return training.build_optimiser(phase.optimiser.name, schedule, **options)

    trainable = _TRAINABLE[phase.trainable](model)
    return training.TrainingPhase(phase.epochs, optimiser, trainable=trainable, plateau=plateau, **compiled)


def _schedule(phase, monitor):
    """Name and options of the schedule, and what follows scores and not the number of steps."""
    schedule = phase.schedule
    if schedule.name == "plateau":
        return "constant", {}, training.Plateau(monitor, **schedule.options)
    early = training.Plateau(monitor, phase.patience) if phase.patience else None
    return schedule.name, schedule.options, early
