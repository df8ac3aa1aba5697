"""Tables of scores for people, each stamped when its split leaks."""

import numpy as np
import pandas as pd

from skinkit.evaluation.confusion import mean_defined, weighted_mean
from skinkit.evaluation.scores import confusion_matrix, per_class, score
from skinkit.evaluation.weighted_scores import CLASS_SCORES


def classification_table(y_true, probabilities, labels, intervals=None):
    """Per-class scores with the rows `accuracy`, `macro` and `weighted`, as koefler2023 Table 4.

    The accuracy stands in the column `f1`, as in scikit-learn's report; `macro` leaves out classes
    without true images, `weighted` weighs by support.

    Args:
        y_true: As in `summary`.
        probabilities: As in `summary`.
        labels: As in `summary`.
        intervals: Result of `bootstrap_intervals`, best with `metrics=table_metrics(labels)`; adds
            `<score>_low` and `<score>_high` behind each score it knows.

    Returns:
        DataFrame, index `class`: precision, recall, f1, specificity, auc, average_precision,
        support.
    """
    classes = per_class(y_true, probabilities, labels)
    scores = classes[list(CLASS_SCORES)]
    values, support = scores.to_numpy().T, classes["support"].to_numpy()
    accuracy = [np.nan] * len(CLASS_SCORES)
    accuracy[CLASS_SCORES.index("f1")] = score("accuracy", y_true, probabilities, labels)
    below = pd.DataFrame(
        [accuracy, mean_defined(values), weighted_mean(values, support[None].astype(float))],
        columns=scores.columns,
        index=["accuracy", "macro", "weighted"],
    )
    table = pd.concat([scores, below]).rename_axis("class")
    if intervals is not None:
        table = _with_ends(table, intervals)
    table["support"] = [*support, *[support.sum()] * 3]
    return table


def table_metrics(labels, scores=("precision", "recall", "f1")):
    """Names of the metrics whose intervals `classification_table` can show."""
    each = [f"{name}:{label}" for name in scores for label in labels]
    return [*each, *(f"macro_{name}" for name in scores), "accuracy"]


def confusion_table(y_true, probabilities, labels):
    """Confusion matrix with names: one row a true class, one column a predicted one."""
    matrix = confusion_matrix(y_true, probabilities, labels)
    return pd.DataFrame(
        matrix, index=pd.Index(labels, name="truth"), columns=pd.Index(labels, name="prediction")
    )


def stamp(table, line):
    """Marks a metric table with what its split leaks, so that nobody can quote it without.

    Args:
        table: DataFrame of scores.
        line: String, the sentence of `skinkit.data.leakage_line`.

    Returns:
        Copy with `attrs["caption"]`, which `to_markdown` prints above the table.
    """
    stamped = table.copy()
    stamped.attrs = {**table.attrs, "caption": line}
    return stamped


def to_markdown(table, digits=3):
    """The table as Markdown, with its caption above; "–" where there is no value.

    Args:
        table: DataFrame; its index becomes the first column, unless it has no name and counts the rows.
        digits: Integer, decimals of numbers that are not whole by type.

    Returns:
        Text, ending in a line break.
    """
    counted = table.index.name is None and pd.api.types.is_integer_dtype(table.index)
    rows = table if counted else table.reset_index(names=table.index.name or "")
    head = [str(name) for name in rows.columns]
    numeric = [pd.api.types.is_numeric_dtype(dtype) for dtype in rows.dtypes]
    columns = [[_cell(value, digits) for value in rows.iloc[:, i]] for i in range(len(head))]
    lines = [
        head,
        ["---:" if right else "---" for right in numeric],
        *zip(*columns, strict=True),
    ]
    text = "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"
    caption = table.attrs.get("caption")
    return f"**{caption}**\n\n{text}" if caption else text


def _cell(value, digits):
    if pd.isna(value):
        return "–"
    text = f"{value:.{digits}f}" if isinstance(value, float) else str(value)
    return text.replace("|", "\\|")


def _with_ends(table, intervals):
    columns = {}
    for name in table.columns:
        source = [f"{name}:{label}" for label in table.index[:-3]]
        source += ["accuracy" if name == "f1" else "", f"macro_{name}", f"weighted_{name}"]
        columns[name] = table[name]
        if intervals.index.isin(source).any():
            ends = intervals.reindex(source)
            columns[f"{name}_low"] = ends["low"].to_numpy()
            columns[f"{name}_high"] = ends["high"].to_numpy()
    return pd.DataFrame(columns, index=table.index)
