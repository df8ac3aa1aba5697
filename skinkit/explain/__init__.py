"""Maps of where a model looks (Grad-CAM, attention layers, overlays), and embeddings of its features."""

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
