"""Every figure of the kit: takes data and an `ax`, returns the matplotlib figure.

Each diagnosis keeps one colour in all figures. Figures show how many images they rest on, and
intervals where they are handed some. Without `ax` a new figure is made.
"""

from skinkit.plots.bars import (
    class_counts,
    confusion_matrix,
    leakage_bars,
    published_against_measured,
    score_intervals,
)
from skinkit.plots.curves import (
    compared_curves,
    learning_curves,
    precision_recall_curves,
    reliability_diagram,
    roc_curves,
    roc_of_runs,
)
from skinkit.plots.decisions import decision_curves, risk_coverage_curves
from skinkit.plots.images import crop_weights, image_grid, overlay, overlay_grid
from skinkit.plots.scatter import embedding
from skinkit.plots.style import PALETTE
