import pytest

from skinkit.papers.published import published_scores
from skinkit.papers.registry import choices, matching_recipes, printed_rows, recipes


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


@pytest.mark.parametrize(
    ("name", "rows"),
    [
        ("gessert2019/table2/densenet121-dual", {"gessert2019/table2/densenet121-dual": ""}),
        (
            "gessert2019/table2/mobilenet-gru",
            {
                f"gessert2019/table2/{network}-gru": network
                for network in ("inceptionv3", "densenet121", "seresnext50")
            },
        ),
        ("hernandez2020/controls/lite0-mean", {"hernandez2020/table4/static-mean-em": ""}),
        ("butskova2021/gamma/mobilenet-gamma2", {"butskova2021/unpretrained/resnet50-gamma2": "resnet50"}),
        ("gessert2019/controls/mobilenet-ordered", {}),
        ("skinkit/demo/ham10000", {}),
    ],
)
def test_a_row_of_a_small_network_stands_for_printed_ones(name, rows):
    assert printed_rows(name, published_scores()["target"].unique()) == rows


def test_what_a_document_leaves_open_is_told_by_the_modules_of_its_recipes():
    texts = choices("butskova2021")
    assert len(texts) == 5 and "The document leaves open, and we take" in texts[0]
    assert choices("datta2021") and not choices("skinkit")
