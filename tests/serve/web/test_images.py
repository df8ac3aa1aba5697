"""Uploaded images: what is taken, what it becomes, and what is said of the rest."""

import io
import re
import struct
import zlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from serve_place import image_bytes

from skinkit.serve.settings import Limits
from skinkit.serve.web.images import accept
from skinkit.serve.web.problems import Problem

LIMITS = Limits()
IMAGES = {
    "JPEG": image_bytes(),
    "progressive": image_bytes(progressive=True),
    "PNG": image_bytes("PNG"),
    "WEBP": image_bytes("WEBP", lossless=True),
}


def taken(content, name="a.jpg"):
    return accept(name, content, LIMITS).content


def pixels(content):
    with Image.open(io.BytesIO(content)) as image:
        return np.asarray(image.convert("RGB")).astype(int)


def refused(content, name="a.jpg"):
    with pytest.raises(Problem) as problem:
        accept(name, content, LIMITS)
    assert problem.value.file == name
    return problem.value.status, problem.value.detail


@pytest.mark.parametrize("content", IMAGES.values(), ids=IMAGES)
def test_known_kinds_keep_their_pixels_whatever_their_name(content):
    found = accept("../../etc/passwd", content, LIMITS)
    assert found.name == "../../etc/passwd"
    assert (pixels(found.content) == pixels(content)).all()


def exif(orientation=None):
    found = Image.Exif()
    found[0x010E] = "the name of a patient"
    if orientation:
        found[0x0112] = orientation
    return found


def metadata(content):
    with Image.open(io.BytesIO(content)) as image:
        return dict(image.getexif()), image.info.get("icc_profile")


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_metadata_are_dropped(kind):
    content = image_bytes(kind, exif=exif(), icc_profile=b"a profile of a camera")
    assert metadata(content) == ({0x010E: "the name of a patient"}, b"a profile of a camera")
    found = taken(content)
    # A PNG file compresses its profile.
    assert metadata(found) == ({}, None)
    assert b"patient" not in found and b"a profile" not in found
    if kind == "JPEG":
        # The compressed pixels are the same bytes, so that the network sees the same.
        assert content.endswith(found[-200:])


def test_what_follows_an_image_is_dropped():
    assert taken(IMAGES["JPEG"] + b"the name of a patient") == taken(IMAGES["JPEG"])


def test_a_comment_is_dropped():
    content = IMAGES["JPEG"]
    comment = b"\xff\xfe" + struct.pack(">H", 2 + 9) + b"a patient"
    assert b"patient" not in taken(content[:2] + comment + content[2:])


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_an_image_is_turned_upright(kind):
    options = {"quality": 100} if kind == "JPEG" else {}
    turned = taken(image_bytes(kind, exif=exif(orientation=6), **options))
    assert pixels(turned).shape == (40, 48, 3) and turned.startswith(b"\x89PNG")


def test_colours_become_rgb_of_8_bits():
    for mode in ("CMYK", "L"):
        found = taken(image_bytes("JPEG", mode=mode, quality=95))
        assert np.abs(pixels(found) - pixels(image_bytes("JPEG", mode=mode, quality=95))).max() <= 1
    for mode in ("RGBA", "LA", "P", "1", "L"):
        assert pixels(taken(image_bytes("PNG", mode=mode))).shape == (48, 40, 3)


def test_the_upper_8_of_16_bits_are_kept():
    deep = np.random.default_rng(0).integers(0, 2**16, (40, 40), dtype=np.uint16)
    stream = io.BytesIO()
    Image.fromarray(deep).save(stream, "PNG")
    assert (pixels(taken(stream.getvalue()))[..., 0] == deep >> 8).all()


def test_transparent_pixels_show_their_colour():
    image = Image.new("RGBA", (40, 40), (200, 100, 50, 0))
    stream = io.BytesIO()
    image.save(stream, "PNG")
    assert (pixels(taken(stream.getvalue())) == (200, 100, 50)).all()


def header_of_png(width, height):
    said = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    start = b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + said + struct.pack(">I", zlib.crc32(said))
    return start + b"\0\0\0\0IDAT" + struct.pack(">I", zlib.crc32(b"IDAT")) + b"\0\0\0\0IEND\xae\x42\x60\x82"


@pytest.mark.parametrize("size", [(8000, 5001), (30_000, 30_000), (2**31 - 1, 2**31 - 1)])
def test_a_bomb_is_refused_by_its_header(size):
    status, detail = refused(header_of_png(*size))
    assert status == 413 and "40 megapixels" in detail


def test_a_header_without_a_size_is_told_in_our_words():
    assert refused(header_of_png(0, 0)) == (
        415,
        "The PNG file is broken: it cannot be identified. Export it anew.",
    )


@pytest.mark.parametrize("size", [(31, 40), (40, 31), (1, 1)])
def test_small_images_are_refused(size):
    image = Image.new("RGB", size)
    stream = io.BytesIO()
    image.save(stream, "PNG")
    status, detail = refused(stream.getvalue())
    assert status == 422 and "32 pixels" in detail


@pytest.mark.parametrize("kind", ["PNG", "WEBP"])
def test_moving_images_are_refused(kind):
    frames = [Image.new("RGB", (40, 40), colour) for colour in ("red", "blue")]
    stream = io.BytesIO()
    frames[0].save(stream, kind, save_all=True, append_images=frames[1:])
    status, detail = refused(stream.getvalue())
    assert status == 422 and "still" in detail


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "empty"),
        (b"GIF89a" + bytes(100), "JPEG, PNG or WebP"),
        (b"<svg onload='alert(1)'/>", "JPEG, PNG or WebP"),
        (bytes(128) + b"DICM" + bytes(50), "DICOM. Export .* viewer"),
        (b"\0\0\0\x18ftypheic" + bytes(50), "HEIC. Export it as JPEG"),
        (b"\0\0\0\x18ftypmif1" + bytes(50), "HEIC"),
        (b"II*\0" + bytes(50), "TIFF. Export it as PNG"),
        (b"MM\0*" + bytes(50), "TIFF"),
    ],
)
def test_other_kinds_are_told_what_to_do(content, said):
    status, detail = refused(content, "lesion.jpg")
    assert status == 415
    assert re.search(said, detail), detail


@pytest.mark.parametrize("kind", IMAGES)
@given(share=st.floats(0, 1, exclude_max=True))
def test_half_an_image_is_refused(kind, share):
    content = IMAGES[kind]
    status, _ = refused(content[: int(share * len(content))])
    assert status == 415


@pytest.mark.parametrize("kind", IMAGES)
@given(place=st.floats(0, 1, exclude_max=True), value=st.integers(0, 255), count=st.integers(1, 30))
def test_changed_bytes_are_an_image_or_a_problem(kind, place, value, count):
    content = bytearray(IMAGES[kind])
    start = int(place * len(content))
    content[start : start + count] = bytes([value] * len(content[start : start + count]))
    try:
        found = taken(bytes(content))
    except Problem as problem:
        assert problem.status in (413, 415, 422)
    else:
        assert pixels(found).ndim == 3


@given(content=st.binary(max_size=200))
def test_anything_else_is_a_problem(content):
    assert refused(content)[0] == 415


def test_a_long_name_is_cut():
    assert len(accept("n" * 1000, IMAGES["PNG"], LIMITS).name) == 255
