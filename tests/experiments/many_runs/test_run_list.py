import pytest

from skinkit.experiments.many_runs.run_list import list_plans, list_runs
from skinkit.papers.several import numbers, protocols, shard


def names(plans):
    return [(plan.recipe.name.rpartition("/")[2], plan.protocol, plan.fold, plan.seed) for plan in plans]


def test_texts_are_read_as_lists():
    assert [numbers(text) for text in ("3", "0-2", "0,2", "4,0-1,1", "all")] == [
        *([3], [0, 1, 2], [0, 2], [4, 0, 1]),
        None,
    ]
    assert protocols("corrected,as_published") == ["corrected", "as_published"] and protocols("all") is None
    assert shard("2/8") == (2, 8)


def test_all_are_those_that_a_recipe_and_its_split_have():
    found = list_plans(["koefler2023/table4b/cnn-sa"], "quick", None, [0], [1])
    assert names(found) == [("cnn-sa", p, 0, 1) for p in ("as_published", "as_described", "corrected")]
    found = list_plans(["gessert2019/table2/densenet121-dual"], "full", ["corrected"], None, [0, 7])
    assert names(found) == [("densenet121-dual", "corrected", f, s) for f in range(3) for s in (0, 7)]


def test_an_experiment_that_stands_in_two_tables_is_listed_once():
    twins = ["gessert2019/figure5/mobilenet-p0.2", "gessert2019/table2/mobilenet-initial"]
    found = list_plans(twins, "quick", ["corrected"], [0], [0])
    assert names(found) == [("mobilenet-initial", "corrected", 0, 0)]


def test_protocols_that_carry_out_the_same_are_listed_once():
    # The text of koefler2023 and its code agree about the plain network.
    found = list_plans(["koefler2023/table4a/cnn"], "quick", None, [0], [0])
    assert names(found) == [("cnn", p, 0, 0) for p in ("as_published", "corrected")]
    found = list_plans(["koefler2023/table4a/cnn"], "quick", ["as_described"], [0], [0])
    assert names(found) == [("cnn", "as_described", 0, 0)]


def test_what_a_run_needs_comes_before_it_and_once(tmp_path):
    attention, mean = (f"hernandez2020/controls/lite0-{name}" for name in ("attention", "mean"))
    listed = list_runs(list_plans([attention, mean], "quick", ["corrected"], [0], [0]), tmp_path)
    base, first, second = listed
    assert [run.plan.recipe.name for run in listed] == [base.plan.recipe.name, attention, mean]
    assert base.plan.recipe.name.endswith("lite0-base") and first.needs == second.needs == [base]


def test_recipes_of_other_protocols_are_left_out_of_a_document_and_said(capsys):
    found = list_plans(["koefler2023"], "quick", ["corrected"], [0], [0])
    names = {plan.recipe.name for plan in found}
    assert "koefler2023/table4a/cnn" in names and {plan.protocol for plan in found} == {"corrected"}
    control = "koefler2023/controls/cnn-split-then-augment"
    assert f"`--protocol all` takes these): {control}: as_published" in capsys.readouterr().out
    # One that is named is not left out.
    with pytest.raises(ValueError, match="is defined under as_published"):
        list_plans([control], "quick", ["corrected"], [0], [0])
    with pytest.raises(ValueError, match="None of these recipes has the protocol as_published"):
        list_plans(["butskova2021/stages"], "quick", ["as_published"], [0], [0])
