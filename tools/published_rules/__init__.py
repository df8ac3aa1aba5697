"""Rules that the numbers of each document must agree with.

A rule takes a document's stored cells and yields `(index of the cell, text of its check)`.
"""

from published_rules import bermeo, bermeo_released, butskova, gessert, hernandez, koefler

RULES = {
    "hernandez2020": hernandez.RULES,
    "butskova2021": butskova.RULES,
    "koefler2023": koefler.RULES,
    "datta2021": (),
    "bermeo2023": bermeo.RULES + bermeo_released.RULES,
    "gessert2019": gessert.RULES,
}
