"""Files of this kit: written whole or not at all, found, read with a remedy, hashed, locked and removed."""

import contextlib
import functools
import hashlib
import json
import math
import os
import zipfile
import zlib
from pathlib import Path

# The formats that every room reads, told by the first bytes of a file, and the endings of their names.
IMAGE_SIGNATURES = {"JPEG": b"\xff\xd8\xff", "PNG": b"\x89PNG\r\n\x1a\n"}
IMAGE_ENDINGS = (".jpg", ".jpeg", ".jpe", ".jfif", ".png")
_BROKEN = (
    ValueError,
    KeyError,
    TypeError,
    AttributeError,
    RuntimeError,
    EOFError,
    OSError,
    zlib.error,
    zipfile.BadZipFile,
)


@contextlib.contextmanager
def reading(path, remedy):
    """Names the file and the remedy in whatever error comes from reading a missing or broken file.

    Args:
        path: Path of the file that is read within the block.
        remedy: Sentence that says what to do.

    Raises:
        FileNotFoundError: when the file is missing.
        ValueError: when its content is not what was expected there. Errors of the disk itself, such as a
            missing permission, stay what they are.

    Example:
        >>> with reading(path, "Delete it: it is made again"):
        ...     content = json.loads(path.read_text())
    """
    try:
        yield
    except FileNotFoundError as error:
        raise FileNotFoundError(f"{path} is missing. {remedy}") from error
    except _BROKEN as error:
        if isinstance(error, OSError) and error.errno:
            raise
        raise ValueError(f"{path} is damaged ({type(error).__name__}: {error}). {remedy}") from error


def read_csv(source, dtype=None):
    """Returns a table that this kit wrote: missing is what is empty; an image or a class may be called NA.

    Args:
        source: Path, or open file.
        dtype: As in `pandas.read_csv`.
    """
    import pandas as pd

    return pd.read_csv(source, dtype=dtype, keep_default_na=False, na_values=[""])


def read_json(path, remedy, *keys):
    """Returns the object in a JSON file.

    Args:
        path: Path of the file.
        remedy: As in `reading`.
        *keys: Keys that the object must have.

    Raises:
        FileNotFoundError, ValueError: as in `reading`.
    """
    with reading(path, remedy):
        content = json.loads(Path(path).read_text(encoding="utf-8"))
        if not isinstance(content, dict):
            raise ValueError(f"expected an object in braces, received a {type(content).__name__}")
        if lacking := [key for key in keys if key not in content]:
            raise ValueError(f"it lacks {', '.join(lacking)}")
        return content


@contextlib.contextmanager
def writing(path, ending=".part"):
    """Gives the block a part file to write, which then becomes `path`: the name never stands for half a file.

    An error within the block, a full disk for instance, removes the part file and leaves `path` as it was.

    Args:
        path: Path of the file.
        ending: String that is added to the name for the part file.

    Example:
        >>> with writing("table.csv") as part:
        ...     table.to_csv(part)
    """
    path = Path(path)
    part = path.with_name(path.name + ending)
    try:
        yield part
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def write_json(path, content):
    """Writes `content` as JSON whole or not at all."""
    text = json.dumps(plain_json(content), indent=2, allow_nan=False) + "\n"
    with writing(path) as part:
        part.write_text(text, encoding="utf-8")


def plain_json(content):
    """Returns the content in JSON's own types: NaN, which JSON does not know, becomes null."""
    if isinstance(content, dict):
        return {name: plain_json(value) for name, value in content.items()}
    if isinstance(content, list | tuple):
        return [plain_json(value) for value in content]
    if content is None or isinstance(content, str | bool | int):
        return content
    return None if math.isnan(content) else float(content)


def file_hash(path, algorithm="sha256"):
    """Returns the hash of a file's content as hex digits, without reading all of it into memory.

    Args:
        path: Path of the file.
        algorithm: String, a name that `hashlib.new` knows.
    """
    with Path(path).open("rb") as file:
        # MD5 stands in some releases, against damage and not against attack.
        new = functools.partial(hashlib.new, algorithm, usedforsecurity=False)
        return hashlib.file_digest(file, new).hexdigest()


@contextlib.contextmanager
def locked(path, busy=None):
    """Holds a lock among processes, which ends with the block or with the process.

    Args:
        path: Path of the lock file; it is made, and may stay.
        busy: Exception that is raised where another process holds the lock; by default it is waited for.
    """
    import filelock

    try:
        # Whoever only looks whether it is held holds it for a moment.
        lock = filelock.FileLock(path).acquire(timeout=0.2 if busy else None)
    except filelock.Timeout:
        raise busy from None
    with lock:
        yield


def is_locked(path):
    """Returns whether a process holds the lock of `locked`; makes no lock file."""
    busy = BlockingIOError()
    try:
        with locked(path, busy) if Path(path).exists() else contextlib.nullcontext():
            return False
    except BlockingIOError:
        return True


def files_named(name, folder):
    """Returns the sorted paths of all files of this name below a folder.

    A folder that another process takes away meanwhile, as a training beside does, is passed over, which
    `pathlib.Path.rglob` would stop at.
    """
    return sorted(Path(place, name) for place, _, names in os.walk(folder) if name in names)


def remove(paths, root):
    """Removes files, and the folders below `root` that this leaves empty, `root` included; all else stays.

    Args:
        paths: Paths of files below `root` that this kit has written. Missing ones are passed over.
        root: Folder that they lie in.
    """
    root, paths = Path(root), [Path(path) for path in paths]
    for path in paths:
        if path.is_file() or path.is_symlink():
            path.unlink()
    places = {place for path in paths for place in (path, *path.parents) if place.is_relative_to(root)}
    for place in sorted({root, *places}, reverse=True):
        # A folder that holds something else stays.
        with contextlib.suppress(OSError):
            place.rmdir()


def remove_matching(folder, patterns):
    """Removes the files of a folder whose paths fit a pattern of `pathlib.Path.glob`, as `remove` does."""
    folder = Path(folder)
    remove((path for pattern in patterns for path in folder.glob(pattern)), folder)
