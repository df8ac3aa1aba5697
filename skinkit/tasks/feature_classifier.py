"""Classification by scikit-learn on the features of a trained network, and these features themselves."""

import dataclasses
import functools

import numpy as np
import pandas as pd
from sklearn.decomposition import IncrementalPCA
from sklearn.ensemble import ExtraTreesClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skinkit import data, models, pipeline
from skinkit.files import reading, writing
from skinkit.names import check_name
from skinkit.tasks.batches import evaluation_images
from skinkit.tasks.task import Task

CLASSIFIERS = {"extra_trees": ExtraTreesClassifier, "logistic_regression": LogisticRegression}
FEATURES = ("bottleneck_mean", "bottleneck_pca", "pooled")
# Options of a recipe's classifier that are not scikit-learn's.
OWN_OPTIONS = ("features", "components", "metadata")
_FILE = "classifier.skops"
# Scikit-learn follows a tree's nodes without checking their numbers, so skops wants the type to be named.
_TRUSTED = ["sklearn.tree._tree.Tree"]

# Images whose whole bottlenecks, 25,088 values each at full size, are in memory at once.
_PIECE = 1024


class FeatureClassifier(Task):
    """A scikit-learn classifier on features of the network that another task trains.

    It is fitted on the training images as they are, without augmentation. Options of the recipe's
    `classifier`: `features`, one of `FEATURES`, where `bottleneck_pca` is the whole bottleneck reduced to
    `components` (default 256) principal components of the training images; `metadata`, whether sex, age and
    site are laid beside the features; all others are scikit-learn's own. With `tta`, the features of an image
    are the mean of those of its views, in training too.

    Args:
        task: The `Task` of the network.

    Raises:
        ValueError: for an unknown classifier or unknown features, or images that the network sees as several
            crops; or for `tta` with options.
    """

    has_views = mixes = is_taught = True  # where the network's own task does

    @staticmethod
    def suits(recipe):
        return recipe.classifier is not None

    def __init__(self, task):
        super().__init__(task.recipe)
        self.task, self.monitors, self.fitted = task, task.monitors, None
        choice, views = self.recipe.classifier, self.recipe.tta
        check_name("Classifiers", choice.name, CLASSIFIERS)
        check_name("Values of `features`", choice.options.get("features"), FEATURES)
        if views and views.options:
            raise ValueError(
                f"{self.recipe.name}: the mean over views is that of their features. Received: tta={views}"
            )
        if self.recipe.input.name in ("multi_crop", "ordered_crops") or self.recipe.score_best:
            raise ValueError(
                f"{self.recipe.name}: features are taken from networks that see one image at a time, after "
                f"the last epoch. Received: input={self.recipe.input}, score_best={self.recipe.score_best}"
            )

    def build_on(self, needs):
        self.task.build_on(needs)

    def model(self, weights=None, needed=()):
        return self.task.model(weights, needed)

    def train(self, model, run_data, seed, folder, verbose=1, callbacks=()):
        history = self.task.train(model, run_data, seed, folder, verbose, callbacks)
        self.fit(model, run_data, seed)
        return history

    def validator(self, model, rows):
        return self.task.validator(model, rows)

    def fit(self, model, run_data, seed):
        """Fits the classifier on the training images.

        Args:
            model: The trained model.
            run_data: `skinkit.experiments.run_data.RunData`.
            seed: Integer; equal seeds give equal probabilities.
        """
        train = run_data.rows("train")
        classifier = _make(self.recipe.classifier, seed)
        reduction, metadata = self._reduction(model, train), None
        if self.recipe.classifier.options.get("metadata"):
            metadata = dataclasses.asdict(data.MetadataEncoder.fit(train))
        self.fitted = {"classifier": classifier, "reduction": reduction, "metadata": metadata}
        classifier.fit(self.describe(model, train), pd.Index(self.labels).get_indexer(train["label"]))
        if "n_jobs" in classifier.get_params():
            # Threads add up the trees in any order, which changes the last digits.
            classifier.set_params(n_jobs=1)

    def save(self, folder):
        # Here, because it takes a second, and most runs have no classifier.
        from skops import io

        with writing(folder / _FILE) as part:
            io.dump(self.fitted, part)

    def restore(self, folder, model, run_data, seed):
        if (folder / _FILE).exists():
            self.load(folder / _FILE)
        else:
            self.fit(model, run_data(), seed)

    def load(self, path):
        """Reads what `save` wrote, which must come from somebody you trust, like the model.

        Raises:
            ValueError: when the file is damaged, or holds other types than a classifier of this kit.
        """
        from skops import io

        with reading(path, "Delete it: the classifier is then fitted again, on the training images"):
            if unknown := set(io.get_untrusted_types(file=path)) - set(_TRUSTED):
                raise ValueError(f"it holds types that no classifier has: {', '.join(sorted(unknown))}")
            self.fitted = io.load(path, trusted=_TRUSTED)

    def describe(self, model, rows):
        """Returns what the classifier reads of manifest rows, `(n, d)`."""
        features = self._features(model)
        if reduction := self.fitted["reduction"]:
            found = np.concatenate([reduction.transform(features(piece)) for piece in _pieces(rows)])
        else:
            found = features(rows)
        if metadata := self.fitted["metadata"]:
            found = np.hstack([found, data.MetadataEncoder(**metadata).encode(rows)])
        return found

    def predictor(self, model):
        classifier = self.fitted["classifier"]

        def predict(rows):
            found = np.zeros((len(rows), len(self.labels)))
            found[:, classifier.classes_] = classifier.predict_proba(self.describe(model, rows))
            return found

        return predict

    def explain(self, model, rows, label=None):
        raise ValueError(
            "Grad-CAM follows a class through a network; this run's classes come from a classifier beside "
            f"it. Received: classifier={self.recipe.classifier}"
        )

    def _features(self, model):
        """The function from manifest rows to the features of their images, before any reduction."""
        of = self.recipe.classifier.options["features"]
        views = self.recipe.tta and self.recipe.tta.name
        return functools.partial(image_features, model, self.recipe, of=of.removesuffix("_pca"), views=views)

    def _reduction(self, model, train):
        options = self.recipe.classifier.options
        if options["features"] != "bottleneck_pca":
            return None
        return _fit_reduction(self._features(model), train, options.get("components", 256))


def image_features(model, recipe, rows, of="pooled", views=None):
    """Returns what a trained network has found in images, as feature vectors.

    Args:
        model: The recipe's trained model.
        recipe: The resolved `Recipe` the model was built from.
        rows: Manifest rows.
        of: `"pooled"`, the features below the last layer of a classifier; `"bottleneck_mean"`, the mean of
            each channel of an autoencoder's bottleneck; or `"bottleneck"`, its values one by one.
        views: String, a key of `skinkit.pipeline.VIEWS`, over whose views they are averaged; `None` for the
            image as it is.

    Returns:
        float32 array `(n, d)` in the order of the rows.

    Raises:
        ValueError: for unknown features.
    """
    networks = {
        "pooled": models.pooled_features,
        "bottleneck_mean": models.bottleneck_features,
        "bottleneck": functools.partial(models.bottleneck_features, pooled=False),
    }
    check_name("Features", of, networks)
    network = models.traced(networks[of](model))
    found = []
    for images in evaluation_images(recipe, rows):
        seen = pipeline.image_views(images, views) if views else [images]
        found.append(np.mean([network.predict_on_batch(view) for view in seen], axis=0))
    return np.concatenate(found)


def _fit_reduction(features, train, components):
    """Principal components, piece by piece: memory does not grow with the number of images."""
    reduction = None
    for piece in map(features, _pieces(train)):
        # Small images have small bottlenecks, and a piece can have no more components than images.
        reduction = reduction or IncrementalPCA(min(components, *piece.shape))
        reduction.partial_fit(piece)
    return reduction


def _pieces(rows):
    """The rows in pieces of equal length, none much shorter than `_PIECE` where there are as many."""
    cuts = np.array_split(np.arange(len(rows)), max(1, len(rows) // _PIECE))
    return [rows.iloc[cut].reset_index(drop=True) for cut in cuts]


def _make(choice, seed):
    make = CLASSIFIERS[choice.name]
    options = {name: value for name, value in choice.options.items() if name not in OWN_OPTIONS}
    if choice.name == "extra_trees":
        return make(random_state=seed, n_jobs=-1, **options)
    return make_pipeline(StandardScaler(), make(random_state=seed, **{"max_iter": 1000, **options}))
