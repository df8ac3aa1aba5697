import contextlib
import io
import os
import pickle
import sys
import types
import zipfile
from collections import OrderedDict

import numpy as np
import pytest

from skinkit.models.torch_weights import read_state

MAGIC, SYSTEM = 0x1950A86A20F9469CFC6C, {"little_endian": True}


class Storage:
    def __init__(self, key, array):
        self.key, self.array = key, np.asarray(array)


class Tensor:
    def __init__(self, storage, offset, shape, strides):
        self.arguments = (storage, offset, shape, strides, False, OrderedDict())


@pytest.fixture(autouse=True)
def fake_torch(monkeypatch):
    """Names under which `pickle` writes what PyTorch writes."""
    torch, inner = types.ModuleType("torch"), types.ModuleType("torch._utils")
    for name in ("FloatStorage", "LongStorage", "BFloat16Storage"):
        setattr(torch, name, type(name, (), {"__module__": "torch"}))

    def _rebuild_tensor_v2(*_):
        raise AssertionError("only its name is needed")

    _rebuild_tensor_v2.__module__, _rebuild_tensor_v2.__qualname__ = "torch._utils", "_rebuild_tensor_v2"
    inner._rebuild_tensor_v2 = _rebuild_tensor_v2
    monkeypatch.setitem(sys.modules, "torch", torch)
    monkeypatch.setitem(sys.modules, "torch._utils", inner)
    return torch


class Pickler(pickle.Pickler):
    def persistent_id(self, thing):
        if not isinstance(thing, Storage):
            return None
        names = {"float32": "FloatStorage", "int64": "LongStorage", "uint16": "BFloat16Storage"}
        kind = getattr(sys.modules["torch"], names[thing.array.dtype.name])
        return ("storage", kind, thing.key, "cpu", thing.array.size, None)

    def reducer_override(self, thing):
        if isinstance(thing, Tensor):
            return sys.modules["torch._utils"]._rebuild_tensor_v2, thing.arguments
        return NotImplemented


def checkpoint(state, storages):
    file = io.BytesIO()
    for thing in (MAGIC, 1001, SYSTEM, OrderedDict(state), [s.key for s in storages]):
        Pickler(file, protocol=2).dump(thing)
    for storage in storages:
        file.write(storage.array.size.to_bytes(8, "little") + storage.array.tobytes())
    return file.getvalue()


def archive(state, storages):
    """The same as PyTorch 1.6 and later save it."""
    file, index = io.BytesIO(), io.BytesIO()
    Pickler(index, protocol=2).dump(OrderedDict(state))
    with zipfile.ZipFile(file, "w") as entries:
        entries.writestr("net/data.pkl", index.getvalue())
        for storage in storages:
            entries.writestr(f"net/data/{storage.key}", storage.array.tobytes())
    return file.getvalue()


def one_tensor(storage, offset=0, shape=(2, 3), strides=(3, 1), write=checkpoint, storages=None):
    return write({"w": Tensor(storage, offset, shape, strides)}, storages or [storage])


NUMBERS = Storage("7", np.arange(6, dtype="float32"))


@pytest.mark.parametrize("write", [checkpoint, archive])
def test_tensors_are_read_with_their_strides_and_offsets(tmp_path, write):
    count = Storage("8", np.array([5], "int64"))
    state = {
        "plain": Tensor(NUMBERS, 0, (2, 3), (3, 1)),
        "transposed": Tensor(NUMBERS, 0, (3, 2), (1, 3)),
        "tail": Tensor(NUMBERS, 4, (2,), (1,)),
        "count": Tensor(count, 0, (), ()),
    }
    (tmp_path / "c.pth").write_bytes(write(state, [count, NUMBERS]))
    found = read_state(tmp_path / "c.pth")
    assert list(found) == list(state)
    np.testing.assert_array_equal(found["plain"], [[0, 1, 2], [3, 4, 5]])
    np.testing.assert_array_equal(found["transposed"], [[0, 3], [1, 4], [2, 5]])
    np.testing.assert_array_equal(found["tail"], [4, 5])
    assert found["count"] == 5 and found["count"].dtype == np.int64


class Evil:
    def __reduce__(self):
        return os.mkdir, ("made-by-pickle",)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        pytest.param(lambda: checkpoint({"w": Evil()}, []), "mkdir", id="a command"),
        pytest.param(lambda: pickle.dumps(Evil()), "mkdir", id="a command at once"),
        pytest.param(lambda: one_tensor(NUMBERS)[:-3], "21 of 24 bytes", id="cut in the numbers"),
        pytest.param(lambda: one_tensor(NUMBERS)[:90], "checkpoint", id="cut in the pickle"),
        pytest.param(lambda: one_tensor(NUMBERS, offset=1), "beyond", id="past the end"),
        pytest.param(lambda: one_tensor(NUMBERS, offset=-1), "beyond", id="before the start"),
        pytest.param(lambda: one_tensor(NUMBERS, strides=(-3, 1)), "beyond", id="backwards"),
        pytest.param(lambda: one_tensor(NUMBERS, shape=(9, 9), strides=(0, 0)), "beyond", id="repeated"),
        pytest.param(lambda: one_tensor(Storage("1", np.zeros(6, "uint16"))), "BFloat16", id="other type"),
        pytest.param(lambda: pickle.dumps(3) * 3, "begin", id="another pickle"),
        pytest.param(lambda: b"", "checkpoint", id="empty"),
        pytest.param(lambda: b"no pickle at all", "checkpoint", id="text"),
        pytest.param(lambda: checkpoint({"w": [1, 2]}, []), "checkpoint", id="no tensor"),
        pytest.param(lambda: b"\x80\x02" + 5000 * b"(" + b"t.", "checkpoint", id="nested deeply"),
        pytest.param(lambda: b"\x80\x02\x8e" + 7 * b"\xff" + b"\x7f.", "checkpoint", id="length of exabytes"),
        pytest.param(lambda: b"\x80\x02Nr\xff\xff\xff\x7f.", "begin|checkpoint", id="index of gigabytes"),
        pytest.param(lambda: b"cno_such_module\nname\n.", "no_such_module", id="module of nobody"),
        pytest.param(lambda: b"\x80\x02\x82\x01.", "checkpoint", id="extension code"),
        pytest.param(lambda: archive({"w": Evil()}, []), "mkdir", id="a command in an archive"),
        pytest.param(
            lambda: one_tensor(NUMBERS, write=archive, storages=[Storage("7", np.zeros(5, "float32"))]),
            "20 of 24 bytes",
            id="an archive with fewer numbers",
        ),
        pytest.param(
            lambda: one_tensor(NUMBERS, write=archive, storages=[Storage("7", np.zeros(7, "float32"))]),
            "7 of 6 numbers",
            id="an archive with more numbers",
        ),
        pytest.param(
            lambda: one_tensor(NUMBERS, write=archive, storages=[Storage("8", np.zeros(6, "float32"))]),
            "net/data/7",
            id="an archive without the numbers",
        ),
        pytest.param(lambda: one_tensor(NUMBERS, write=archive)[:-30], "checkpoint", id="an archive cut"),
    ],
)
def test_anything_else_is_refused(tmp_path, monkeypatch, content, message):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "c.pth").write_bytes(content())
    with pytest.raises(ValueError, match=rf"c\.pth.*{message}"):
        read_state(tmp_path / "c.pth")
    assert not (tmp_path / "made-by-pickle").exists()


@pytest.mark.parametrize("write", [checkpoint, archive])
def test_a_damaged_byte_anywhere_gives_tensors_or_the_error_that_names_the_file(tmp_path, seed, write):
    whole, generator = one_tensor(NUMBERS, write=write), np.random.default_rng(seed)
    for place in range(len(whole)):
        damaged = bytearray(whole)
        damaged[place] = generator.integers(256)
        (tmp_path / "c.pth").write_bytes(damaged)
        with contextlib.suppress(ValueError):
            read_state(tmp_path / "c.pth")
