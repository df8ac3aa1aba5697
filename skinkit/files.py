"""Files read so that a broken one is named: the ground floor of every room."""

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
