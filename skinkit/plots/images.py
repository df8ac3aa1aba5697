"""Figures of images: plain, under a heat map, or as weighted crops."""

import math

import numpy as np
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.patches import Rectangle

from skinkit.plots.style import grid_of_axes, one_axes


def image_grid(images, titles=None, columns=4, axes=None):
    """Images side by side.

    Args:
        images: Arrays `(h, w, 3)`, uint8 or floats from 0 to 1.
        titles: Strings, one an image, or `None`.
        columns: Integer, images in a row.
        axes: Matplotlib axes, one an image, or `None`.

    Returns:
        Matplotlib Figure.
    """
    return overlay_grid(images, [None] * len(images), titles, columns, axes)


def overlay(image, heatmap, ax=None, title=None, strength=0.45):
    """A heat map (Grad-CAM, attention) over its image.

    Args:
        image: Array `(h, w, 3)`, uint8 or floats from 0 to 1.
        heatmap: Array `(a, b)` of any size, 0 to 1, stretched over the image; or `None`.
        ax: Matplotlib axes, or `None`.
        title: String, or `None`.
        strength: Float, how much the map covers, 0 to 1.

    Returns:
        Matplotlib Figure.
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


def crop_weights(crops, weights, titles=None, columns=4, axes=None):
    """The ordered crops of images, each in a frame as bright and as wide as its weight (gessert2019, Fig. 4).

    Args:
        crops: Array `(n, crops, h, w, 3)`, uint8 or floats from 0 to 1; 5 crops are the corners and the
            centre, other numbers are laid out row by row.
        weights: Array `(n, crops)`.
        titles: Strings, one an image, or `None`.
        columns: Integer, images in a row.
        axes: Matplotlib axes, one an image, or `None`.

    Returns:
        Matplotlib Figure. Its bar names the smallest and the largest weight, the ends of the colours.
    """
    titles = [None] * len(crops) if titles is None else titles
    figure, axes = grid_of_axes(len(crops), axes, (2.6, 2.8), columns)
    colours = ScalarMappable(Normalize(np.min(weights), np.max(weights)), "viridis")
    for own, each, title, ax in zip(crops, weights, titles, axes, strict=True):
        _framed_crops(own, colours.norm(each), colours.to_rgba(each), ax)
        ax.set_title(title or "", fontsize=9)
    figure.colorbar(colours, ax=axes, label="weight of the crop", shrink=0.8)
    return figure


def _framed_crops(crops, shares, colours, ax):
    """Draws one image's crops side by side; a share from 0 to 1 is the width of its frame."""
    height, width = np.shape(crops)[1:3]
    places = _places(len(crops))
    for crop, share, colour, (row, column) in zip(crops, shares, colours, places, strict=True):
        left, top = 1.15 * width * column, 1.15 * height * row
        ax.imshow(crop, extent=(left, left + width, top + height, top))
        ax.add_patch(Rectangle((left, top), width, height, fill=False, ec=colour, lw=1 + 4 * share))
    below, right = (1.15 * max(place) + 1.05 for place in zip(*places, strict=True))
    ax.set(xlim=(-0.05 * width, right * width), ylim=(below * height, -0.05 * height))
    ax.axis("off")


def _places(count):
    if count == 5:
        return [(0, 0), (0, 2), (2, 0), (2, 2), (1, 1)]
    side = math.ceil(math.sqrt(count))
    return [divmod(number, side) for number in range(count)]
