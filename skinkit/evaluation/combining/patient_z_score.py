"""Z-scores of images among those of their patient: the ugly duckling."""

import numpy as np
import pandas as pd

# Logits of equal images differ by less than this in float32.
_NO_SPREAD = 1e-5


def patient_z_scores(probabilities, patients):
    """Returns by how many standard deviations the logit of each image exceeds the mean of its patient.

    A baseline of patient context without any parameter, on the predictions of a model that looks at each
    image alone. What is common to all images of a patient, the skin or the clinic's light, drops out; so
    does how suspicious the patient is as a whole.

    Args:
        probabilities: Array `(n,)`, 0 to 1, of the positive class.
        patients: Sequence of `n` patient ids; an image without one is a patient of its own.

    Returns:
        float64 array `(n,)`. 0 where the patient says nothing: for a patient's only image, and where all
        logits of a patient are equal (to 0.00001).

    Raises:
        ValueError: if the lengths differ, or a probability is not between 0 and 1.

    Example:
        >>> patient_z_scores([0.5, 0.5, 0.5, 0.9], ["a", "a", "a", "a"]).round(3)
        array([-0.577, -0.577, -0.577,  1.732])
    """
    p = np.asarray(probabilities, np.float64)
    if p.ndim != 1 or p.shape != (len(patients),) or not ((p >= 0) & (p <= 1)).all():
        raise ValueError(
            "patient_z_scores takes one probability from 0 to 1 and one patient for each image. "
            f"Received: probabilities of shape {p.shape}, {len(patients)} patients"
        )
    # The smallest float32 steps at both ends, so that the logit stays finite.
    p = np.clip(p, 1e-7, 1 - 1e-7)
    logits = pd.Series(np.log(p / (1 - p)))
    patients = pd.Series(np.asarray(patients, dtype=object))
    # A missing patient belongs to no group, and its mean is missing, too.
    groups = logits.groupby(patients)
    spread = groups.transform("std", ddof=0)
    z = (logits - groups.transform("mean")) / spread.where(spread > _NO_SPREAD)
    return z.fillna(0.0).to_numpy()


def rescore_by_patient(predictions, positive="malignant"):
    """Puts the patient's z-score in the place of a model's probabilities.

    The z-score alone counts, without the logit itself: its probability is 1 / (1 + exp(-z)), and 0.5 where
    the patient says nothing.

    Args:
        predictions: DataFrame, predictions with `patient_id` and two columns `p_<label>`.
        positive: String, label whose logit is compared.

    Returns:
        The table with other probabilities.

    Raises:
        ValueError: if there are not two classes, one of which is `positive`.
    """
    columns = [name for name in predictions if name.startswith("p_")]
    if len(columns) != 2 or f"p_{positive}" not in columns:
        raise ValueError(
            f"Expected two classes, one of them {positive!r}. Received: {', '.join(columns) or 'none'}"
        )
    z = patient_z_scores(predictions[f"p_{positive}"], predictions["patient_id"])
    (other,) = (name for name in columns if name != f"p_{positive}")
    return predictions.assign(**{f"p_{positive}": 1 / (1 + np.exp(-z)), other: 1 / (1 + np.exp(z))})
