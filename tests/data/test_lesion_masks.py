import cv2
import numpy as np
import pytest

from skinkit.data import lesion_mask

HEIGHT, WIDTH = 60, 80


@pytest.fixture
def photograph(tmp_path):
    """A dark disc on light skin, in a dark corner of a lens; returns its path and the disc."""
    rows, columns = np.ogrid[:HEIGHT, :WIDTH]
    disc = (rows - 30) ** 2 + (columns - 40) ** 2 < 12**2
    image = np.where(disc, 60, 200).astype(np.uint8)
    image[:12, :12] = 20
    path = tmp_path / "images" / "SYN_1.png"
    path.parent.mkdir()
    cv2.imwrite(str(path), image)
    return path, disc


def test_the_mask_beside_the_image_is_read(photograph):
    path, _ = photograph
    saved = np.zeros((HEIGHT, WIDTH), np.uint8)
    saved[:20, :10] = 255
    (path.parents[1] / "masks").mkdir()
    cv2.imwrite(str(path.parents[1] / "masks" / "SYN_1_segmentation.png"), saved)
    np.testing.assert_array_equal(lesion_mask(path), saved > 0)
    half = lesion_mask(str(path), size=(HEIGHT // 2, WIDTH // 2))
    assert half.dtype == bool
    np.testing.assert_array_equal(half, saved[::2, ::2] > 0)


def test_without_a_mask_the_dark_spot_in_the_middle_is_taken(photograph):
    path, disc = photograph
    found = lesion_mask(path)
    assert (found & disc).sum() / (found | disc).sum() > 0.9
    assert not found[:12, :12].any()


def test_neither_mask_nor_image_is_an_error_that_names_the_file(photograph):
    path, _ = photograph
    path.write_bytes(b"not an image")
    with pytest.raises(FileNotFoundError, match=r"SYN_1\.png.*masks"):
        lesion_mask(path)
    with pytest.raises(FileNotFoundError, match="SYN_2"):
        lesion_mask(path.with_name("SYN_2.png"))
