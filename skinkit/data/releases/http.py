"""Transfer of one file over HTTP: resumed where possible, verified, and renamed only when it is whole."""

import errno
import json
import re
import shutil
import time
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from skinkit.data.releases.catalog import RemoteFile
from skinkit.files import file_hash, read_json

# Seconds that a command waits for a busy server; who is asked for more comes back later.
_LONGEST_WAIT = 900
_DISK_FULL = {errno.ENOSPC, errno.EDQUOT}


class TransferError(Exception):
    """The server did not give the file that was asked for; another server may."""


class LocalError(TransferError):
    """The fault is on this machine (a full disk, no permission): no other server helps."""


class _Interrupted(Exception):
    """An attempt that failed and may be repeated, after `wait` seconds if the server says so."""

    def __init__(self, message, wait=0.0):
        super().__init__(message)
        self.wait = wait


@dataclass(frozen=True)
class Transport:
    """Limits of a transfer, and the functions it calls.

    Args:
        attempts: Integer, attempts in a row that bring no new byte before giving up.
        timeout: Floats, seconds to connect, and seconds between two blocks of bytes.
        backoff: Float, seconds before the second attempt; doubled before each further one, at most 60.
        block: Integer, bytes per read, and the most a broken connection can lose.
        sleep: Function that waits so many seconds.
        open: Function that opens the part file for writing.
    """

    attempts: int = 5
    timeout: tuple[float, float] = (10.0, 60.0)
    backoff: float = 1.0
    block: int = 1 << 16
    sleep: Callable = time.sleep
    open: Callable = open


class _Part:
    """The unfinished file `<name>.part`, and beside it the notes that are needed to go on with it."""

    def __init__(self, path: Path):
        self.path = path.with_name(f"{path.name}.part")
        self.notes_path = path.with_name(f"{path.name}.part.json")

    @property
    def size(self) -> int:
        return self.path.stat().st_size if self.path.exists() else 0

    @property
    def notes(self) -> dict:
        """Facts of the part; empty if they are damaged, and the download begins anew."""
        try:
            return read_json(self.notes_path, "", "url", "validator", "total")
        except (OSError, ValueError):
            return {}

    def remember(self, url, headers, total):
        notes = {"url": url, "validator": _validator(headers), "total": total}
        self.notes_path.write_text(json.dumps(notes), encoding="utf-8")

    def discard(self):
        self.path.unlink(missing_ok=True)
        self.notes_path.unlink(missing_ok=True)


def transfer(file: RemoteFile, urls: list[str], path: Path, transport: Transport, progress: bool) -> None:
    """Brings one file to `path`, which exists afterwards only if the file is whole and right.

    Args:
        file: `RemoteFile`, with size and checksum as far as they are known.
        urls: Strings, addresses, tried in turn; that of an unfinished part comes first.
        path: Path that the file goes to; `<path>.part` holds what has arrived so far.
        transport: `Transport`, limits and injected functions.
        progress: Boolean, whether to show a bar.

    Raises:
        TransferError: with the reason at each address. The part file is kept where it is of use.
    """
    part = _Part(path)
    if folders := [found for found in (path, part.path) if found.is_dir()]:
        raise LocalError(f"{folders[0]} is a folder, where a file belongs; move it away")
    if part.size and not part.notes_path.exists():
        raise LocalError(f"{part.path} was not begun here; move it away, or finish it and drop the `.part`")
    reasons = []
    for url in sorted(urls, key=lambda url: url != part.notes.get("url")):
        try:
            _from_one(file, url, part, transport, progress)
            part.path.replace(path)
            return part.discard()
        except LocalError:
            raise
        except TransferError as error:
            reasons.append(f"{url}: {error}")
        except OSError as error:
            raise LocalError(_local_reason(error, part)) from error
    raise TransferError("; ".join(reasons))


def verify(path: Path, file: RemoteFile) -> str | None:
    """Returns what is wrong with a file, as a phrase, or None if nothing is known to be."""
    if path.is_dir():
        return "is a folder"
    size = path.stat().st_size
    if not size:
        return "is empty"
    if file.bytes is not None and size != file.bytes:
        return f"has {size:,} bytes, expected {file.bytes:,}"
    if file.checksum:
        algorithm, expected = file.checksum
        received = file_hash(path, algorithm)
        if received != expected:
            return f"has the {algorithm} {received}, expected {expected}"
    if file.name.endswith(".zip") and not zipfile.is_zipfile(path):
        with path.open("rb") as opened:
            return f"is not a zip archive (it begins with {opened.read(16)!r})"
    return None


def require_space(needed: int, folder: Path, purpose: str = "") -> None:
    """Raises `LocalError` where fewer bytes than these are free on the disk of a folder."""
    free = shutil.disk_usage(folder).free
    if needed > free:
        raise LocalError(
            f"the disk is too small{purpose}: {needed:,} bytes are needed, {free:,} are free in {folder}"
        )


def _validator(headers):
    etag = headers.get("ETag", "")
    # A weak ETag does not promise equal bytes and is not allowed in If-Range.
    return etag if etag.startswith('"') else headers.get("Last-Modified")


def _from_one(file, url, part, transport, progress):
    """Repeats attempts at one address until the part file is whole and right."""
    failures, largest, begun_again = 0, part.size, False
    while True:
        try:
            resumed = _attempt(file, url, part, transport, progress)
        except _Interrupted as error:
            failures = 0 if part.size > largest else failures + 1
            largest = max(largest, part.size)
            if failures >= transport.attempts:
                raise TransferError(f"{error} ({failures} attempts)") from error
            transport.sleep(error.wait or min(60.0, transport.backoff * 2 ** max(0, failures - 1)))
            continue
        problem = verify(part.path, file)
        if problem is None:
            return
        part.discard()
        # Only a file put together from two answers deserves a second look at the same server.
        if begun_again or not resumed:
            raise TransferError(f"what the server sent {problem}")
        begun_again = True


def _attempt(file, url, part, transport, progress):
    """Asks once for what is missing. Returns whether it was added to an earlier part."""
    import requests

    notes = part.notes
    have = part.size if notes.get("url") == url and notes.get("validator") else 0
    headers = {"Accept-Encoding": "identity"}
    if have:
        headers |= {"Range": f"bytes={have}-", "If-Range": notes["validator"]}
    try:
        with requests.get(url, headers=headers, stream=True, timeout=transport.timeout) as response:
            start, total = _position(response, part, have)
            if file.bytes is not None and total not in (None, file.bytes):
                raise TransferError(f"the server offers {total:,} bytes, expected {file.bytes:,}")
            if response.status_code != 416:
                _receive(response, url, part, start, total, transport, progress)
    except requests.RequestException as error:
        raise _Interrupted(f"{type(error).__name__}: {error}") from error
    # urllib3 notices this itself only from version 2 on.
    if total is not None and part.size != total:
        raise _Interrupted(f"the connection ended after {part.size:,} of {total:,} bytes")
    return start > 0


def _position(response, part, have):
    """Returns where the answer's bytes belong and how many the whole file has (or None)."""
    if "text/html" in response.headers.get("Content-Type", ""):
        # A login page or a captive portal; what has arrived must not be thrown away for it.
        raise _Interrupted(f"HTTP {response.status_code} with a web page instead of the file")
    if response.status_code == 200:
        length = response.headers.get("Content-Length", "")
        return 0, int(length) if length.isdigit() else None
    if response.status_code not in (206, 416):
        raise _Interrupted(f"HTTP {response.status_code} {response.reason}", _asked_to_wait(response))
    content_range = response.headers.get("Content-Range", "")
    match = re.fullmatch(r"bytes (?:(\d+)-\d+|\*)/(\d+)", content_range)
    start, total = (int(match[1] or match[2]), int(match[2])) if match else (None, None)
    if have and start == have and _same_file(response, part.notes, total):
        return start, total
    part.discard()
    raise _Interrupted(
        f"HTTP {response.status_code} with Content-Range {content_range!r}, asked from byte {have}"
    )


def _asked_to_wait(response):
    """Seconds that the server asks to wait; 0 where it does not ask."""
    from urllib3.exceptions import InvalidHeader
    from urllib3.util import Retry

    try:
        wait = Retry().parse_retry_after(response.headers.get("Retry-After", "0"))
    except InvalidHeader:
        return 0.0
    if wait > _LONGEST_WAIT:
        raise TransferError(f"HTTP {response.status_code}: the server asks to wait {wait / 60:.0f} minutes")
    return wait


def _same_file(response, notes, total):
    if response.status_code == 416:
        return True
    validator = _validator(response.headers) or notes["validator"]
    return validator == notes["validator"] and total == (notes.get("total") or total)


def _receive(response, url, part, start, total, transport, progress):
    from tqdm.auto import tqdm

    require_space((total or 0) - start, part.path.parent)
    look = {"desc": part.path.stem, "unit": "B", "unit_scale": True, "disable": not progress}
    bar = tqdm(total=total, initial=start, **look)
    with bar, transport.open(part.path, "ab" if start else "wb") as target:
        if not start:
            part.remember(url, response.headers, total)
        for block in response.iter_content(transport.block):
            target.write(block)
            bar.update(len(block))


def _local_reason(error, part):
    if error.errno not in _DISK_FULL:
        return str(error)
    free = shutil.disk_usage(part.path.parent).free
    total = part.notes.get("total")
    missing = f"{total - part.size:,} more bytes" if total else "more space, size unknown,"
    return f"the disk is full: {missing} are needed in {part.path.parent}, {free:,} are free"
