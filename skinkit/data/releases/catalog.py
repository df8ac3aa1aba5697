"""Catalog of the releases in `releases.toml`: found by key, listed and described."""

import tomllib
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from skinkit.data.classes import CLASS_MAPS
from skinkit.names import check_name


@dataclass(frozen=True)
class RemoteFile:
    """One file of a release.

    Args:
        name: String, file name, also on a mirror.
        urls: Strings, addresses, tried in this order; empty when an account or a form stands before it.
        bytes: Integer, size, or `None` when unknown.
        sha256: String, lower-case hex digest, or `None` when unknown.
        md5: String, lower-case hex digest, or `None` when unknown.
    """

    name: str
    urls: tuple[str, ...] = ()
    bytes: int | None = None
    sha256: str | None = None
    md5: str | None = None

    @property
    def checksum(self) -> tuple[str, str] | None:
        """The strongest known digest as `(algorithm, hex)`, or None."""
        known = {"sha256": self.sha256, "md5": self.md5}
        return next(((name, digest) for name, digest in known.items() if digest), None)

    @property
    def facts(self) -> str:
        """Size and checksum in words."""
        size = f"{self.bytes:,} bytes" if self.bytes else "size not known beforehand"
        digest = " ".join(self.checksum) if self.checksum else "checksum not published or not confirmed"
        return f"{size}; {digest}"


@dataclass(frozen=True)
class Release:
    """One release of images with their tables.

    Args:
        key: String, name used by every command, and name of its folder.
        title, page, licence, citation: Strings of one line; the page is the address a person opens.
        class_map: String, key of `CLASS_MAPS`.
        images: Integer, number of images that belong to it.
        counts: Dictionary, images per canonical label; empty when unknown.
        lesions, patients: Integers, numbers of known ids, or `None`.
        files: `RemoteFile`s, what to fetch.
        tables: Strings, patterns of the names of its table of diagnoses, in lower case; the first that fits
            counts.
        steps: Strings, how to get the files by hand where no address is open to everybody.
        note: String, what a user should know before using it.
        kaggle: String, `owner/name` of a copy at Kaggle, or empty.
    """

    key: str
    title: str
    page: str
    licence: str
    citation: str
    class_map: str
    images: int
    files: tuple[RemoteFile, ...]
    counts: dict[str, int] = field(default_factory=dict, hash=False)
    lesions: int | None = None
    patients: int | None = None
    tables: tuple[str, ...] = ()
    steps: tuple[str, ...] = ()
    note: str = ""
    kaggle: str = ""


def _read(path: Path) -> dict[str, Release]:
    with path.open("rb") as file:
        releases = tomllib.load(file)
    return {key: _release(key, **facts) for key, facts in releases.items()}


def _release(key, files, **facts):
    files = tuple(RemoteFile(**{**file, "urls": tuple(file.get("urls", ()))}) for file in files)
    lists = {name: tuple(value) for name, value in facts.items() if isinstance(value, list)}
    return Release(key, files=files, **{**facts, **lists})


CATALOG = _read(Path(__file__).with_name("releases.toml"))


def find_release(key: str) -> Release:
    """Returns the release of that key.

    Raises:
        ValueError: if the catalog has no such key; names those it has.
    """
    check_name("Releases", key, CATALOG)
    return CATALOG[key]


def list_releases() -> pd.DataFrame:
    """Returns one row a release: what it is, how large, and how it can be had."""
    return pd.DataFrame(
        {
            "key": release.key,
            "title": release.title,
            "images": release.images,
            "classes": len(release.counts) or len(CLASS_MAPS[release.class_map]),
            "licence": release.licence,
            "download": _download_size(release.files),
            "fetch": "direct" if all(file.urls for file in release.files) else "by hand",
            "checksums": f"{sum(bool(file.checksum) for file in release.files)} of {len(release.files)}",
        }
        for release in CATALOG.values()
    )


def _download_size(files):
    sizes = [file.bytes for file in files]
    return f"{sum(sizes) / 1e9:.1f} GB" if all(sizes) else "not known"


def describe(key: str) -> str:
    """Returns the data sheet of one release as text, with what is not known said in words."""
    release = find_release(key)
    class_map = CLASS_MAPS[release.class_map]
    known = {"images": release.images, "lesions": release.lesions, "patients": release.patients}
    lines = [
        f"{release.key}: {release.title}",
        f"  page      {release.page}",
        f"  licence   {release.licence}",
        f"  cite      {release.citation}",
        f"  classes   {', '.join(class_map.names)} (class map {class_map.key})",
        f"  counts    {', '.join(f'{n:,} {what}' for what, n in known.items() if n)}",
    ]
    if release.counts:
        per_class = ", ".join(f"{label} {n:,}" for label, n in release.counts.items())
        lines.append(f"            {per_class}")
    if release.note:
        lines.append(f"  note      {release.note}")
    lines.append("  files")
    for file in release.files:
        lines += [f"    {file.name}", f"      {file.facts}", *(f"      {url}" for url in file.urls)]
    lines += [f"  by hand   {number}. {step}" for number, step in enumerate(release.steps, 1)]
    return "\n".join(lines)
