"""Colours of the diagnoses, and new axes."""

import matplotlib.pyplot as plt
import numpy as np

# Okabe and Ito's colours, told apart with every common colour vision deficiency; Paul Tol's wine
# stands for their yellow, which is hard to see on white. Diagnoses that never meet in one class map
# share a colour.
PALETTE = {
    "mel": "#D55E00",
    "nv": "#0072B2",
    "bcc": "#E69F00",
    "akiec": "#CC79A7",
    "ak": "#CC79A7",
    "bkl": "#009E73",
    "df": "#882255",
    "vasc": "#56B4E9",
    "scc": "#000000",
    "unk": "#CCCCCC",
    "malignant": "#D55E00",
    "benign": "#0072B2",
}
OTHER = "#666666"


def one_axes(ax, size=(7, 4)):
    """`(figure, ax)` of the given axes, or of a new figure of this size in inches."""
    figure, axes = grid_of_axes(1, None if ax is None else [ax], size)
    return figure, axes[0]


def grid_of_axes(count, axes, size, columns=4):
    """`(figure, list of axes)`: the given ones, or `count` new ones of `size` inches each."""
    if axes is not None:
        axes = list(np.ravel(axes))
        return axes[0].figure, axes
    columns = min(columns, max(count, 1))
    rows = -(-max(count, 1) // columns)
    # Made by pyplot, so that notebooks know how to show it; closed at once, so that they show it
    # only once and pyplot keeps no memory of it.
    size = (size[0] * columns, size[1] * rows)
    figure, axes = plt.subplots(rows, columns, figsize=size, layout="constrained", squeeze=False)
    plt.close(figure)
    for spare in axes.ravel()[count:]:
        spare.remove()
    return figure, list(axes.ravel()[:count])


def colour_of(label):
    """Colour of a diagnosis; grey for one without its own."""
    return PALETTE.get(str(label).lower(), OTHER)


def shade(count):
    """List of `count` colours for runs, splits or protocols, dark to light."""
    return list(plt.get_cmap("cividis")(np.linspace(0, 0.8, count)))
