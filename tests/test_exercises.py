"""A check of an exercise gives a hint or says that the answer is right, and leaves the notebook as it is."""

import pytest

import skinkit
from skinkit import exercises

TESTS = {
    "01-1": {
        "answers": ["half"],
        "code": 'assert half is not None, "divide"\nassert half < whole, f"{half} of {whole}"\n',
    },
    "01-2": {"answers": ["low", "high"], "code": 'whole = 0\nassert low < high, "in order"\n'},
}
whole = 4


@pytest.fixture(autouse=True)
def two_exercises(monkeypatch):
    monkeypatch.setattr(exercises, "_tests", lambda: TESTS)


def test_a_right_answer_is_told_so(capsys):
    skinkit.check("01-1", 2)
    assert capsys.readouterr().out == "ex-01-1: right\n"


@pytest.mark.parametrize(
    ("answer", "hint"),
    [
        (None, "ex-01-1: divide"),
        (5, "ex-01-1: 5 of 4"),
        ("5", "ex-01-1: the check stopped with TypeError: .*form"),
    ],
)
def test_a_missing_or_wrong_answer_gets_a_hint_without_a_traceback(answer, hint):
    with pytest.raises(exercises.Unsolved, match=hint) as refused:
        skinkit.check("01-1", answer)
    assert refused.value._render_traceback_() == [f"Not yet. {refused.value}"]


def test_a_check_changes_nothing_of_the_notebook():
    skinkit.check("01-2", 1, 2)
    assert whole == 4


def test_another_number_of_answers_is_named():
    with pytest.raises(ValueError, match="The answers to ex-01-2 are low, high. Received: 1"):
        skinkit.check("01-2", 1)


def test_an_unknown_exercise_is_named_with_one_that_is_near():
    with pytest.raises(ValueError, match="Exercises are 01-1, 01-2. Received: '1-1'. Did you mean 01-1"):
        skinkit.check("1-1", 2)


def test_the_package_holds_the_checks_of_the_notebooks(monkeypatch):
    monkeypatch.undo()
    with pytest.raises(exercises.Unsolved, match="ex-03-1: section 3 counts the first"):
        skinkit.check("03-1", None)
