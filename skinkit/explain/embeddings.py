"""Embeddings of features in two dimensions, and the score of a linear probe that belongs beside them."""

import numpy as np
import pandas as pd

from skinkit.names import counted


def embed(features, components=50, perplexity=30.0, seed=0):
    """Returns a point in the plane for each feature vector: PCA, then t-SNE.

    hernandez2020, section 5.1. Neighbours in the plane were neighbours before; distances, sizes and gaps
    between the clouds mean nothing, and t-SNE finds clouds in noise, too. `linear_probe` measures how well
    the classes can be separated.

    Args:
        features: Array `(n, d)`, at least 4 rows.
        components: Integer, most principal components that t-SNE is given.
        perplexity: Float, how many neighbours a point looks at; lowered to a third of the points for few.
        seed: Integer.

    Returns:
        float32 array `(n, 2)`.

    Raises:
        ValueError: for fewer than 4 rows.
    """
    from sklearn.decomposition import PCA
    from sklearn.manifold import TSNE

    features = np.asarray(features, dtype="float32")
    if features.ndim != 2 or len(features) < 4:
        raise ValueError(f"Features are (n, d) with n of 4 or more. Received: shape {features.shape}")
    components = min(components, *features.shape)
    reduced = PCA(components, svd_solver="full").fit_transform(features)
    perplexity = min(perplexity, (len(features) - 1) / 3)
    return TSNE(perplexity=perplexity, init="pca", random_state=seed).fit_transform(reduced)


def patient_means(features, patients):
    """Returns the mean feature vector of each patient.

    hernandez2020, section 5.1.2, leaves the malignant images out before, so that a patient with melanoma
    is told by the other images or not at all; the caller does that.

    Args:
        features: Array `(n, d)`.
        patients: `n` patient ids, none missing.

    Returns:
        DataFrame `(patients, d)`, index `patient_id` in alphabetical order.

    Raises:
        ValueError: for a row without patient.
    """
    patients = pd.Index(np.asarray(patients, dtype=object), name="patient_id")
    if patients.isna().any():
        raise ValueError(
            f"Every row needs a patient. Received: {patients.isna().sum()} of {len(patients)} rows without"
        )
    return pd.DataFrame(np.asarray(features), index=patients).groupby(level=0).mean()


def linear_probe(features, y, labels, groups=None, folds=5, seed=0):
    """Returns class probabilities of each row by a linear classifier that has not seen its group.

    Logistic regression with balanced classes on standardised features, cross-validated. How well these
    probabilities order the rows (their ROC AUC) is what a straight cut can separate: 0.5 where nothing.

    Args:
        features: Array `(n, d)`.
        y: Sequence of `n` labels.
        labels: All `C` labels, in the order of the columns that are returned.
        groups: `n` ids, such as patients, that are never in training and in scoring at once; a missing id is
            a group of its own, and so is each row with `None`.
        folds: Integer, most folds; fewer where a label has fewer groups.
        seed: Integer, of the folds.

    Returns:
        float64 array `(n, C)`, ready for `skinkit.evaluation.bootstrap_intervals` with the same groups.

    Raises:
        ValueError: for a label that is not in two groups at least, or is none of `labels`.

    Example:
        >>> found = linear_probe(features, rows["label"], labels, groups=rows["patient_id"])
        >>> evaluation.bootstrap_intervals(rows["label"], found, labels, rows["patient_id"], ["macro_auc"])
    """
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import StratifiedGroupKFold, cross_val_predict
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    truth = pd.Index(list(labels), dtype=object).get_indexer(pd.Index(np.asarray(y, dtype=object)))
    groups = _in_random_order(_numbered(groups, len(truth)), seed)
    folds = min(folds, _groups_of_the_rarest(truth, groups, labels))
    probe = make_pipeline(StandardScaler(), LogisticRegression(class_weight="balanced", max_iter=1000))
    return cross_val_predict(
        probe,
        np.asarray(features, dtype="float64"),
        truth,
        groups=groups,
        cv=StratifiedGroupKFold(folds),
        method="predict_proba",
    )


def _in_random_order(groups, seed):
    # scikit-learn before 1.7 loses the classes of the groups where it shuffles these itself.
    numbers, position = np.unique(groups, return_inverse=True)
    return np.argsort(np.random.RandomState(seed).permutation(len(numbers)))[position]


def _numbered(groups, count):
    numbers = np.full(count, -1) if groups is None else pd.factorize(np.asarray(groups, dtype=object))[0]
    return np.where(numbers < 0, count + np.arange(count), numbers)


def _groups_of_the_rarest(truth, groups, labels):
    counts = [len(set(groups[truth == position])) for position in range(len(labels))]
    if (truth < 0).any() or min(counts) < 2:
        raise ValueError(
            "A cross-validated probe needs rows of each label in two groups at least, and no other labels. "
            f"Received: groups by label {dict(zip(labels, counts, strict=True))}, "
            f"{counted((truth < 0).sum(), 'row')} of other labels"
        )
    return min(counts)
