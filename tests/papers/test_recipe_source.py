"""Every recipe leads back to its line, and no comment names a recipe that there is not."""

import pytest

from skinkit.papers import recipe_source, recipes
from skinkit.papers.recipe_source import find_source


def test_the_names_in_the_source_are_those_of_the_recipes():
    assert set(recipe_source._places()) == {recipe.name for recipe in recipes()}


@pytest.mark.parametrize("found", recipes(), ids=lambda recipe: recipe.name)
def test_the_line_names_the_table_of_the_recipe(found):
    path, line = find_source(found.name)
    document, table, _ = found.name.split("/")
    text = path.read_text(encoding="utf-8").splitlines()[line - 1]
    assert document in text and table in text
    # One that has a name of its own in the file is a literal, or stands below it.
    assert text.startswith("# ") or text.strip() == f'name="{found.name}",'


def test_the_model_for_all_is_a_literal_and_a_generated_row_has_the_comment_of_its_table():
    for name, words in (
        ("koefler2023/table4a/cnn", 'name="koefler2023/table4a/cnn",'),
        ("gessert2019/table3/densenet121-attention-16", "{multi-crop,attention}-{5,9,16}"),
        ("gessert2019/table5/small-none", "# gessert2019/table5/{inceptionv3,"),
        ("hernandez2020/controls/lite0-logistic", "# hernandez2020/controls/lite0-{extra-trees,logistic}"),
    ):
        path, line = find_source(name)
        assert path.name in ("recipes.py", "controls.py") and path.parent.name == name.split("/")[0]
        assert words in path.read_text(encoding="utf-8").splitlines()[line - 1]
