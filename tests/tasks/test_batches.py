import dataclasses
import shutil
from pathlib import Path

import numpy as np
import pytest

from skinkit import data, pipeline
from skinkit.papers import choose
from skinkit.tasks.batches import TrainingBatches, evaluation_images, pipeline_spec


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


def test_images_are_kept_while_their_files_stay_the_same(tiny, tmp_path, monkeypatch):
    rows, made = data.synthetic(6, seed=0, folder=tmp_path, size=(32, 32)), []
    build = pipeline.build_dataset
    monkeypatch.setattr(
        pipeline, "build_dataset", lambda *args, **known: made.append(1) or build(*args, **known)
    )
    (first,) = evaluation_images(tiny, rows)
    # Labels are another matter.
    (again,) = evaluation_images(tiny, rows.assign(label="nv"))
    np.testing.assert_array_equal(first, again)
    assert len(made) == 1
    shutil.copyfile(rows["path"][0], rows["path"][1])
    (changed,) = evaluation_images(tiny, rows)
    np.testing.assert_array_equal(changed[1], first[0])
    assert len(made) == 2
    Path(rows["path"][2]).unlink()
    with pytest.raises(FileNotFoundError, match=rows["path"][2]):
        list(evaluation_images(tiny, rows))
    # Other rows, or the same turned, are other images.
    (turned,) = evaluation_images(tiny, rows[:2].assign(transform=["flip_left_right", None]))
    np.testing.assert_array_equal(turned, [first[0, :, ::-1], changed[1]])
