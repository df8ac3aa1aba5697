"""Words for a missing value, in tables and in ids."""

import functools
import re
import unicodedata

import pandas as pd

_WORDS = frozenset({"na", "n/a", "nan", "null", "none", "<na>"})
# Letters of the words for a missing id. One of marks alone (--, ?) has no letters.
_MISSING_ID = re.compile(
    "|na|nan|nat|nil|null|none|unk|missing|blank|empty|tb[acd]"
    "|(un|not?)(available|applicable|assigned|defined|given|known|provided|recorded|reported|specified|stated)"
    "|no(data|id|value)"
)
# Tables write -1 for an unknown patient, and -1.0 once a program has read the column as numbers.
_NEGATIVE = re.compile(r"-\d+([.,]\d*)?")
_DASHES = str.maketrans(dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2015\u2212", "-"))


def id_text(ids):
    """Returns ids as text without spaces around them, with composed letters (NFC), `<NA>` for a blank one.

    Args:
        ids: Series of ids. Whole numbers among floats, as pandas reads a column with gaps, lose their ".0".
    """
    whole = ids.convert_dtypes() if pd.api.types.is_float_dtype(ids) else ids
    text = whole.astype("string").str.strip().str.normalize("NFC")
    return text.mask(text == "")


def known_ids(ids):
    """Returns ids as `id_text` does, and `<NA>` in the place of every word for a missing one.

    Such a word is known in any case and whatever marks stand in and around it: "unknown", "N.A.", "(blank)".
    Marks alone and negative numbers are not ids either.

    Args:
        ids: Series of lesion or patient ids, as in `id_text`. An image may be called `NA`.

    Example:
        >>> known_ids(pd.Series(["HAM_0000118", "unknown", "-1.0"])).tolist()
        ['HAM_0000118', <NA>, <NA>]
    """
    text = id_text(ids)
    missing = [name for name in text.dropna().unique() if _is_missing_id(name)]
    return text.mask(text.isin(missing))


@functools.cache
def _is_missing_id(name):
    plain = unicodedata.normalize("NFKC", name).translate(_DASHES).casefold()
    letters = re.sub(r"[\W_]", "", plain)
    return bool(_MISSING_ID.fullmatch(letters) or _NEGATIVE.fullmatch(plain.strip("()[]{}<>'\" ")))


def words_as_missing(values):
    """Returns a column of text with `<NA>` in the place of the words for a missing value of any kind."""
    return values.mask(values.str.lower().isin(_WORDS))


def unknown_as_missing(values):
    """Returns a column of text with `<NA>` in the place of the word "unknown"."""
    return values.mask((values.str.lower() == "unknown").fillna(False))
