"""The splits of the documents, as far as their text and code say them."""

import hashlib
from collections import Counter
from pathlib import Path

import numpy as np
import pandas as pd

from skinkit.data.splits.grouping import assign, group_keys, missing_note
from skinkit.data.splits.split import Split, fold_parts, read_parts, stratified_group_split, with_validation
from skinkit.data.tables.csv_file import read_sheet
from skinkit.data.tables.folder import data_root, list_files, tables_like
from skinkit.data.tables.index_file import read_index_file
from skinkit.files import reading
from skinkit.names import counted
from skinkit.values import Count, Natural, Share

# SHA-256 of gessert2019's sorted test ids, joined by newlines.
GESSERT2019_TEST = "de871289cdea356fa8d23d21c3f5a31d3b34175271058c0ef23ecada03b10c62"
_FIRST_HAM_IMAGE = 24306
_SPC_TOTALS = (
    "gessert2019 counts 1011 (text, all cases), 987 (Table I, those in its classes) and 986 (released index "
    "file: 599 for training and 387 for testing, without index 135)."
)


def gessert2019_split(table, fold=0, index_file=None, seed: Natural = 0):
    """Four equal parts of HAM10000: one is the test set, three are the folds of cross-validation.

    Source: gessert2019, section II and released index file.

    Args:
        table: manifest table of HAM10000.
        fold: 0, 1 or 2: the part that is validation.
        index_file: the released `indices_tbe.pkl`, or a CSV file `image_id, part` with the parts
            `test, fold0, fold1, fold2`. `None`: an own lesion-disjoint, stratified division; the
            split's `note` says which of the two it is.
        seed: of the own division.

    Returns:
        `Split`.

    Raises:
        ValueError: if the file is not the released division or does not fit the table.
    """
    if fold not in (0, 1, 2):
        raise ValueError(f"gessert2019 has the folds 0, 1 and 2. Received: fold={fold!r}")
    name = f"gessert2019/fold{fold}"
    if index_file is None:
        # HAM10000 has no patients; drawn images have, and would share them.
        keys, grouped_by = group_keys(table, "lesion+patient")
        chosen = assign(keys, table["label"], [0.25] * 4, seed)
        note = f"Own {grouped_by}-disjoint division in four; the released index file was not used."
        return Split(name, fold_parts(table, chosen, fold, test=3), seed, grouped_by, note)
    released = _gessert2019_parts(Path(index_file))
    if unknown := {*table["image_id"]} - {*released.index}:
        raise ValueError(
            f"{index_file} divides the {len(released)} images of HAM10000. Not among them: "
            f"{counted(len(unknown), 'image')} of the table, first {min(unknown)}"
        )
    parts = released.map({"test": "test", f"fold{fold}": "validation"}).fillna("train")
    parts = parts.reindex(table["image_id"])
    note = "The released division (test ids checked by hash)."
    if len(table) < len(released):
        note += f" Of its {len(released)} images, {len(table)} are used."
    return Split(name, parts, None, "lesion", note)


def _gessert2019_parts(path):
    if not path.is_file():
        raise FileNotFoundError(f"{path}: no such index file. Without one, pass index_file=None.")
    csv_file = path.suffix.lower() == ".csv"
    parts = read_parts(path) if csv_file else _parts_of_indices(read_index_file(path), path)
    names = {"test", "fold0", "fold1", "fold2"}
    if set(parts) != names or parts.index.has_duplicates:
        raise ValueError(f"{path}: expected each image once in {', '.join(sorted(names))}.")
    test = sorted(parts.index[parts == "test"])
    if hashlib.sha256("\n".join(test).encode()).hexdigest() != GESSERT2019_TEST:
        raise ValueError(
            f"{path}: not the released division: its {len(test)} test ids do not have the known "
            "hash (2,511 images)."
        )
    return parts


def _parts_of_indices(indices, path):
    with reading(path, "Expected are the keys testInd and valIndCV (three arrays)"):
        names = ("test", "fold0", "fold1", "fold2")
        folds = zip(names, (indices["testInd"], *indices["valIndCV"]), strict=True)
        rows = {f"ISIC_{_FIRST_HAM_IMAGE + int(i):07d}": name for name, fold in folds for i in np.ravel(fold)}
        return pd.Series(rows, dtype="string")


def gessert2019_index_file(root=None):
    """Returns where the released index file of gessert2019 lies among the data sets, or `None`.

    Args:
        root: folder of the data sets; default: environment variable `SKINKIT_DATA`, else `datasets`.
            Looked for are `splits/gessert2019_ham10000.csv` and `ham10000/indices_tbe.pkl`.
    """
    root = data_root(root)
    names = ("splits/gessert2019_ham10000.csv", "ham10000/indices_tbe.pkl")
    return next((root / name for name in names if (root / name).is_file()), None)


def koefler2023_split(table, seed: Natural = 50):
    """67 % training, 33 % test, by image, after augmentation: copies fall into both parts.

    Source: koefler2023, released notebook (scikit-learn, `random_state=50`). Its validation
    and test part are one and the same; `with_validation` adds an own one.

    Args:
        table: manifest table, for the document's protocol already through `augment_offline`.
        seed: `random_state`.

    Returns:
        `Split` with the parts `train` and `test`.
    """
    parts, note = _by_image(table, 0.33, seed, ("train", "test"))
    return Split("koefler2023", parts, seed, "image", note)


def butskova2021_split(table, seed: Natural = 0):
    """80 % training, 20 % validation, by image and class (2,003 images of HAM10000).

    Source: butskova2021, text. The document does not give its seed.

    Returns:
        `Split` with the parts `train` and `validation`.
    """
    parts, note = _by_image(table, 0.2, seed, ("train", "validation"))
    return Split("butskova2021", parts, seed, "image", note)


def bermeo2023_split(table, grouped=False, seed: Natural = 42):
    """80/10/10 by class: 25,012 / 3,126 / 3,127 of the 31,265 merged images.

    Source: bermeo2023, released code (scikit-learn, `random_state=42` twice). In which order its rows
    stood is not known; here they are ordered by id before each division.

    Args:
        table: manifest table, see `merge_bermeo2023`.
        grouped: keep together what shares a lesion or a patient; the document does not.
        seed: `random_state`.

    Returns:
        `Split`.
    """
    if grouped:
        shares = {"train": 0.8, "validation": 0.1, "test": 0.1}
        split = stratified_group_split(table, shares, group="lesion+patient", seed=seed)
        return Split("bermeo2023/grouped", split.parts, seed, split.grouped_by, split.note)
    parts, note = _by_image(table, 0.2, seed, ("train", "test"))
    rest = table[(parts == "test").to_numpy()]
    halves, halves_note = _by_image(rest, 0.5, seed, ("validation", "test"))
    parts.update(halves)
    return Split("bermeo2023", parts, seed, "image", note or halves_note)


def datta2021_split(table, seed: Natural = 0, validation: Share = 0.0):
    """Test: 15 % of the lesions that have one image (828 of HAM10000); training: all others.

    Source: Datta et al. 2021. Lesion-disjoint, but an easier population: 4.1 % melanoma
    instead of 11.1 %. The original seed is not known.

    Args:
        table: manifest table.
        seed: any integer.
        validation: share of the training images, whole lesions, that become a validation part; the
            public code has none and selects on the test part.

    Returns:
        `Split` with the parts `train` and `test`, and `validation` if asked for.
    """
    # Of drawn images, which have patients, also theirs: a patient with one image.
    keys, grouped_by = group_keys(table, "lesion+patient")
    sizes = Counter(keys)
    single = table[[sizes[key] == 1 for key in keys]]
    if single.empty:
        raise ValueError(f"datta2021 needs a {grouped_by} that has a single image; the table has none.")
    chosen, note = _by_image(single, 0.15, seed, ("train", "test"))
    parts = pd.Series("train", index=table["image_id"], dtype="string")
    parts.update(chosen)
    about = f"Test part: {grouped_by}s with a single image ({len(single)} of them)."
    split = Split("datta2021", parts, seed, grouped_by, f"{about} {note}".strip())
    return with_validation(split, table, validation, seed=seed) if validation else split


def hernandez2020_split(table, fold=0, folds: Count = 5, seed: Natural = 0, test=False):
    """Patient-disjoint folds, stratified by "the patient has a melanoma"; validation = one fold.

    Source: hernandez2020 gives neither ratio nor seed; the choice is ours.

    Args:
        table: manifest table with patient ids, labels `malignant` or `mel` being melanoma.
        fold: 0 to `folds - 1`.
        folds: number of folds, at least 2, and 3 with a test part.
        seed: any integer.
        test: whether the fold is a test part, which the document lacks; validation is then the next fold.

    Returns:
        `Split` with the parts `train` and `validation`, and `test` if asked for.
    """
    fewest = 3 if test else 2
    if folds < fewest or fold not in range(folds):
        raise ValueError(f"Fold is 0 to {folds - 1} of at least {fewest}. Received: {fold=}, {folds=}")
    keys, grouped_by = group_keys(table, "patient")
    melanoma = table["label"].isin(["malignant", "mel"]).tolist()
    ill = {key for key, is_melanoma in zip(keys, melanoma, strict=True) if is_melanoma}
    strata = [(key in ill, is_mel) for key, is_mel in zip(keys, melanoma, strict=True)]
    chosen = assign(keys, strata, [1 / folds] * folds, seed)
    name = f"hernandez2020/{'test' if test else 'fold'}{fold}of{folds}"
    held = {"fold": (fold + 1) % folds, "test": fold} if test else {"fold": fold}
    parts = fold_parts(table, chosen, **held)
    return Split(name, parts, seed, grouped_by, missing_note(table, grouped_by))


def derm7pt_split(table, folder, merge_validation=True):
    """The official split of derm7pt, from `train_indexes.csv`, `valid_indexes.csv`, `test_...`.

    Source: gessert2019 merges training (413) and validation (203) and tests on 395. Its three totals differ:
    1,011 cases in the text, 987 in Table I without the diagnoses that are none of its classes, and 986 in its
    released index file. This split has the 987; its `note` tells how many are left out of which part.

    Args:
        table: manifest table of derm7pt.
        folder: the folder that holds `meta.csv` and the three index files, or one above it.
        merge_validation: put the validation cases into training, as gessert2019 does.

    Returns:
        `Split` of the table's images.
    """
    files = list_files(folder)
    derm = _index_table(files, folder, "meta.csv").frame["derm"]
    ids = derm.str.replace(r"(?i)^.*[/\\]|\.(?:jpe?g|png)$", "", regex=True).tolist()
    names = {"train": "train", "valid": "validation", "test": "test"}
    if merge_validation:
        names["valid"] = "train"
    parts = {}
    for name, part in names.items():
        sheet = _index_table(files, folder, f"{name}_indexes.csv")
        parts |= {ids[int(row)]: part for row in sheet.frame["indexes"]}
    absent = [image for image in table["image_id"] if image not in parts]
    if absent:
        raise ValueError(f"{folder}: in no index file: {counted(len(absent), 'image')} of the table")
    kept = pd.Series(parts, dtype="string").reindex(table["image_id"])
    lost = Counter(part for image, part in parts.items() if image not in kept.index)
    told = ", ".join(f"{count} of {part}" for part, count in sorted(lost.items())) or "none"
    note = f"Official split of {len(ids)} cases, {len(kept)} of them in the classes used (left out: {told})."
    return Split("derm7pt/official", kept, None, "image", f"{note} {_SPC_TOTALS}")


def _index_table(files, folder, name):
    found = tables_like(files, name)
    if not found:
        raise FileNotFoundError(f"{folder}: {name} is not there; it comes with derm7pt's release.")
    sheet = read_sheet(found[0])
    sheet.require("derm" if name == "meta.csv" else "indexes")
    return sheet


def _by_image(table, share, seed, names):
    """Stratified division by image with scikit-learn; `names` = rest, part of size `share`."""
    rows = table.sort_values("image_id")
    ids, labels = rows["image_id"].tolist(), rows["label"].tolist()
    held = int(np.ceil(share * len(ids)))
    counts = Counter(labels)
    if min(counts.values()) < 2 or min(held, len(ids) - held) < len(counts):
        # Only small (synthetic) tables come here: scikit-learn refuses such classes.
        chosen = assign(ids, labels, [1 - share, share], seed)
        parts = dict(zip(ids, (names[i] for i in chosen), strict=True))
        note = "Classes too small for scikit-learn's stratification: own stratification by image."
    else:
        from sklearn.model_selection import train_test_split

        rest, part = train_test_split(ids, test_size=share, random_state=seed, stratify=labels)
        parts = {**dict.fromkeys(rest, names[0]), **dict.fromkeys(part, names[1])}
        note = ""
    return pd.Series(parts, dtype="string").reindex(table["image_id"]), note
