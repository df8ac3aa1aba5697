"""Words for diagnoses, and the check of tables that say a diagnosis in more than one column."""

from collections.abc import Mapping

import pandas as pd

from skinkit.data.classes import CLASS_MAPS
from skinkit.data.tables.csv_file import others
from skinkit.data.tables.words import WORDS

KNOWN_LABELS = sorted({label for item in CLASS_MAPS.values() for label in item.labels})
DIAGNOSES = {label: label for label in CLASS_MAPS["isic2019"].labels} | WORDS["diagnoses"]
# The seven classes of HAM10000 have one for the keratinocytes' diseases.
SEVEN_CLASSES = {"ak": "akiec", "scc": "akiec"}
_SIDES = {"benign": "benign", "malignant": "malignant"}
# Carcinomas stand on either side: ISIC 2020 calls melanomas malignant, and nothing else.
_SIDE_OF = {**_SIDES, "mel": "malignant", **dict.fromkeys(("nv", "bkl", "df", "vasc"), "benign")}
# A column of more different words holds ids or measurements.
_MOST_WORDS = 1000
_BINARY = {"target", "mel", "melanoma", "malignant", "is_melanoma", "is_malignant"}


def own_words(labels):
    """Returns the dictionary of a user's words for diagnoses, in lower case; empty where none was given."""
    given = labels if isinstance(labels, Mapping) else {}
    return {str(word).strip().lower(): str(label).lower() for word, label in given.items()}


def translated(sheet, column, labels, known=None):
    """Returns the labels that a column says, by the user's words, then by the known ones.

    Args:
        sheet: `Sheet`.
        column: String, name of the column.
        labels: As in `skinkit.data.load`.
        known: Dictionary or function from lower-case words to labels; `None` takes the words themselves.

    Raises:
        ValueError: as in `compare_columns`.
    """
    words, own = sheet.frame[column].str.lower(), own_words(labels)
    if unused := sorted(set(own) - set(words.dropna())):
        sheet.note(f"`labels` has words that no row has: {', '.join(unused)}")
    found = words.map(known, na_action="ignore").astype("string") if known else words
    label = words.map(own).astype("string").fillna(found)
    # A user's word may join what another column tells apart.
    compare_columns(sheet, found.where(found.isin(KNOWN_LABELS), label), {column})
    return label


def archive_label(word):
    """Returns the label of a diagnosis in the archive's words, `None` where it has none of ISIC 2019's."""
    found = [label for start, label in WORDS["archive"].items() if word.startswith(start)]
    return "vasc" if word.endswith("vascular") else found[0] if found else None


def compare_columns(sheet, label, used):
    """Compares the label with all other columns that say a diagnosis, whatever they are called.

    Such a column holds words for diagnoses, or 0 and 1 under the name of a class or of what is malignant.

    Args:
        sheet: `Sheet`.
        label: Series of labels with the index of `sheet.frame`.
        used: Set of the columns that they were read from.

    Raises:
        ValueError: naming line and columns where two of them contradict each other.
    """
    said = {name: _said(name, sheet.frame[name]) for name in sheet.frame if name not in used}
    said = {name: codes for name, codes in said.items() if codes is not None}
    for name, codes in said.items():
        lines = label.index[_contradict(label, codes)]
        if len(lines):
            by = " and ".join(repr(sheet.called.get(column, column)) for column in sorted(used))
            raise ValueError(
                f"{sheet.path}, line {lines[0]}, columns {by} and {name!r}: expected one diagnosis. "
                f"Received: {label[lines[0]]!r} and {sheet.frame.loc[lines[0], name]!r}{others(lines)}. "
                "Correct the table, or take the wrong column out of it"
            )
    if "label" in used and said:
        sheet.note(f"column(s) {', '.join(said)} say a diagnosis too: ignored, the label counts")


def _said(name, values):
    """The label that each row of a column says, `None` for a column of something else."""
    low = values.str.lower()
    low = low.mask(low.isin(["unk", "unknown"]))
    if name in {*KNOWN_LABELS, *_BINARY}:
        numbers = pd.to_numeric(low, errors="coerce")
        if numbers.isin([0, 1]).all():
            one = name if name in KNOWN_LABELS else "malignant"
            return numbers.map({1: one, 0: "benign" if name in _BINARY else None}).astype("string")
    words = low.dropna().unique()
    if len(words) > _MOST_WORDS:
        return None
    known = {word: _SIDES.get(word) or DIAGNOSES.get(word) or archive_label(word) for word in words}
    codes = low.map(known).astype("string")
    return codes if codes.notna().sum() * 2 > low.notna().sum() else None


def _contradict(label, codes):
    one, other = (_canonical(values) for values in (label, codes))
    sides = (one.isin(_SIDES.values()) | other.isin(_SIDES.values())).to_numpy(dtype=bool)
    ours, theirs = one.map(_SIDE_OF).astype("string"), other.map(_SIDE_OF).astype("string")
    differs = (one != other).where(~sides, ours != theirs)
    known = one.isin({*KNOWN_LABELS} - {"unk"}) & (other != "unk")
    return (differs & known).fillna(False).to_numpy(dtype=bool)


def _canonical(labels):
    words = labels.map(lambda word: DIAGNOSES.get(word, word), na_action="ignore")
    # Pandas 2 maps text to objects, among which a missing one differs from all others.
    return words.astype("string").replace(SEVEN_CLASSES)
