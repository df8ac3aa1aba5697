"""Where a model looks: Grad-CAM, maps of attention layers, overlays."""

from skinkit.explain.grad_cam import TARGET_LAYERS, grad_cam
from skinkit.explain.maps import attention_maps, has_attention, mass_inside, overlay_map, resize_map

__all__ = [
    "TARGET_LAYERS",
    "attention_maps",
    "grad_cam",
    "has_attention",
    "mass_inside",
    "overlay_map",
    "resize_map",
]
