"""Download of a release: what is missing is fetched, verified and unpacked."""

from pathlib import Path

from skinkit.data.releases.archive import DamagedArchive, unpack
from skinkit.data.releases.catalog import Release, find_release
from skinkit.data.releases.http import LocalError, TransferError, Transport, transfer, verify
from skinkit.data.tables.folder import data_root
from skinkit.files import locked


class DownloadError(OSError):
    """A release could not be fetched; the message says how to get it by hand."""


def fetch(
    name: str | Release,
    to: str | Path | None = None,
    base_url: str | None = None,
    progress: bool = True,
    transport: Transport | None = None,
) -> Path:
    """Makes a release complete in its folder; does nothing where it is.

    An interrupted download goes on where it stopped. No file and no folder appears under its own
    name before it is whole and agrees with the catalog. Archives are unpacked beside the tables
    and, where they could be fetched again, removed.

    Args:
        name: String, key of the catalog, or a `Release` of one's own.
        to: Folder that holds one folder a release; default: the environment variable
            `SKINKIT_DATA`, else `datasets`.
        base_url: String, address of a mirror that has the same file names: `<base_url>/<file name>`.
        progress: Boolean, whether to print what is done and to show bars.
        transport: `Transport`, attempts, timeouts and block size.

    Returns:
        The release's folder, `<to>/<key>`.

    Raises:
        ValueError: if the catalog has no such release.
        DownloadError: with the reason and numbered steps to get the file by hand.

    Example:
        >>> folder = fetch("ham10000", to="datasets")
    """
    release = name if isinstance(name, Release) else find_release(name)
    folder = data_root(to) / release.key
    say = print if progress else lambda text: None
    folder.mkdir(parents=True, exist_ok=True)
    busy = DownloadError(f"Another process is fetching into {folder}. Wait until it has ended.")
    with locked(folder / ".fetch.lock", busy):
        for file in release.files:
            urls = [f"{base_url.rstrip('/')}/{file.name}"] if base_url else list(file.urls)
            try:
                _complete(file, urls, folder, progress, say, transport or Transport())
            except TransferError as error:
                raise DownloadError(_by_hand(release, file, urls, folder, error)) from error
    return folder


def _complete(file, urls, folder, progress, say, transport):
    path = folder / file.name
    target = folder / path.stem if path.suffix == ".zip" else path
    if target != path and target.is_dir():
        say(f"{target.name}/ is there")
        return
    was_there = path.exists()
    if was_there:
        if problem := verify(path, file):
            raise LocalError(f"the file that is there {problem}; move it away to fetch it again")
    elif not urls:
        raise LocalError("it is given only to people with an account or after a form")
    else:
        transfer(file, urls, path, transport, progress)
    say(f"{file.name} is there; {_what_was_compared(file)}")
    if target != path:
        _unpack(path, target, progress, was_there)


def _unpack(path, target, progress, was_there):
    """Unpacks an archive, and removes it unless it was there before: then it is not ours."""
    try:
        unpack(path, target, progress)
    except DamagedArchive as error:
        if was_there:
            raise LocalError(f"{error}; move it away to fetch it again") from error
        path.unlink()
        raise
    if not was_there:
        path.unlink()


def _what_was_compared(file):
    if file.checksum:
        return f"{file.checksum[0]} agrees"
    if file.bytes:
        return "its size agrees; no checksum is known to compare with"
    return "neither size nor checksum is known to compare with"


def _by_hand(release, file, urls, folder, error):
    steps = [
        *(release.steps or (f"Open {release.page} and accept its terms ({release.licence}).",)),
        f"Download {file.name}{' from ' + ' or '.join(urls) if urls else ''}.",
        f"Compare its size and checksum: {file.facts}.",
        f"Put it, unchanged and under this name, into {folder.resolve()}",
        f"Run `skinkit data fetch {release.key}` again: it checks and unpacks what is there.",
    ]
    lines = [f"{file.name} of {release.key} could not be fetched: {error}."]
    if (folder / f"{file.name}.part.json").exists():
        lines.append("What has arrived is kept: the same call goes on from there.")
    lines += ["By hand:", *(f"  {number}. {step}" for number, step in enumerate(steps, 1))]
    return "\n".join(lines)
