import pytest

from skinkit.papers.registry import matching_recipes, recipes


def names(*patterns):
    return [recipe.name for recipe in matching_recipes(patterns)]


def test_a_pattern_is_a_recipe_a_table_a_document_or_a_glob():
    assert names("skinkit/demo/ham10000") == ["skinkit/demo/ham10000"]
    assert (
        names("skinkit/demo") == names("skinkit/demo/") == ["skinkit/demo/ham10000", "skinkit/demo/synthetic"]
    )
    assert names("koefler2023") == [r.name for r in recipes() if r.document == "koefler2023"]
    assert (
        names("koefler2023/table4[ab]")
        == names("koefler2023/table4[ab]/c*")
        == ["koefler2023/table4a/cnn", "koefler2023/table4b/cnn-sa"]
    )
    assert names("*") == [r.name for r in recipes()]


def test_recipes_come_in_the_order_of_the_patterns_and_once():
    last, table = "skinkit/demo/synthetic", "skinkit/demo"
    assert names(last, table, last) == [last, "skinkit/demo/ham10000"]


@pytest.mark.parametrize(
    ("pattern", "meant"),
    [
        ("gessert2019/tabel2", "gessert2019/table2"),
        ("gesert2019", "gessert2019"),
        ("skinkit/dem", "skinkit/demo"),
    ],
)
def test_a_pattern_that_nothing_fits_names_the_nearest(pattern, meant):
    with pytest.raises(ValueError, match=f"fits '{pattern}'.*Did you mean .*{meant}"):
        names(pattern)
