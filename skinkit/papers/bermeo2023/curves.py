"""The learning curves of Figures 8.1 to 8.12, and where each is printed."""

from pathlib import Path

import pandas as pd

PAIRS = (("m0", "m4"), ("m1", "m5"), ("m2", "m6"), ("m3", "m7"))
QUANTITIES = ("auc", "loss", "accuracy")

# Number of the figure: its quantity, and the two trainings in it.
FIGURES = {
    f"8.{3 * i + j}": (quantity, pair)
    for i, pair in enumerate(PAIRS)
    for j, quantity in enumerate(QUANTITIES, start=1)
}


def load_curves():
    """Returns the points of the curves, four digits each, as the released notebooks print them.

    Scores of the training images come from the epoch's own batches, while the weights change. Those of the
    validation images are means over four views.

    Returns:
        DataFrame, one row an epoch: `row` (`m0` to `m7` of Table 8.2), `epoch` from 1, and `auc` (melanoma
        against the rest), `loss` and `accuracy` of training, with `val_` in front of validation.

    Example:
        >>> int(load_curves().groupby("row")["epoch"].max()["m4"])
        40
    """
    return pd.read_csv(Path(__file__).parent / "curves.csv")
