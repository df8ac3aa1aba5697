"""The flat ResNet-18 is torchvision's (see record_resnet18.py)."""

import json
from math import prod
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf
from formula_tensors import noise, torch_state

from skinkit import models

RECORD = json.loads(Path(__file__).with_name("resnet18_outputs.json").read_text(encoding="utf-8"))
CLASSES = 8
SHAPES = {**RECORD["shapes"], "fc.weight": [CLASSES, 512], "fc.bias": [CLASSES]}
TRUNK = {name: shape for name, shape in SHAPES.items() if not name.startswith("fc.")}


class Watched(dict):
    def __init__(self, state):
        super().__init__(state)
        self.read = set()

    def __getitem__(self, name):
        self.read.add(name)
        return super().__getitem__(name)


def built(shapes, **changed):
    """The network with a checkpoint of these shapes, and the tensors that went into it."""
    state = Watched(torch_state(shapes) | changed)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("skinkit.models.torch_weights.read_state", lambda path: state)
        return models.build("resnet18", (None, None, 3), CLASSES, weights="resnet18-f37072fd.pth"), state.read


@pytest.fixture(scope="module")
def loaded():
    return built(SHAPES)


def test_a_checkpoint_of_torchvision_has_122_tensors_and_these_sizes():
    assert len(RECORD["shapes"]) == 122
    assert sum(name.endswith("num_batches_tracked") for name in RECORD["shapes"]) == 20
    sizes = {"conv1": [64, 3, 7, 7], "layer2.0.downsample.0": [128, 64, 1, 1], "fc": [1000, 512]}
    sizes |= {"layer1.1.conv2": [64, 64, 3, 3], "layer4.1.conv2": [512, 512, 3, 3]}
    assert {name: RECORD["shapes"][f"{name}.weight"] for name in sizes} == sizes


def test_it_is_flat_has_the_parameters_of_the_document_and_takes_every_tensor(loaded):
    model, read = loaded
    assert not any(isinstance(layer, keras.Model) for layer in model.layers)
    # As PyTorch counts: running means and variances are buffers there, and no parameters.
    trainable = sum(prod(w.shape) for w in model.trainable_weights)
    assert trainable == RECORD["parameters"] == 11_176_512 + 4_104 == 11_180_616
    assert {name for name in SHAPES if "num_batches" not in name} == read
    norms = [layer for layer in model.layers if isinstance(layer, keras.layers.BatchNormalization)]
    assert len(norms) == 20 and {(norm.epsilon, norm.momentum) for norm in norms} == {(1e-5, 0.9)}
    assert models.feature_layer(model) == "layer4_1_out"


@pytest.mark.parametrize("output", RECORD["outputs"], ids=lambda output: str(output["image"]))
def test_its_logits_are_torchvisions(loaded, output):
    logits = keras.Model(loaded[0].input, loaded[0].get_layer("logits").output)
    images = noise(output["image"], 1000).transpose(0, 2, 3, 1)
    expected = np.array(output["logits"])
    assert expected.std() > 0.1
    np.testing.assert_allclose(logits(images), expected, rtol=0, atol=1e-4 * np.abs(expected).max())


def test_gradients_reach_every_weight_and_a_saved_model_is_the_same(loaded, tmp_path):
    model = loaded[0]
    images = noise((2, 40, 40, 3), 7)
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(tf.square(model(images, training=False)))
    gradients = tape.gradient(loss, [w.value for w in model.trainable_weights])
    assert all(gradient is not None and np.any(gradient) for gradient in gradients)
    model.save(tmp_path / "model.keras")
    np.testing.assert_array_equal(models.load_model(tmp_path / "model.keras")(images), model(images))


def test_the_classifier_of_imagenet_is_left_out_and_that_of_the_same_classes_is_read(loaded):
    model, read = built(RECORD["shapes"])
    assert "fc.bias" not in read and not np.any(model.get_layer("logits").get_weights()[1])
    np.testing.assert_array_equal(
        loaded[0].get_layer("logits").get_weights()[1], torch_state(SHAPES)["fc.bias"]
    )
    assert built(TRUNK)[0].output.shape == (None, CLASSES)


@pytest.mark.parametrize(
    ("shapes", "message"),
    [
        (
            {**TRUNK, "fc.weight": [9, 512], "fc.bias": [9]},
            "512 features to 8 classes.*Received: from 512 to 9",
        ),
        ({**TRUNK, "fc.weight": [8, 2048], "fc.bias": [8]}, "Received: from 2048 to 8"),
        ({**TRUNK, "fc.weight": [8]}, "Received: from 8"),
        ({**TRUNK, "fc.weight": [8, 512]}, "does not fit resnet18: it has no tensor fc.bias"),
        ({**TRUNK, "fc.weight": [8, 512], "fc.bias": [7]}, "does not fit resnet18 at layer logits: "),
        ({**TRUNK, "layer1.2.conv1.weight": [64, 64, 3, 3]}, "ResNet-18, .*no convolution layer1.2.conv1"),
        ({**TRUNK, "layer1.0.conv1.weight": [64, 64, 1, 1]}, "ResNet-18 at layer layer1_0_conv1"),
        ({"features.0.weight": [64, 3, 3, 3]}, "does not fit ResNet-18: it has no tensor conv1.weight"),
    ],
    ids=["9 classes", "features", "vector", "no bias", "7 biases", "ResNet-34", "ResNet-50", "VGG"],
)
def test_a_checkpoint_of_another_network_or_of_other_classes_is_refused(shapes, message):
    with pytest.raises(ValueError, match=rf"resnet18-f37072fd\.pth.*{message}"):
        built(shapes)


@pytest.mark.parametrize("number", [np.nan, -np.inf])
def test_a_checkpoint_with_a_number_that_is_not_finite_is_refused(number):
    scales = np.array([*[1] * 63, number], "float32")
    with pytest.raises(ValueError, match=r"resnet18-f37072fd\.pth: layer1_0_bn1/gamma holds NaN or infinity"):
        built(TRUNK, **{"layer1.0.bn1.weight": scales})


def test_a_checkpoint_that_is_not_there_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="No weights at .*mine.pth"):
        models.build("resnet18", (64, 64, 3), CLASSES, weights=str(tmp_path / "mine.pth"))


def test_there_are_no_imagenet_weights_but_those_of_a_file():
    with pytest.raises(ValueError, match="resnet18 has no ImageNet weights, only a PyTorch checkpoint"):
        models.build("resnet18", (64, 64, 3), CLASSES, weights="imagenet")
