"""The documents, and the names that people give to their tables and figures: `8.2`, `Table II`."""

import csv
import re
from pathlib import Path

from skinkit.names import check_name, did_you_mean
from skinkit.papers import bermeo2023, butskova2021, datta2021, gessert2019, hernandez2020, koefler2023
from skinkit.papers.document import Document

FOLDER = Path(__file__).parent
_FOLDERS = (hernandez2020, butskova2021, koefler2023, datta2021, bermeo2023, gessert2019)
DOCUMENTS: dict[str, Document] = {folder.DOCUMENT.key: folder.DOCUMENT for folder in _FOLDERS}

_FILES = {"table": "published.csv", "figure": "figures.csv"}


def places(document, kind="table"):
    """Returns the tables or figures of a document in its order.

    Args:
        document: String, its key.
        kind: `"table"`, for what `published.csv` holds, or `"figure"`, for `figures.csv`.

    Returns:
        Dictionary from their names to where they are printed: `{"table2": "Table II"}`. It is empty for a key
        that is not a document's.
    """
    path, found = FOLDER / document / _FILES[kind], {}
    for row in csv.DictReader(path.read_text(encoding="utf-8").splitlines()) if path.is_file() else ():
        place = row["source"].partition(", ")[2] if kind == "table" else f"Figure {row['figure']}"
        found.setdefault(row[kind], "the running text" if row[kind] == "text" else place)
    return found


def find_name(what, said, known, hint=""):
    """Returns the name that somebody means.

    Args:
        what: String, plural of what is named, which begins the message: `"Tables of gessert2019"`.
        said: String, in small letters or capitals: the name, where it is printed, or the number in either.
        known: Dictionary of `places`, or from names to themselves.
        hint: String, the end of the message.

    Raises:
        ValueError: for another name, with the nearest.

    Example:
        >>> find_name("Tables", "ii", {"table1": "Table I", "table2": "Table II"})
        'table2'
    """
    names = _names(known)
    if _plain(said) not in names:
        near = did_you_mean(_plain(said), {*known, *map(_number, known)})
        check_name(what, said, known, near + hint)
    return names[_plain(said)]


def find_document(said, kind="table"):
    """Returns the key of a document that has tables, or figures, in whatever letters it is said.

    Raises:
        ValueError: for another one, with the nearest.
    """
    known = [key for key in DOCUMENTS if places(key, kind)]
    order = f" Its document stands before a number: `skinkit {kind} bermeo2023 8.2`."
    hint = "" if did_you_mean(said.lower(), known) else order
    return find_name(f"Documents with {kind}s", said, dict(zip(known, known, strict=True)), hint)


def find_place(said, kind="table"):
    """Returns the key of a document and the name of one of its tables or figures.

    Args:
        said: String, the document, or `document/number`, as people say them: `"gessert2019/II"`.
        kind: As in `places`.

    Returns:
        Tuple of two strings: the key, and the name, `""` where only the document is said.

    Raises:
        ValueError: for an unknown document, table or figure, with the nearest, and with what is left out.

    Example:
        >>> find_place("bermeo2023/Figure 8.13", "figure")
        ('bermeo2023', '8.13')
    """
    document, _, number = said.rstrip("/").partition("/")
    key, other = find_document(document, kind), "figure" if kind == "table" else "table"
    name, left_out = _names(places(key, other)).get(_plain(number)), DOCUMENTS[key].left_out
    hint = f" There is a {other} of this name: `skinkit {other} {key} {name}`." if name else ""
    hint += f" Left out: {left_out}." if left_out and kind == "table" else ""
    return key, number and find_name(f"{kind.title()}s of {key}", number, places(key, kind), hint)


def _names(known):
    """From all that each may be called to its name."""
    said = {_plain(each): name for name, place in known.items() for each in (name, place)}
    return {_number(each): name for each, name in said.items()} | said


def _plain(text):
    return text.lower().replace(" ", "")


def _number(text):
    return re.sub("^(table|figure)", "", text)
