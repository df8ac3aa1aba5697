import cv2
import numpy as np

from skinkit.data import typical_size


def test_the_typical_size_is_the_median_of_heights_and_of_widths(tmp_path):
    sizes = {"a.png": (30, 40), "b.jpg": (60, 20), "c.jpg": (50, 90)}
    for name, size in sizes.items():
        cv2.imwrite(str(tmp_path / name), np.zeros((*size, 3), np.uint8))
    assert typical_size(tmp_path / name for name in sizes) == [50, 40]
