from types import SimpleNamespace

import cv2
import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from skinkit.pipeline import PipelineSpec, decode_file, shades_of_gray


@pytest.fixture
def read(tmp_path):
    """Writes bytes to a file and reads them as a pipeline of that size does."""

    def read_bytes(contents, height, width, **settings):
        path = tmp_path / "image"
        path.write_bytes(contents)
        return decode_file(str(path), PipelineSpec(image_size=(height, width), **settings)).numpy()

    return read_bytes


def _encode(rgb, extension=".jpg", quality=90):
    _, contents = cv2.imencode(extension, rgb[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])
    return contents.tobytes()


def _decode(contents):
    return cv2.imdecode(np.frombuffer(contents, np.uint8), cv2.IMREAD_COLOR)[..., ::-1]


def _differences(image, reference):
    gap = np.abs(image.astype(float) - reference)
    return SimpleNamespace(mean=gap.mean(), high=np.percentile(gap, 99.9), most=gap.max())


def test_jpeg_of_the_wanted_size_has_the_pixels_of_opencv(read, texture):
    contents = _encode(texture(45, 60))
    np.testing.assert_array_equal(read(contents, 45, 60), _decode(contents))


def test_png_of_the_wanted_size_is_exact(read, texture):
    image = texture(45, 60)
    np.testing.assert_array_equal(read(_encode(image, ".png"), 45, 60), image)


def test_bilinear_is_the_default_resize_of_opencv(read, texture):
    contents = _encode(texture(450, 600))
    expected = cv2.resize(_decode(contents), (100, 100))
    assert _differences(read(contents, 100, 100, resize="bilinear"), expected).most <= 1


def test_shrunk_png_is_averaged_over_areas(read, texture):
    image = texture(90, 120)
    expected = cv2.resize(image, (50, 40), interpolation=cv2.INTER_AREA)
    assert _differences(read(_encode(image, ".png"), 40, 50), expected).most <= 1


@pytest.mark.parametrize(("height", "width"), [(120, 90), (40, 90)])
def test_enlarged_sides_are_interpolated(read, texture, height, width):
    image = texture(60, 80)
    expected = tf.image.resize(image, (height, width), antialias=True).numpy()
    assert _differences(read(_encode(image, ".png"), height, width), expected).most <= 0.51


@pytest.mark.parametrize(
    ("rows", "size", "reduced_rows"),
    [
        (450, (224, 224), 225),
        (450, (120, 160), 225),
        (450, (50, 50), 225),  # 4 does not divide 450
        (448, (100, 100), 112),
        (448, (50, 50), 56),
        (450, (226, 226), 450),
    ],
)
def test_reduced_decode_is_near_the_average_over_areas(read, texture, rows, size, reduced_rows):
    contents = _encode(texture(rows, 600))
    expected = cv2.resize(_decode(contents), size[::-1], interpolation=cv2.INTER_AREA)
    result = _differences(read(contents, *size), expected)
    assert result.mean < (0.7 if reduced_rows >= 225 else 2)
    assert result.high < (5 if reduced_rows >= 225 else 10)
    assert (result.most <= 1) == (reduced_rows == rows)


def test_grey_and_transparent_and_palette_png_become_rgb(read, tmp_path):
    grey = np.arange(64, dtype=np.uint8).reshape(8, 8)
    expected = np.repeat(grey[..., None], 3, axis=2)
    np.testing.assert_array_equal(read(cv2.imencode(".png", grey)[1].tobytes(), 8, 8), expected)
    transparent = np.dstack([expected, 255 - grey])
    contents = cv2.imencode(".png", transparent)[1].tobytes()
    np.testing.assert_array_equal(read(contents, 8, 8), expected)
    Image.fromarray(expected).quantize(256).save(tmp_path / "palette.png")
    contents = (tmp_path / "palette.png").read_bytes()
    assert _differences(read(contents, 8, 8), expected).most <= 2


def test_grey_jpeg_becomes_rgb(read):
    contents = cv2.imencode(".jpg", np.full((8, 8), 77, np.uint8))[1].tobytes()
    np.testing.assert_array_equal(read(contents, 8, 8), np.full((8, 8, 3), 77))


def test_sixteen_bit_png_keeps_its_high_byte(read):
    deep = np.arange(0, 65536, 1024, dtype=np.uint16).reshape(8, 8)
    contents = cv2.imencode(".png", deep)[1].tobytes()
    np.testing.assert_array_equal(read(contents, 8, 8)[..., 0], deep >> 8)


def test_cmyk_jpeg_becomes_rgb(read, tmp_path):
    colour = np.full((16, 16, 3), (200, 120, 60), np.uint8)
    Image.fromarray(colour).convert("CMYK").save(tmp_path / "cmyk.jpg", quality=95)
    image = read((tmp_path / "cmyk.jpg").read_bytes(), 16, 16)
    assert _differences(image, colour).most <= 4


def test_exif_orientation_is_ignored(read, texture, tmp_path):
    photo = Image.fromarray(texture(24, 32))
    exif = Image.Exif()
    exif[0x0112] = 6  # turned
    photo.save(tmp_path / "plain.jpg", quality=90)
    photo.save(tmp_path / "turned.jpg", quality=90, exif=exif)
    plain = read((tmp_path / "plain.jpg").read_bytes(), 24, 32)
    turned = read((tmp_path / "turned.jpg").read_bytes(), 24, 32)
    np.testing.assert_array_equal(plain, turned)


def test_shades_of_gray_equals_numpy(texture):
    image = texture(20, 30) * np.array([1.0, 0.7, 0.5])
    light = (image**6).mean(axis=(0, 1)) ** (1 / 6)
    light /= np.sqrt((light**2).sum())
    expected = np.clip(image / (light * np.sqrt(3)), 0, 255)
    np.testing.assert_allclose(shades_of_gray(image), expected, rtol=1e-4)


def test_shades_of_gray_makes_a_coloured_grey_card_grey():
    card = np.full((2, 5, 5, 3), (120, 90, 60), np.uint8)
    result = shades_of_gray(card).numpy()
    np.testing.assert_allclose(result, result[..., :1] * np.ones(3), rtol=1e-5)
    np.testing.assert_array_equal(shades_of_gray(np.zeros((5, 5, 3))), np.zeros((5, 5, 3)))


def test_colour_constancy_is_applied_to_the_resized_pixels(read, texture):
    image = (texture(16, 16) * np.array([1.0, 0.7, 0.5])).astype(np.uint8)
    result = read(_encode(image, ".png"), 16, 16, colour_constancy=True)
    np.testing.assert_array_equal(result, np.floor(shades_of_gray(image).numpy() + 0.5))


def test_formats_that_no_other_room_reads_are_refused(read, tmp_path):
    Image.new("RGB", (8, 8)).save(tmp_path / "x.gif")
    with pytest.raises(tf.errors.InvalidArgumentError, match="neither JPEG nor PNG"):
        read((tmp_path / "x.gif").read_bytes(), 8, 8)
