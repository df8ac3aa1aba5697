"""The check of a recipe: every name in it is a key of its registry, and every value one that can be right."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from skinkit import data, evaluation, models, pipeline, tasks, training
from skinkit.data.external_test import OVERLAPS
from skinkit.data.splits.grouping import GROUPS
from skinkit.data.splits.split import PARTS, check_fractions
from skinkit.evaluation.combining.stages import RULES
from skinkit.evaluation.combining.view_means import MEANS
from skinkit.experiments.predictions import RESCORING
from skinkit.layers import LAYERS, RandomMap, SoftAttention
from skinkit.models.patient_network import CONTEXTS
from skinkit.names import check_name
from skinkit.papers.choice import choice_fields
from skinkit.papers.members import Members
from skinkit.papers.published import published_row
from skinkit.pipeline.spec import STRATEGIES
from skinkit.tasks.batches import BALANCING, pipeline_spec
from skinkit.tasks.distillation import Teaching
from skinkit.tasks.feature_classifier import CLASSIFIERS, FEATURES, OWN_OPTIONS
from skinkit.tasks.two_stage import STAGE_OPTIONS
from skinkit.training.loss_weights import DIAGNOSIS_MODES
from skinkit.training.losses import LOSSES
from skinkit.training.optimisers import OPTIMISERS
from skinkit.training.schedules import SCHEDULES
from skinkit.values import Count, NonNegative, Share, check_options, check_value


def _nothing():
    """A function without options."""


@dataclass(frozen=True)
class Registry:
    """The names that a `Choice` may have.

    Args:
        what: String, plural of what is named, for messages.
        known: Mapping from each name to the function whose parameters are its options.
        filled_in: Names of the parameters that are not options: they are given when it is run.
    """

    what: str
    known: Mapping[str, Callable]
    filled_in: tuple[str, ...] = ()

    def check(self, choice):
        """Raises `ValueError` for an unknown name, option or value of a `Choice`."""
        check_name(self.what, choice.name, self.known)
        others = _TAKEN_OUT.get(choice.name, ())
        options = {name: value for name, value in choice.options.items() if name not in others}
        # Of a split, it is the entry that stands in the registry.
        function = getattr(self.known[choice.name], "function", self.known[choice.name])
        check_options(choice.name, (function,), options, self.filled_in)
        for option in _VALUES.keys() & choice.options.keys():
            check_name(f"Values of `{option}`", choice.options[option], _VALUES[option])
        _check_numbers(choice.name, choice.options)


_BALANCED = ("labels", "classes", "rows", "table", "patients", "patients_per_batch")
_SCHEDULED = ("learning_rate", "epochs", "steps_per_epoch", "monitor")
# Of each field of a recipe or phase with a `Choice`, except `model`, whose options are its backbone's, too.
REGISTRIES = {
    "target": Registry("Targets", data.TARGETS, ("labels",)),
    "split": Registry("Splits", data.SPLITS, ("table", "fold", "folder", "index_file")),
    "offline": Registry("Offline augmentations", {"augment_offline": data.augment_offline}, ("table",)),
    "external": Registry(
        "External sets", dict.fromkeys(data.CATALOG, data.external_test), ("table", "split", "other")
    ),
    "input": Registry(
        "Inputs",
        {"downsampling": _nothing, **dict.fromkeys(STRATEGIES, pipeline.Crops)},
        ("strategy", "size"),
    ),
    "mixing": Registry("Mixings", pipeline.MIXINGS),
    "teaching": Registry("Teachings", {"distillation": Teaching}),
    "balancing": Registry("Balancings", BALANCING, _BALANCED),
    "loss": Registry("Losses", LOSSES, ("name",)),
    "classifier": Registry("Classifiers", CLASSIFIERS, ("random_state", "n_jobs")),
    "stages": Registry("Rules of two stages", RULES, ("gate", "rest")),
    "members": Registry("Rules of ensembles", dict.fromkeys(evaluation.ENSEMBLE_RULES, Members)),
    "tta": Registry("Views", dict.fromkeys(pipeline.VIEWS, evaluation.mean_over_views), ("probabilities",)),
    "rescoring": Registry("Rescorings", dict.fromkeys(RESCORING, _nothing)),
    "optimiser": Registry("Optimisers", OPTIMISERS, ("name",)),
    "schedule": Registry("Schedules", {**SCHEDULES, "plateau": training.Plateau}, _SCHEDULED),
}
# Options which are taken out before the function is called.
_TAKEN_OUT = {
    "augment_offline": ("before_split",),
    "class_weights": ("over",),
    "focal": ("power",),
    **dict.fromkeys(pipeline.SAMPLERS, ("weights",)),
    **dict.fromkeys(CLASSIFIERS, OWN_OPTIONS),
    **dict.fromkeys(RULES, STAGE_OPTIONS),
}
# Options whose values are names, too.
_VALUES = {
    "group": GROUPS,
    "overlap": OVERLAPS,
    "over": ("train", "all"),
    "mode": DIAGNOSIS_MODES,
    "length": ("released", "equal"),
    "features": FEATURES,
    "of": MEANS,
}
# Options that are numbers, of functions which do not say so themselves.
_NUMBERS = {
    **dict.fromkeys(("learning_rate", "epsilon", "weight_decay"), NonNegative),
    **dict.fromkeys(("momentum", "ema_momentum"), Share),
    "n_estimators": Count,
}


def check_plan(plan):
    """Checks the recipe of a `Plan` and of all that come first for it: see `check_recipe`."""
    for each in plan.with_needs():
        check_recipe(each.resolved, [first.resolved for first in each.handed])


def check_recipe(recipe, needs=()):
    """Raises `ValueError` for a name, option or value in a recipe that cannot be right, with the nearest one.

    Nothing is read or built but what costs next to nothing: neither images nor a network.

    Args:
        recipe: A resolved `Recipe`.
        needs: Those in its `needs`, resolved likewise.
    """
    try:
        for each in (recipe, *recipe.phases):
            _check_choices(each)
        _check_classes(recipe)
        if recipe.published:
            published_row(recipe.published)
        _check_fields(recipe)
        _check_training(recipe)
        pipeline_spec(recipe, augment=True)
        tasks.of(recipe).build_on(list(map(tasks.of, needs)))
    except ValueError as error:
        # Some say it themselves.
        said = str(error).removeprefix(f"{recipe.name}: ")
        raise ValueError(f"{recipe.name}: {said}") from error


def _check_classes(recipe):
    labels = data.target_of(recipe.classes, recipe.target).labels
    check_name("Classes that may be `positive`", recipe.positive, labels)
    for label in recipe.balancing.options.get("weights", {}):
        check_name("Classes", label, labels)
    metrics = (*evaluation.summary_names(labels, recipe.positive), *evaluation.table_metrics(labels), "auc")
    for name in recipe.tolerance:
        check_name("Scores", name, dict.fromkeys(metric.partition(":")[0] for metric in metrics))


def _check_choices(of):
    for field in choice_fields(type(of)):
        choice = vars(of)[field]
        if choice is not None and field != "model":
            REGISTRIES[field].check(choice)


def _check_fields(recipe):
    name, options = recipe.model.name, {**recipe.model.options, **recipe.model_size}
    check_options(name, models.makers(name, **options), options, ("input_shape", "classes", "image", "name"))
    _check_numbers(name, options)
    _check_layers(options)
    check_options("`augmentation`", (pipeline.Augmentation,), recipe.augmentation)
    filled_in = ("n", "seed", "folder", "workers", "progress")
    check_options("`drawing`", (data.synthetic,), recipe.drawing, filled_in)
    for part in f"{recipe.selection_part}+{recipe.test_part}".split("+"):
        check_name("Parts", part, PARTS)
    if "fractions" in recipe.split.options:
        _check_fractions(recipe, check_fractions(recipe.split.options["fractions"]))


def _check_numbers(of, options):
    for option in _NUMBERS.keys() & options.keys():
        check_value(of, option, options[option], _NUMBERS[option])


def _check_layers(options):
    """The options of layers among those of a model, by making the layers, which costs nothing unbuilt."""
    attention = RandomMap if options.get("attention") == "random_map" else SoftAttention
    made = {"soft_attention": attention, "context_options": CONTEXTS[options.get("context", "attention")]}
    if (layer := options.get("layer")) is not None:
        check_name("Layers", layer, LAYERS)
        made["layer_options"] = LAYERS[layer]
    for option in made.keys() & options.keys():
        if isinstance(options[option], Mapping) and made[option]:
            check_options(f"`{option}`", (made[option],), options[option])
            made[option](**options[option])


def _check_fractions(recipe, fractions):
    asked = f"{recipe.test_part}+{recipe.selection_part}" if recipe.compares_epochs else recipe.test_part
    # With an external set, the parts are others than the split's.
    for part in () if recipe.external else asked.split("+"):
        check_name("`fractions`: Parts", part, fractions)


def _check_mixing(recipe):
    if recipe.mixing is None:
        return
    pipeline.MIXINGS[recipe.mixing.name](**recipe.mixing.options)
    if recipe.balancing.name.endswith("_weights") or recipe.balancing.options.get("weights"):
        raise ValueError(
            "A mixed image has two labels, and a loss weight is of one. Give the focal loss an `alpha` by "
            f"class instead. Received: mixing={recipe.mixing}, balancing={recipe.balancing}"
        )


def _check_training(recipe):
    # As if each class had one training image.
    labels = data.target_of(recipe.classes, recipe.target).labels
    options = training.resolve_alpha(recipe.loss.options, labels, labels)
    training.build_loss(recipe.loss.name, **options)
    _check_mixing(recipe)
    for phase in recipe.phases:
        _check_phase(recipe, phase)
    monitors = tasks.of(recipe).monitors
    if recipe.compares_epochs or any(phase.schedule.name == "plateau" for phase in recipe.phases):
        check_name("Monitors", recipe.monitor, monitors)


def _check_phase(recipe, phase):
    rate, schedule = phase.optimiser.options.get("learning_rate"), phase.schedule
    if rate is None:
        raise ValueError(f"An optimiser needs a learning_rate. Received: {phase.optimiser}")
    if schedule.name == "plateau":
        training.Plateau(recipe.monitor, **schedule.options)
    else:
        # As if there were many images: how many there are changes the steps alone.
        training.build_schedule(schedule.name, rate, phase.epochs, 1000, **schedule.options)
    looks = recipe.selection == "best" and recipe.epochs_between_looks == 1
    if phase.patience and (schedule.name == "plateau" or not looks):
        raise ValueError(
            "`patience` counts epochs without a better `monitor`: it needs selection='best', a look after "
            "each epoch, and another schedule than plateau, which has a `stop` of its own. Received: "
            f"patience={phase.patience}, selection={recipe.selection!r}, "
            f"selection_every={recipe.selection_every}, schedule={schedule}"
        )
