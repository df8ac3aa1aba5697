"""Where a model looks (Grad-CAM, maps of attention layers, overlays), and what its features know."""

from skinkit.explain.embeddings import embed, linear_probe, patient_means
from skinkit.explain.grad_cam import grad_cam
from skinkit.explain.maps import (
    attention_maps,
    crop_weighting_layers,
    crop_weights,
    has_attention,
    join_crops,
    mass_inside,
    overlay_map,
    resize_map,
)

__all__ = [
    "attention_maps",
    "crop_weights",
    "embed",
    "grad_cam",
    "has_attention",
    "join_crops",
    "linear_probe",
    "mass_inside",
    "overlay_map",
    "patient_means",
    "resize_map",
    "crop_weighting_layers",
]
