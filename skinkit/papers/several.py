"""Values of the options of the command line: protocols, numbers, counts, shards, shares."""

import re
from argparse import ArgumentTypeError

from skinkit.names import did_you_mean
from skinkit.papers.recipe import PROTOCOLS


def numbers(text):
    """Returns the numbers of a text such as `0`, `0-2` or `0,2`; `None` for `all`.

    Raises:
        ArgumentTypeError: for any other text.
    """
    if text == "all":
        return None
    found = []
    for part in text.split(","):
        ends = re.fullmatch(r"(\d+)(?:-(\d+))?", part)
        first, last = (int(ends[1]), int(ends[2] or ends[1])) if ends else (1, 0)
        if first > last:
            raise ArgumentTypeError(f"Expected numbers such as 0, 0-2 or 0,2, or all. Received: {text!r}")
        found += range(first, last + 1)
    return list(dict.fromkeys(found))


def count(text, least=1):
    """Returns the whole number, `least` or more, of a text.

    Raises:
        ArgumentTypeError: for any other text.
    """
    if not text.isdecimal() or int(text) < least:
        raise ArgumentTypeError(f"Expected a whole number from {least} on. Received: {text!r}")
    return int(text)


def share(text):
    """Returns the number from 0 to 1 of a text.

    Raises:
        ArgumentTypeError: for any other text.
    """
    if not re.fullmatch(r"\d*\.?\d+", text) or not 0 <= float(text) <= 1:
        raise ArgumentTypeError(f"Expected a share from 0 to 1, such as 0.95. Received: {text!r}")
    return float(text)


def protocols(text):
    """Returns the protocols of a text such as `as_published,corrected`; `None` for `all`.

    Raises:
        ArgumentTypeError: for an unknown protocol.
    """
    if text == "all":
        return None
    found = list(dict.fromkeys(text.split(",")))
    if unknown := [name for name in found if name not in PROTOCOLS]:
        known = (*PROTOCOLS, "all")
        raise ArgumentTypeError(
            f"Protocols are {', '.join(known)}. Received: {unknown[0]!r}.{did_you_mean(unknown[0], known)}"
        )
    return found


def shard(text):
    """Returns the numbers of a text such as `1/8`, the first of eight shards.

    Raises:
        ArgumentTypeError: for any other text.
    """
    found = re.fullmatch(r"(\d+)/(\d+)", text)
    if not found or not 1 <= int(found[1]) <= int(found[2]):
        raise ArgumentTypeError(f"Expected a shard I/N with I from 1 to N, such as 1/8. Received: {text!r}")
    return int(found[1]), int(found[2])
