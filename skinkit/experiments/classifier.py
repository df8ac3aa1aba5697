"""A scikit-learn classifier on the features of a trained network, and these features themselves."""

import functools

import numpy as np
import pandas as pd

from skinkit.names import check_name

CLASSIFIERS = ("extra_trees", "logistic_regression")
FEATURES = ("bottleneck_mean", "bottleneck_pca", "pooled")

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
    from skinkit.experiments import build

    if recipe.input.name in ("multi_crop", "ordered_crops"):
        raise ValueError(
            f"{recipe.name}: features are taken from networks that see one picture at a time. "
            f"Received: input={recipe.input}"
        )
    network = _network(model, of)
    return network.predict(build.evaluation_batches(recipe, rows, labels), verbose=0)


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


def fit_classifier(model, recipe, material, seed):
    """Fits the recipe's classifier on the training images, as they are: without augmentation.

    Options of the recipe's `classifier`: `features`, one of `FEATURES`, where `bottleneck_pca` is the whole
    bottleneck reduced to `components` (default 256) principal components of the training images; `metadata`,
    whether sex, age and site are laid beside the features; all others are scikit-learn's own, of
    `ExtraTreesClassifier` or `LogisticRegression`.

    Args:
        model: The recipe's trained model.
        recipe: A resolved `Recipe` with a `classifier`.
        material: Its `Material`.
        seed: Integer; equal seeds give equal probabilities.

    Returns:
        Function from manifest rows to class probabilities, float64 `(n, classes)`.

    Raises:
        ValueError: for an unknown classifier or unknown features.
    """
    from skinkit import data

    train, labels = material.rows("train"), list(material.labels)
    options = dict(recipe.classifier.options)
    describe = _features(model, recipe, train, labels, options)
    if options.pop("metadata", False):
        describe = _with_metadata(describe, data.MetadataEncoder.fit(train))
    classifier = _make(recipe.classifier.name, seed, options)
    classifier.fit(describe(train), pd.Index(labels).get_indexer(train["label"]))
    if "n_jobs" in classifier.get_params():
        # Threads add up the trees in any order, which changes the last digits.
        classifier.set_params(n_jobs=1)

    def probabilities(rows):
        found = np.zeros((len(rows), len(labels)))
        found[:, classifier.classes_] = classifier.predict_proba(describe(rows))
        return found

    return probabilities


def _features(model, recipe, train, labels, options):
    """The function from manifest rows to their features; takes its own options out of `options`."""
    kind, components = options.pop("features", None), options.pop("components", 256)
    if kind not in FEATURES:
        raise ValueError(
            f"{recipe.name}: a classifier's `features` are {', '.join(FEATURES)}. Received: features={kind!r}"
        )
    if kind != "bottleneck_pca":
        return functools.partial(image_features, model, recipe, labels=labels, of=kind)
    whole = functools.partial(image_features, model, recipe, labels=labels, of="bottleneck")
    reduction = _fit_reduction(whole, train, components)
    return lambda rows: np.concatenate([reduction.transform(whole(piece)) for piece in _pieces(rows)])


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


def _with_metadata(describe, encoder):
    return lambda rows: np.hstack([describe(rows), encoder.encode(rows)])


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
