"""Layers of the documents: Keras 3 only, registered as `skinkit>Name`, one layer a file.

Importing this package registers them, so that `keras.saving.load_model` finds them.
"""

from skinkit.layers.batch_normalization import BatchNormalization
from skinkit.layers.crop_stacking import StackCrops, UnstackCrops
from skinkit.layers.grouped_convolution import GroupedConv2D
from skinkit.layers.multi_dropout import MultiDropout
from skinkit.layers.patch_attention import PatchAttention
from skinkit.layers.patch_dropout import PatchDropout
from skinkit.layers.patient_attention import PatientAttention
from skinkit.layers.patient_mask import PatientMask
from skinkit.layers.patient_mean import PatientMean
from skinkit.layers.pooling_indices import MaxPoolWithIndices, MaxUnpool
from skinkit.layers.random_map import RandomMap
from skinkit.layers.registry import LAYERS, register_layer
from skinkit.layers.soft_attention import SoftAttention
