"""Files of this kit: the name of a broken one in its error, and the removal of what it wrote alone."""

import contextlib
import json
import zipfile
import zlib
from pathlib import Path

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
