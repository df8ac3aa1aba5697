"""Kinds of learning: all that differs by what a network learns, and from what."""

from skinkit import models
from skinkit.names import check_name
from skinkit.tasks.autoencoding import Autoencoding
from skinkit.tasks.classification import Classification, MultiCrop, OrderedCrops
from skinkit.tasks.feature_classifier import FeatureClassifier
from skinkit.tasks.patient_context import PatientContext
from skinkit.tasks.task import Explanation, Prepared, Task

__all__ = [
    "Autoencoding",
    "Classification",
    "Explanation",
    "FeatureClassifier",
    "MultiCrop",
    "OrderedCrops",
    "PatientContext",
    "Prepared",
    "Task",
    "of",
]

_BY_INPUT = {"multi_crop": MultiCrop, "ordered_crops": OrderedCrops}


def of(recipe):
    """Returns the task of a resolved recipe, as its fields say it.

    Args:
        recipe: A resolved `Recipe`.

    Raises:
        ValueError: for an unknown model, or fields that do not go together.

    Example:
    >>> type(of(papers.recipe("hernandez2020/table3/cae-extra-trees").resolve())).__name__
    'FeatureClassifier'
    """
    network = _kind_of_network(recipe)(recipe)
    return network if recipe.classifier is None else FeatureClassifier(network)


def _kind_of_network(recipe):
    check_name("Models", recipe.model.name, models.MODELS)
    if models.MODELS[recipe.model.name].reconstructs:
        return Autoencoding
    if recipe.model.name == "patient_network" and recipe.model.options.get("context") != "none":
        return PatientContext
    return _BY_INPUT.get(recipe.input.name, Classification)
