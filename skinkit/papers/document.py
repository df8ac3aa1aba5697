"""The facts of a document; each document's own are in `<document>/__init__.py`."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Document:
    """One of the documents that skinkit reproduces.

    Args:
        key: String, its name in code, files and recipes.
        title: String, as printed.
        authors: String, as printed.
        year: Integer, as printed.
        about: String, what it does, in one line.
        left_out: String, what `published.csv` does not hold, such as tables without numbers.
        beside: String, key of the document that rests on it, and shows its results; or `""`.
        open_settings: Fields of `Recipe` that it states nothing about: its page shows what was chosen.
    """

    key: str
    title: str
    authors: str
    year: int
    about: str
    left_out: str = ""
    beside: str = ""
    open_settings: tuple[str, ...] = ()
