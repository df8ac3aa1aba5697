"""Figures of images: of the reader, or drawn ones."""

import cv2
import numpy as np

from skinkit import plots
from skinkit.pipeline.augment.distortion import DISTORTIONS, cut_out_resized, distort, sample_distortions
from skinkit.pipeline.pretext import Disorder

# Strong changes, which an eye sees in a small image.
_STRONG = {"brightness_contrast": [0.95, 0.85]}
_EDGES = np.array([[-1, -1, -1], [-1, 8, -1], [-1, -1, -1]], np.float32)


def change(material):
    """An image, and the same changed in one way."""
    (image,), words = material.images(1)
    if material.of == "flip":
        after = image[:, ::-1]
    else:
        after = DISTORTIONS[material.of](image, _STRONG.get(material.of, [0.9] * 10))
    return plots.image_grid([image, after], ["original", material.of.replace("_", " ")]), words


def steps(material):
    """An image after each step of the augmentation alone."""
    (image,), words = material.images(1)
    numbers = np.random.default_rng(4).random(10, np.float32)
    after = {name: function(image, numbers) for name, function in DISTORTIONS.items()}
    titles = ["original", *(name.replace("_", " ") for name in after)]
    return plots.image_grid([image, *after.values()], titles, columns=5), words


def sample(material):
    """A sample of images, as they are or after the whole augmentation."""
    images, words = material.images(8)
    if material.of == "augmented":
        numbers = np.asarray(sample_distortions(len(images), seed=0, epoch=0))
        images = [distort(image, row, "as_published") for image, row in zip(images, numbers, strict=True)]
        images = [np.asarray(cut_out_resized(image, row)) for image, row in zip(images, numbers, strict=True)]
    return plots.image_grid(images), words


def convolution(material):
    """An image, and what a kernel of 3 x 3 pixels that finds edges makes of it."""
    (image,), words = material.images(1)
    grey = cv2.GaussianBlur(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), (0, 0), 1.5)
    edges = np.abs(cv2.filter2D(grey.astype(np.float32), -1, _EDGES))
    edges = np.repeat(np.clip(edges / np.quantile(edges, 0.995), 0, 1)[..., None], 3, axis=-1)
    return plots.image_grid([image, edges], ["image", "after the kernel -1 ... 8 ... -1"]), words


def disorder(material):
    """An image whose cells have traded places, beside the image as it was."""
    (image,), words = material.images(1)
    task, square = Disorder(), cv2.resize(image, (128, 128), interpolation=cv2.INTER_AREA)
    found, _ = task.finish(square[None], task.sample(1, (128, 128), seed=0, epoch=0))
    title = f"{task.swaps} swaps, {task.patch} pixels"
    return plots.image_grid([square, np.asarray(found)[0]], ["image", title]), words


def mixture(material):
    """Two images, and their mean."""
    (first, second), words = material.images(2)
    mean = cv2.addWeighted(first, 0.5, second, 0.5, 0)
    return plots.image_grid([first, second, mean], ["0.5 of this", "0.5 of that", "mixture"]), words
