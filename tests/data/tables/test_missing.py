import pandas as pd
import pytest

from skinkit.data.tables.missing import id_text, known_ids, words_as_missing

WORDS = [
    "",
    " ",
    "unknown",
    "UNKNOWN",
    "-1",
    "-1.0",
    "nan",
    "NaN",
    "n/a",
    "NA",
    "none",
    "null",
    "<NA>",
    "-",
    "?",
    *(
        "n.a.",
        "N.A.",
        "n\\a",
        "#N/A",
        "nil",
        "none.",
        "unk.",
        "(blank)",
        "[unknown]",
        "<missing>",
        "tbd",
        "TBD.",
    ),
    *("unspecified", "undefined", "unassigned", "Not known", "not_provided", "not reported", "not available"),
    *("no data", "--", "??", ".", "...", "()", "\u2014", "\u2013", "\u2212", "\uff1f"),
    *("\u22121", "\u22121,0", "-1,0", "-1.", "(-1)", "-999"),
]


@pytest.mark.parametrize("word", WORDS)
def test_every_spelling_of_missing_is_no_id(word):
    assert known_ids(pd.Series([word])).isna().all()


@pytest.mark.parametrize(
    "word",
    [
        "0",
        "1",
        "007",
        "HAM_0000118",
        "nandu",
        "L-1",
        "1.5",
        "1,5",
        "na1",
        "Nil_2",
        "unk-3",
        "1-1",
        "\u60a3\u8005",
    ],
)
def test_other_words_are_ids(word):
    assert known_ids(pd.Series([f" {word} "])).tolist() == [word]


def test_whole_numbers_among_floats_are_ids_of_digits():
    assert known_ids(pd.Series([1.0, None, -1.0, 12.0])).tolist() == ["1", pd.NA, pd.NA, "12"]
    assert known_ids(pd.Series([7, 8])).tolist() == ["7", "8"]


def test_an_image_may_have_any_name_but_a_blank_one():
    names = pd.Series([" NA ", "-1", "unknown", " ", "Na\u0308vus"])
    assert id_text(names).tolist() == ["NA", "-1", "unknown", pd.NA, "N\u00e4vus"]


def test_unknown_is_a_value_in_other_columns():
    cells = pd.Series(["N/A", "unknown", "None"], dtype="string")
    assert words_as_missing(cells).tolist() == [pd.NA, "unknown", pd.NA]
