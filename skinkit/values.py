"""Values of fields and options: checked against what their annotations and defaults say."""

import dataclasses
import inspect
import math
import types
import typing
from collections.abc import Mapping
from typing import Annotated, Any

from skinkit.names import did_you_mean

# Numbers with their range, for annotations.
Natural = Annotated[int, (0, math.inf)]
Count = Annotated[int, (1, math.inf)]
NonNegative = Annotated[float, (0, math.inf)]
Share = Annotated[float, (0, 1)]
# The last word leaves the largest number itself out: a dropout of 1 would leave nothing.
BelowOne = Annotated[float, (0, 1), "below"]

_ANY_NUMBER = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
_NUMBERS = float | list | tuple
_KINDS = {bool: bool, int: _NUMBERS, float: _NUMBERS}
_WORDS = {
    int: "a whole number",
    float: "a number",
    bool: "True or False",
    str: "a text",
    type(None): "None",
    Any: "anything",
    Mapping: "a mapping",
}


def check_value(of, name, value, hint):
    """Raises `ValueError` for a value that is not what an annotation says.

    Args:
        of: String, whose value it is, which begins the message.
        name: String, name of the field or option.
        value: The value to check.
        hint: Annotation of it: types, `Literal`, and `Annotated` with the smallest and largest number, and
            perhaps "below".
    """
    if not _fits(value, hint):
        known = typing.get_args(hint) if typing.get_origin(hint) is typing.Literal else ()
        said = _said(hint)
        if isinstance(value, float) and not math.isfinite(value):
            said = said.replace("a number", "a finite number")
        raise ValueError(
            f"{of}: `{name}` must be {said}. Received: {name}={value!r}."
            f"{did_you_mean(value, known)}{_pass_instead(name, value, hint)}"
        )


def _pass_instead(name, value, hint):
    """What to pass where a side stands for both, or other things for the fields of a dataclass."""
    kinds = typing.get_args(hint) or (hint,)
    if typing.get_origin(hint) is tuple and kinds[-1] is ... and _fits((value,), hint):
        return f" Pass {name}=({value!r},)."
    if typing.get_origin(hint) is tuple and len(kinds) == 2 and _fits((value, value), hint):
        return f" Pass {name}=({value!r}, {value!r}), height and width."
    made = [kind.__name__ for kind in kinds if dataclasses.is_dataclass(kind)]
    return f" Pass {name}={made[0]}(...)." if made else ""


def check_fields(of, instance):
    """Raises `ValueError` for a field of a dataclass that is not what its annotation says: see `check_value`.

    Args:
        of: String, whose fields they are.
        instance: Instance of the dataclass.
    """
    for field in dataclasses.fields(instance):
        check_value(of, field.name, getattr(instance, field.name), field.type)


def _fits(value, hint):
    of, kinds = typing.get_origin(hint), typing.get_args(hint)
    if of is Annotated:
        low, high = kinds[1]
        return _fits(value, kinds[0]) and low <= value <= high and not (value == high and "below" in kinds)
    if of is typing.Literal:
        return value in kinds
    if of in (types.UnionType, typing.Union):
        return any(_fits(value, kind) for kind in kinds)
    if of is tuple:
        return isinstance(value, (tuple, list)) and _fit(value, kinds)
    if of is Mapping:
        return isinstance(value, Mapping) and all(_fit(item, kinds) for item in value.items())
    if hint in (int, float):
        return isinstance(value, (int, hint)) and not isinstance(value, bool) and math.isfinite(value)
    return hint is Any or isinstance(value, hint)


def _fit(values, kinds):
    kinds = kinds[:1] * len(values) if kinds[-1] is ... else kinds
    return len(values) == len(kinds) and all(map(_fits, values, kinds))


def _said(hint):
    of, kinds = typing.get_origin(hint), typing.get_args(hint)
    if of is Annotated:
        low, high = kinds[1]
        below = "below " if "below" in kinds else ""
        return f"{_said(kinds[0])} from {low}" + (f" to {below}{high}" if high < math.inf else "")
    if of is typing.Literal:
        return f"one of {', '.join(kinds)}" if len(kinds) > 2 else " or ".join(map(repr, kinds))
    said = ["..." if kind is ... else _said(kind) for kind in kinds]
    if of is tuple:
        return f"({', '.join(said)})"
    if of is Mapping:
        return f"a mapping from {said[0]} to {said[1]}"
    return " or ".join(said) or _WORDS.get(hint) or f"{_article(hint.__name__)} {hint.__name__}"


def _article(word):
    return "an" if word[0] in "AEIOU" else "a"


def check_options(of, functions, options, given=()):
    """Raises `ValueError` for options that functions do not take, or lack, or that cannot be right.

    What an option may be is said by its parameter's annotation, or else by a default that is a number or a
    boolean.

    Args:
        of: String, whose options they are.
        functions: Sequence of functions, each of which hands on to the next what it does not take itself.
        options: Mapping of the options.
        given: Names of the parameters that are not options, because they are filled in elsewhere.
    """
    known = {}
    for function in functions:
        for name, parameter in inspect.signature(function).parameters.items():
            if name not in given and parameter.kind not in _ANY_NUMBER:
                known.setdefault(name, parameter)
    if unknown := [name for name in options if name not in known]:
        listed = f"are {', '.join(known)}" if known else "do not exist"
        raise ValueError(
            f"Options of {of} {listed}. Received: {unknown[0]!r}.{did_you_mean(unknown[0], known)}"
        )
    needed = [name for name, parameter in known.items() if parameter.default is parameter.empty]
    if missing := [name for name in needed if name not in options]:
        raise ValueError(f"{of} needs the option {missing[0]}. Received: {', '.join(options) or 'none'}")
    for name, value in options.items():
        check_value(of, name, value, _hint(known[name]))


def _hint(parameter):
    if parameter.annotation is not parameter.empty:
        return parameter.annotation
    return _KINDS.get(type(parameter.default), Any)
