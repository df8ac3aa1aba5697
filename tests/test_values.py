from collections.abc import Mapping
from typing import Any, Literal

import pytest

from skinkit.values import BelowOne, Count, Natural, Share, check_options, check_value


def outer(rows, power=1.0, **options):
    """Hands on its options."""


def inner(image, width=16):
    """Has options of its own."""


def test_options_are_those_of_all_functions_but_what_is_filled_in():
    check_options("mine", (outer, inner), {"power": 2, "width": 8}, given=("rows", "image"))
    with pytest.raises(ValueError, match=r"Options of mine are power, width\. Received: 'wdth'.*mean width"):
        check_options("mine", (outer, inner), {"wdth": 8}, given=("rows", "image"))
    with pytest.raises(ValueError, match="Options of mine are power.*'width'"):
        check_options("mine", (outer,), {"width": 8}, given=("rows",))


def test_an_option_without_default_is_needed():
    with pytest.raises(ValueError, match="mine needs the option rows. Received: power"):
        check_options("mine", (outer,), {"power": 2})


def counted(images: Count, power=1.0, grouped=False, norm=None):
    """Says of one option what it may be, and has defaults of the others."""


@pytest.mark.parametrize(
    ("value", "hint", "said"),
    [
        (1.5, int, "a whole number"),
        (True, int, "a whole number"),
        (float("nan"), float, "a finite number"),
        (float("-inf"), float | list | None, "a finite number or a list or None"),
        (float("inf"), Count, "a whole number from 1"),
        ("x", float, "a number"),
        (0, Count, "a whole number from 1"),
        (-1, Natural | None, "a whole number from 0 or None"),
        (1.5, Share, "a number from 0 to 1"),
        (1.0, BelowOne, "a number from 0 to below 1"),
        (50, BelowOne, "a number from 0 to below 1"),
        (32, tuple[Count, Count], r"\(a whole number from 1, a whole number from 1\)"),
        ((32, 32, 3), tuple[Count, Count], r"\(a whole number from 1, a whole number from 1\)"),
        ([1, 0], tuple[Count, ...], r"\(a whole number from 1, \.\.\.\)"),
        ({"train": 2}, Mapping[str, Share], "a mapping from a text to a number from 0 to 1"),
        ("train", Mapping[str, Any], "a mapping from a text to anything"),
        ("bst", Literal["last", "best"], "'last' or 'best'"),
        (None, str, "a text"),
    ],
)
def test_a_value_is_what_its_annotation_says(value, hint, said):
    with pytest.raises(ValueError, match=rf"^mine: `field` must be {said}\. Received: field="):
        check_value("mine", "field", value, hint)


@pytest.mark.parametrize(
    ("value", "hint"),
    [
        (1, float),
        (None, Count | None),
        ([1, 2], tuple[Count, Count]),
        ((), tuple[str, ...]),
        (0, Share),
        (1, Share),
        (0.999, BelowOne),
        ({}, Any),
    ],
)
def test_and_no_other_is_refused(value, hint):
    check_value("mine", "field", value, hint)


def test_an_option_is_what_its_annotation_or_default_says():
    check_options("mine", (counted,), {"images": 1, "power": [1, 2], "grouped": True, "norm": "l2"})
    for option, value in {"images": 0, "power": "x", "grouped": "False"}.items():
        with pytest.raises(ValueError, match=f"mine: `{option}` must be .*{option}='?{value}"):
            check_options("mine", (counted,), {"images": 1, option: value})
