"""Checks of labels and probabilities before anything is counted, and the rule for ties."""

import numpy as np
import pandas as pd

from skinkit.names import did_you_mean

# The ISIC tools write six decimals, float32 softmax rows overshoot by about 1e-7.
_TOLERANCE = 1e-6


def check_predictions(y_true, probabilities, labels):
    """Checks labels against probabilities and turns the labels into positions.

    Rows of `probabilities` need not sum to one (the ISIC challenges do not ask for it).

    Args:
        y_true: Sequence of `n` labels, each one of `labels`.
        probabilities: Array `(n, C)`, values 0 to 1, columns in the order of `labels`.
        labels: Sequence of the `C` class names (at least two, all different).

    Returns:
        `(truth, probabilities, labels)`: int positions `(n,)`, float64 `(n, C)`, a list of names.

    Raises:
        ValueError: on repeated or too few labels, unknown or missing true labels, a wrong shape,
            NaN, or values outside 0 to 1; the first offending row is named.
    """
    labels = [labels] if isinstance(labels, str) else list(labels)
    if len(labels) < 2 or len(set(labels)) != len(labels):
        raise ValueError(f"labels must be at least two different names. Received: labels={labels}")
    probabilities = check_probabilities(probabilities, labels)
    values = np.asarray(y_true, dtype=object)
    if values.shape != (len(probabilities),):
        raise ValueError(
            f"y_true must hold one label for each of the {len(probabilities)} rows of "
            f"probabilities. Received: y_true of shape {values.shape}"
        )
    truth = pd.Index(labels, dtype=object).get_indexer(pd.Index(values, dtype=object))
    if (truth < 0).any():
        row = int(np.argmax(truth < 0))
        raise ValueError(
            f"y_true[{row}] is none of the labels {labels}; map or drop it first. Received: {values[row]!r}"
        )
    return truth, probabilities, labels


def check_probabilities(probabilities, labels, images=None):
    """Returns probabilities as a float64 array `(n, C)`, checked as by `check_predictions`.

    Args:
        probabilities: As in `check_predictions`.
        labels: As in `check_predictions`.
        images: Sequence of ids that name the rows; by default their positions do.
    """
    probabilities = np.asarray(probabilities)
    if probabilities.dtype.kind not in "fiubO":
        raise ValueError(
            "probabilities are numbers, one column for each label, and not the labels that were predicted. "
            f"Received: {probabilities.dtype}"
        )
    probabilities = probabilities.astype(np.float64)
    if probabilities.ndim != 2 or probabilities.shape[1] != len(labels) or not len(probabilities):
        raise ValueError(
            f"probabilities must have the shape (n, {len(labels)}), one column for each label and "
            f"at least one row. Received: shape {probabilities.shape}"
        )
    # Written so that NaN fails the comparison, too.
    good = (probabilities >= -_TOLERANCE) & (probabilities <= 1 + _TOLERANCE)
    if not good.all():
        row, column = np.argwhere(~good)[0]
        raise ValueError(
            f"probabilities must lie between 0 and 1 (scores or logits need a softmax first). "
            f"Received: {probabilities[row, column]} in row {row if images is None else images[row]} "
            f"for {labels[column]!r}"
        )
    return probabilities


def predicted_index(probabilities):
    """Position of the highest probability in each row; ties go to the first class.

    For two classes this is the threshold 0.5, with exactly 0.5 counted as the first class. The ISIC
    scorer calls a tied row "undecided" (always wrong) instead: look at `count_ties` before
    comparing with a leader board.
    """
    return np.argmax(probabilities, axis=1)


def count_ties(probabilities):
    """Number of rows in which two or more classes share the highest probability."""
    probabilities = np.asarray(probabilities)
    top = probabilities.max(axis=1, keepdims=True)
    return int(((probabilities == top).sum(axis=1) > 1).sum())


def positive_label(labels, positive=None):
    """The class whose sensitivity matters most: `positive`, or else melanoma, or malignant.

    Args:
        labels: Sequence of the class names.
        positive: String, a class name, or `None` for "mel", "malignant", the second of two classes,
            whichever comes first.

    Returns:
        A class name, or None if more than two classes hold neither "mel" nor "malignant".

    Raises:
        ValueError: if `positive` is given and not among `labels`.
    """
    labels = list(labels)
    if positive is not None:
        if positive not in labels:
            raise ValueError(
                f"positive must be one of {labels}, or None. Received: positive={positive!r}."
                f"{did_you_mean(positive, labels)}"
            )
        return positive
    found = [label for label in ("mel", "malignant") if label in labels]
    if found:
        return found[0]
    return labels[1] if len(labels) == 2 else None


def unpack_predictions(predictions):
    """Takes a table of saved predictions apart into what every score asks for.

    Args:
        predictions: DataFrame with the columns `label` and `p_<class>` for each class.

    Returns:
        `(y_true, probabilities, labels)`, labels in the order of the `p_` columns.

    Raises:
        ValueError: if a column is missing.
    """
    columns = [column for column in getattr(predictions, "columns", ()) if column.startswith("p_")]
    if not columns or "label" not in predictions:
        raise ValueError(
            "predictions is a DataFrame with the columns label and p_<class> for each class. "
            f"Received: {list(getattr(predictions, 'columns', [type(predictions).__name__]))}"
        )
    labels = [column.removeprefix("p_") for column in columns]
    return predictions["label"].to_numpy(object), predictions[columns].to_numpy(float), labels
