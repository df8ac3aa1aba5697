"""Check of a data set: every image opened, counts against the catalog, duplicates found."""

import os
from dataclasses import dataclass, fields

import pandas as pd

from skinkit.data.overlap import photograph_ids, same_owner
from skinkit.data.releases.catalog import CATALOG, Release
from skinkit.data.releases.image_file import ImageFacts, inspect_image

_EXAMPLES = 5
_DUPLICATES = {"same file": "file_hash", "same pixels": "pixel_hash", "same id": "photograph"}
_LEVELS = ("error", "notice", "difference")


@dataclass(frozen=True)
class CheckReport:
    """Result of `check_images`.

    Args:
        files: DataFrame, one row per image file: `image_id, path`, and the fields of `ImageFacts`.
        duplicates: DataFrame, one row per group of images of one photograph: `kind` (`same file`, `same
            pixels` in different files, or `same id` as `overlap` compares ids, with other pixels),
            `image_ids` (tuple), `same_lesion` (`<NA>` where one is missing or they cannot be compared),
            `same_label`.
        differences: Strings, where the counts are not those of the catalog, as they are in any subset.
    """

    files: pd.DataFrame
    duplicates: pd.DataFrame
    differences: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        """True if every image can be used. Notices and differences do not count."""
        return not (self.files["error"] != "").any()

    @property
    def sizes(self) -> pd.Series:
        """Number of readable images per `width x height`, the most frequent first."""
        good = self.files[self.files["error"] == ""]
        return (good["width"].astype(str) + " x " + good["height"].astype(str)).value_counts()

    def to_frame(self) -> pd.DataFrame:
        """Returns one row a finding: `level` (error, notice, difference), `kind, image_id, path, detail`."""
        rows, sizes = [], self.sizes
        # Releases of many sizes (ISIC 2019 and 2020) have no odd ones.
        usual = sizes.index[0] if len(sizes) and sizes.iloc[0] * 2 > sizes.sum() else None
        for file in self.files.itertuples():
            found = [("notice", kind, "") for kind in file.notices]
            if file.error:
                found = [("error", file.error, file.detail)]
            elif usual and (size := f"{file.width} x {file.height}") != usual:
                found.append(("notice", "odd size", size))
            rows += [(level, kind, file.image_id, file.path, detail) for level, kind, detail in found]
        for group in self.duplicates.itertuples():
            rows.append(("notice", group.kind, ", ".join(group.image_ids), pd.NA, _whose(group)))
        rows += [("difference", "count", pd.NA, pd.NA, text) for text in self.differences]
        rows.sort(key=lambda row: _LEVELS.index(row[0]))
        return pd.DataFrame(rows, columns=["level", "kind", "image_id", "path", "detail"])

    def to_text(self) -> str:
        """Returns the report a person reads; at most five examples of each finding."""
        findings = self.to_frame()
        levels = findings["level"].value_counts()
        counts = [f"{level}s {levels.get(level, 0):,}" for level in _LEVELS]
        lines = [f"images {len(self.files):,}, {', '.join(counts)}"]
        for (level, kind), group in findings.groupby(["level", "kind"], sort=False):
            lines.append(f"{level}: {kind}: {len(group):,}")
            lines += [f"    {_line(row)}" for row in group.head(_EXAMPLES).itertuples()]
            if len(group) > _EXAMPLES:
                lines.append(f"    and {len(group) - _EXAMPLES:,} more")
        most = self.sizes.head(_EXAMPLES)
        lines.append("sizes: " + ", ".join(f"{size} ({n:,})" for size, n in most.items()))
        return "\n".join(lines)


def check_images(
    data: pd.DataFrame | str,
    root: str | None = None,
    release: Release | None = None,
    *,
    workers: int | None = None,
    progress: bool = True,
) -> CheckReport:
    """Opens every image of a data set and compares its counts with the catalog.

    Args:
        data: Manifest table, or name of a data set to load from `root`, or a path as `load` takes it.
        root: Folder that holds one folder a data set (only with a name).
        release: `Release`, what the table should contain; default: the catalog's entry of that name.
        workers: Integer, threads; default: number of processors.
        progress: Boolean, whether to show a bar.

    Returns:
        Report with errors (images that cannot be used), notices (greyscale, CMYK, 16-bit,
        EXIF-rotated, odd sizes, duplicates) and differences from the catalog.

    Example:
        >>> report = check_images(table)
        >>> print(report.to_text())
    """
    if not isinstance(data, pd.DataFrame):
        from skinkit.data.load import load

        release = release or CATALOG.get(str(data))
        data = load(data, root=root, missing_images="keep", verbose=progress)
    if "transform" in data:
        data = data[data["transform"].fillna("identity") == "identity"]
    columns = [field.name for field in fields(ImageFacts)]
    facts = pd.DataFrame(_inspect_all(data["path"], workers, progress), columns=columns)
    files = pd.concat([data[["image_id", "path"]].reset_index(drop=True), facts], axis=1)
    return CheckReport(files, _duplicates(data, files), _differences(data, release))


def _inspect_all(paths, workers, progress):
    from tqdm.contrib.concurrent import thread_map

    return thread_map(
        _inspect, paths, max_workers=workers or os.cpu_count(), unit="image", disable=not progress
    )


def _inspect(path):
    return ImageFacts("missing", "the table has no path") if pd.isna(path) else inspect_image(path)


def _duplicates(table, files):
    known = table.reindex(columns=["lesion_id", "dataset", "label"], fill_value=pd.NA)
    known["photograph"] = photograph_ids(table)
    good = pd.concat([files, known.reset_index(drop=True)], axis=1)[files["error"] == ""]
    rows, earlier = [], []
    for kind, column in _DUPLICATES.items():
        again = good[good.duplicated(column, keep=False)]
        for _, group in again.groupby(column, sort=False):
            # Equal files have equal pixels, too; one line tells it.
            if any(group[other].nunique() == 1 for other in earlier):
                continue
            ids = tuple(sorted(group["image_id"]))
            rows.append((kind, ids, _same_lesion(group), group["label"].nunique() == 1))
        earlier.append(column)
    return pd.DataFrame(rows, columns=["kind", "image_ids", "same_lesion", "same_label"])


def _same_lesion(group):
    return same_owner(group.iloc[1:], group.iloc[:1], "lesion", one_table=True).all(skipna=False)


def _whose(group):
    words = {True: "same", False: "another"}
    lesion, label = (words.get(same, "unknown") for same in (group.same_lesion, group.same_label))
    return f"{lesion} lesion, {label} label"


def _differences(table, release):
    if release is None:
        return ()
    counted = [
        (name, getattr(release, name), table[f"{name[:-1]}_id"].nunique())
        for name in ("images", "lesions", "patients")
    ]
    for label, count in release.counts.items():
        counted.append((f"images labelled {label}", count, (table["label"] == label).sum()))
    return tuple(
        f"{what}: {found:,}, the catalog has {expected:,}"
        for what, expected, found in counted
        if expected not in (None, found)
    )


def _line(row):
    return ": ".join(text for text in (row.image_id, row.detail) if not pd.isna(text) and text)
