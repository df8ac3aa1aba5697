"""Maps and weights of attention layers; resizing, overlay and score of any map."""

import inspect

import numpy as np
from keras import ops

from skinkit.explain.inner_layers import inner_layers, recorded, run_model


def attention_maps(model, images, layer=None, batch_size=16):
    """Returns where an attention layer of the model looks.

    Args:
        model: A `keras.Model` with one image input, flat or with nested models.
        images: Array `(n, height, width, channels)`, scaled as the model expects.
        layer: Name of the layer; `None` for the only one which can return maps, that is whose call
            has an argument `return_maps`.
        batch_size: Integer, images at a time.

    Returns:
        float32 array `(n, h, w)` on the grid of the layer: the sum over its heads, divided by its
        largest value, so that the largest of each map is 1.

    Raises:
        ValueError: when there is no such layer, or more than one to choose from.

    Example:
        >>> overlay_map(photographs[0], attention_maps(model, images)[0])
    """
    summed = np.concatenate(list(_results_beside(model, layer, "maps", images, batch_size))).sum(axis=-1)
    return summed / summed.max(axis=(1, 2), keepdims=True)


def crop_weights(model, crops, layer=None, batch_size=16):
    """Returns how much each crop of an image counts for a model with patch attention (gessert2019, Fig. 4).

    Args:
        model: A `keras.Model` of ordered crops.
        crops: Array `(n, crops, height, width, channels)`, scaled as the model expects.
        layer: Name of the layer, such as `"initial_attention"` or `"end_attention"`; `None` for the only one
            whose call has an argument `return_weights`.
        batch_size: Integer, images at a time.

    Returns:
        float32 array `(n, crops)` of the layer's weights, each from 0 to 1; they do not sum to 1.

    Raises:
        ValueError: when there is no such layer, or more than one to choose from.

    Example:
        >>> options = {"backbone": "small_cnn", "attention": "end"}
        >>> model = models.build("crop_classifier", (5, 32, 32, 3), classes=7, **options)
        >>> crop_weights(model, np.ones((2, 5, 32, 32, 3)), layer="end_attention").shape
        (2, 5)
    """
    return np.concatenate(list(_results_beside(model, layer, "weights", crops, batch_size)))


def _results_beside(model, layer, what, images, batch_size):
    """Yields what the chosen layer returns besides its output, batch by batch."""
    attention = _find_attention(model, layer, what)
    images = np.asarray(images, dtype="float32")
    for first in range(0, len(images), batch_size):
        with recorded(attention) as seen:
            run_model(model, images[first : first + batch_size])
        _, found = attention(seen[attention][0], **{f"return_{what}": True})
        yield ops.convert_to_numpy(found)


def has_attention(model):
    """Returns whether the model has a layer for `attention_maps`."""
    return any(_returns(layer, "maps") for layer in inner_layers(model))


def crop_weighting_layers(model):
    """Returns the names of the model's layers for `crop_weights`, in their order."""
    return [layer.name for layer in inner_layers(model) if _returns(layer, "weights")]


def join_crops(maps, corners, crop_size, image_size):
    """Returns maps of whole images, each pixel the mean over the crops that show it.

    Args:
        maps: Array `(n, crops, h, w)`, stretched over the crops; `h = w = 1` for a weight a crop.
        corners: Top-left corners of the crops, `(crops, 2)` of row and column in pixels.
        crop_size: Side of the crops in pixels.
        image_size: Height and width of the image in pixels.

    Returns:
        float32 array `(n, height, width)`; 0 where there is no crop.

    Example:
        >>> join_crops(maps, crop_corners((450, 600), 224, 5), 224, (450, 600))
    """
    summed = np.zeros((len(maps), *image_size), "float32")
    shown = np.zeros(image_size, "float32")
    for number, (row, column) in enumerate(corners):
        place = slice(row, row + crop_size), slice(column, column + crop_size)
        summed[:, *place] += resize_map(maps[:, number], (crop_size, crop_size))
        shown[place] += 1
    return summed / np.maximum(shown, 1)


def _find_attention(model, name, what):
    found = [layer for layer in inner_layers(model) if _returns(layer, what)]
    chosen = [layer for layer in found if name in (None, layer.name)]
    if len(chosen) != 1:
        names = [layer.name for layer in found]
        raise ValueError(
            f"Choose one of the layers of {model.name} that return {what}: {names}. Received: layer={name!r}"
        )
    return chosen[0]


def _returns(layer, what):
    return f"return_{what}" in inspect.signature(layer.call).parameters


def resize_map(heatmap, size):
    """Returns the map, or the maps `(n, h, w)`, resized to `(height, width)` by bilinear interpolation."""
    import cv2

    heatmap = np.asarray(heatmap, dtype="float32")
    if heatmap.ndim == 3:
        return np.stack([resize_map(one, size) for one in heatmap])
    height, width = size
    return cv2.resize(heatmap, (width, height), interpolation=cv2.INTER_LINEAR)


def overlay_map(image, heatmap, strength=0.5):
    """Returns the image with the map laid over it in colours from dark violet to bright yellow.

    Args:
        image: RGB array `(height, width, 3)`: uint8, or floats in [0, 1].
        heatmap: Array `(h, w)` of non-negative values; its largest gets the brightest colour.
        strength: Float in [0, 1], share of the map in each pixel.

    Returns:
        uint8 array `(height, width, 3)`.

    Raises:
        ValueError: for floats outside [0, 1], or other shapes, such as those of a batch.
    """
    import cv2

    image, heatmap = _as_floats(image), np.asarray(heatmap)
    if image.ndim != 3 or image.shape[-1] not in (1, 3) or heatmap.ndim != 2:
        raise ValueError(
            "One image (height, width, 3) and one map (h, w) are laid over each other; of a batch, take "
            f"images[0] and maps[0]. Received: shapes {image.shape} and {heatmap.shape}"
        )
    heatmap = resize_map(heatmap, image.shape[:2])
    levels = np.uint8(np.round(255 * heatmap / (heatmap.max() or 1.0)))
    colours = cv2.applyColorMap(levels, cv2.COLORMAP_INFERNO)[..., ::-1]
    return np.uint8(np.round((1 - strength) * 255 * image + strength * colours))


def _as_floats(image):
    image = np.asarray(image)
    if image.dtype == np.uint8:
        return image / 255
    if image.min() < 0 or image.max() > 1:
        raise ValueError(
            "An image is uint8, or floats in [0, 1]. "
            f"Received: {image.dtype} from {image.min():g} to {image.max():g}"
        )
    return image


def mass_inside(heatmap, mask):
    """Returns the share of a map that lies inside a mask, such as a lesion's.

    Compare it with the mask's share of the image, which an even map gets.

    Args:
        heatmap: Array `(h, w)` of non-negative values, or `(n, h, w)`; resized to the mask.
        mask: Boolean array `(height, width)`, or `(n, height, width)`.

    Returns:
        Float in [0, 1], or an array of `n`; NaN for a map of zeros.
    """
    mask = np.asarray(mask, dtype=bool)
    heatmap = resize_map(heatmap, mask.shape[-2:])
    total, inside = (np.sum(v, axis=(-2, -1)) for v in (heatmap, heatmap * mask))
    return np.divide(inside, total, out=np.full_like(total, np.nan), where=total > 0)[()]
