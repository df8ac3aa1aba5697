"""Documents, tables and figures under the names that people give them."""

import pytest

from skinkit.papers import recipes
from skinkit.papers.places import find_place, places
from skinkit.papers.published import read_cells, show


@pytest.mark.parametrize("said", ["8.2", "Table 8.2", "table8.2", "TABLE 8.2"])
def test_a_table_has_one_name_for_every_command(said):
    assert find_place(f"BERMEO2023/{said}") == ("bermeo2023", "table8.2")
    assert show(f"Bermeo2023/{said}") == show("bermeo2023/table8.2")
    assert recipes(f"Bermeo2023/{said}") == recipes("bermeo2023/table8.2") != recipes("bermeo2023")


@pytest.mark.parametrize("said", ["8.13", "Figure 8.13", "figure8.13"])
def test_a_figure_is_called_as_a_table_is(said):
    assert find_place(f"Bermeo2023/{said}", "figure") == ("bermeo2023", "8.13")


def test_a_document_alone_has_no_number():
    assert find_place("Gessert2019/") == find_place("gessert2019", "figure") == ("gessert2019", "")
    assert places("skinkit") == {}


def test_places_are_in_the_order_of_the_document():
    assert list(places("gessert2019")) == read_cells("gessert2019")["table"].unique().tolist()
    assert places("gessert2019")["table2"] == "Table II"


@pytest.mark.parametrize(
    ("said", "kind", "words"),
    [
        ("bermeo2023/7.1", "table", "Left out: Tables 7.1 and 8.1 (abbreviations)"),
        ("bermeo2023/8.13", "table", "There is a figure of this name: `skinkit figure bermeo2023 8.13`."),
        ("gessert2019/II", "figure", "There is a table of this name: `skinkit table gessert2019 table2`."),
        ("koefler2023/4", "table", "Did you mean 4c or 4b or 4a?"),
        ("8.2", "table", "Its document stands before a number: `skinkit table bermeo2023 8.2`."),
    ],
)
def test_what_is_absent_is_told_with_what_the_kit_knows(said, kind, words):
    with pytest.raises(ValueError) as error:
        find_place(said, kind)
    assert words in str(error.value)
