import dataclasses

import pytest

from skinkit.pipeline import Augmentation, PipelineSpec


def test_augmentation_is_off_by_default():
    augmentation = Augmentation()
    assert not any(dataclasses.astuple(augmentation))
    assert not (augmentation.orients or augmentation.warps or augmentation.mixes_colours)


@pytest.mark.parametrize(
    ("field", "value"),
    [("flip_left_right", 1.2), ("rotation", 181), ("zoom", 1), ("brightness", -0.1), ("hue", 0.6)],
)
def test_augmentation_refuses_numbers_out_of_range(field, value):
    with pytest.raises(ValueError, match=f"`{field}`.*Received: {field}="):
        Augmentation(**{field: value})


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("channel_order", "RGB"),
        ("scaling", "tf"),
        ("resize", "nearest"),
        ("image_size", (0, 5)),
        ("image_size", (224,)),
        ("image_size", (10.5, 10)),
    ],
)
def test_spec_refuses_unknown_values(field, value):
    with pytest.raises(ValueError, match=f"`{field}`.*Received: {field}="):
        PipelineSpec(**{field: value})


@pytest.mark.parametrize("change", [{"rot90": True}, {"transpose": 0.5}])
def test_spec_refuses_turned_images_that_are_not_square(change):
    with pytest.raises(ValueError, match="square"):
        PipelineSpec(image_size=(120, 160), augmentation=Augmentation(**change))
    assert PipelineSpec(image_size=(120, 120), augmentation=Augmentation(**change)).is_square


def test_spec_read_from_json_lists_equals_the_written_one():
    assert PipelineSpec(image_size=[120, 160]) == PipelineSpec(image_size=(120, 160))
