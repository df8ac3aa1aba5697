"""CSV files of the releases, read with any separator, byte-order mark and line ends."""

import csv
import io
import unicodedata
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

import pandas as pd

from skinkit.data.tables.image_ids import without_ending
from skinkit.names import counted

_SPREADSHEETS = {".xlsx", ".xls", ".xlsm", ".ods"}


@dataclass
class Sheet:
    """One table file as text: `frame` holds strings and its index is the line in the file.

    Args:
        called: Dictionary, the file's own name of a column that was given another one.
        left_out: Ids in lower case of images that were left out and counted.
    """

    path: Path
    frame: pd.DataFrame
    notices: list[str] = field(default_factory=list)
    called: dict[str, str] = field(default_factory=dict)
    left_out: set[str] = field(default_factory=set)

    def note(self, text):
        """Adds a notice, with the name of the file."""
        self.notices.append(f"{self.path.name}: {text}")

    def note_missing(self, name, before, after, known=()):
        """Adds a notice of the values of a column that have become missing, and returns the new column.

        Args:
            name: String, name of the column.
            before: Series of its values.
            after: The new column.
            known: Strings, the values that it may have, where these are few.
        """
        lost = before[before.notna() & after.isna()]
        if len(lost):
            words = ", ".join(sorted(lost.unique())[:5])
            hint = f"; known are {', '.join(known)}" if known else ""
            self.note(f"column {name!r}: {counted(len(lost), 'value')} ({words}) taken as missing{hint}")
        return after

    def fail_where(self, wrong, column, expected):
        """Raises ValueError naming file, line and value if any row of the mask `wrong` is true."""
        refuse_rows(f"{self.path}, line", self.frame, wrong, column, expected, self.called)

    def drop(self, wrong, why):
        """Leaves out the images of a mask and says how many; raises ValueError if none is left."""
        wrong = wrong.fillna(False).to_numpy(dtype=bool)
        if wrong.any():
            self.note(f"left out, {why}: {counted(wrong.sum(), 'image')}")
            if wrong.all():
                raise ValueError(f"{self.path}: no row is left. Received: {'; '.join(self.notices)}")
            if "image_id" in self.frame:
                ids = without_ending(self.frame["image_id"].astype("string"))
                self.left_out |= {*ids[wrong].str.lower()}
            self.frame = self.frame[~wrong]

    def require(self, *columns):
        """Raises ValueError unless all `columns` are there."""
        absent = [column for column in columns if column not in self.frame]
        if absent:
            raise ValueError(
                f"{self.path}: missing column(s) {', '.join(absent)}. "
                f"Received: {', '.join(self.frame.columns)}"
            )


def refuse_rows(place, frame, wrong, column, expected, called=MappingProxyType({})):
    """Raises ValueError naming the first row of a mask, its value, and the other ones, if any row is true.

    Args:
        place: String, which says what the index of `frame` counts, and where.
        frame: DataFrame.
        wrong: Boolean Series of its length.
        column: String, name of the column that is wrong.
        expected: String.
        called: Mapping from columns to what the reader calls them.
    """
    rows = frame.index[wrong.fillna(False).to_numpy(dtype=bool)]
    if len(rows):
        value = frame.loc[rows[0], column] if column in frame else None
        raise ValueError(
            f"{place} {rows[0]}, column {called.get(column, column)!r}: expected {expected}. "
            f"Received: {value!r}{others(rows)}"
        )


def others(rows):
    """Returns how many rows fail in the same way, and the first of them."""
    if len(rows) == 1:
        return ""
    return f" ({len(rows)} such rows: {', '.join(map(str, rows[:5]))}{', ...' if len(rows) > 5 else ''})"


def read_sheet(path, may_be_empty=False):
    """Reads a CSV file (comma, semicolon or tab) into a `Sheet` of stripped strings.

    Column names become lower case; a nameless column (a saved index) is left out.

    Raises:
        ValueError: undecodable, empty or ragged files, and column names that occur twice.
    """
    path = Path(path)
    if path.suffix.lower() in _SPREADSHEETS:
        raise ValueError(
            f"{path}: a workbook. Save its sheet as CSV (UTF-8), with ids as text, and read that."
        )
    text, marks = _decode(path)
    separator = max(",;\t", key=text.partition("\n")[0].count)
    header, rows = _rows(path, text, separator)
    if not header or not (rows or may_be_empty):
        raise ValueError(f"{path}: expected a header line and at least one row; the file has none.")
    names = [column_name(name) for name in header]
    frame = pd.DataFrame.from_dict(rows, orient="index", columns=names, dtype="string")
    frame = frame.loc[:, [name != "" and not name.startswith("unnamed:") for name in names]]
    if twice := sorted({*frame.columns[frame.columns.duplicated()]}):
        raise ValueError(f"{path}: column name(s) {', '.join(twice)} occur twice (case ignored).")
    sheet = Sheet(path, frame)
    if separator != ",":
        marks.append({";": "semicolons", "\t": "tabs"}[separator] + " between columns")
    if marks:
        sheet.note(f"read with {', '.join(marks)}")
    return sheet


def column_name(name):
    """Returns a column's name as `read_sheet` writes it."""
    return name.strip().lower().replace(" ", "_")


def _decode(path):
    raw = path.read_bytes()
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ValueError(
            f"{path}: not UTF-8 text ({error.reason} at byte {error.start}). "
            "Save the table as a CSV file in UTF-8."
        ) from None
    marks = ["a byte-order mark"] if raw.startswith(b"\xef\xbb\xbf") else []
    if "\r" in text:
        marks.append("CRLF line ends" if "\r\n" in text else "CR line ends")
    # Some programs write a letter and its accent apart.
    text = unicodedata.normalize("NFC", text)
    return text.replace("\r\n", "\n").replace("\r", "\n"), marks


def _rows(path, text, separator):
    """The header, and the cells of each row by the number of its line; blank lines are passed over."""
    reader = csv.reader(io.StringIO(text), delimiter=separator, strict=True)
    rows = {}
    try:
        header = next(reader, [])
        for row in filter(lambda row: any(map(str.strip, row)), reader):
            rows[reader.line_num] = [cell.strip() or pd.NA for cell in row]
            if len(row) != len(header):
                raise ValueError(
                    f"{path}, line {reader.line_num}: expected {counted(len(header), 'field')} as in the "
                    f"header. Received: {len(row)}"
                )
    except csv.Error as error:
        raise ValueError(f"{path}, line {reader.line_num}: not a CSV row ({error}).") from None
    return header, rows
