"""Decoded pixels kept for later epochs, in memory or in one packed file."""

import hashlib
import json
import shutil
from collections import OrderedDict
from pathlib import Path

import numpy as np
import tensorflow as tf
from tqdm.auto import tqdm

from skinkit.files import locked, reading, writing
from skinkit.pipeline.decode import UNREADABLE, decode_file

# Part of each file's name: raise it when the decoding below changes its pixels.
_VERSION = 1
_PROGRESS_FROM = 1000
# Pixels in memory are kept for the next dataset of the same files, up to this size in all.
_KEPT_BYTES = 2**28
_kept = OrderedDict()


def pixel_reader(paths, spec):
    """Returns a graph function from a position in `paths` to uint8 pixels `(height, width, 3)`.

    A cache is filled here, before the first batch. Without one, the function takes the distortions of the
    image and its orientation before them, too, as `decode_file` does.

    Args:
        paths: List of different image files.
        spec: A `PipelineSpec`, whose `cache` says where decoded pixels are kept.

    Raises:
        ValueError: when an image cannot be decoded into the cache, or the cache's file is damaged.
        OSError: when the cache folder cannot be written or is full.
    """
    if spec.cache is None:
        files = tf.constant(paths)
        return lambda index, *changes: decode_file(files[index], spec, *changes)
    if spec.cache == "memory":
        pixels = _in_memory(paths, spec)
        return lambda index: pixels[index]
    fetch = _packed_file(paths, spec)

    def read(index):
        # Stateless: under op determinism tf.data calls others one by one.
        pixels = tf.numpy_function(fetch, [index], tf.uint8, stateful=False)
        return tf.ensure_shape(pixels, (*spec.image_size, 3))

    return read


def _in_memory(paths, spec):
    """The pixels of all files; those of an earlier dataset if nothing has changed since."""
    which = _fingerprint(paths, spec)
    if (found := _kept.pop(which, None)) is None:
        pixels = np.empty((len(paths), *spec.image_size, 3), np.uint8)
        for position, image in enumerate(_decoded(paths, spec)):
            pixels[position] = image
        # A tensor, because NumPy functions hold the interpreter, of which there is one.
        with tf.device("CPU"):
            found = tf.constant(pixels)
    if found.shape.num_elements() <= _KEPT_BYTES:
        _kept[which] = found
    while sum(each.shape.num_elements() for each in _kept.values()) > _KEPT_BYTES:
        _kept.popitem(last=False)
    return found


def _packed_file(paths, spec):
    folder = Path(spec.cache)
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"{_fingerprint(paths, spec)}.npy"
    shape = (len(paths), *spec.image_size, 3)
    # Of several processes one decodes; the others wait and read its file.
    with locked(file.with_suffix(".lock")):
        if not file.exists():
            _write(file, shape, _decoded(paths, spec))
    with reading(file, "Delete it: the images are decoded again"):
        start = np.load(file, mmap_mode="r").offset
    size = int(np.prod(shape[1:]))

    def fetch(index):
        # Not a memory map: its pages would count as this process' memory.
        pixels = np.fromfile(file, np.uint8, count=size, offset=start + int(index) * size)
        return pixels.reshape(shape[1:])

    return fetch


def _fingerprint(paths, spec):
    """A name that changes with the files, their contents, and how they are decoded."""
    stats = [(path, s.st_size, s.st_mtime_ns) for path, s in ((p, Path(p).stat()) for p in paths)]
    settings = [_VERSION, spec.image_size, spec.resize, spec.colour_constancy]
    return hashlib.sha256(json.dumps([settings, stats]).encode()).hexdigest()[:32]


def _write(file, shape, images):
    needed = int(np.prod(shape))
    header = {"descr": "|u1", "fortran_order": False, "shape": shape}
    try:
        free = shutil.disk_usage(file.parent).free
        if free < needed:
            raise OSError("not enough space")
        with writing(file) as part, part.open("wb") as stream:
            np.lib.format.write_array_header_1_0(stream, header)
            for image in images:
                stream.write(image.tobytes())
    except OSError as error:
        raise OSError(
            f"Cannot write the pixel cache {file}: {error}. It needs {needed / 1e6:.0f} MB and the "
            f"disk has {shutil.disk_usage(file.parent).free / 1e6:.0f} MB left. Free some space, "
            "choose another folder, or use cache=None."
        ) from error


def _decoded(paths, spec):
    """Yields the pixels of all files in order."""
    decode = tf.autograph.experimental.do_not_convert(lambda path: decode_file(path, spec))
    dataset = tf.data.Dataset.from_tensor_slices(paths).map(decode, num_parallel_calls=tf.data.AUTOTUNE)
    images = iter(dataset.prefetch(16).as_numpy_iterator())
    quiet = len(paths) < _PROGRESS_FROM
    for path in tqdm(paths, desc="Decoding images for the cache", unit="image", disable=quiet or None):
        try:
            image = next(images)
        except tf.errors.OpError as error:
            raise ValueError(path.join(UNREADABLE)) from error
        yield image
