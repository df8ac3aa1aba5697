"""Overlap of two sets of images: the same photograph, lesion or patient, under whatever name.

Two images show the same photograph if their ids are equal without case, file ending and the mark
`_downsampled` of ISIC 2019, or if their files hold the same bytes. Lesion and patient ids are compared
without case, and only where they are names of one scheme: `HAM_0000118` says nothing about `IL_7000000`, and
lesion 1 of one source nothing about lesion 1 of another.
"""

import functools
import hashlib
from pathlib import Path

import pandas as pd

from skinkit.data.missing import known_ids

KINDS = ("photograph", "lesion", "patient")
_ENDING = r"(?i)\.(jpe?g|png|bmp|gif|tiff?|webp)$"
# Words that anybody counts with: such an id means something in its own data set only.
_COMMON = {"case", "dsc", "id", "image", "img", "lesion", "les", "no", "nr", "pat", "patient", "photo", "pic"}
# The ISIC archive names all lesions and patients anew, also those that a release has named.
_ARCHIVE = {"il", "ip"}


def without_ending(ids):
    """Returns ids without the ending of an image file."""
    return ids.str.replace(_ENDING, "", regex=True)


def without_marks(ids):
    """Returns image ids without file ending and without the mark `_downsampled` of ISIC 2019."""
    return without_ending(ids.astype("string")).str.replace(r"(?i)_downsampled$", "", regex=True)


def photograph_ids(rows):
    """Returns the id of the photograph that each image shows: equal text, equal photograph.

    Args:
        rows: Manifest rows; copies name their photograph in `source_id`.
    """
    return without_marks(rows["source_id"] if "source_id" in rows else rows["image_id"]).str.lower()


def overlap(rows, seen):
    """Returns which images show a photograph, lesion or patient that is among others.

    Files of equal size are compared by their bytes. Ids are compared within a naming scheme, known by its
    first letters (`HAM_`, `BCN_`), or within a data set (column `dataset`). The archive's own names (`IL_`,
    `IP_`) are compared with each other only.

    Args:
        rows: Manifest rows; `source_id` is optional.
        seen: Manifest rows, or what `fingerprint` saved of them.

    Returns:
        DataFrame with the index of `rows` and the columns `photograph, lesion, patient` of dtype boolean;
        `<NA>` where it is not known: no id, no ids in `seen`, or some there that it cannot be compared with.
        Images without an id in `seen` do not make the others unknown. A photograph is not known to be the
        same where another data set has an equal id without a scheme (`00001`) and other bytes.

    Example:
        >>> overlap(load("isic2019"), load("ham10000"))["photograph"].sum()
        10015
    """
    ours, theirs = _facts(rows), _facts(seen)
    found = {"photograph": _same_photograph(ours, theirs)}
    found |= {kind: same_owner(ours, theirs, kind) for kind in KINDS[1:]}
    return pd.DataFrame(found).astype("boolean").set_axis(rows.index)


def fingerprint(rows):
    """Returns what has to be kept of images to know them again without their files.

    Args:
        rows: Manifest rows.

    Returns:
        DataFrame with the index of `rows` and the columns `photograph` (its id in lower case), `lesion_id`,
        `patient_id`, `dataset`, `bytes` (size of the file, `<NA>` without one) and `content` (first 16 hex
        digits of the SHA-256 of the file). Read back from a CSV file, all columns may be text.
    """
    facts = _facts(rows)
    facts["content"] = _contents(facts, facts["bytes"])
    return facts.drop(columns=["path", "changed"]).set_axis(rows.index)


def _facts(rows):
    rows = rows.reset_index(drop=True)
    if "photograph" in rows:
        return rows.astype("string").assign(bytes=pd.to_numeric(rows["bytes"]).astype("Int64"))
    ids = {name: known_ids(rows[name]) for name in ("lesion_id", "patient_id")}
    dataset = rows["dataset"].astype("string")
    path = rows["path"].astype("string")
    files = {name: _stat(name) for name in path.dropna().unique()}
    size, changed = (
        pd.array([files.get(name, (pd.NA, pd.NA))[i] for name in path], "Int64") for i in range(2)
    )
    facts = {"photograph": photograph_ids(rows), **ids, "dataset": dataset, "bytes": size}
    return pd.DataFrame({**facts, "path": path, "changed": changed})


def _stat(path):
    try:
        found = Path(path).stat()
    except OSError:
        return pd.NA, pd.NA
    # Empty files are all equal and show nothing.
    return found.st_size or pd.NA, found.st_mtime_ns


def _contents(facts, sizes):
    """Hashes of the files that have one of these sizes, `<NA>` for the others."""
    if "content" in facts:
        return facts["content"]
    content = pd.Series(pd.NA, index=facts.index, dtype="string")
    wanted = facts["bytes"].isin(sizes.dropna()) & facts["bytes"].notna()
    files = facts.loc[wanted, ["path", "bytes", "changed"]]
    content[wanted] = [_digest(*file) for file in files.itertuples(index=False)]
    return content


@functools.cache
def _digest(path, size, changed):
    """Reads a file once in a process, and again when it was changed."""
    with Path(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()[:16]


def _names(facts, column):
    """Ids without case, their naming schemes ("" for none), and keys that are equal for the same thing."""
    name = known_ids(facts[column]).str.lower()
    source = facts["dataset"].fillna("").str.lower()
    scheme = name.str.extract(r"^([a-z]{2,})", expand=False).fillna("")
    scheme = scheme.mask(scheme.isin(_COMMON), "")
    return pd.DataFrame(
        {
            "name": name,
            "scheme": scheme,
            "source": source,
            "key": name.where(scheme != "", source + "|" + name),
        }
    )


def _same_photograph(ours, theirs):
    names, others = _names(ours, "photograph"), _names(theirs, "photograph")
    same = names["key"].isin(others["key"].dropna())
    rest = ours[~same]
    content = _contents(rest, theirs["bytes"]).reindex(ours.index)
    same |= content.notna() & content.isin(_contents(theirs, rest["bytes"]).dropna())
    elsewhere = (names["scheme"] == "") & names["name"].isin(others.loc[others["scheme"] == "", "name"])
    return same.astype("boolean").mask(~same & elsewhere)


def same_owner(rows, seen, kind):
    """Returns whether each image is of a lesion, or patient, that is among others (see `overlap`).

    Args:
        rows: Manifest rows.
        seen: Manifest rows.
        kind: `"lesion"` or `"patient"`.
    """
    names, others = _names(rows, f"{kind}_id"), _names(seen, f"{kind}_id")
    others = others.dropna(subset="key")
    same = names["key"].isin(others["key"]).astype("boolean")
    kinds = [*others[["scheme", "source"]].drop_duplicates().itertuples(index=False, name=None)]
    ours = [*names[["scheme", "source"]].itertuples(index=False, name=None)]
    known = {kind: bool(kinds) and all(_comparable(kind, other) for other in kinds) for kind in set(ours)}
    unknown = ~pd.Series([known[kind] for kind in ours], index=names.index, dtype=bool)
    return same.mask(names["key"].isna() | (unknown & ~same))


def _comparable(one, other):
    """Whether two ids of these kinds, (scheme, data set), are different things when they differ."""
    if one[0] and one[0] == other[0]:
        return True
    return one[1] == other[1] and not {one[0], other[0]} & _ARCHIVE
