"""Reads the tensors of a PyTorch checkpoint without PyTorch, and nothing else that may be in it."""

import math
import pickle
import zipfile
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path

import keras
import numpy as np

_MAGIC = 0x1950A86A20F9469CFC6C
_DTYPES = {
    "FloatStorage": "<f4",
    "DoubleStorage": "<f8",
    "HalfStorage": "<f2",
    "LongStorage": "<i8",
}


def read_state(path):
    """Returns the tensors of a `state_dict` in the format of PyTorch before 1.6.

    A pickle can run any code when it is loaded. This reader knows ordered dictionaries, tensors and
    their storages, and refuses a file that names anything else.

    Args:
        path: Path of the checkpoint.

    Returns:
        Dictionary from parameter name to array, in PyTorch's own layout.

    Raises:
        FileNotFoundError: when there is no such file.
        ValueError: when it is no such checkpoint, holds other objects, or is cut short.
    """
    path = Path(path)
    if zipfile.is_zipfile(path):
        raise ValueError(
            f"{path} is in the format of PyTorch 1.6 or later. Save it again with "
            "torch.save(state, path, _use_new_zipfile_serialization=False)"
        )
    with path.open("rb") as file:
        try:
            return _read(file)
        except OSError:
            raise
        # A pickle of any content raises any error.
        except Exception as error:
            raise ValueError(f"{path} is no whole PyTorch checkpoint of tensors: {error}") from error


def load_checkpoint(layers, path, torch_name, network):
    """Puts the tensors of a PyTorch checkpoint into convolutions and batch normalisations.

    Args:
        layers: Keras layers; those without weights are passed over.
        path: Path of the checkpoint.
        torch_name: Function from the name of a layer to its name in the checkpoint.
        network: Name of the network, for the error.

    Raises:
        FileNotFoundError: when there is no such file.
        ValueError: when it is no checkpoint, or not of this network.
    """
    state = read_state(path)
    for layer in layers:
        if not layer.weights:
            continue
        try:
            layer.set_weights(_arrays(state, torch_name(layer.name), layer))
        except (KeyError, ValueError) as error:
            raise ValueError(f"{path} does not fit {network} at layer {layer.name}: {error}") from error


def _arrays(state, name, layer):
    if isinstance(layer, keras.layers.BatchNormalization):
        return [state[f"{name}.{s}"] for s in ("weight", "bias", "running_mean", "running_var")]
    # PyTorch keeps (out, in, height, width), for depthwise kernels (channels, 1, height, width).
    axes = (2, 3, 0, 1) if isinstance(layer, keras.layers.DepthwiseConv2D) else (2, 3, 1, 0)
    biases = [state[f"{name}.bias"]] if layer.use_bias else []
    return [state[f"{name}.weight"].transpose(axes), *biases]


def _read(file):
    magic, _protocol, _system = (_TensorsOnly(file).load() for _ in range(3))
    if magic != _MAGIC:
        raise ValueError("it does not begin like one")
    reader = _TensorsOnly(file)
    tensors, keys = reader.load(), _TensorsOnly(file).load()
    arrays = {key: reader.storages[key].read(file) for key in keys}
    return {name: tensor.view(arrays[tensor.storage.key]) for name, tensor in tensors.items()}


@dataclass(frozen=True)
class _Storage:
    key: str
    dtype: str
    size: int

    def read(self, file):
        stated = int.from_bytes(file.read(8), "little")
        expected = np.dtype(self.dtype).itemsize * self.size
        data = file.read(expected)
        if stated != self.size or len(data) != expected:
            raise ValueError(f"storage {self.key} has {len(data)} of {expected} bytes")
        return np.frombuffer(data, self.dtype)


@dataclass(frozen=True)
class _Tensor:
    storage: _Storage
    offset: int
    shape: tuple
    strides: tuple

    def view(self, array):
        last = self.offset + sum((n - 1) * s for n, s in zip(self.shape, self.strides, strict=True))
        largest = max(last, math.prod(self.shape) - 1)
        if min(self.offset, *self.strides, 0) < 0 or largest >= array.size:
            raise ValueError(f"a tensor reaches beyond its storage {self.storage.key}")
        steps = [step * array.itemsize for step in self.strides]
        return np.lib.stride_tricks.as_strided(array[self.offset :], self.shape, steps).copy()


# The reader in C makes room for as many entries as a damaged index says, and the process is killed.
class _TensorsOnly(pickle._Unpickler):
    def __init__(self, file):
        super().__init__(file)
        self.storages = {}

    def find_class(self, module, name):
        if (module, name) == ("collections", "OrderedDict"):
            return OrderedDict
        if (module, name) == ("torch._utils", "_rebuild_tensor_v2"):
            return lambda storage, offset, shape, strides, *_: _Tensor(storage, offset, shape, strides)
        if module == "torch" and name in _DTYPES:
            return name
        raise pickle.UnpicklingError(f"it holds {module}.{name}, which is no tensor")

    def persistent_load(self, saved_id):
        _kind, storage_type, key, _device, size, *_ = saved_id
        return self.storages.setdefault(key, _Storage(key, _DTYPES[storage_type], size))
