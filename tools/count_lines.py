"""Lines of code proper by room: without docstrings, comments and blank lines.

    python tools/count_lines.py [FOLDER]

`make lint` shows the table; no limit breaks.
"""

import argparse
import ast
import io
import tokenize
from collections import Counter
from pathlib import Path

PACKAGE = Path(__file__).parents[1] / "skinkit"
_DOCUMENTED = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
_LAYOUT = {
    tokenize.COMMENT,
    tokenize.NL,
    tokenize.NEWLINE,
    tokenize.INDENT,
    tokenize.DEDENT,
    tokenize.ENDMARKER,
}


def count_code(source: str) -> int:
    """Returns how many lines of a module hold code; those of a docstring are not code."""
    tokens = tokenize.generate_tokens(io.StringIO(source).readline)
    spans = [(token.start[0], token.end[0]) for token in tokens if token.type not in _LAYOUT]
    lines = {line for first, last in spans for line in range(first, last + 1)}
    return len(lines - _docstring_lines(ast.parse(source)))


def _docstring_lines(tree):
    nodes = [node for node in ast.walk(tree) if isinstance(node, _DOCUMENTED)]
    strings = [node.body[0] for node in nodes if ast.get_docstring(node, clean=False) is not None]
    return {line for string in strings for line in range(string.lineno, string.end_lineno + 1)}


def count_rooms(package: Path) -> Counter:
    """Returns the lines of code of each room, in alphabetical order; files of no room have their own name."""
    counts = Counter()
    for path in sorted(package.rglob("*.py")):
        counts[path.relative_to(package).parts[0]] += count_code(path.read_text(encoding="utf-8"))
    return counts


def main(arguments=None):
    parser = argparse.ArgumentParser(description="Count lines of code proper by room.")
    parser.add_argument("folder", nargs="?", type=Path, default=PACKAGE)
    counts = count_rooms(parser.parse_args(arguments).folder)
    for room, count in counts.items():
        print(f"{room:<16}{count:>7,}")
    print(f"{'total':<16}{counts.total():>7,}")


if __name__ == "__main__":
    main()
