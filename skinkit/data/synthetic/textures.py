"""Textures of the drawn images: made once, then cut out for each photograph."""

from functools import lru_cache

import numpy as np

_SIDE = 768
_CELL = 6  # pixels from one cell to the next
_CLOUD = 32  # pixels from one spot of the cloud to the next


class View:
    """The position of the camera, for which textures are cut out so that they stay with the lesion.

    Args:
        placements: Array `(n, 3)` in 0..1: x, y and angle of each texture's cutting.
        matrix: Array `(2, 3)` from pixels to image heights from the lesion's middle.
        size: Integers, height and width in pixels.
    """

    def __init__(self, placements, matrix, size):
        self.placements, self.matrix, self.size = placements, matrix, size

    def tile(self, name, index, spacing):
        """Cells `spacing` image heights apart, values 0..1: `net`, `blobs`, `spots`, `shades`."""
        return self._cut(_textures()[name], index, spacing / _CELL, 1)

    def cloud(self, index, spacing, fine=4):
        """Noise with spots about `spacing` image heights wide, mean 0, deviation about 1."""
        return self._cut(_textures()["cloud"], index, spacing / _CLOUD, fine)

    def patches(self, index, spacing):
        """Soft patches of 1 between 0."""
        return np.clip(self.cloud(index, spacing) + 0.8, 0, 1)

    def _cut(self, texture, index, unit, coarse):
        import cv2

        height, width = self.size
        x, y, angle = self.placements[index]
        cos, sin = np.cos(2 * np.pi * angle), np.sin(2 * np.pi * angle)
        matrix = np.array([[cos, -sin], [sin, cos]]) / unit @ self.matrix
        # Near the middle, because OpenCV is slow where it has to reflect.
        matrix[:, 2] += _SIDE * (0.4 + 0.2 * np.array([x, y]))
        # Soft textures are cut at a lower resolution and enlarged.
        small = (-(-width // coarse), -(-height // coarse))
        matrix[:, :2] *= np.array([width / small[0], height / small[1]])
        mode = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        piece = cv2.warpAffine(texture, matrix, small, flags=mode, borderMode=cv2.BORDER_REFLECT)
        return piece if coarse == 1 else cv2.resize(piece, (width, height))


def grain(rng, size):
    """Normal noise of a size `(height, width)`, cut out at random."""
    noise = _textures()["grain"]
    y, x = rng.integers(0, _SIDE // 2, 2)
    if max(y + size[0], x + size[1]) <= _SIDE:
        return noise[y : y + size[0], x : x + size[1]]
    return np.resize(noise, size)


@lru_cache(maxsize=1)
def _textures():
    from scipy.spatial import cKDTree

    rng = np.random.default_rng(_SIDE)
    cells = np.mgrid[: _SIDE // _CELL, : _SIDE // _CELL].reshape(2, -1).T
    points = (cells + rng.uniform(0, 1, cells.shape)) * _CELL
    pixels = np.mgrid[:_SIDE, :_SIDE].reshape(2, -1).T + 0.5
    distances, nearest = cKDTree(points, boxsize=_SIDE).query(pixels, k=2)
    near, far = distances.T
    shades = rng.random(len(points))[nearest[:, 0]]
    blobs = np.clip(2.2 - near / (0.17 * _CELL), 0, 1)
    textures = {
        "net": np.exp(-(((far - near) / (0.32 * _CELL)) ** 2)),
        "blobs": blobs,
        "spots": blobs * (shades < 0.22),
        "shades": shades,
        "cloud": _cloud(rng),
        "grain": rng.standard_normal(len(pixels)),
    }
    return {name: np.float32(values).reshape(_SIDE, _SIDE) for name, values in textures.items()}


def _cloud(rng):
    """Random waves, the long ones strongest."""
    frequency = np.hypot(np.fft.fftfreq(_SIDE)[:, None], np.fft.rfftfreq(_SIDE))
    amplitude = frequency / (frequency**2 + (0.5 / _CLOUD) ** 2) ** 1.35
    waves = amplitude * np.exp(2j * np.pi * rng.random(amplitude.shape))
    cloud = np.fft.irfft2(waves, (_SIDE, _SIDE))
    return np.clip(cloud / cloud.std(), -2.5, 2.5)
