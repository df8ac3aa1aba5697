"""Names and options: checked against those that are known, and as one-hot rows."""

import difflib
import inspect

_ANY_NUMBER = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)


def did_you_mean(name, known):
    """Returns a question that names the nearest of the known names, or an empty string.

    Example:
        >>> did_you_mean("ham1000", ["ham10000", "derm7pt"])
        ' Did you mean ham10000?'
    """
    near = difflib.get_close_matches(str(name), map(str, known), n=3)
    return f" Did you mean {' or '.join(near)}?" if near else ""


def check_name(what, name, known):
    """Raises `ValueError` for a name that is not among the known ones.

    Args:
        what: String, plural of what is named, which begins the message: `"Losses"`.
        name: The name to check.
        known: Collection of the known names.
    """
    if name not in known:
        listed = ", ".join(map(str, known))
        raise ValueError(f"{what} are {listed}. Received: {name!r}.{did_you_mean(name, known)}")


def check_options(of, functions, options, given=()):
    """Raises `ValueError` for options that functions do not take, or lack.

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


def one_hot(names, known):
    """Returns names as rows of zeros and ones, with a row of zeros for an unknown name.

    Args:
        names: Sequence of n names.
        known: Sequence of the names of the columns.

    Returns:
        Array `(n, len(known))`, float32.

    Example:
    >>> one_hot(["mel", "nv", "melanoma"], ["nv", "mel"]).tolist()
    [[0.0, 1.0], [1.0, 0.0], [0.0, 0.0]]
    """
    import numpy as np

    column = {name: position for position, name in enumerate(known)}
    # The last row stands for all unknown names.
    rows = np.eye(len(column) + 1, len(column), dtype=np.float32)
    return rows[np.array([column.get(name, len(column)) for name in names], dtype=np.int64)]
