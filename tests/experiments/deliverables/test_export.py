"""Exported models: each answers as its run does, by the code of the text beside it."""

import dataclasses
import importlib.util
import os
import re
from pathlib import Path

import cv2
import keras
import numpy as np
import pandas as pd
import pytest
import tensorflow as tf

from skinkit import pipeline, tasks
from skinkit.cli import main
from skinkit.experiments import SavedRun, run
from skinkit.experiments.deliverables.export import FORMATS, Format, export, pixel_steps, save
from skinkit.papers import choose
from skinkit.tasks.batches import pipeline_spec

ASKED_BY = {"onnx": ("tf2onnx", "onnxruntime"), "litert": ("ai_edge_litert",)}


@pytest.fixture(scope="module")
def finished(untrained, tmp_path_factory):
    """A run in BGR and the scaling of VGG, whose answers are the mean logits of four flips."""
    flips = choose("flips", of="logits")
    recipe = dataclasses.replace(untrained, tta=flips, channel_order="bgr", scaling="caffe")
    return SavedRun(run(recipe, "smoke", out=tmp_path_factory.mktemp("runs"), verbose=0))


def written_answers(folder, images):
    """What the code in the README of an export answers to images."""
    (code,) = re.findall("```python\n(.*?)```", (folder / "README.md").read_text(), re.DOTALL)
    assert len(code.splitlines()) <= 5
    names, here = {"images": images}, Path.cwd()
    os.chdir(folder)
    try:
        exec(code, names)
    finally:
        os.chdir(here)
    return names["probabilities"]


def expected(saved):
    return saved.predictions.filter(like="p_").to_numpy()


@pytest.mark.parametrize("format", FORMATS)
def test_the_file_answers_as_the_run_does(format, finished):
    for package in ASKED_BY.get(format, ()):
        pytest.importorskip(package, reason=f"{package} is not installed: nothing can ask a file of {format}")
    if format == "litert" and keras.version() < "3.13":
        pytest.skip("Keras writes LiteRT from 3.13 on")
    # One format holds the scaling and the channels, too; the others are scaled outside.
    inside = format in ("savedmodel", "litert")
    rows, task = finished.run_data().rows("test"), tasks.of(finished.recipe)
    images = task.inputs(rows, **({"scaling": "raw", "channel_order": "rgb"} if inside else {}))
    folder = export(finished.folder, format, preprocessing=inside)
    assert sorted(path.name for path in folder.iterdir()) == ["README.md", FORMATS[format].file]
    np.testing.assert_allclose(written_answers(folder, images), expected(finished), atol=1e-4)


@pytest.mark.parametrize("scaling", ["unit", "raw", "symmetric", "imagenet", "caffe"])
def test_factor_and_offset_are_those_of_the_pipeline(scaling, finished):
    rows, task = finished.run_data().rows("test").head(3), tasks.of(finished.recipe)
    raw = task.inputs(rows, scaling="raw", channel_order="rgb")
    factor, offset = pipeline.pixel_scaling(scaling)
    scaled = task.inputs(rows, scaling=scaling, channel_order="rgb")
    np.testing.assert_allclose(raw * factor + offset, scaled, rtol=1e-5, atol=1e-4)


def test_crops_are_averaged_inside(untrained, tmp_path):
    recipe = dataclasses.replace(untrained, input=choose("multi_crop", count=5), crop_size=24)
    saved = SavedRun(run(recipe, "smoke", folder=tmp_path / "run", verbose=0))
    folder = export(saved.folder, "keras")
    crops = tasks.of(saved.recipe).inputs(saved.run_data().rows("test"))
    np.testing.assert_allclose(written_answers(folder, crops), expected(saved), atol=1e-4)
    text = (folder / "README.md").read_text()
    assert "float32 `(n, 5, 24, 24, 3)`" in text and "[0, 0], [0, 8], [8, 0], [8, 8], [4, 4]" in text


def test_the_text_says_what_is_done_to_an_image(finished):
    decoded, resized, rounded, scaled, turned = pixel_steps(finished.recipe)
    assert "32 x 32 (height x width)" in decoded and "ResizeArea" in resized and "halves up" in rounded
    assert "R, G, B times 1, 1, 1, plus -123.68, -116.779, -103.939" in scaled and "B, G, R" in turned
    assert (
        "RGB values from 0 to 255: the file scales" in [*pixel_steps(finished.recipe, preprocessing=True)][-1]
    )
    cropped = dataclasses.replace(finished.recipe, input=choose("single_crop"), crop_size=(24, 20), tta=None)
    cut = [*pixel_steps(cropped)][3]
    # 85 % of the area of 32 x 32 are 30 x 30 pixels.
    how = "`tf.image.resize(..., antialias=True)`, unrounded"
    assert cut == f"Cut rows 1 to 30, columns 1 to 30, and resize them to 24 x 20 by {how}."
    assert pipeline_spec(cropped, augment=False).crops.evaluation == "centre85"


def prepared_by_the_text(path, size, resize):
    """Pixels as the steps of an export say them, and nothing else of the kit."""
    contents, ratio = tf.io.read_file(str(path)), 1
    height, width = tf.io.extract_jpeg_shape(contents)[:2].numpy()
    if resize == "antialias":
        for each in (2, 4, 8):
            if not (height % each or width % each) and height // each >= size[0] and width // each >= size[1]:
                ratio = each
    pixels = tf.io.decode_jpeg(contents, channels=3, ratio=ratio, dct_method="INTEGER_ACCURATE")
    times = (pixels.shape[0] / size[0], pixels.shape[1] / size[1])
    if resize == "bilinear" or (ratio > 1 and max(times) <= 1.5):
        pixels = tf.image.resize(pixels, size)
    elif min(times) >= 1:
        pixels = tf.raw_ops.ResizeArea(images=pixels[None], size=size)[0]
    else:
        pixels = tf.image.resize(pixels, size, antialias=True)
    return np.floor(pixels.numpy() + 0.5)


@pytest.mark.parametrize("resize", ["antialias", "bilinear"])
# A part that is averaged, a part that is nearly small enough, the whole averaged, and too small.
@pytest.mark.parametrize("stored", [(450, 600), (84, 112), (75, 101), (40, 64)])
def test_who_follows_the_text_has_the_pixels_of_the_run(stored, resize, finished, tmp_path):
    path, size = tmp_path / "lesion.jpg", (36, 48)
    noise = np.random.default_rng(0).integers(0, 256, (10, 14, 3)).astype(np.uint8)
    cv2.imwrite(str(path), cv2.resize(noise, stored[::-1], interpolation=cv2.INTER_CUBIC))
    recipe = dataclasses.replace(finished.recipe, image_size=size, resize=resize)
    rows = pd.DataFrame({"image_id": ["lesion"], "path": [str(path)]})
    (pixels,) = tasks.of(recipe).inputs(rows, scaling="raw", channel_order="rgb")
    np.testing.assert_array_equal(prepared_by_the_text(path, size, resize), pixels)
    cropped = dataclasses.replace(recipe, input=choose("single_crop"), crop_size=(24, 20), tta=None)
    *_, cut, _ = pixel_steps(cropped, preprocessing=True)
    top, bottom, left, right = map(int, re.findall(r"\d+", cut)[:4])
    part = pixels[top : bottom + 1, left : right + 1]
    expected = tf.image.resize(part, (24, 20), antialias="antialias=True" in cut)
    (found,) = tasks.of(cropped).inputs(rows, scaling="raw", channel_order="rgb")
    np.testing.assert_allclose(found, expected, atol=1e-3)


def test_a_layer_that_a_format_cannot_hold_is_named_and_nothing_is_left(folder, monkeypatch):
    def refuse(model, path):
        if any(type(layer).__name__ == "SoftAttention" for layer in model.layers):
            raise TypeError("no such operation\nand much more")
        model.save(path)

    monkeypatch.setitem(FORMATS, "keras", Format("model.keras", refuse, ""))
    with pytest.raises(
        ValueError, match=r"keras cannot hold \w+ \(SoftAttention\) of \w+: no such operation. Try"
    ):
        export(folder, "keras")
    assert not any((folder / "exports").iterdir())


def test_a_former_export_stays_when_the_next_one_fails(folder, monkeypatch):
    target = export(folder, "keras")
    before = (target / "model.keras").read_bytes()

    def full(model, path):
        raise OSError("No space left on device")

    monkeypatch.setitem(FORMATS, "keras", Format("model.keras", full, ""))
    with pytest.raises(OSError, match="No space left"):
        export(folder, "keras")
    assert [path.name for path in target.parent.iterdir()] == ["keras"]
    assert (target / "model.keras").read_bytes() == before


def test_litert_takes_only_what_its_interpreter_knows(tmp_path):
    @keras.saving.register_keras_serializable(package="test")
    class Singular(keras.layers.Layer):
        def call(self, x):
            return keras.ops.svd(x, compute_uv=False)

    image = keras.Input((4, 4))
    model = keras.Model(image, Singular(name="values")(image), name="net")
    with pytest.raises(ValueError, match=r"litert cannot hold values \(Singular\) of net: ") as caught:
        save(model, "litert", tmp_path)
    assert "\n" not in str(caught.value) and "callsite" not in str(caught.value)


def test_the_command_writes_names_packages_and_refuses_formats(folder, capsys, monkeypatch):
    assert main(["export", str(folder), "--format", "keras", "--with-preprocessing"]) == 0
    assert f"Written: {folder}/exports/keras-with-preprocessing\n" in capsys.readouterr().out
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    assert main(["export", str(folder), "--format", "onnx"]) == 1
    assert (
        capsys.readouterr().err == "skinkit: The format onnx needs the package tf2onnx: pip install tf2onnx\n"
    )
    monkeypatch.setattr(keras, "__version__", "3.12.1")
    assert main(["export", str(folder), "--format", "litert"]) == 1
    assert "litert needs Keras 3.13 or later" in capsys.readouterr().err
    with pytest.raises(ValueError, match="Formats are keras.*Did you mean onnx"):
        export(folder, "onx")
    (folder / "model.keras").unlink()
    assert main(["export", str(folder)]) == 1
    assert "model.keras is missing" in capsys.readouterr().err
    assert [path.name for path in (folder / "exports").iterdir()] == ["keras-with-preprocessing"]


def test_a_run_whose_answers_come_from_more_than_a_network_is_refused(untrained, tmp_path):
    forest = choose("extra_trees", features="pooled", n_estimators=3)
    folder = run(dataclasses.replace(untrained, classifier=forest), "smoke", folder=tmp_path / "r", verbose=0)
    with pytest.raises(ValueError, match="FeatureClassifier.: no file can hold all of it"):
        export(folder, "keras")
    assert not (folder / "exports").exists()
