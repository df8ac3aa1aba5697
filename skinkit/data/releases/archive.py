"""Safe unpacking of zip archives, whole or not at all."""

import stat
import zipfile
import zlib
from contextlib import contextmanager
from pathlib import Path, PureWindowsPath

from skinkit.data.releases.http import LocalError, TransferError, require_space
from skinkit.files import remove


class DamagedArchive(TransferError):
    """The archive cannot be read to its end, or must not be unpacked."""


def unpack(archive: Path, target: Path, progress: bool = True) -> None:
    """Unpacks an archive into a folder, which exists afterwards only if all of it is there.

    An archive that holds nothing but one folder of the target's own name is not nested twice.

    Args:
        archive: Path of a zip file.
        target: Path of the folder to make; must not exist.
        progress: Boolean, whether to show a bar.

    Raises:
        DamagedArchive: damaged, encrypted, or with entries that lead out of the folder.
        LocalError: no space or permission here, or files of others in the folder that is worked in.
    """
    # Hidden, so that no reader takes the images of a killed unpacking for a data set.
    work = target.with_name(f".{target.name}.part")
    with _opened(archive) as opened:
        written = [work / entry.filename for entry in opened.infolist()]
        remove(written, work)
        if work.exists():
            raise LocalError(f"{work} holds files that are not those of {archive.name}; move them away")
        try:
            _extract(opened, archive, work, progress)
            inner = work / target.name
            single = inner.is_dir() and len(list(work.iterdir())) == 1
            (inner if single else work).replace(target)
        except OSError as error:
            raise LocalError(f"{archive.name} cannot be unpacked: {error}") from error
        finally:
            remove(written, work)


def _extract(opened, archive, work, progress):
    from tqdm.auto import tqdm

    entries = opened.infolist()
    size = sum(entry.file_size for entry in entries)
    require_space(size, work.parent, f" to unpack {archive.name}")
    work.mkdir()
    for entry in tqdm(entries, desc=archive.name, unit="file", disable=not progress):
        opened.extract(entry, work)


@contextmanager
def _opened(archive):
    """The archive, whose entries are safe; what is wrong in it while it is read is a `DamagedArchive`."""
    try:
        with zipfile.ZipFile(archive) as opened:
            for entry in opened.infolist():
                _refuse_unsafe(archive, entry)
            yield opened
    except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, NotImplementedError) as error:
        raise DamagedArchive(f"{archive.name} cannot be unpacked: {error}") from error


def _refuse_unsafe(archive, entry):
    # As Windows reads it, which knows all separators.
    path = PureWindowsPath(entry.filename)
    if path.anchor or ".." in path.parts or stat.S_ISLNK(entry.external_attr >> 16):
        raise DamagedArchive(
            f"{archive.name} is refused: its entry {entry.filename!r} leads out of the folder"
        )
