"""Facts of image files: readable or not, coding, size, and hashes of bytes and pixels."""

import hashlib
import io
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from skinkit.files import IMAGE_SIGNATURES

# A marker of a JPEG stream: neither a stuffed byte, nor padding, nor a restart inside a scan.
_MARKER = re.compile(rb"\xff[^\x00\xff\xd0-\xd7]")
_END_OF_IMAGE = 0xD9
_PNG_END = b"\0\0\0\0IEND\xae\x42\x60\x82"
# Bits that decode to something else than nothing, with the markers where some streams begin anew.
_MORE_BITS = b"".join(b"\x55\x2a\xb4\x6d" * 16 + bytes([0xFF, restart]) for restart in range(0xD0, 0xD8))
_GREY_MODES = {"1", "L", "LA", "I", "I;16", "I;16B", "F"}
_DEEP_MODES = {"I", "I;16", "I;16B", "F"}
_ORIENTATION = 0x0112


@dataclass(frozen=True)
class ImageFacts:
    """Facts of one image file.

    Args:
        error: String: `missing`, `unreadable`, `zero-byte`, `not an image`, `truncated`, `corrupt`, or
            empty where the image can be used.
        detail: String, the error in words.
        notices: Strings, those of `greyscale`, `CMYK`, `16-bit`, `EXIF-rotated` that hold.
        format: String, `JPEG` or `PNG`.
        width, height: Integers, pixels before any EXIF rotation.
        bytes: Integer, size of the file.
        file_hash, pixel_hash: Strings, equal for equal files and for equal decoded pixels.
    """

    error: str = ""
    detail: str = ""
    notices: tuple[str, ...] = ()
    format: str = ""
    width: int = 0
    height: int = 0
    bytes: int = 0
    file_hash: str = ""
    pixel_hash: str = ""


def inspect_image(path: str | Path) -> ImageFacts:
    """Reads and decodes one file: see `inspect_contents`."""
    try:
        content = Path(path).read_bytes()
    except FileNotFoundError:
        return ImageFacts("missing", "there is no such file")
    except OSError as error:
        return ImageFacts("unreadable", str(error))
    return inspect_contents(content, with_hashes=True)


def inspect_contents(content: bytes, with_hashes: bool = False) -> ImageFacts:
    """Decodes what one file holds; hashes, which take as long again, only where they are wanted.

    Some decoders fill the missing part of a truncated JPEG with grey and say nothing; here the
    stream must be complete up to its end marker and decode to the last row. Changed bytes inside
    a complete JPEG mostly go unnoticed: only a checksum of the file shows them. Half a stream with an end
    marker is found by bits that are put before the marker: a whole image does not change with them.
    """
    if not content:
        return ImageFacts("zero-byte", "the file is empty")
    kind = next((kind for kind, start in IMAGE_SIGNATURES.items() if content.startswith(start)), None)
    if kind is None:
        known = f"neither {' nor '.join(IMAGE_SIGNATURES)}"
        return ImageFacts("not an image", f"{known}: begins with {content[:8]!r}", bytes=len(content))
    # Not left to the decoder alone, which Pillow's LOAD_TRUNCATED_IMAGES makes lenient.
    if not (_PNG_END in content if kind == "PNG" else end_of_jpeg(content)):
        return ImageFacts("truncated", f"the {kind} stream has no end marker", bytes=len(content))
    try:
        return _decode(content, kind, with_hashes)
    # A damaged file can make a decoder raise nearly anything; it must not end the whole check.
    except Exception as error:
        word = "truncated" if "truncated" in str(error) else "corrupt"
        return ImageFacts(word, f"{type(error).__name__}: {error}", bytes=len(content))


def typical_size(paths):
    """Returns the median height and the median width of image files, in pixels, read from their headers.

    Args:
        paths: Strings or `pathlib.Path`s of JPEG or PNG files.
    """
    from PIL import Image

    sizes = []
    for path in paths:
        with Image.open(path) as image:
            sizes.append((image.height, image.width))
    return [int(side) for side in np.median(sizes, axis=0)]


def end_of_jpeg(content):
    """Returns the position of the end marker of a JPEG, `None` without one."""
    position = 2
    while found := _MARKER.search(content, position):
        position = found.start() + 2
        if content[position - 1] == _END_OF_IMAGE:
            return found.start()
        position += int.from_bytes(content[position : position + 2], "big")
    return None


def _ends_early(content, image):
    """Tells whether a decoder that is given more bits before the end marker makes another image of them."""
    from PIL import Image

    # A decoder fills what is missing with blocks of one colour. Only the first pass of a progressive image
    # does that, too.
    x, y = ((side - 1) // 8 * 8 for side in image.size)
    corner = image.crop((x, y, *image.size)).convert("RGB").getextrema()
    if not image.info.get("progressive") and any(high - low > 2 for low, high in corner):
        return False
    end = end_of_jpeg(content)
    with Image.open(io.BytesIO(content[:end] + _MORE_BITS + content[end:])) as longer:
        return longer.tobytes() != image.tobytes()


def _decode(content, kind, with_hashes):
    from PIL import Image

    # The checksums of a PNG's blocks are compared by this only.
    Image.open(io.BytesIO(content)).verify()
    with Image.open(io.BytesIO(content)) as image:
        rotated = image.getexif().get(_ORIENTATION, 1) != 1
        image.load()
        if kind == "JPEG" and _ends_early(content, image):
            raise OSError("truncated: the JPEG stream ends before the image does, at an end marker")
        notices = {
            "greyscale": image.mode in _GREY_MODES,
            "CMYK": image.mode == "CMYK",
            "16-bit": kind == "PNG" and content[24] == 16,
            "EXIF-rotated": rotated,
        }
        return ImageFacts(
            notices=tuple(name for name, holds in notices.items() if holds),
            format=kind,
            width=image.width,
            height=image.height,
            bytes=len(content),
            file_hash=hashlib.sha256(content).hexdigest() if with_hashes else "",
            pixel_hash=_pixel_hash(image) if with_hashes else "",
        )


def _pixel_hash(image):
    pixels = image if image.mode in _DEEP_MODES else image.convert("RGB")
    return hashlib.sha256(pixels.tobytes() + f"{pixels.mode} {image.size}".encode()).hexdigest()
