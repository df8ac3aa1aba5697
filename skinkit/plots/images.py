"""Figures of images, plain or under a heat map."""

import numpy as np

from skinkit.plots.style import grid_of_axes, one_axes


def image_grid(images, titles=None, columns=4, axes=None):
    """Images side by side.

    Args:
        images: arrays `(h, w, 3)`, uint8 or floats from 0 to 1.
        titles: one text an image, or None.
        columns: images in a row.
        axes: one matplotlib axes an image, or None.

    Returns:
        matplotlib Figure.
    """
    return overlay_grid(images, [None] * len(images), titles, columns, axes)


def overlay(image, heatmap, ax=None, title=None, strength=0.45):
    """A heat map (Grad-CAM, attention) over its image.

    Args:
        image: array `(h, w, 3)`, uint8 or floats from 0 to 1.
        heatmap: array `(a, b)` of any size, 0 to 1, stretched over the image; or None.
        ax: matplotlib axes or None.
        title: text or None.
        strength: how much the map covers, 0 to 1.

    Returns:
        matplotlib Figure.
    """
    figure, ax = one_axes(ax, (3, 3))
    height, width = np.shape(image)[:2]
    extent = (0, width, height, 0)
    ax.imshow(image, extent=extent)
    if heatmap is not None:
        style = {"cmap": "inferno", "vmin": 0, "vmax": 1, "interpolation": "bilinear"}
        ax.imshow(heatmap, extent=extent, alpha=strength, **style)
    ax.set(xlim=(0, width), ylim=(height, 0))
    ax.set_title(title or "", fontsize=9)
    ax.axis("off")
    return figure


def overlay_grid(images, heatmaps, titles=None, columns=4, axes=None):
    """Heat maps over their images, side by side; see `overlay` and `image_grid`."""
    titles = [None] * len(images) if titles is None else titles
    figure, axes = grid_of_axes(len(images), axes, (2.2, 2.4), columns)
    for image, heatmap, title, ax in zip(images, heatmaps, titles, axes, strict=True):
        overlay(image, heatmap, ax, title)
    return figure
