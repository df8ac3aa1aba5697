"""Removal of files that this kit has written, and of nothing else."""

import contextlib
from pathlib import Path


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
