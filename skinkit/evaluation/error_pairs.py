"""Wrong answers by pair of classes: how many, how hard, and how their diagnoses were confirmed."""

import numpy as np
import pandas as pd

from skinkit.evaluation.prediction_arrays import check_predictions, predicted_index, unpack_predictions

_PAIR = ["truth", "called"]


def error_pairs(predictions, metadata=None):
    """Wrong answers by true and called class, the most frequent pair first.

    A diagnosis by consensus alone may be the mistake itself: no histopathology, follow-up or confocal
    microscopy stands behind it.

    Args:
        predictions: DataFrame of saved predictions (`image_id`, `lesion_id`, `label`, `p_<class>`).
        metadata: Manifest table whose `dx_type` says how diagnoses were confirmed, or `None`.

    Returns:
        DataFrame, one row a pair, with `truth`, `called`, `n` images, their `lesions`, their `share` of the
        images of the true class, `consensus`, how many rest on consensus alone (`<NA>` where that is not
        known of any), and the `hardest` image, with `of_truth` and `of_called`, the probabilities there of
        its own and of the called class.

    Example:
        >>> error_pairs(predictions, metadata=table).head(5)
    """
    truth, probabilities, labels = check_predictions(*unpack_predictions(predictions))
    called, rows = predicted_index(probabilities), np.arange(len(truth))
    each = pd.DataFrame(
        {
            "truth": np.array(labels, object)[truth],
            "called": np.array(labels, object)[called],
            "hardest": predictions["image_id"].to_numpy(object),
            "lesion": predictions["lesion_id"].fillna(predictions["image_id"]).to_numpy(object),
            "of_truth": probabilities[rows, truth],
            "of_called": probabilities[rows, called],
        }
    )
    each["consensus"] = _rests_on_consensus(each["hardest"], metadata)
    wrong = each[called != truth].sort_values("of_truth", kind="stable")
    pairs = wrong.groupby(_PAIR, sort=False)
    counts = pairs.agg(
        n=("hardest", "size"),
        lesions=("lesion", "nunique"),
        consensus=("consensus", lambda found: found.sum(min_count=1)),
        hardest=("hardest", "first"),
        of_truth=("of_truth", "first"),
        of_called=("of_called", "first"),
    ).reset_index()
    counts.insert(4, "share", counts["n"] / counts["truth"].map(each["truth"].value_counts()))
    return counts.sort_values("n", ascending=False, kind="stable", ignore_index=True)


def _rests_on_consensus(image_ids, metadata):
    """Whether a diagnosis rests on consensus alone, as 0 or 1; missing where nothing is known."""
    if metadata is None:
        return pd.Series(pd.NA, index=image_ids.index, dtype="Int64")
    known = metadata.drop_duplicates("image_id").set_index("image_id")["dx_type"].astype("string")
    return image_ids.map(known.eq("consensus").astype("Int64"))
