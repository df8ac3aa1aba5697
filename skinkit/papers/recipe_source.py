"""The place in the source where a recipe is written down."""

import functools
import itertools
import re
from pathlib import Path

from skinkit.registration import own_source

# A literal recipe, or the comment with the names of a generated table, which may go on in a second line.
_NAMES = re.compile(r'^(?: *name="|# )(\w+/[^/\s"]+/[^/\s"]+)(?:\n#   (\S+)$)?', re.MULTILINE)


def find_source(name):
    """Returns the file and the line where the recipe called `name` is written down.

    Args:
        name: String, `document/table/row`. Each recipe is a literal, `name="document/table/row"`, or comes
            from the code below a comment with its name, in which braces hold alternatives:
            `# document/table/{one,other}-row`. One of one's own stands where it is registered.

    Returns:
        `pathlib.Path` and integer, the line, from 1.
    """
    return own_source("Recipes", name) or _places()[name]


@functools.cache
def _places():
    found = {}
    for path in sorted(Path(__file__).parent.rglob("*.py")):
        text = path.read_text(encoding="utf-8")
        for match in _NAMES.finditer(text):
            place = path, text.count("\n", 0, match.start()) + 1
            found |= dict.fromkeys(_alternatives("".join(match.groups(""))), place)
    return found


def _alternatives(pattern):
    """All names of a pattern: `a/b/{c,d}` is `a/b/c` and `a/b/d`."""
    parts = [part.split(",") for part in re.split("[{}]", pattern)]
    return map("".join, itertools.product(*parts))
