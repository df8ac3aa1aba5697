import dataclasses

import numpy as np
import pytest

from skinkit import data
from skinkit.papers import choose
from skinkit.tasks.batches import TrainingBatches, pipeline_spec


@pytest.mark.parametrize(
    ("model", "changes", "expected"),
    [
        (choose("vgg16"), {}, ("caffe", "bgr")),
        (choose("crop_classifier", backbone="resnet50"), {}, ("caffe", "bgr")),
        (choose("patient_network", backbone="densenet121"), {}, ("imagenet", "rgb")),
        (choose("koefler_cnn"), {}, ("unit", "rgb")),
        (choose("koefler_cnn"), {"channel_order": "bgr", "scaling": "raw"}, ("raw", "bgr")),
        (choose("vgg16"), {"channel_order": "rgb"}, ("caffe", "rgb")),
    ],
)
def test_pixels_are_what_the_weights_expect_unless_the_recipe_says_otherwise(model, changes, expected, tiny):
    spec = pipeline_spec(dataclasses.replace(tiny, model=model, **changes), augment=False)
    assert (spec.scaling, spec.channel_order) == expected


def test_distorted_images_are_decoded_anew_in_each_epoch(tiny):
    recipe = dataclasses.replace(tiny, augmentation={"distortions": "described"})
    rows = data.synthetic(6, seed=0)
    # A cache would keep the images as they were before.
    batches, steps = TrainingBatches(recipe, rows, sorted(set(rows["label"])), seed=0)(first_epoch=0)
    first, second = (images.numpy() for images, _ in batches.take(2))
    assert steps == 1 and first.shape == second.shape == (6, 32, 32, 3)
    assert (np.sort(first, axis=0) != np.sort(second, axis=0)).mean() > 0.5
