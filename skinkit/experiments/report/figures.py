"""Figures of the page of a run, each with the words for what is to be seen."""

import base64
import io
from typing import NamedTuple

import matplotlib.pyplot as plt

from skinkit import evaluation, plots
from skinkit.experiments.deciding.operating_point import gain_text, referral_text
from skinkit.experiments.deciding.rule import calibrated_arrays
from skinkit.experiments.report import words
from skinkit.names import counted
from skinkit.plots.style import one_axes

# As wide as a phone, so that letters keep their size.
_SIZE = (4.2, 4.2)
_WITH_LEGEND = (4.2, 5.4)
_LOW_IS_GOOD = ("loss", "log_loss", "rmse")


class Figure(NamedTuple):
    """A figure as an address, with its caption and the words that stand for it."""

    caption: str
    alt: str
    source: str


def curves(run):
    """Returns the ROC and the precision-recall curves."""
    arrays = evaluation.unpack_predictions(run.predictions)
    scores = evaluation.per_class(*arrays)
    areas, precisions = (_listed(scores[name].dropna()) for name in ("auc", "average_precision"))
    roc = plots.roc_curves(*arrays, ax=_axes(_WITH_LEGEND))
    precision = plots.precision_recall_curves(*arrays, ax=_axes(_WITH_LEGEND))
    of_roc = f"Sensitivity against 1 - specificity of each class against the rest. Areas: {areas}."
    of_precision = f"Precision against recall of each class. Average precision: {precisions}."
    return [
        _figure(roc, "ROC of each class against the rest, with areas", of_roc),
        _figure(precision, "Precision and recall, with average precision", of_precision),
    ]


def _listed(scores):
    return ", ".join(f"{words.diagnosis(label)} {value:.2f}" for label, value in scores.items())


def calibration(run):
    """Returns the reliability diagram."""
    table = evaluation.reliability_table(*evaluation.unpack_predictions(run.predictions))
    rows = table[table["n"] > 0]
    surer = (rows["confidence"] - rows["accuracy"]) @ rows["n"] / rows["n"].sum()
    tendency = "surer than it is right" if surer > 0 else "right more often than it is sure"
    alt = (
        f"Accuracy against confidence in {len(rows)} bins. On average the network is {tendency}, by "
        f"{abs(surer):.2f}; it is surer in {(rows['confidence'] > rows['accuracy']).sum()} of the bins."
    )
    return _figure(plots.reliability_diagram(table, ax=_axes()), "Calibration of the predicted class", alt)


def decisions(run):
    """Returns the decision curve of the positive class, where there are images of it, and risk-coverage."""
    truth, *arrays, groups = calibrated_arrays(run)
    found = [_risk_coverage(evaluation.risk_coverage(truth, *arrays, groups=groups))]
    if run.positive is not None and (truth == run.positive).any():
        table = evaluation.decision_curve(truth, *arrays, positive=run.positive, groups=groups)
        found.insert(0, _decision_curve(table, words.diagnosis(run.positive)))
    return found


def _decision_curve(table, diagnosis):
    figure = plots.decision_curves({"this model": table}, ax=_axes(_WITH_LEGEND))
    alt = f"Net benefit against the threshold from which on a lesion is taken out, {diagnosis}."
    return _figure(figure, f"Taking out what may be {diagnosis}: {gain_text(table)}", alt)


def _risk_coverage(table):
    figure = plots.risk_coverage_curves({"this model": table}, ax=_axes())
    alt = "Share of wrong answers against the share of images that are answered, the surest first."
    text = referral_text(table)
    return _figure(figure, f"{text[0].upper()}{text[1:]}", alt)


def training(history):
    """Returns a figure for each metric of a history."""
    apart = ("epoch", "phase", "learning_rate", "seconds")
    metrics = dict.fromkeys(name.removeprefix("val_") for name in history if name not in apart)
    drawn = ((name, plots.learning_curves(history, [name], [_axes((4.2, 3))])) for name in metrics)
    return [_figure(figure, words.score_name(name), _told(history, name)) for name, figure in drawn]


def _told(history, name):
    parts = []
    for column, word in ((name, "training"), (f"val_{name}", "validation")):
        if column in history and len(values := history.set_index("epoch")[column].dropna()):
            best, at = ("least", values.idxmin()) if name in _LOW_IS_GOOD else ("most", values.idxmax())
            ends = f"from {values.iloc[0]:.3g} to {values.iloc[-1]:.3g}"
            parts.append(f"{word} {ends}, {best} {values[at]:.3g} in epoch {at}")
    return f"{words.score_name(name)} over {counted(len(history), 'epoch')}: {'; '.join(parts)}."


def _axes(size=_SIZE):
    return one_axes(None, size)[1]


def _figure(figure, caption, alt):
    for ax in figure.axes:
        # The caption says it.
        ax.set_title("")
        if legend := ax.get_legend():
            handles, labels = ax.get_legend_handles_labels()
            legend.remove()
            figure.legend(handles, labels, loc="outside lower center", fontsize=8, frameon=False)
    stream = io.BytesIO()
    # Equal figures are equal bytes.
    with plt.rc_context({"svg.hashsalt": "skinkit"}):
        figure.savefig(stream, format="svg", metadata={"Date": None})
    return Figure(caption, alt, address(stream.getvalue(), "svg+xml"))


def address(content, kind):
    """Returns the content of an image file as an address that holds it whole.

    Args:
        content: Bytes of the file.
        kind: String, its kind in the type `image/<kind>`.
    """
    return f"data:image/{kind};base64,{base64.b64encode(content).decode()}"
