"""The page of a recipe says all of it, in lines that fit a terminal."""

import dataclasses

import pytest

from skinkit.papers import Recipe, recipe, recipes
from skinkit.papers.published import published_row
from skinkit.papers.recipe_page import GROUPS, WIDTH, chosen_settings, recipe_page, settings_in_words
from skinkit.papers.recipe_source import find_source


def under(title, page):
    """The lines of a block, by their first word, without those that a line is continued in."""
    (block,) = [block.splitlines() for block in page.split("\n\n") if block.startswith(title)]
    return dict(line.split(maxsplit=1) for line in block[1:] if line[2] != " ")


def test_every_field_has_one_group_or_a_place_of_its_own():
    elsewhere = ["name", "title", "published", "not_comparable", "protocols", "profiles"]
    fields = [field for group in GROUPS.values() for field in group]
    assert sorted([*fields, *elsewhere]) == sorted(f.name for f in dataclasses.fields(Recipe))


@pytest.mark.parametrize("found", recipes(), ids=lambda recipe: recipe.name)
def test_every_recipe_has_a_page_that_fits(found):
    path, line = find_source(found.name)
    for protocol in found.known_protocols:
        for profile in ("smoke", "full"):
            lines = recipe_page(found, profile, protocol).splitlines()
            assert max(map(len, lines)) <= WIDTH
            assert lines[:2] == [found.name, found.title]
            assert any(text.endswith(f"{path.name}:{line}") for text in lines)


def test_settings_stand_in_groups_and_empty_ones_are_left_out():
    page = recipe_page(recipe("koefler2023/table4a/cnn"))
    assert under("data", page)["split"] == (
        "stratified_group_split(group=lesion+patient, fractions=(train=0.57, validation=0.1, test=0.33))"
    )
    assert under("input", page)["image_size"] == "100 x 100"
    assert under("training", page)["phases"] == (
        "100 epochs of all, adam(learning_rate=0.0001, epsilon=0.001), constant"
    )
    for field in ("crop_size", "tta", "subset", "start_from", "score_best"):
        assert field not in page


def test_settings_that_a_document_leaves_open_come_with_their_rows():
    found = chosen_settings("hernandez2020")
    assert found["batch_size"] == {"32": [*found["refresh_steps"]["when an epoch begins"]]}
    forest = "extra_trees(features=bottleneck_mean, n_estimators=500)"
    # Table 4 has the same experiment.
    assert found["classifier"][forest] == ["hernandez2020/table3/cae-extra-trees"]
    assert len(found["phases"]) == 6 and not any("controls" in row for row in found["batch_size"]["32"])
    assert chosen_settings("koefler2023") == {}


def test_what_other_protocols_and_the_full_profile_have_instead_is_said():
    found = recipe("koefler2023/table4b/cnn-sa")
    page = recipe_page(found, "quick", "as_published")
    assert under("instead under the full profile", page)["phases"].startswith("100 epochs")
    assert under("instead under as_described (the text)", page) == {"model": "koefler_cnn(attention=soft)"}
    corrected = under("instead under corrected (sound)", recipe_page(found, "full", "as_published"))
    assert (corrected["selection_part"], corrected["scaling"]) == ("validation", "unit")
    assert "as the model's weights expect" in corrected["channel_order"]
    # Protocols that agree are one block.
    page = recipe_page(recipe("koefler2023/table4a/cnn"))
    assert "instead under as_published (the released code) and as_described (the text)\n" in page


def test_stand_ins_controls_twins_and_rows_that_cannot_be_compared_are_told():
    for name, words in (
        ("gessert2019/table2/mobilenet-dual", "- a stand-in of ours"),
        ("hernandez2020/controls/lite0-mean", "- a stand-in of ours"),
        ("koefler2023/controls/cnn-doubled", "- a recipe of ours: no document has this row"),
        ("gessert2019/table6/densenet121-k1.00", "- the same experiment as gessert2019/table2/densenet121"),
        ("koefler2023/table5a/cnn", "published row: not internally consistent"),
    ):
        assert words in recipe_page(recipe(name))
    assert " of ours" not in recipe_page(recipe("gessert2019/table2/densenet121-dual"))


def test_the_published_numbers_stand_there_with_what_the_checks_found():
    page = recipe_page(recipe("koefler2023/table5b/cnn-sa"))
    for number in published_row("koefler2023/table5b/cnn-sa")["printed"]:
        assert number in page
    assert "[1] impossible: 29/39 = 0.74 and 30/39 = 0.77 are the nearest" in page


def test_what_trains_nothing_shows_what_it_is_made_of_and_not_how_to_train():
    page = recipe_page(recipe("skinkit/best/ensemble-lite0"), "quick")
    assert under("model", page) == {"members": "mean(recipes=skinkit/best/lite0, seeds=3)"}
    first = page.split("trained first where missing")[1].split("\n\n")[0].splitlines()[1:]
    assert first == [f"  skinkit/best/lite0 fold 0 seed {seed}" for seed in range(3)]
    stages = recipe_page(recipe("butskova2021/stages/lite0-two-stage-hard"), "quick", "as_described")
    assert "  butskova2021/stages/lite0-gate fold 0 seed 0\n" in stages and "image_size" in stages
    for said in (page, stages):
        for field in ("model ", "balancing", "loss", "batch_size", "selection", "monitor"):
            assert f"\n  {field}" not in said
    assert "trained first" not in recipe_page(recipe("skinkit/best/lite0"))
    shown = settings_in_words(recipe("skinkit/best/ensemble-lite0").resolve("quick"))
    assert not shown["training"] and not shown["selection"]


def test_the_commands_to_run_it_are_there():
    page = recipe_page(recipe("koefler2023/table5b/cnn-sa"))
    for command in (
        "skinkit data fetch ham10000",
        "skinkit data fetch isic2019",
        "skinkit run koefler2023/table5b/cnn-sa --profile quick",
    ):
        assert f"  {command}\n" in page
    assert "data fetch" not in recipe_page(recipe("skinkit/demo/synthetic"))
