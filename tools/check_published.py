"""Fills the column `check` of the published tables.

`make check-published` compares what the committed files say with what the rules find;
`--write` writes it into them. A check is empty where a number has nothing to stand against, or starts
with

- `ok`: agrees with what it must agree with;
- `impossible`: no whole number of images gives it;
- `disagrees`: cannot stand together with other printed numbers;
- `implies`: what follows from it and is not printed;
- `note`: what a reader should know; `lost`: the document's text has no value there.
"""

import argparse
from collections import defaultdict

import pandas as pd

from published_rules import RULES
from skinkit.files import writing
from skinkit.papers.published import COLUMNS, DOCUMENTS, FOLDER, read_cells


def fill_checks(document: str) -> pd.DataFrame:
    """Returns a document's cells as stored, with the column `check` found again.

    Raises:
        ValueError: for an unknown document.
    """
    cells = read_cells(document)
    found = defaultdict(list)
    for index in cells.index[cells["value"] == ""]:
        found[index].append("lost in the text")
    for rule in RULES[document]:
        for index, text in rule(cells):
            if text not in found[index]:
                found[index].append(text)
    # What is wrong comes first: readers tell a finding by how the text starts.
    checks = ["; ".join(sorted(found[i], key=_is_ok)) for i in cells.index]
    return cells.assign(check=checks)[list(COLUMNS)]


def _is_ok(text: str) -> bool:
    return text.startswith("ok")


def write_checks() -> None:
    """Writes the checks of all documents into their files."""
    for document in DOCUMENTS:
        path = FOLDER / document / "published.csv"
        checked = fill_checks(document)
        with writing(path) as part:
            checked.to_csv(part, index=False, lineterminator="\n", encoding="utf-8")


def main() -> int:
    """Runs the command; returns 1 when a committed check is not what the rules find."""
    parser = argparse.ArgumentParser(prog="tools/check_published.py", description=__doc__)
    parser.add_argument("--write", action="store_true", help="write the checks into the files")
    if parser.parse_args().write:
        write_checks()
    stale = [key for key in DOCUMENTS if not fill_checks(key).equals(read_cells(key))]
    print(f"Checks out of date: {', '.join(stale)}" if stale else "All checks are up to date.")
    return int(bool(stale))


if __name__ == "__main__":
    raise SystemExit(main())
