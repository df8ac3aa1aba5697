"""Figures of networks and of the way from images to scores, from the recipes."""

import textwrap

import matplotlib.pyplot as plt

from skinkit.papers.registry import recipe
from skinkit.plots.style import one_axes


def layer_sizes(material):
    """The layers of a network: as high as their maps, with their channels beside."""
    import keras

    from skinkit import models
    from skinkit.tasks.batches import pipeline_spec

    found = recipe(material.of).resolve()
    shape = pipeline_spec(found, augment=False).input_shape
    model = models.build(found.model.name, shape, 7, **found.model.options)
    layers = [layer for layer in model.layers if not isinstance(layer, keras.layers.InputLayer)]
    kinds = list(dict.fromkeys(type(layer).__name__ for layer in layers))
    colours = dict(zip(kinds, plt.get_cmap("tab10").colors, strict=False))
    figure, ax = one_axes(None, (max(6, 0.42 * len(layers)), 4.5))
    for place, layer in enumerate(layers):
        size = layer.output.shape[1:]
        height = size[0] if len(size) == 3 else 3
        ax.bar(place, height, bottom=-height / 2, color=colours[type(layer).__name__])
        ax.text(place, height / 2 + 1, " x ".join(map(str, size)), rotation=90, ha="center", fontsize=7)
    for kind, colour in colours.items():
        ax.bar(0, 0, color=colour, label=kind)
    names = [layer.name for layer in layers]
    ax.set_xticks(range(len(layers)), names, rotation=90, fontsize=7)
    ax.set(yticks=[], ylabel="bars as high as the maps", ylim=(-0.27 * shape[0], 0.62 * shape[0]))
    ax.set_title(f"{len(layers)} layers, {model.count_params():,} parameters")
    ax.legend(fontsize=7, ncols=2)
    return figure, f"the network of {material.of}"


def process(material):
    """The steps of a recipe, from the images to the scores, as it is carried out."""
    found = recipe(material.of).resolve()
    (phase,) = found.phases
    size = " x ".join(map(str, found.image_size))
    boxes = [
        f"images\n{found.dataset}",
        f"split\n{found.split.name}\nby {found.split.options['group']}",
        f"copies of rare classes\n{found.offline.name}",
        f"{size} pixels\n{textwrap.fill(', '.join(found.augmentation), 18)}",
        f"{found.model.name}\n{', '.join(f'{k}: {v}' for k, v in found.model.options.items())}",
        f"{phase.epochs} epochs\n{phase.optimiser.name}\n{found.balancing.name}",
        f"{found.selection} epoch\nby {found.monitor} on {found.selection_part}",
        f"scores\non {found.test_part} images",
    ]
    figure, ax = one_axes(None, (9, 3))
    # There and back: the second row goes from right to left.
    places = [(x, 1) for x in range(4)] + [(x, 0) for x in reversed(range(4))]
    box = {"boxstyle": "round,pad=0.5", "facecolor": "#E8F0F8", "edgecolor": "#0072B2"}
    before = None
    for place, text in zip(places, boxes, strict=True):
        now = ax.text(*place, text, ha="center", va="center", fontsize=8, bbox=box)
        if before:
            ends = {"patchA": before.get_bbox_patch(), "patchB": now.get_bbox_patch()}
            style = {"arrowstyle": "->", "shrinkA": 3, "shrinkB": 3, **ends}
            ax.annotate("", place, before.get_position(), arrowprops=style, zorder=4)
        before = now
    ax.set(xlim=(-0.45, 3.45), ylim=(-0.3, 1.3))
    ax.axis("off")
    return figure, f"{material.of}, corrected protocol"
