"""CSV files of the releases, read with any separator, byte-order mark and line ends."""

import csv
import io
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from skinkit.data.tables.missing import is_missing

_SPREADSHEETS = {".xlsx", ".xls", ".xlsm", ".ods"}


@dataclass
class Sheet:
    """One table file as text: `frame` holds strings and its index is the line in the file.

    Args:
        called: Dictionary, the file's own name of a column that was given another one.
    """

    path: Path
    frame: pd.DataFrame
    notices: list[str] = field(default_factory=list)
    called: dict[str, str] = field(default_factory=dict)

    def note(self, text):
        """Adds a notice, with the name of the file."""
        self.notices.append(f"{self.path.name}: {text}")

    def fail_where(self, wrong, column, expected):
        """Raises ValueError naming file, line and value if any row of the mask `wrong` is true."""
        rows = self.frame.index[wrong.fillna(False).to_numpy(dtype=bool)]
        if len(rows):
            value = self.frame.loc[rows[0], column] if column in self.frame else None
            raise ValueError(
                f"{self.path}, line {rows[0]}, column {self.called.get(column, column)!r}: expected "
                f"{expected}. Received: {value!r}{others(rows)}"
            )

    def drop(self, wrong, reason):
        """Leaves out the rows of the mask `wrong` and says how many; raises ValueError if none is left."""
        wrong = wrong.fillna(False).to_numpy(dtype=bool)
        if wrong.any():
            self.note(f"{wrong.sum()} {reason}")
            if wrong.all():
                raise ValueError(f"{self.path}: no row is left. Received: {'; '.join(self.notices)}")
            self.frame = self.frame[~wrong]

    def require(self, *columns):
        """Raises ValueError unless all `columns` are there."""
        absent = [column for column in columns if column not in self.frame]
        if absent:
            raise ValueError(
                f"{self.path}: missing column(s) {', '.join(absent)}. "
                f"Received: {', '.join(self.frame.columns)}"
            )


def others(rows):
    """Returns how many rows fail in the same way, and the lines of the first."""
    if len(rows) == 1:
        return ""
    shown = ", ".join(str(row) for row in rows[:5])
    return f" ({len(rows)} such rows: lines {shown}{', ...' if len(rows) > 5 else ''})"


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
    separator = _separator(text)
    header, rows, lines = _rows(path, text, separator)
    if not header or not (rows or may_be_empty):
        raise ValueError(f"{path}: expected a header line and at least one row; the file has none.")
    names = [column_name(name) for name in header]
    named = [i for i, name in enumerate(names) if name and not name.startswith("unnamed:")]
    columns = [names[i] for i in named]
    twice = sorted({name for name in columns if columns.count(name) > 1})
    if twice:
        raise ValueError(f"{path}: column name(s) {', '.join(twice)} occur twice (case ignored).")
    cells = [[_cell(row[i]) for i in named] for row in rows]
    sheet = Sheet(path, pd.DataFrame(cells, index=lines, columns=columns, dtype="string"))
    if separator != ",":
        marks.append({";": "semicolons", "\t": "tabs"}[separator] + " between columns")
    if marks:
        sheet.note(f"read with {', '.join(marks)}")
    return sheet


def column_name(name):
    """Returns a column's name as `read_sheet` writes it."""
    return name.strip().lower().replace(" ", "_")


def _cell(text):
    return pd.NA if is_missing(text) else text.strip()


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
    return text.replace("\r\n", "\n").replace("\r", "\n"), marks


def _separator(text):
    header = text.partition("\n")[0]
    return max(",;\t", key=header.count)


def _rows(path, text, separator):
    reader = csv.reader(io.StringIO(text), delimiter=separator, strict=True)
    rows, lines = [], []
    try:
        header = next(reader, [])
        for row in reader:
            if any(cell.strip() for cell in row):
                rows.append(row)
                lines.append(reader.line_num)
    except csv.Error as error:
        raise ValueError(f"{path}, line {reader.line_num}: not a CSV row ({error}).") from None
    for row, line in zip(rows, lines, strict=True):
        if len(row) != len(header):
            raise ValueError(
                f"{path}, line {line}: expected {len(header)} fields as in the header. Received: {len(row)}"
            )
    return header, rows, lines
