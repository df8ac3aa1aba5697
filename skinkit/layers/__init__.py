"""Layers of the documents: Keras 3 only, registered as `skinkit>Name`, one layer a file.

Importing this package registers them, so that `keras.saving.load_model` finds them.
"""

from skinkit.layers.soft_attention import SoftAttention

__all__ = ["SoftAttention"]
