"""Facts of one image file: readable or not, its coding, and hashes of its bytes and pixels."""

import hashlib
import io
import re
import zlib
from dataclasses import dataclass
from pathlib import Path

# A marker of a JPEG stream: neither a stuffed byte, nor padding, nor a restart inside a scan.
_MARKER = re.compile(rb"\xff[^\x00\xff\xd0-\xd7]")
_END_OF_IMAGE = 0xD9
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
    """Reads and decodes one file.

    Some decoders fill the missing part of a truncated JPEG with grey and say nothing; here the
    stream must be complete up to its end marker and decode to the last row. Changed bytes inside
    a complete JPEG mostly go unnoticed: only a checksum of the file shows them.
    """
    try:
        content = Path(path).read_bytes()
    except FileNotFoundError:
        return ImageFacts("missing", "there is no such file")
    except OSError as error:
        return ImageFacts("unreadable", str(error))
    if not content:
        return ImageFacts("zero-byte", "the file is empty")
    if content.startswith(b"\xff\xd8\xff"):
        problem = _jpeg_problem(content)
    elif content.startswith(b"\x89PNG\r\n\x1a\n"):
        problem = _png_problem(content)
    else:
        problem = "not an image", f"neither JPEG nor PNG: begins with {content[:8]!r}"
    if problem:
        return ImageFacts(*problem, bytes=len(content))
    return _decode(content)


def _jpeg_problem(content):
    # Not left to the decoder alone, which Pillow's LOAD_TRUNCATED_IMAGES makes lenient.
    position = 2
    while found := _MARKER.search(content, position):
        position = found.start() + 2
        if content[position - 1] == _END_OF_IMAGE:
            return None
        position += int.from_bytes(content[position : position + 2], "big")
    return "truncated", "the JPEG stream has no end marker"


def _png_problem(content):
    position = 8
    while position + 12 <= len(content):
        end = position + 12 + int.from_bytes(content[position : position + 4], "big")
        if end > len(content):
            break
        checksum = int.from_bytes(content[end - 4 : end], "big")
        if zlib.crc32(content[position + 4 : end - 4]) != checksum:
            return "corrupt", f"the PNG block at byte {position:,} has a wrong checksum"
        if content[position + 4 : position + 8] == b"IEND":
            return None
        position = end
    return "truncated", "the PNG has no end block"


def _decode(content):
    from PIL import Image

    try:
        with Image.open(io.BytesIO(content)) as image:
            rotated = image.getexif().get(_ORIENTATION, 1) != 1
            image.load()
            pixels = image if image.mode in _DEEP_MODES else image.convert("RGB")
            pixel_hash = hashlib.sha256(pixels.tobytes())
    # A damaged file can make a decoder raise nearly anything; it must not end the whole check.
    except Exception as error:
        kind = "truncated" if "truncated" in str(error) else "corrupt"
        return ImageFacts(kind, f"{type(error).__name__}: {error}", bytes=len(content))
    pixel_hash.update(f"{pixels.mode} {image.size}".encode())
    sixteen = content.startswith(b"\x89PNG") and content[24] == 16
    facts = {
        "greyscale": image.mode in _GREY_MODES,
        "CMYK": image.mode == "CMYK",
        "16-bit": sixteen,
        "EXIF-rotated": rotated,
    }
    return ImageFacts(
        notices=tuple(name for name, holds in facts.items() if holds),
        format="PNG" if content.startswith(b"\x89PNG") else "JPEG",
        width=image.width,
        height=image.height,
        bytes=len(content),
        file_hash=hashlib.sha256(content).hexdigest(),
        pixel_hash=pixel_hash.hexdigest(),
    )
