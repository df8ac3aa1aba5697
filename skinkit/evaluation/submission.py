"""The file the ISIC 2018 challenge asks for (task 3, lesion diagnosis)."""

import pandas as pd

from skinkit.evaluation.prediction_arrays import check_predictions
from skinkit.files import writing

ISIC2018_COLUMNS = ("MEL", "NV", "BCC", "AKIEC", "BKL", "DF", "VASC")


def write_isic2018_submission(path, image_ids, probabilities, labels):
    """Writes predictions as a submission CSV: `image,MEL,NV,BCC,AKIEC,BKL,DF,VASC`.

    Columns are matched by name, never by position.

    Args:
        path: Path of the file to write; an existing one is replaced in one step.
        image_ids: Sequence of `n` different ids such as "ISIC_0034524", without file endings.
        probabilities: Array `(n, 7)`, 0 to 1, columns in the order of `labels`.
        labels: Sequence of the seven class names in any order and case.

    Returns:
        The written DataFrame.

    Raises:
        ValueError: if the classes are not these seven, ids repeat or carry a file ending, or
            probabilities have a wrong shape, NaN, or values outside 0 to 1.
    """
    names = check_isic2018_labels(labels)
    ids = _check_ids(image_ids)
    _, probabilities, _ = check_predictions([names[0]] * len(ids), probabilities, names)
    table = pd.DataFrame(probabilities.clip(0.0, 1.0), columns=names)
    table = table[list(ISIC2018_COLUMNS)]
    table.insert(0, "image", ids)
    with writing(path) as part:
        table.to_csv(part, index=False, float_format="%.9g", lineterminator="\n")
    return table


def check_isic2018_labels(labels):
    """Returns labels as the challenge writes them, in their order.

    Raises:
        ValueError: unless they are its seven classes.
    """
    names = [str(label).upper() for label in labels]
    if sorted(names) != sorted(ISIC2018_COLUMNS):
        raise ValueError(
            f"An ISIC 2018 submission holds the classes {', '.join(ISIC2018_COLUMNS)}. "
            f"Received: labels={list(labels)}"
        )
    return names


def _check_ids(image_ids):
    ids = pd.Series(image_ids).astype(str).reset_index(drop=True)
    if ids.duplicated().any():
        raise ValueError(f"Each image is submitted once. Received: {ids[ids.duplicated()].iloc[0]}")
    dotted = ids[ids.str.contains(".", regex=False)]
    if len(dotted):
        raise ValueError(f"Image ids come without a file ending. Received: {dotted.iloc[0]!r}")
    return ids
