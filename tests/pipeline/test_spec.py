import pytest

from skinkit.pipeline import Augmentation, Crops, PipelineSpec


def test_augmentation_is_off_by_default():
    augmentation = Augmentation()
    assert not (augmentation.orients or augmentation.warps or augmentation.mixes_colours or augmentation.hue)
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


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"strategy": "corners"}, "`strategy`.*ordered_crops.*Received: strategy='corners'"),
        ({"evaluation": "centre99"}, "`evaluation`.*centre336.*'centre99'"),
        ({"size": 0}, "size=0"),
        ({"size": 16.5}, "size=16.5"),
        ({"count": 9}, "single_crop takes no `count`.*count=9"),
        ({"strategy": "multi_crop"}, "multi_crop needs a `count`.*count=None"),
        ({"strategy": "ordered_crops", "count": 9, "evaluation": "centre336"}, "belongs to single_crop"),
    ],
)
def test_crops_refuse_what_does_not_belong_together(fields, message):
    with pytest.raises(ValueError, match=message):
        Crops(**{"strategy": "single_crop", "size": 16, **fields})


@pytest.mark.parametrize(
    "crops",
    [Crops("multi_crop", 41, 9), Crops("ordered_crops", 16, 8), Crops("single_crop", 28, None, "centre336")],
)
def test_spec_refuses_crops_that_do_not_fit(crops):
    with pytest.raises(ValueError, match=r"Received: (crop_size=41|count=8|image_size=\(40, 60\))"):
        PipelineSpec(image_size=(40, 60), crops=crops)


def test_input_shape_without_crops_is_the_whole_image():
    assert PipelineSpec(image_size=(40, 60)).input_shape == (40, 60, 3)
