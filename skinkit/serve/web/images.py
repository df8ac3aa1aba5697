"""Uploaded images: told by what they hold, measured before they are decoded, and freed of what they say."""

import io
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from skinkit.data.releases.image_file import end_of_jpeg, inspect_contents
from skinkit.files import IMAGE_SIGNATURES
from skinkit.serve.web.problems import Problem

_ORIENTATION = 0x0112
_LONGEST_NAME = 255
_EXPORT = {
    "DICOM": "Export the image from the viewer as PNG or JPEG.",
    "HEIC": "Export it as JPEG; on the phone: Settings > Camera > Formats > Most Compatible.",
    "TIFF": "Export it as PNG, which loses nothing.",
}
_STARTS = {"TIFF": (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")}
_HEIC_BRANDS = (b"hei", b"hev", b"mif", b"msf", b"avi")
# Segments of a JPEG that change its pixels: JFIF, Adobe's colours, tables, frames; not EXIF, XMP, comments.
_DROPPED_SEGMENTS = {*range(0xE1, 0xF0), 0xFE} - {0xEE}
_FRAMES, _SCAN, _FIRST = (0xC0, 0xC1, 0xC2), 0xDA, 2


@dataclass(frozen=True)
class Upload:
    """An image that is accepted.

    Args:
        name: String, the name that the client gave it: text, never a path.
        content: Bytes of a JPEG or PNG file, upright, without metadata.
    """

    name: str
    content: bytes


def accept(name, content, limits):
    """Returns the `Upload` of a file.

    A JPEG in RGB or grey keeps its compressed pixels, so that it is classified as the file itself would be.
    All else becomes a PNG of the pixels that are seen: turned upright, without transparency, 8 bits a
    channel.

    Args:
        name: String, as the client names the file.
        content: Bytes of the file.
        limits: `skinkit.serve.settings.Limits`.

    Raises:
        Problem: 415 for what is not an image of a known kind, or broken; 413 for too many pixels; 422 for too
            few, or a moving image.
    """
    name = name[:_LONGEST_NAME]
    try:
        return Upload(name, _clean(_kind(content), content, limits))
    except Problem as problem:
        problem.file = name
        raise


def _kind(content):
    if not content:
        raise Problem(415, "The file is empty.")
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return "WEBP"
    for kind, start in IMAGE_SIGNATURES.items():
        if content.startswith(start):
            return kind
    found = _other_kind(content)
    advice = f"this is {found}. {_EXPORT[found]}" if found else "this is none of them."
    raise Problem(415, f"JPEG, PNG or WebP is needed, {advice}")


def _other_kind(content):
    if content[128:132] == b"DICM":
        return "DICOM"
    if content[4:8] == b"ftyp" and content[8:11] in _HEIC_BRANDS:
        return "HEIC"
    return next((kind for kind, starts in _STARTS.items() if content.startswith(starts)), None)


def _clean(kind, content, limits):
    try:
        image = Image.open(io.BytesIO(content), formats=[kind])
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise Problem(413, f"At most {limits.megapixels} megapixels are taken, this has more.") from error
    except UnidentifiedImageError as error:
        raise _broken(kind, "it cannot be identified") from error
    # A damaged file can make a decoder raise nearly anything.
    except Exception as error:
        raise _broken(kind, error) from error
    with image:
        _check_header(kind, image, limits)
        if kind in IMAGE_SIGNATURES and (facts := inspect_contents(content)).error:
            raise _broken(kind, facts.detail)
        try:
            return _converted(kind, content, image)
        except Exception as error:
            raise _broken(kind, error) from error


def _broken(kind, why):
    return Problem(415, f"The {kind} file is broken: {why}. Export it anew.")


def _check_header(kind, image, limits):
    width, height = image.size
    if width * height > limits.megapixels * 10**6:
        raise Problem(413, f"At most {limits.megapixels} megapixels are taken, this is {width} x {height}.")
    if min(width, height) < limits.side:
        raise Problem(422, f"Sides of {limits.side} pixels or more are needed, this is {width} x {height}.")
    # A second image in a JPEG is a preview for another screen.
    if kind != "JPEG" and getattr(image, "is_animated", False):
        raise Problem(422, "A still image is needed, this one moves. Export one of its frames.")


def _converted(kind, content, image):
    is_upright = image.getexif().get(_ORIENTATION, 1) == 1
    is_plain = kind == "JPEG" and image.mode in ("RGB", "L") and is_upright
    return (is_plain and _without_metadata(content)) or _as_png(ImageOps.exif_transpose(image))


def _as_png(image):
    if image.mode.startswith("I"):
        # 16 bits of grey, of which the upper 8 are kept, as of colours.
        image = Image.fromarray((np.asarray(image) >> 8).astype(np.uint8))
    if "transparency" in image.info:
        image = image.convert("RGBA")
    stream = io.BytesIO()
    # Of the pixels alone: the image itself would hand its metadata on.
    Image.fromarray(np.asarray(image.convert("RGB"))).save(stream, "PNG", compress_level=1)
    return stream.getvalue()


def _without_metadata(content):
    """The JPEG without EXIF, profiles and comments; `None` for an unusual kind of coding."""
    kept, position, is_usual = [content[:_FIRST]], _FIRST, False
    while (marker := content[position + 1]) != _SCAN:
        if content[position] != 0xFF or marker == 0xFF:
            return None
        end = position + 2 + int.from_bytes(content[position + 2 : position + 4], "big")
        is_usual |= marker in _FRAMES and content[position + 4] == 8
        if marker not in _DROPPED_SEGMENTS:
            kept.append(content[position:end])
        position = end
    return b"".join([*kept, content[position : end_of_jpeg(content) + 2]]) if is_usual else None
