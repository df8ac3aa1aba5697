"""Words of the page of a run, in the place of keys."""

import re

_DIAGNOSES = {
    **{"mel": "melanoma", "nv": "nevus", "bcc": "basal cell carcinoma", "bkl": "benign keratosis"},
    **{"akiec": "actinic keratosis, Bowen's disease", "ak": "actinic keratosis", "df": "dermatofibroma"},
    **{"vasc": "vascular lesion", "scc": "squamous cell carcinoma", "unk": "unknown", "rest": "all others"},
}
# The same number stands there under its other name, macro recall.
LEFT_OUT = ("balanced_accuracy",)
FIRST = ("macro_recall", "accuracy", "macro_precision", "macro_f1", "macro_auc", "auc", "ece")
_SCORES = {
    "macro_recall": "Macro recall (balanced accuracy)",
    "macro_f1": "Macro F1",
    "macro_auc": "Macro area under the ROC curve",
    "weighted_f1": "F1, weighted by true images",
    "weighted_f1_by_pred": "F1, weighted by predicted images",
    "weighted_precision": "Precision, weighted by true images",
    "cohen_kappa": "Cohen's kappa",
    "mcc": "Matthews' correlation",
    "ece": "Calibration error (0 is best)",
    "brier": "Brier score (0 is best, 2 worst)",
    "log_loss": "Cross-entropy (0 is best)",
    "auc": "Area under the ROC curve",
    "recall": "Recall (sensitivity)",
}
_AT = re.compile(r"(.+)_sensitivity_at_(\d+)_specificity")
PROFILES = {
    "smoke": "drawn images, to try the code",
    "quick": "small images and few epochs",
    "full": "all settings of the document",
}
PROTOCOLS = {
    "as_published": "as the released code has it, flaws included",
    "as_described": "as the text describes it",
    "corrected": "a sound split; no choice was made by the test images",
}
FIELDS = {"tta": "Views that are averaged", "positive": "Class whose sensitivity counts"}
METHODS = {
    "wilson": "Wilson's interval, as few cases decide",
    "combined": "resampling, with Wilson's interval where few cases decide",
}
_COLUMNS = {"site": "Part of the body", "dx_type": "Way of confirmation", "dataset": "Source of the images"}
SUBGROUP_SCORES = {
    **{"sensitivity": "sensitivity", "specificity": "specificity"},
    **{"auc": "ROC area", "ece": "calibration error, all classes"},
}
FILES = {
    "manifest.json": "recipe, versions, hashes, leakage, duration",
    "metrics.json": "all scores with intervals",
    "predictions.csv.gz": "probabilities of each test image",
    "predictions_validation.csv.gz": "those of validation images, from which temperature and thresholds come",
    "subgroups.csv": "scores by age, sex, part of the body and way of confirmation",
    "errors.csv": "wrong answers by pair of classes",
    "history.csv": "a row for each epoch",
    "leakage.csv": "leakage by class",
    "model.keras": "the trained network",
    "overlays.png": "the maps that `skinkit explain` drew",
}


def diagnosis(label):
    """Returns the name of a class; the label itself where it has no other."""
    return _DIAGNOSES.get(label, label)


def column(name):
    """Returns the name of a column that subgroups differ in."""
    return _COLUMNS.get(name, sentence(name))


def score_name(name, positive=None):
    """Returns the name of an overall score.

    Args:
        name: String, one of `skinkit.evaluation.summary_names`, or one of a class as in "auc:mel".
        positive: String, the class that the scores of two classes belong to.

    Example:
        >>> score_name("melanoma_sensitivity_at_90_specificity")
        'Melanoma sensitivity at 90 % specificity'
    """
    if at := _AT.fullmatch(name):
        return f"{sentence(at[1])} sensitivity at {at[2]} % specificity"
    name, _, label = name.partition(":")
    said, positive = _SCORES.get(name, sentence(name)), label or positive
    belongs = label or name in ("auc", "precision", "recall", "average_precision") and positive
    return f"{said}, {diagnosis(positive)}" if belongs else said


def sentence(key):
    """Returns a key as the beginning of a sentence."""
    words = key.replace("_", " ")
    return words[:1].upper() + words[1:]


def is_first(name):
    """Returns whether a score stands in sight, and not behind "all scores"."""
    return name in FIRST or _AT.fullmatch(name) is not None
