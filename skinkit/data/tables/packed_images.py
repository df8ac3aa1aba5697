"""Files that hold many images, unpacked once into a folder of image files beside them."""

import contextlib
import io
import itertools
import json
import zipfile

import numpy as np

from skinkit.data.classes import CLASS_MAPS
from skinkit.files import IMAGE_SIGNATURES, file_hash, locked, read_json, reading, remove_matching

PACKED_ENDINGS = {".npz", ".hdf5", ".h5"}
_REMEDY = "Fetch it again; expected are MedMNIST's arrays (.npz), or one image an entry (.hdf5)"
_MARK = ".unpacked-from.json"
_WRITTEN = ("*.png", "*.jpg", "manifest.csv", _MARK)


def unpack_images(path):
    """Returns the folder beside a file, of its name without ending, that holds its images as files.

    MedMNIST's images become PNG files with a table `manifest.csv`. Their ids begin with the part (`train_`,
    `val_`, `test_`), their labels are the file's numbers, or the codes of DermaMNIST's seven classes.
    Entries of an HDF5 file, as ISIC 2024 has them, are written as they are.
    A folder that is there is not made again.

    Args:
        path: Path of a file that ends in `.npz`, `.hdf5` or `.h5`.

    Raises:
        ValueError: when it holds something else, or is not the file that the folder was unpacked from.
    """
    if holds_layers(path):
        raise ValueError(f"{path} holds layers of a network and no images. {_REMEDY}")
    folder = path.with_suffix("")
    part = folder.with_name(f".{folder.name}.part")
    with locked(part.with_suffix(".lock")):
        if folder.is_dir():
            if (folder / _MARK).exists() and not _is_unpacked(path, folder / _MARK):
                raise ValueError(
                    f"{folder} was unpacked from another {path.name}. Move it away, and load again"
                )
            return folder
        remove_matching(part, _WRITTEN)
        part.mkdir()
        try:
            entries = (_medmnist if path.suffix.lower() == ".npz" else _hdf5)(path)
            # Closed at once where an entry is wrong, and the files with it.
            with reading(path, _REMEDY), contextlib.closing(entries):
                for name, content in entries:
                    (part / name).write_bytes(content)
            stat = path.stat()
            mark = {"bytes": stat.st_size, "changed": stat.st_mtime_ns, "content": file_hash(path)}
            (part / _MARK).write_text(json.dumps(mark))
            part.replace(folder)
        finally:
            remove_matching(part, _WRITTEN)
    return folder


def holds_layers(path):
    """Returns whether a file is one of groups, as the weights of a network are.

    Args:
        path: Path of a file that ends in `.npz`, `.hdf5` or `.h5`.
    """
    import h5py

    if path.suffix.lower() == ".npz" or not h5py.is_hdf5(path):
        return False
    with h5py.File(path) as file:
        return any(isinstance(file[name], h5py.Group) for name in itertools.islice(file, 1))


def was_unpacked(folder, name):
    """Tells whether a folder was unpacked here from a file whose name begins so, in lower case."""
    return folder.name.lower().startswith(name) and (folder / _MARK).exists()


def _is_unpacked(path, mark):
    """Whether a file is the one that was unpacked; its content is read where only its time differs."""
    noted, stat = read_json(mark, _REMEDY, "bytes", "changed", "content"), path.stat()
    if noted["bytes"] != stat.st_size or noted["changed"] == stat.st_mtime_ns:
        return noted["bytes"] == stat.st_size
    return noted["content"] == file_hash(path)


def _medmnist(path):
    rows = ["image_id,path,label"]
    is_derma = path.name.lower().startswith("dermamnist")
    with zipfile.ZipFile(path) as archive:
        names = [name.removesuffix("_images.npy") for name in archive.namelist() if "_images" in name]
        if not names:
            raise ValueError("it has no array train_images, val_images or test_images")
        for part in names:
            images, labels = (_arrays(archive, f"{part}_{kind}") for kind in ("images", "labels"))
            with contextlib.closing(images), contextlib.closing(labels):
                for i, (image, label) in enumerate(zip(images, labels, strict=True)):
                    name, number = f"{part}_{i:06d}", int(label.item())
                    code = CLASS_MAPS["alphabetical"].decode([number])[0] if is_derma else number
                    rows.append(f"{name},{name}.png,{code}")
                    yield f"{name}.png", _png(image)
    yield "manifest.csv", "\n".join([*rows, ""]).encode()


def _arrays(archive, name):
    """The rows of one array, of which only one is in memory."""
    with archive.open(f"{name}.npy") as file:
        read_header = getattr(np.lib.format, f"read_array_header_{np.lib.format.read_magic(file)[0]}_0")
        (count, *shape), is_fortran, kind = read_header(file)
        if is_fortran or kind.hasobject:
            raise ValueError(f"{name} does not hold numbers row by row")
        for _ in range(count):
            content = file.read(kind.itemsize * int(np.prod(shape)))
            yield np.frombuffer(content, kind).reshape(shape)


def _hdf5(path):
    import h5py

    with h5py.File(path) as file:
        for name in file:
            if not isinstance(file[name], h5py.Dataset):
                raise ValueError(f"its entry {name} is not an image")
            content = np.asarray(file[name][()])
            content = _png(content) if content.ndim > 1 else content.tobytes()
            if not content.startswith((*IMAGE_SIGNATURES.values(),)):
                raise ValueError(f"its entry {name} is neither {' nor '.join(IMAGE_SIGNATURES)}")
            ending = ".jpg" if content.startswith(IMAGE_SIGNATURES["JPEG"]) else ".png"
            yield name + ending, content


def _png(pixels):
    from PIL import Image

    if pixels.dtype != np.uint8 or pixels.ndim not in (2, 3) or pixels.shape[2:] not in ((), (1,), (3,)):
        raise ValueError(f"an image is uint8 (height, width) or (height, width, 3), not {pixels.shape}")
    file = io.BytesIO()
    Image.fromarray(pixels[..., 0] if pixels.shape[2:] == (1,) else pixels).save(
        file, "PNG", compress_level=1
    )
    return file.getvalue()
