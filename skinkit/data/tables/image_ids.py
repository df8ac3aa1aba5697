"""Image ids without what programs have added to them."""

_ENDING = r"\.(?:jpe?g|jpe|jfif|png|bmp|gif|tiff?|webp|dcm)"
# All that programs have added behind the name, and the folder before a name that is known by itself.
_MARKS = rf"(?i)^\s*(?:.*[\\/](?=(?:isic|syn)_\d))?(.*?)(?:\s*(?:{_ENDING}|_downsampled))*\s*$"


def without_ending(ids):
    """Returns ids without the ending of an image file."""
    return ids.str.replace(rf"(?i)\s*{_ENDING}\s*$", "", regex=True)


def without_marks(ids):
    """Returns image ids without file endings, the mark `_downsampled` of ISIC 2019, and a folder.

    The folder stays before a name of no known scheme, which may be used in each folder anew.
    """
    return ids.astype("string").str.replace(_MARKS, r"\1", regex=True)
