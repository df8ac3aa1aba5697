"""A choice: the name of a thing in a registry, with its options."""

import typing
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Choice:
    """A named thing and its options, e.g. `choose("adam", learning_rate=1e-3)`."""

    name: str
    options: Mapping[str, Any] = field(default_factory=dict)

    def __str__(self):
        return f"{self.name}({', '.join(f'{k}={v!r}' for k, v in self.options.items())})"


def choose(name, **options):
    """Returns the `Choice` of `name` with `options`."""
    return Choice(name, options)


def choice_fields(of):
    """Returns the names of the fields of `Recipe` or `Phase` that hold a `Choice`, by their annotations."""
    hints = typing.get_type_hints(of)
    return [name for name, hint in hints.items() if Choice in (hint, *typing.get_args(hint))]
