"""Lesion masks: where on a photograph the lesion is."""

from pathlib import Path

import numpy as np


def lesion_mask(path, size=None):
    """Returns where on an image the lesion is.

    Reads the mask that lies beside the image, `masks/<id>_segmentation.png` beside `images/<id>.jpg`: drawn
    sets have it, and the published masks of HAM10000 can be put there. Without one it takes what is darker
    than the skin around the middle of the image, by Otsu's threshold, which is rough.

    Args:
        path: Path of the image file.
        size: `(height, width)` of the result in pixels; `None` for that of the mask or image.

    Returns:
        Boolean array `(height, width)`.

    Raises:
        FileNotFoundError: if there is neither a mask nor an image that can be read.

    Example:
        >>> table = synthetic(1)
        >>> lesion_mask(table["path"][0], size=(80, 80)).shape
        (80, 80)
    """
    import cv2

    path = Path(path)
    mask = _read_grey(path.parents[1] / "masks" / f"{path.stem}_segmentation.png")
    if mask is None:
        mask = _darker_than_skin(path)
    if size is not None:
        mask = cv2.resize(mask, (size[1], size[0]), interpolation=cv2.INTER_NEAREST)
    return mask > 0


def _read_grey(path):
    import cv2

    return cv2.imread(str(path), cv2.IMREAD_GRAYSCALE) if path.is_file() else None


def _darker_than_skin(path):
    import cv2

    image = _read_grey(path)
    if image is None:
        raise FileNotFoundError(
            f"{path}: no image that can be read, and no mask in the folder masks beside it."
        )
    smooth = cv2.GaussianBlur(image, (0, 0), 3)
    mask = cv2.threshold(smooth, 0, 255, cv2.THRESH_BINARY_INV + cv2.THRESH_OTSU)[1]
    # Lenses darken the corners: only an ellipse around the middle counts.
    rows, columns = np.ogrid[-1 : 1 : mask.shape[0] * 1j, -1 : 1 : mask.shape[1] * 1j]
    return np.where(rows**2 + columns**2 < 0.8, mask, 0).astype(np.uint8)
