"""Names: checked against those that are known, as one-hot rows, and with the number of things."""

import difflib


def did_you_mean(name, known):
    """Returns a question that names the nearest of the known names, or an empty string.

    Example:
        >>> did_you_mean("ham1000", ["ham10000", "derm7pt"])
        ' Did you mean ham10000?'
    """
    near = difflib.get_close_matches(str(name), map(str, known), n=3)
    return f" Did you mean {' or '.join(near)}?" if near else ""


def check_name(what, name, known, hint=None):
    """Raises `ValueError` for a name that is not among the known ones.

    Args:
        what: String, plural of what is named, which begins the message: `"Losses"`.
        name: The name to check.
        known: Collection of the known names.
        hint: String, the end of the message, by default a question that names the nearest.
    """
    if name not in known:
        listed = ", ".join(map(str, known))
        hint = did_you_mean(name, known) if hint is None else hint
        raise ValueError(f"{what} are {listed}. Received: {name!r}.{hint}")


def counted(number, one, many=None):
    """Returns a number of things in words.

    Args:
        number: Integer.
        one: String, what stands behind 1.
        many: String, what stands behind any other number; `one` with an "s" by default.

    Example:
        >>> counted(1, "image"), counted(2, "image"), counted(0, "image is", "images are")
        ('1 image', '2 images', '0 images are')
    """
    return f"{number} {one if number == 1 else many or f'{one}s'}"


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
