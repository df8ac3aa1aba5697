"""Tables of scores for people, each stamped when its split leaks."""

import numpy as np
import pandas as pd

from skinkit.evaluation.confusion import mean_defined, weighted_mean
from skinkit.evaluation.intervals import bootstrap_intervals
from skinkit.evaluation.prediction_arrays import positive_label, unpack_predictions
from skinkit.evaluation.scores import confusion_matrix, per_class, score
from skinkit.evaluation.weighted_scores import CLASS_SCORES

_AGES = {"0-19": 0, "20-39": 20, "40-59": 40, "60-79": 60, "80+": 80}


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


def subgroup_table(predictions, by, metadata=None, metrics=None, resamples=0, groups=None, seed=0):
    """Scores of each sex, age band or site.

    Args:
        predictions: DataFrame of saved predictions (`image_id`, `label`, `p_<class>`, ...).
        by: String, a column: "sex", "age" (bands of 20 years) or "site"; any other column works as it is.
        metadata: Manifest table that holds `by`, if `predictions` does not.
        metrics: Names as in `score`; `None` for accuracy, macro recall, recall of the positive class,
            macro AUC and ECE.
        resamples: Integer, above 0 adds `<metric>_low` and `<metric>_high` (95 %, see `bootstrap_intervals`).
        groups: String, column of the ids drawn as a whole ("lesion_id"); `None` draws images.
        seed: Integer, of the draws.

    Returns:
        DataFrame with the rows "all", the subgroups, and "unknown" where `by` is missing: `n`,
        `n_<positive class>`, then the metrics (NaN where a subgroup is too small for them).

    Raises:
        ValueError: if a column is missing, or an image is not in `metadata`.
    """
    labels = unpack_predictions(predictions)[2]
    positive = positive_label(labels)
    if metrics is None:
        found = [] if positive is None else [f"recall:{positive}"]
        metrics = ["accuracy", "macro_recall", *found, "macro_auc", "ece"]
    bands = _bands(_attribute(predictions, by, metadata), by)
    rows = {}
    for name, chosen in {"all": slice(None), **bands}.items():
        part = predictions[chosen]
        counts = {"n": len(part)}
        if positive is not None:
            counts[f"n_{positive}"] = int((part["label"] == positive).sum())
        rows[name] = counts | _subgroup_scores(part, metrics, resamples, groups, seed)
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis(by)


def stamp(table, line):
    """Marks a metric table with what its split leaks, so that nobody can quote it without.

    Args:
        table: DataFrame of scores.
        line: String, the sentence of `skinkit.data.leakage_stamp`, or `None` for a sound split.

    Returns:
        Copy with `attrs["caption"]`, which `to_markdown` prints above the table.
    """
    stamped = table.copy()
    stamped.attrs = {**table.attrs, "caption": line or "No leakage found."}
    return stamped


def to_markdown(table, digits=3):
    """The table as Markdown, with its caption above; "–" where there is no value.

    Args:
        table: DataFrame; its index becomes the first column, unless it only counts the rows.
        digits: Integer, decimals of numbers that are not whole by type.

    Returns:
        Text, ending in a line break.
    """
    counted = isinstance(table.index, pd.RangeIndex)
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


def _attribute(predictions, by, metadata):
    if by in predictions.columns:
        return predictions[by]
    if metadata is None or by not in metadata.columns:
        raise ValueError(
            f"Neither predictions nor metadata has the column {by!r}; pass the manifest table as "
            f"metadata. Received: predictions with {list(predictions.columns)}"
        )
    known = metadata.set_index("image_id")[by]
    absent = predictions.loc[~predictions["image_id"].isin(known.index), "image_id"]
    if len(absent):
        raise ValueError(f"metadata has no row for {len(absent)} images, first {absent.iloc[0]!r}")
    return known.loc[predictions["image_id"]].set_axis(predictions.index)


def _bands(values, by):
    """Name -> bool mask, in reading order, "unknown" last; empty bands are left out."""
    if by == "age":
        edges = [*_AGES.values(), np.inf]
        ages = pd.to_numeric(values).to_numpy(float, na_value=np.nan)
        values = pd.Series(pd.cut(ages, edges, right=False, labels=list(_AGES)))
        names = [name for name in _AGES if (values == name).any()]
    else:
        names = sorted(values.dropna().unique())
    masks = {str(name): (values == name).fillna(False).to_numpy(bool) for name in names}
    missing = values.isna().to_numpy()
    return masks | ({"unknown": missing} if missing.any() else {})


def _subgroup_scores(part, metrics, resamples, groups, seed):
    y_true, probabilities, labels = unpack_predictions(part)
    if not resamples:
        return {name: score(name, y_true, probabilities, labels) for name in metrics}
    ids = part["image_id" if groups is None else groups]
    table = bootstrap_intervals(
        y_true, probabilities, labels, ids.to_numpy(object), metrics, resamples, seed=seed
    )
    scores = {}
    for name, row in table.iterrows():
        scores |= {name: row["value"], f"{name}_low": row["low"], f"{name}_high": row["high"]}
    return scores
