"""The facts of a document; each document's own are in `<document>/__init__.py`."""

from collections.abc import Mapping
from dataclasses import dataclass, field


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
        abbreviations: What its tables abbreviate, and in which words it says that.
        open_settings: Fields of `Recipe` that it states nothing about: its page shows what was chosen.
    """

    key: str
    title: str
    authors: str
    year: int
    about: str
    left_out: str = ""
    beside: str = ""
    abbreviations: Mapping[str, str] = field(default_factory=dict)
    open_settings: tuple[str, ...] = ()
