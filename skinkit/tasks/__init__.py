"""Kinds of learning: all that differs by what a network learns, and from what."""

from skinkit import models
from skinkit.names import check_name
from skinkit.tasks.autoencoding import Autoencoding
from skinkit.tasks.classification import Classification, MultiCrop, OrderedCrops
from skinkit.tasks.context_restoration import ContextRestoration, RestorationBesideClass
from skinkit.tasks.distillation import Distillation
from skinkit.tasks.ensemble import Ensemble
from skinkit.tasks.feature_classifier import FeatureClassifier
from skinkit.tasks.patient_context import PatientContext
from skinkit.tasks.rotation_pretext import RotationBesideClass, RotationPretext
from skinkit.tasks.task import Explanation, Prepared, Task
from skinkit.tasks.two_stage import TwoStage

# The first kind that suits a recipe is its task.
KINDS = [
    Ensemble,
    TwoStage,
    RotationPretext,
    RotationBesideClass,
    ContextRestoration,
    RestorationBesideClass,
    Autoencoding,
    PatientContext,
    MultiCrop,
    OrderedCrops,
    Distillation,
    Classification,
]


def of(recipe):
    """Returns the task of a resolved recipe, chosen by the recipe's fields.

    Args:
        recipe: A resolved `Recipe`.

    Raises:
        ValueError: for an unknown model, or fields that do not go together.

    Example:
        >>> type(of(papers.recipe("hernandez2020/table3/cae-extra-trees").resolve())).__name__
        'FeatureClassifier'
    """
    check_name("Models", recipe.model.name, models.MODELS)
    task = next(kind for kind in KINDS if kind.suits(recipe))(recipe)
    if FeatureClassifier.suits(recipe):
        return FeatureClassifier(task)
    if type(task).predictor is Task.predictor:
        raise task.no_classes()
    return task
