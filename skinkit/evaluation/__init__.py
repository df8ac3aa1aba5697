"""Scores of saved predictions: pure functions on arrays and tables, without TensorFlow or Keras."""

from skinkit.evaluation.calibration import (
    apply_temperature,
    brier_score,
    expected_calibration_error,
    fit_temperature,
    log_loss,
    reliability_table,
)
from skinkit.evaluation.combining.ensembles import ENSEMBLE_RULES, check_weights, choose_weights, join_members
from skinkit.evaluation.combining.patient_z_score import patient_z_scores, rescore_by_patient
from skinkit.evaluation.combining.stages import combine, stage_errors
from skinkit.evaluation.combining.view_means import check_mean, mean_over_views
from skinkit.evaluation.confusion import class_confusion_scores, confusion_scores, kappa_from_confusion
from skinkit.evaluation.consistency import f1_agrees, harmonic_mean, implied_specificity
from skinkit.evaluation.deciding.decision_curve import decision_curve
from skinkit.evaluation.deciding.decisions import Decision, choose_decision, decide_out_of_fold
from skinkit.evaluation.deciding.risk_coverage import risk_coverage
from skinkit.evaluation.deciding.thresholds import Threshold, choose_threshold, scores_at
from skinkit.evaluation.error_pairs import error_pairs
from skinkit.evaluation.prediction_arrays import (
    check_predictions,
    count_ties,
    positive_label,
    predicted_index,
    unpack_predictions,
)
from skinkit.evaluation.scores import confusion_matrix, per_class, score, summary
from skinkit.evaluation.subgroups import TOO_FEW, compare_subgroups
from skinkit.evaluation.submission import ISIC2018_COLUMNS, write_isic2018_submission
from skinkit.evaluation.tables import (
    classification_table,
    confusion_table,
    stamp,
    table_metrics,
    to_markdown,
)
from skinkit.evaluation.uncertainty.intervals import bootstrap_intervals, paired_difference
from skinkit.evaluation.uncertainty.run_spread import pooled_spread, spread_over_runs, widen_interval
from skinkit.evaluation.weighted_scores import summary_names
