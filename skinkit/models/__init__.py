"""Flat Keras models by name."""

from skinkit.models.backbones.registry import BACKBONES, extract_features
from skinkit.models.crop_classifier import attention_overhead
from skinkit.models.head import (
    add_head,
    all_but_batch_normalization,
    feature_layer,
    head_layers,
    insert_layer,
    pooled_features,
    with_second_head,
)
from skinkit.models.patient_network import (
    grouped_images,
    image_alone,
    patient_classifier,
    uses_context,
    whole_patients,
)
from skinkit.models.registry import (
    MODELS,
    ModelEntry,
    build,
    expected_pixels,
    makers,
    register_backbone,
    register_model,
)
from skinkit.models.restoration import with_restoration
from skinkit.models.segnet_autoencoder import bottleneck_features
from skinkit.models.tracing import traced
from skinkit.models.weights import load_model, take_over_weights
