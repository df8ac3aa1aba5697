"""Images from memory: what files hold becomes what the files become."""

from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from skinkit import data
from skinkit.pipeline import PipelineSpec, build_dataset, contents_reader
from skinkit.pipeline.spec import Crops

SPECS = {
    "symmetric, bgr": PipelineSpec(image_size=(24, 32), scaling="symmetric", channel_order="bgr"),
    "colour constancy": PipelineSpec(image_size=(48, 48), resize="bilinear", colour_constancy=True),
    "crops": PipelineSpec(image_size=(32, 48), crops=Crops("multi_crop", size=16, count=5)),
    "centre": PipelineSpec(image_size=(32, 48), crops=Crops("single_crop", size=24)),
}


@pytest.fixture(scope="module")
def rows():
    return data.synthetic(5, seed=2, size=(60, 80))


@pytest.mark.parametrize("spec", SPECS.values(), ids=SPECS)
def test_they_are_those_of_the_files(rows, spec):
    (expected,) = build_dataset(rows, spec).as_numpy_iterator()
    read = contents_reader(spec)
    contents = [Path(path).read_bytes() for path in rows["path"]]
    np.testing.assert_array_equal(read(contents), expected)
    np.testing.assert_array_equal(read(contents[:1]), expected[:1])


def test_what_is_no_image_is_an_error():
    with pytest.raises(tf.errors.InvalidArgumentError):
        contents_reader(SPECS["centre"])([b"no image"])
