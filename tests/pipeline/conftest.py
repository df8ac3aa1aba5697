import cv2
import numpy as np
import pandas as pd
import pytest

SIZE = 8


def draw_texture(height, width, seed=0):
    """An image with detail at all scales, as photographs have it."""
    generator = np.random.default_rng(seed)
    image = np.full((height, width, 3), 128.0)
    for side in (4, 8, 16, 32, 64, 128):
        noise = generator.normal(0, 80 / side**0.5, (side, side, 3)).astype(np.float32)
        image += cv2.resize(noise, (width, height), interpolation=cv2.INTER_CUBIC)
    return image.clip(0, 255).astype(np.uint8)


@pytest.fixture(scope="session")
def texture():
    return draw_texture


@pytest.fixture(scope="session")
def plain_table(tmp_path_factory):
    """Forty rows; image i is a plain grey of value i, so that pixels tell the row."""
    folder = tmp_path_factory.mktemp("plain")
    rows = []
    for i in range(40):
        path = folder / f"image_{i:02}.png"
        cv2.imwrite(str(path), np.full((SIZE, SIZE, 3), i, np.uint8))
        rows.append((f"image_{i:02}", str(path), ("mel", "nv", "bkl")[i % 3]))
    return pd.DataFrame(rows, columns=["image_id", "path", "label"], dtype="string")


@pytest.fixture(scope="session")
def photo_table(tmp_path_factory):
    """Seven rows of textured JPEGs of 40 x 60 pixels."""
    folder = tmp_path_factory.mktemp("photo")
    rows = []
    for i in range(7):
        path = folder / f"photo_{i}.jpg"
        cv2.imwrite(str(path), draw_texture(40, 60, seed=i))
        rows.append((f"photo_{i}", str(path), ("mel", "nv", "bkl")[i % 3]))
    return pd.DataFrame(rows, columns=["image_id", "path", "label"], dtype="string")
