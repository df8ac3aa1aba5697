"""Pairs of recipes, whose runs are compared on the same test images."""


def pairs_of(document, *pairs):
    """Returns pairs of recipes, the first of which is measured against the second.

    Args:
        document: String, the key that both names begin with.
        *pairs: Pairs of strings, `table/row`.

    Example:
        >>> pairs_of("koefler2023", ("table5b/cnn-sa", "table5a/cnn"))
        (('koefler2023/table5b/cnn-sa', 'koefler2023/table5a/cnn'),)
    """
    return tuple((f"{document}/{first}", f"{document}/{second}") for first, second in pairs)
