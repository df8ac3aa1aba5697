"""Overlap of two sets of images: the same photograph, lesion or patient, under whatever name.

Two images show the same photograph if their ids are equal without case, file ending and the mark
`_downsampled` of ISIC 2019, or if their files hold the same bytes. Ids are compared without case, and only
where they are names of one scheme or of one data set: `HAM_0000118` says nothing about `IL_7000000`, and
lesion 1 of one source nothing about lesion 1 of another. A name of a scheme has seven digits: `HAM_118` may
be another spelling of `HAM_0000118`, or another lesion.
"""

import functools
from pathlib import Path

import pandas as pd

from skinkit.data.releases.catalog import CATALOG
from skinkit.data.tables.archive_table import lesions_of_archive
from skinkit.data.tables.image_ids import without_marks
from skinkit.data.tables.missing import id_text, known_ids
from skinkit.files import file_hash

KINDS = ("photograph", "lesion", "patient")
# Names that mean one thing everywhere: those of the archive, of the clinics of ISIC 2019 (`MSK4_0011169`),
# and of synthetic images, with seven digits. Any other id means something in its own data set only.
_SCHEME = r"^(isic|il|ip|ham|bcn|msk|syn|synl|synp)\d*_\d{7}(?:_ext)?$"
# The ISIC archive names all lesions and patients anew, also those that a release has named.
_ARCHIVE = {"il", "ip"}


def photograph_ids(rows):
    """Returns the id of the photograph that each image shows: equal text, equal photograph.

    Args:
        rows: Manifest rows; copies name their photograph in `source_id`.
    """
    return without_marks(rows["source_id"] if "source_id" in rows else rows["image_id"]).str.lower()


def overlap(rows, seen, one_table=False):
    """Returns which images show a photograph, lesion or patient that is among others.

    Files of equal size are compared by their bytes. Ids are compared within a known naming scheme (`HAM_`,
    `BCN_`, ...) or within a data set: equal `dataset`, which must be a release's name unless all rows are of
    one table. The archive's own names (`IL_`, `IP_`) are compared with each other only; lesions that one of
    them has named otherwise, where an export of the archive with their images lies beside a table.

    Args:
        rows: Manifest rows; `source_id` is optional.
        seen: Manifest rows, or what `fingerprint` saved of them.
        one_table: Boolean, whether both are rows of one table. Those that were read from one file are known
            to be.

    Returns:
        DataFrame with the index of `rows` and the columns `photograph, lesion, patient` of dtype boolean;
        `<NA>` where it is not known: no id, no ids in `seen`, or some there that it cannot be compared with,
        photographs by their files neither. Images without an id in `seen` do not make the others unknown. A
        photograph is not known to be another where an equal id of no scheme (`00001`) has other bytes.

    Example:
        >>> overlap(load("isic2019"), load("ham10000"))["photograph"].sum()  # 10015
    """
    one_table = one_table or of_one_file(rows, seen)
    ours, theirs = _facts(rows), _facts(seen)
    found = {"photograph": _same_photograph(ours, theirs, one_table)}
    found |= {kind: same_owner(ours, theirs, kind, one_table) for kind in KINDS[1:]}
    if (found["lesion"].isna() & ours["lesion_id"].notna()).any():
        archive = lesions_of_archive(table.attrs.get("table") for table in (rows, seen))
        found["lesion"] = _through_archive(found["lesion"], archive, ours, theirs)
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


def of_one_file(rows, seen):
    """Returns whether two tables were read from one file."""
    return rows.attrs.get("table") is not None and rows.attrs["table"] == seen.attrs.get("table")


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
    facts = pd.DataFrame({**facts, "path": path, "changed": changed})
    facts.attrs["table"] = rows.attrs.get("table")
    return facts


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
    wanted = (facts["bytes"].isin(sizes.dropna()) & facts["bytes"].notna()).to_numpy(dtype=bool)
    files = facts.loc[wanted, ["path", "bytes", "changed"]]
    content = [_digest(*file) for file in files.itertuples(index=False)]
    return pd.Series(content, index=files.index, dtype="string").reindex(facts.index)


@functools.cache
def _digest(path, size, changed):
    """Reads a file once in a process, and again when it was changed."""
    return file_hash(path)[:16]


def _names(facts, column, apart=""):
    """Ids without case, their naming schemes ("" for none), and keys that are equal for the same thing."""
    read = id_text if column == "photograph" else known_ids
    name = read(facts[column]).str.lower()
    source = facts["dataset"].fillna("").str.lower()
    source = source.where(source.isin(CATALOG), source + apart)
    scheme = name.str.extract(_SCHEME, expand=False).fillna("")
    key = name.where(scheme != "", source + "|" + name)
    return pd.DataFrame({"name": name, "scheme": scheme, "source": source, "key": key, "file": False})


def _both_names(rows, seen, column, one_table):
    # Two tables may call their own data sets alike, or not at all.
    return _names(rows, column, "" if one_table else "|of another table"), _names(seen, column)


def _same_photograph(ours, theirs, one_table):
    names, others = _both_names(ours, theirs, "photograph", one_table)
    names["file"], others["file"] = ours["bytes"].notna(), theirs["bytes"].notna()
    same = names["key"].isin(others["key"].dropna())
    rest = ours[~same]
    content = _contents(rest, theirs["bytes"]).reindex(ours.index)
    same |= content.notna() & content.isin(_contents(theirs, rest["bytes"]).dropna())
    alike = (names["scheme"] == "") & names["name"].isin(others.loc[others["scheme"] == "", "name"])
    return same.astype("boolean").mask(~same & (alike | ~_known(names, others)))


def same_owner(rows, seen, kind, one_table=False):
    """Returns whether each image is of a lesion, or patient, that is among others (see `overlap`).

    Args:
        rows: Manifest rows.
        seen: Manifest rows.
        kind: `"lesion"` or `"patient"`.
        one_table: Boolean, whether both are rows of one table.
    """
    names, others = _both_names(rows, seen, f"{kind}_id", one_table)
    others = others.dropna(subset="key")
    same = names["key"].isin(others["key"]).astype("boolean")
    return same.mask(names["key"].isna() | (~_known(names, others) & ~same))


def _through_archive(same, archive, ours, theirs):
    """Fills in what the archive's names of lesions tell, where it has them for all seen ones with an id."""
    names, others = (facts["photograph"].map(archive).astype("string") for facts in (ours, theirs))
    shared = names.isin(others.dropna())
    complete = others[theirs["lesion_id"].notna()].notna()
    known = shared | (names.notna() & (complete.all() and len(complete) > 0))
    return same.fillna(shared.astype("boolean").where(known))


def _known(names, others):
    """Returns for each thing whether it differs from all others wherever it is not equal to one."""
    columns = ["scheme", "source", "file"]
    kinds = [*others[columns].drop_duplicates().itertuples(index=False, name=None)]
    ours = [*names[columns].itertuples(index=False, name=None)]
    known = {kind: bool(kinds) and all(_comparable(kind, other) for other in kinds) for kind in set(ours)}
    return pd.Series([known[kind] for kind in ours], index=names.index, dtype=bool)


def _comparable(one, other):
    """Returns whether things of these kinds, (scheme, data set, file), differ when their ids and bytes do."""
    if (one[2] and other[2]) or (one[0] and one[0] == other[0]):
        return True
    # Somebody's `L0` or `3920` is not a name of the release whose name its folder has.
    return one[1] == other[1] and bool(one[0]) == bool(other[0]) and not {one[0], other[0]} & _ARCHIVE
