"""Balancing, losses, schedules, optimisers and the training loop."""

from skinkit.training.checkpoint import Checkpoint
from skinkit.training.feature_store import ContextRefresh, FeatureStore
from skinkit.training.fit import TrainingPhase, fit
from skinkit.training.loss_weights import (
    class_weights,
    diagnosis_factors,
    diagnosis_weights,
    effective_weights,
    sample_weights,
)
from skinkit.training.losses import build_loss, register_loss, resolve_alpha
from skinkit.training.optimisers import build_optimiser
from skinkit.training.plateau import Plateau
from skinkit.training.schedules import build_schedule
from skinkit.training.writers import check_writer, open_writer
