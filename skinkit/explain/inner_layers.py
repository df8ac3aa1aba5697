"""Layers of a model, those of nested models included, and what passes through them."""

import contextlib
import threading

import keras
from keras import ops

# A layer holds one recording at a time.
_RECORDING = threading.RLock()


def inner_layers(model):
    """Yields the layers of a model in their order, and in place of a nested model its own layers."""
    for layer in model.layers:
        yield from inner_layers(layer) if isinstance(layer, keras.Model) else [layer]


def run_model(model, images):
    """Returns the first output of a model with one image input, computed eagerly without training."""
    return keras.Model(model.inputs, model.outputs[0])([ops.convert_to_tensor(images)], training=False)


@contextlib.contextmanager
def recorded(*layers):
    """Yields a dictionary that gets the input and the output of each layer's last call by this thread.

    Keras has no hooks, and symbolic tensors of a nested model belong to another graph than its caller's.
    """
    seen, thread = {}, threading.get_ident()
    with _RECORDING, contextlib.ExitStack() as stack:
        for layer in set(layers):
            vars(layer)["call"] = _recording(layer, layer.call, seen, thread)
            stack.callback(vars(layer).pop, "call")
        yield seen


def _recording(layer, call, seen, thread):
    def recording_call(*args, **kwargs):
        outputs = call(*args, **kwargs)
        if threading.get_ident() == thread:
            seen[layer] = (*args, *kwargs.values())[0], outputs
        return outputs

    return recording_call
