"""The words for a missing value, in tables and in ids."""

import pandas as pd

MISSING = frozenset({"", "na", "n/a", "nan", "null", "none", "<na>"})
_MISSING_IDS = MISSING | {"unknown", "unk", "missing", "undefined", "not available", "nat", "#n/a", "-", "?"}
# Tables write -1 for an unknown patient, and -1.0 once a program has read the column as numbers.
_NEGATIVE = r"-\d+(\.\d*)?"


def known_ids(ids):
    """Returns ids as text without spaces around them, `<NA>` in the place of every word for a missing one.

    Args:
        ids: Series of image, lesion or patient ids. Whole numbers among floats, as pandas reads a column
            with gaps, lose their ".0".

    Example:
        >>> known_ids(pd.Series(["HAM_0000118", "unknown", "-1.0"])).tolist()
        ['HAM_0000118', <NA>, <NA>]
    """
    whole = ids.convert_dtypes() if pd.api.types.is_float_dtype(ids) else ids
    text = whole.astype("string").str.strip()
    low = text.str.lower()
    return text.mask((low.isin(_MISSING_IDS) | low.str.fullmatch(_NEGATIVE)).fillna(False))


def is_missing(text):
    """Tells whether a cell of any column holds nothing but a word for a missing value."""
    return text.strip().lower() in MISSING


def unknown_as_missing(values):
    """Returns a column of text with `<NA>` in the place of the word "unknown"."""
    return values.mask((values.str.lower() == "unknown").fillna(False))
