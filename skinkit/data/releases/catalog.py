"""Catalog: finds, lists and describes the releases of `releases.py`."""

import pandas as pd

from skinkit.data.classes import CLASS_MAPS
from skinkit.data.releases.release_list import CATALOG, Release, RemoteFile
from skinkit.names import did_you_mean

__all__ = ["CATALOG", "Release", "RemoteFile", "describe", "find_release", "list_releases"]


def find_release(key: str) -> Release:
    """Returns the release of that key.

    Raises:
        ValueError: if the catalog has no such key; names those it has.
    """
    if key not in CATALOG:
        known = ", ".join(CATALOG)
        raise ValueError(f"The catalog has no release {key!r}. Known: {known}.{did_you_mean(key, CATALOG)}")
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
            "fetch": "direct" if all(file.urls for file in release.files) else "by hand",
            "checksums": f"{sum(bool(file.checksum) for file in release.files)} of {len(release.files)}",
        }
        for release in CATALOG.values()
    )


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
    lines += [f"    {line}" for file in release.files for line in _file_lines(file)]
    lines += [f"  by hand   {number}. {step}" for number, step in enumerate(release.steps, 1)]
    return "\n".join(lines)


def _file_lines(file):
    size = f"{file.bytes:,} bytes" if file.bytes else "size not known beforehand"
    digest = " ".join(file.checksum) if file.checksum else "checksum not published or not confirmed"
    return [file.name, f"  {size}; {digest}", *(f"  {url}" for url in file.urls)]
