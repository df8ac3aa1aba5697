"""The base of all kinds of learning."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from types import MappingProxyType
from typing import NamedTuple

import keras
import numpy as np

from skinkit import data, models, pipeline, training
from skinkit.tasks.batches import TrainingBatches, pipeline_spec, training_batches
from skinkit.tasks.phases import training_phases


class Prepared(NamedTuple):
    """The arguments of one `skinkit.training.fit` that depend on the images."""

    model: keras.Model
    batches: TrainingBatches
    callbacks: Sequence[keras.callbacks.Callback] = ()


class Explanation(NamedTuple):
    """Images with the class probabilities and the maps of a model.

    Args:
        images: float32 array `(n, height, width, 3)`, RGB from 0 to 1.
        probabilities: Array `(n, classes)`.
        maps: Dictionary by name of arrays `(n, rows, columns)` over the images.
        answers: Dictionary by name of a map, to `(labels, probabilities)` of the stage whose map it is; empty
            where the maps are those of the whole model.
    """

    images: np.ndarray
    probabilities: np.ndarray
    maps: dict[str, np.ndarray]
    answers: dict[str, tuple[Sequence[str], np.ndarray]] = MappingProxyType({})


class Task(ABC):
    """A kind of learning: makes, trains, watches, asks and explains the network of a recipe.

    A subclass gives `suits` and `validator`; `predictor` and `explain` where its network tells classes apart;
    and changes of the rest what differs.

    Args:
        recipe: A resolved `Recipe`.

    Example:
        >>> task = tasks.of(recipe)
        >>> model = task.model()
        >>> task.train(model, run_data, seed=0, folder=folder)
        >>> probabilities = task.predictor(model)(rows)
    """

    metrics = ("accuracy",)  # of Keras, to watch
    loss_weights = None  # by output, where there are several
    monitors = ()  # scores of `validator` that may select an epoch, the larger the better
    has_views = False  # whether the predictions of several views of an image may be averaged
    mixes = False  # whether it learns from the mixed images and labels of a batch
    is_taught = False  # whether other networks take part in its targets
    asks_one_image = False  # whether the pixels of an image are all that its classes come from

    @staticmethod
    @abstractmethod
    def suits(recipe):
        """Returns whether this is the kind of learning that the fields of a resolved `Recipe` ask for."""

    def __init__(self, recipe):
        self.recipe, self.labels = recipe, data.target_of(recipe.classes, recipe.target).labels
        if recipe.tta is not None and not self.has_views:
            raise ValueError(
                f"{recipe.name}: `tta` belongs to networks that classify one image at a time, not to several "
                f"crops, autoencoders or patient context. Received: tta={recipe.tta}"
            )
        if recipe.mixing is not None and not self.mixes:
            raise ValueError(
                f"{recipe.name}: `mixing` belongs to networks that learn the label of each image by itself, "
                f"not to autoencoders and patient context. Received: mixing={recipe.mixing}"
            )
        if recipe.teaching is not None and not self.is_taught:
            raise ValueError(
                f"{recipe.name}: `teaching` belongs to networks that classify one image at a time and learn "
                f"nothing beside. Received: teaching={recipe.teaching}"
            )

    def build_on(self, needs):  # noqa: B027 - a start from other weights is checked with the weights
        """Takes the tasks whose trained models it is handed.

        Args:
            needs: The `Task`s of the recipes in `Recipe.needs`, or of the members of an ensemble.

        Raises:
            ValueError: when the recipe cannot use one of them; nothing need be trained to know.
        """

    def model(self, weights=None, needed=()):
        """Returns the recipe's Keras model, untrained.

        Args:
            weights: A file, `"imagenet"` or `"none"` instead of the recipe's own; `None` for these.
            needed: The trained models of the tasks of `build_on`; the weights of the first are taken over by
                layer name.

        Raises:
            FileNotFoundError: when the weights are not there.
            ValueError: for weights that do not fit.
        """
        options = {**self.recipe.model.options, **self.recipe.model_size}
        if needed or weights == "none":
            options["weights"] = None
        elif weights is not None:
            options["weights"] = weights
        shape = pipeline_spec(self.recipe, augment=False).input_shape
        model = models.build(self.recipe.model.name, shape, len(self.labels), **options)
        if needed:
            models.take_over_weights(model, needed[0])
        return model

    def losses(self, labels):
        """Returns the loss; a dictionary by output name for a model of several outputs.

        Args:
            labels: Sequence of labels, one per training image.
        """
        name, options = self.recipe.loss.name, self.recipe.loss.options
        return training.build_loss(name, **training.resolve_alpha(options, self.labels, labels))

    def prepare(self, model, run_data, seed, folder):
        """Returns what `skinkit.training.fit` trains: a form of the model, its batches and callbacks.

        Args:
            model: As in `train`.
            run_data: As in `train`.
            seed: As in `train`.
            folder: As in `train`.
        """
        return Prepared(model, training_batches(self.recipe, run_data, seed))

    def train(self, model, run_data, seed, folder, verbose=1, callbacks=()):
        """Trains the model, or goes on where a training in `folder` was stopped.

        Args:
            model: The model of `model`, which is changed.
            run_data: `skinkit.experiments.run_data.RunData`.
            seed: Integer, of the order and the augmentation.
            folder: The run's own folder.
            verbose: As in `keras.Model.fit`.
            callbacks: Further Keras callbacks, as in `skinkit.training.fit`.

        Returns:
            The history: a DataFrame with one row per epoch.
        """
        recipe, prepared = self.recipe, self.prepare(model, run_data, seed, folder)
        compiled = {"loss": self.losses(run_data.rows("train")["label"]), "loss_weights": self.loss_weights}
        compiled["metrics"] = self.metrics
        with pipeline.naming_images():
            return training.fit(
                prepared.model,
                training_phases(recipe, model, prepared.batches.steps, **compiled),
                prepared.batches,
                folder,
                callbacks=[*prepared.callbacks, *callbacks],
                validate=self._validate(model, run_data.rows(recipe.selection_part)),
                validate_every=recipe.epochs_between_looks,
                monitor=recipe.monitor if recipe.compares_epochs else None,
                end_with=recipe.selection,
                verbose=verbose,
            )

    def _validate(self, model, rows):
        if rows.empty and self.recipe.selection == "last":
            return None
        score = self.validator(model, rows)
        # The argument is ignored: it may be another graph over the same layers.
        return lambda _: score()

    @abstractmethod
    def validator(self, model, rows) -> Callable[[], dict[str, float]]:
        """Returns the function that scores the model, as it is by then, on labelled manifest rows."""

    def predictor(self, model) -> Callable:
        """Returns the function from manifest rows to class probabilities `(n, classes)`.

        It needs no labels.

        Raises:
            ValueError: for a network that tells no classes apart.
        """
        raise self.no_classes()

    def standalone(self, model):
        """Returns the Keras model from images of `evaluation_images` to what `predictor` answers.

        Raises:
            ValueError: when the probabilities do not come from one network that sees one image.
        """
        raise self.not_one_network()

    def explain(self, model, rows, label=None) -> Explanation:
        """Returns the `Explanation` of manifest rows, which need no labels.

        Args:
            model: The trained model.
            rows: Manifest rows.
            label: String, one of `labels`: the class whose evidence Grad-CAM shows; `None` for that which
                each image is given.

        Raises:
            ValueError: when the probabilities do not come from the network alone.
        """
        raise self.no_classes()

    def no_classes(self):
        """Returns the error of a network without class probabilities and without a classifier."""
        return ValueError(
            f"{self.recipe.name}: {self.recipe.model.name} tells no classes apart. Give the recipe a "
            "`classifier` of its features"
        )

    def not_one_network(self):
        """Returns the error of a model that no file of another format can hold."""
        return ValueError(
            f"{self.recipe.name} ({type(self).__name__}): no file can hold all of it: its probabilities do "
            "not come from one network that sees one image. `skinkit evaluate` asks the run as it is"
        )

    def save(self, folder):  # noqa: B027 - most kinds have nothing to save
        """Writes what is learned besides the weights of the model; nothing by default."""

    def restore(self, folder, model, run_data, seed):  # noqa: B027
        """Reads what `save` wrote, or learns it again where an older version did not write it.

        Args:
            folder: The run's own folder.
            model: The trained model.
            run_data: Function without arguments that returns the run's `RunData`.
            seed: Seed of the run.
        """
