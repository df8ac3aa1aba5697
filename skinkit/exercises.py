"""Checks of the notebooks' exercises, which give a hint and no marks."""

import functools
import importlib.resources
import inspect
import tomllib

from skinkit.names import check_name


class Unsolved(AssertionError):
    """An answer that a check does not take; a notebook shows its hint without a traceback."""

    def _render_traceback_(self):
        return [f"Not yet. {self}"]


def check(exercise, *answers):
    """Checks the answer to an exercise of a notebook: says that it is right, or raises with a hint.

    The check uses what the notebook's cells above the exercise have made, and changes nothing of it.

    Args:
        exercise: String, the numbers of the chapter and the exercise, such as `"03-2"`.
        *answers: The answer, or the answers in the order of the exercise's check cell.

    Raises:
        Unsolved: If an answer is missing or wrong.
        ValueError: If there is no such exercise, or it has another number of answers.

    Example:
        >>> check("03-1", None)
        Traceback (most recent call last):
        skinkit.exercises.Unsolved: ex-03-1: section 3 counts the first; what does the second look at?
    """
    check_name("Exercises", exercise, _tests())
    names, code = _tests()[exercise]["answers"], _tests()[exercise]["code"]
    if len(answers) != len(names):
        raise ValueError(f"The answers to ex-{exercise} are {', '.join(names)}. Received: {len(answers)}")
    session = inspect.currentframe().f_back.f_globals | dict(zip(names, answers, strict=True))
    try:
        exec(compile(code, f"<check of ex-{exercise}>", "exec"), session)
    except AssertionError as error:
        raise Unsolved(f"ex-{exercise}: {error}") from None
    except Exception as error:
        raise Unsolved(
            f"ex-{exercise}: the check stopped with {type(error).__name__}: {error}. Does the answer have "
            "the form that the exercise asks for, and did all cells above it run?"
        ) from error
    print(f"ex-{exercise}: right")


@functools.cache
def _tests():
    text = importlib.resources.files("skinkit").joinpath("exercises.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)
