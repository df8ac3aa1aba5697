"""The documents' lists of figures."""

import pytest

from skinkit.experiments.document_figures.draw import DRAWINGS
from skinkit.papers.figures import COLUMNS, figure_row, load_figures
from skinkit.papers.published import DOCUMENTS
from skinkit.papers.registry import matching_recipes

DOCUMENTS_WITH_FIGURES = sorted({*DOCUMENTS} - {"datta2021"})


@pytest.mark.parametrize("document", DOCUMENTS_WITH_FIGURES)
def test_each_figure_has_a_drawing_or_a_reason(document):
    table = load_figures(document)
    assert tuple(table.columns) == COLUMNS and table["figure"].is_unique
    assert (table["shows"] != "").all()
    assert ((table["drawing"] == "") != (table["why"] == "")).all()
    assert set(table["drawing"]) - {""} <= set(DRAWINGS)
    shows_runs = table["drawing"].map(DRAWINGS) == "runs"
    assert (table.loc[shows_runs, "runs"] != "").all()
    for choices in filter(None, table["runs"]):
        assert matching_recipes(choices.replace("|", " ").split())


@pytest.mark.parametrize(
    ("document", "count"),
    [("bermeo2023", 91), ("butskova2021", 9), ("gessert2019", 5), ("hernandez2020", 27), ("koefler2023", 12)],
)
def test_all_figures_are_listed(document, count):
    assert sum(number[0].isdigit() for number in load_figures(document)["figure"]) == count


def test_every_drawing_is_asked_for():
    assert {name for key in DOCUMENTS_WITH_FIGURES for name in load_figures(key)["drawing"]} - {""} == {
        *DRAWINGS
    }


@pytest.mark.parametrize(
    ("document", "number", "message"),
    [
        ("bermeo2023", "matrix", "Figures of bermeo2023 are .*Received: 'matrix'. Did you mean matrices"),
        ("bermeo", "8.1", "Documents with figures are .*Did you mean bermeo2023"),
    ],
)
def test_an_unknown_figure_is_refused_with_the_nearest(document, number, message):
    with pytest.raises(ValueError, match=message):
        figure_row(document, number)
