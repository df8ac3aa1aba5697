import dataclasses

import pytest

from skinkit.papers import choose
from skinkit.tasks.batches import pipeline_spec


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
