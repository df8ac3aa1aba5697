"""The registries that the names in a recipe are keys of, and the check of a recipe against them."""

from skinkit import data, evaluation, models, pipeline, tasks, training
from skinkit.data.external_test import OVERLAPS
from skinkit.data.grouping import GROUPS
from skinkit.data.splits import PARTS
from skinkit.evaluation.tta import MEANS, VIEWS
from skinkit.experiments.predictions import RESCORING
from skinkit.names import check_name, check_options
from skinkit.pipeline.spec import STRATEGIES
from skinkit.tasks.batches import BALANCING, pipeline_spec
from skinkit.tasks.feature_classifier import CLASSIFIERS, FEATURES, OWN_OPTIONS
from skinkit.training.loss_weights import DIAGNOSIS_MODES
from skinkit.training.losses import LOSSES
from skinkit.training.optimisers import OPTIMISERS
from skinkit.training.schedules import SCHEDULES


def _nothing():
    """A function without options."""


# Of each field with a `Choice`: what its names are, the functions whose parameters are the options, and the
# parameters that are filled in when it is run.
REGISTRIES = {
    "split": (
        "Splits",
        {name: entry.function for name, entry in data.SPLITS.items()},
        ("table", "fold", "folder", "index_file"),
    ),
    "offline": ("Offline augmentations", {"augment_offline": data.augment_offline}, ("table",)),
    "external": (
        "External sets",
        dict.fromkeys(data.CATALOG, data.external_test),
        ("table", "split", "other"),
    ),
    "input": (
        "Inputs",
        {"downsampling": _nothing, **dict.fromkeys(STRATEGIES, pipeline.Crops)},
        ("strategy", "size"),
    ),
    "balancing": (
        "Balancings",
        BALANCING,
        ("labels", "classes", "rows", "table", "patients", "patients_per_batch"),
    ),
    "loss": ("Losses", LOSSES, ("name",)),
    "tta": ("Views", dict.fromkeys(VIEWS, evaluation.mean_over_views), ("probabilities",)),
    "rescoring": ("Rescorings", dict.fromkeys(RESCORING, _nothing), ()),
}
_SCHEDULES = {**SCHEDULES, "plateau": training.Plateau}
# Options which are taken out before the function is called.
_TAKEN_OUT = {
    "augment_offline": ("before_split",),
    "class_weights": ("over",),
    **dict.fromkeys(pipeline.SAMPLERS, ("weights",)),
    **dict.fromkeys(CLASSIFIERS, OWN_OPTIONS),
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


def check_recipe(recipe):
    """Raises `ValueError` for an unknown name, option or class in a recipe, with the nearest known one.

    Nothing is read or built but what costs next to nothing: neither images nor a network.

    Args:
        recipe: A resolved `Recipe`.
    """
    try:
        _check_classes(recipe)
        for field, (what, known, given) in REGISTRIES.items():
            _check_choice(what, getattr(recipe, field), known, given)
        if recipe.classifier is not None:
            _check_classifier(recipe.classifier)
        _check_fields(recipe)
        _check_training(recipe)
        pipeline_spec(recipe, augment=True)
    except ValueError as error:
        raise ValueError(f"{recipe.name}: {error}") from error


def _check_classes(recipe):
    check_name("Class maps", recipe.classes, data.CLASS_MAPS)
    labels = data.CLASS_MAPS[recipe.classes].labels
    for label in (recipe.positive, *recipe.balancing.options.get("weights", {})):
        check_name("Classes", label, labels)
    metrics = (*evaluation.summary_names(labels, recipe.positive), *evaluation.table_metrics(labels), "auc")
    for name in recipe.tolerance:
        check_name("Scores", name, dict.fromkeys(metric.partition(":")[0] for metric in metrics))


def _check_choice(what, choice, known, given):
    if choice is None:
        return
    check_name(what, choice.name, known)
    taken_out = _TAKEN_OUT.get(choice.name, ())
    _check_options(choice.name, (known[choice.name],), choice.options, given, taken_out)


def _check_options(of, functions, options, given=(), taken_out=()):
    check_options(of, functions, {k: v for k, v in options.items() if k not in taken_out}, given)
    for option in _VALUES.keys() & options.keys():
        check_name(f"Values of `{option}`", options[option], _VALUES[option])


def _check_classifier(choice):
    check_name("Classifiers", choice.name, CLASSIFIERS)
    check_name("Values of `features`", choice.options.get("features"), FEATURES)
    _check_choice("Classifiers", choice, CLASSIFIERS, ("random_state", "n_jobs"))


def _check_fields(recipe):
    name, options = recipe.model.name, {**recipe.model.options, **recipe.model_size}
    check_options(name, models.makers(name, **options), options, ("input_shape", "classes", "image", "name"))
    check_options("`augmentation`", (pipeline.Augmentation,), recipe.augmentation)
    filled_in = ("n", "seed", "folder", "workers", "progress")
    check_options("`drawing`", (data.synthetic,), recipe.drawing, filled_in)
    for part in f"{recipe.selection_part}+{recipe.test_part}".split("+"):
        check_name("Parts", part, PARTS)


def _check_training(recipe):
    training.build_loss(recipe.loss.name, **recipe.loss.options)
    for phase in recipe.phases:
        _check_choice("Optimisers", phase.optimiser, OPTIMISERS, ("name",))
        if "learning_rate" not in phase.optimiser.options:
            raise ValueError(f"An optimiser needs a learning_rate. Received: {phase.optimiser}")
        filled_in = ("learning_rate", "epochs", "steps_per_epoch", "monitor")
        _check_choice("Schedules", phase.schedule, _SCHEDULES, filled_in)
    if recipe.compares_epochs or any(phase.schedule.name == "plateau" for phase in recipe.phases):
        check_name("Monitors", recipe.monitor, tasks.of(recipe).monitors)
