"""Reads the tensors of a PyTorch checkpoint without PyTorch, and nothing else that may be in it."""

import contextlib
import io
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
_IMAGENET = 1000


def read_state(path):
    """Returns the tensors of a `state_dict` that PyTorch saved, as an archive (1.6 and later) or before.

    A pickle can run any code when it is loaded. This reader knows ordered dictionaries, tensors and
    their storages, and refuses a file that names anything else.

    Args:
        path: Path of the checkpoint.

    Returns:
        Dictionary from parameter name to array, in PyTorch's own layout.

    Raises:
        FileNotFoundError: when there is no such file.
        ValueError: when it is not such a checkpoint, holds other objects, or is cut short.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"No weights at {path}. Received: weights={str(path)!r}")
    read = _read_archive if zipfile.is_zipfile(path) else _read
    with path.open("rb") as file:
        try:
            return read(file)
        except OSError:
            raise
        # A pickle of any content raises any error.
        except Exception as error:
            raise ValueError(f"{path} is not a whole PyTorch checkpoint of tensors: {error}") from error


def load_checkpoint(layers, path, torch_name, network, whole=True):
    """Puts the tensors of a PyTorch checkpoint into convolutions and batch normalisations.

    Args:
        layers: Keras layers; those without weights are passed over.
        path: Path of the checkpoint.
        torch_name: Function from the name of a layer to its name in the checkpoint.
        network: Name of the network, for the error.
        whole: Boolean, whether the network has all convolutions of the checkpoint.

    Raises:
        FileNotFoundError: when there is no such file.
        ValueError: when it is not a checkpoint of this network: a tensor is missing, has another
            shape, or is a convolution that the `whole` network has not.
    """
    state, used = read_state(path), set()
    for layer in layers:
        if not layer.weights:
            continue
        with _fitting(path, network, layer):
            layer.set_weights(_arrays(state, torch_name(layer.name), layer))
        used.add(f"{torch_name(layer.name)}.weight")
    extra = [name for name, tensor in state.items() if tensor.ndim == 4 and name not in used]
    if whole and extra:
        raise ValueError(f"{path} does not fit {network}, which has no convolution {extra[0]}")


def load_classifier(layer, path, name, network):
    """Puts the last layer of a PyTorch checkpoint into a dense layer.

    That of ImageNet's 1,000 classes is left out where the dense layer has others.

    Args:
        layer: `keras.layers.Dense`, built.
        path: Path of the checkpoint.
        name: String, the last layer's name in the checkpoint.
        network: Name of the network, for the error.

    Raises:
        ValueError: for other features, another number of classes, or no bias for each of them.
    """
    state = read_state(path)
    kernel = state[f"{name}.weight"].T if f"{name}.weight" in state else None
    if kernel is None or (kernel.shape[-1:] == (_IMAGENET,) != (layer.units,)):
        return
    if kernel.shape != layer.kernel.shape:
        features, classes = layer.kernel.shape
        raise ValueError(
            f"{path}: expected a last layer from {features} features to {classes} classes, or to ImageNet's "
            f"{_IMAGENET:,}, which is left out. Received: from {' to '.join(map(str, kernel.shape))}"
        )
    with _fitting(path, network, layer):
        layer.set_weights([kernel, state[f"{name}.bias"]])


@contextlib.contextmanager
def _fitting(path, network, layer):
    """Says of what goes wrong within the block that the checkpoint does not fit."""
    try:
        yield
    except KeyError as error:
        raise ValueError(f"{path} does not fit {network}: it has no tensor {error.args[0]}") from error
    except ValueError as error:
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
    arrays = {key: reader.storages[key].read(file, int.from_bytes(file.read(8), "little")) for key in keys}
    return _views(tensors, arrays)


def _read_archive(file):
    # Whole, because a damaged place in a file on disk would be an error of the disk.
    with zipfile.ZipFile(io.BytesIO(file.read())) as archive:
        (index,) = (name for name in archive.namelist() if name.endswith("/data.pkl"))
        with archive.open(index) as pickled:
            reader = _TensorsOnly(pickled)
            tensors = reader.load()
        arrays = {}
        for key, storage in reader.storages.items():
            entry = archive.getinfo(f"{index.removesuffix('.pkl')}/{key}")
            with archive.open(entry) as data:
                arrays[key] = storage.read(data, entry.file_size / np.dtype(storage.dtype).itemsize)
    return _views(tensors, arrays)


def _views(tensors, arrays):
    return {name: tensor.view(arrays[tensor.storage.key]) for name, tensor in tensors.items()}


@dataclass(frozen=True)
class _Storage:
    key: str
    dtype: str
    size: int

    def read(self, file, stated):
        expected = np.dtype(self.dtype).itemsize * self.size
        data = file.read(expected)
        if stated != self.size or len(data) != expected:
            raise ValueError(
                f"storage {self.key} has {len(data)} of {expected} bytes, {stated:g} of {self.size} numbers"
            )
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
        raise pickle.UnpicklingError(f"it holds {module}.{name}, which is not a tensor")

    def persistent_load(self, saved_id):
        _kind, storage_type, key, _device, size, *_ = saved_id
        return self.storages.setdefault(key, _Storage(key, _DTYPES[storage_type], size))
