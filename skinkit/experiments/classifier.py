"""A scikit-learn classifier on the features of a trained network, and these features themselves."""

import dataclasses
import functools

import numpy as np
import pandas as pd

from skinkit.files import reading, writing
from skinkit.names import check_name

CLASSIFIERS = ("extra_trees", "logistic_regression")
FEATURES = ("bottleneck_mean", "bottleneck_pca", "pooled")
# Options of a recipe's classifier that are not scikit-learn's.
_OURS = ("features", "components", "metadata")
# Scikit-learn follows a tree's nodes without checking their numbers, so skops wants the type to be named.
_TRUSTED = ["sklearn.tree._tree.Tree"]

# Images whose whole bottlenecks, 25,088 values each at full size, are in memory at once.
_PIECE = 1024


def image_features(model, recipe, rows, labels, of="pooled"):
    """Returns what a trained network has found in images, as feature vectors.

    Args:
        model: The recipe's trained model.
        recipe: The resolved `Recipe` the model was built from.
        rows: Manifest rows.
        labels: Classes in the order of the model's outputs.
        of: `"pooled"`, the features below the last layer of a classifier; `"bottleneck_mean"`, the mean of
            each channel of an autoencoder's bottleneck; or `"bottleneck"`, its values one by one.

    Returns:
        float32 array `(n, d)` in the order of the rows.

    Raises:
        ValueError: for unknown features, or images that the network sees as several crops.
    """
    from skinkit import models
    from skinkit.experiments import build

    if recipe.input.name in ("multi_crop", "ordered_crops"):
        raise ValueError(
            f"{recipe.name}: features are taken from networks that see one picture at a time. "
            f"Received: input={recipe.input}"
        )
    network = models.traced(_network(model, of))
    batches = build.evaluation_batches(recipe, rows, labels)
    return np.concatenate([network.predict_on_batch(images) for images, _ in batches])


def _network(model, of):
    from skinkit import models

    networks = {
        "pooled": models.pooled_features,
        "bottleneck_mean": models.bottleneck_features,
        "bottleneck": functools.partial(models.bottleneck_features, pooled=False),
    }
    if of not in networks:
        raise ValueError(f"Features are {', '.join(networks)}. Received: of={of!r}")
    return networks[of](model)


class FeatureClassifier:
    """A scikit-learn classifier with what describes images to it: a network, and how features are reduced.

    Args:
        model: The recipe's trained model.
        recipe: A resolved `Recipe` with a `classifier`.
        labels: Classes in the order of the probabilities.
        fitted: Dictionary of what was fitted on the training images: `classifier`, and `reduction` and
            `metadata`, which are `None` where the recipe has none.

    Example:
    >>> fit_classifier(model, recipe, run_data, seed=0).save(folder / "classifier.skops")
    >>> FeatureClassifier.load(folder / "classifier.skops", model, recipe, labels)(rows).shape
    (12, 2)
    """

    def __init__(self, model, recipe, labels, fitted):
        self.model, self.recipe, self.labels, self.fitted = model, recipe, labels, fitted

    @classmethod
    def load(cls, path, model, recipe, labels):
        """Returns the classifier saved at `path`, which must come from somebody you trust, like the model.

        Args:
            path: Path of the file that `save` wrote.
            model, recipe, labels: As in the class.

        Raises:
            FileNotFoundError: when the file is missing.
            ValueError: when it is damaged, or holds other types than a classifier of this kit.
        """
        from skops import io

        with reading(path, "Delete it: the classifier is then fitted again, on the training images"):
            if unknown := set(io.get_untrusted_types(file=path)) - set(_TRUSTED):
                raise ValueError(f"it holds types that no classifier has: {', '.join(sorted(unknown))}")
            return cls(model, recipe, labels, io.load(path, trusted=_TRUSTED))

    def save(self, path):
        """Writes what was fitted, without the network, to `path`."""
        from skops import io

        with writing(path) as part:
            io.dump(self.fitted, part)

    def describe(self, rows):
        """Returns what the classifier reads of manifest rows, `(n, d)`."""
        from skinkit import data

        features = _features(self.model, self.recipe, self.labels)
        if reduction := self.fitted["reduction"]:
            found = np.concatenate([reduction.transform(features(piece)) for piece in _pieces(rows)])
        else:
            found = features(rows)
        if metadata := self.fitted["metadata"]:
            found = np.hstack([found, data.MetadataEncoder(**metadata).encode(rows)])
        return found

    def __call__(self, rows):
        """Returns class probabilities of manifest rows, float64 `(n, classes)`."""
        classifier = self.fitted["classifier"]
        found = np.zeros((len(rows), len(self.labels)))
        found[:, classifier.classes_] = classifier.predict_proba(self.describe(rows))
        return found


def fit_classifier(model, recipe, run_data, seed):
    """Fits the recipe's classifier on the training images, as they are: without augmentation.

    Options of the recipe's `classifier`: `features`, one of `FEATURES`, where `bottleneck_pca` is the whole
    bottleneck reduced to `components` (default 256) principal components of the training images; `metadata`,
    whether sex, age and site are laid beside the features; all others are scikit-learn's own, of
    `ExtraTreesClassifier` or `LogisticRegression`.

    Args:
        model: The recipe's trained model.
        recipe: A resolved `Recipe` with a `classifier`.
        run_data: Its `RunData`.
        seed: Integer; equal seeds give equal probabilities.

    Returns:
        `FeatureClassifier`.

    Raises:
        ValueError: for an unknown classifier or unknown features.
    """
    from skinkit import data

    train, labels = run_data.rows("train"), list(run_data.labels)
    options = {name: value for name, value in recipe.classifier.options.items() if name not in _OURS}
    classifier = _make(recipe.classifier.name, seed, options)
    reduction, metadata = _reduction(model, recipe, train, labels), None
    if recipe.classifier.options.get("metadata"):
        metadata = dataclasses.asdict(data.MetadataEncoder.fit(train))
    fitted = {"classifier": classifier, "reduction": reduction, "metadata": metadata}
    found = FeatureClassifier(model, recipe, labels, fitted)
    classifier.fit(found.describe(train), pd.Index(labels).get_indexer(train["label"]))
    if "n_jobs" in classifier.get_params():
        # Threads add up the trees in any order, which changes the last digits.
        classifier.set_params(n_jobs=1)
    return found


def _features(model, recipe, labels):
    """The function from manifest rows to the features of their images, before any reduction."""
    kind = recipe.classifier.options.get("features")
    if kind not in FEATURES:
        raise ValueError(
            f"{recipe.name}: a classifier's `features` are {', '.join(FEATURES)}. Received: features={kind!r}"
        )
    kind = "bottleneck" if kind == "bottleneck_pca" else kind
    return functools.partial(image_features, model, recipe, labels=labels, of=kind)


def _reduction(model, recipe, train, labels):
    options, features = recipe.classifier.options, _features(model, recipe, labels)
    if options["features"] != "bottleneck_pca":
        return None
    return _fit_reduction(features, train, options.get("components", 256))


def _fit_reduction(features, train, components):
    """Principal components, piece by piece: memory does not grow with the number of images."""
    from sklearn.decomposition import IncrementalPCA

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


def find_classifier(name):
    """Returns the class of scikit-learn that one of `CLASSIFIERS` stands for."""
    from sklearn.ensemble import ExtraTreesClassifier
    from sklearn.linear_model import LogisticRegression

    check_name("Classifiers", name, CLASSIFIERS)
    return {"extra_trees": ExtraTreesClassifier, "logistic_regression": LogisticRegression}[name]


def _make(name, seed, options):
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    make = find_classifier(name)
    if name == "extra_trees":
        return make(random_state=seed, n_jobs=-1, **options)
    return make_pipeline(StandardScaler(), make(random_state=seed, **{"max_iter": 1000, **options}))
