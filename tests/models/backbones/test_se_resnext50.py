from math import prod

import keras
import numpy as np
import pytest
import tensorflow as tf

from skinkit import models
from skinkit.explain.grad_cam import find_layer

CLASSES = 1000


def torch_shapes():
    """Shape of each tensor of the PyTorch definition, by name."""
    shapes = {"layer0.conv1.weight": (64, 3, 7, 7), **norm("layer0.bn1", 64)}
    inputs = 64
    for stage, (planes, blocks) in enumerate([(64, 3), (128, 4), (256, 6), (512, 3)], start=1):
        inside, outside = 2 * planes, 4 * planes
        for block in range(blocks):
            name = f"layer{stage}.{block}"
            shapes[f"{name}.conv1.weight"] = (inside, inputs, 1, 1)
            shapes[f"{name}.conv2.weight"] = (inside, inside // 32, 3, 3)
            shapes[f"{name}.conv3.weight"] = (outside, inside, 1, 1)
            for number, channels in ((1, inside), (2, inside), (3, outside)):
                shapes |= norm(f"{name}.bn{number}", channels)
            for number, (out, into) in enumerate([(outside // 16, outside), (outside, outside // 16)], 1):
                shapes[f"{name}.se_module.fc{number}.weight"] = (out, into, 1, 1)
                shapes[f"{name}.se_module.fc{number}.bias"] = (out,)
            if block == 0:
                shapes[f"{name}.downsample.0.weight"] = (outside, inputs, 1, 1)
                shapes |= norm(f"{name}.downsample.1", outside)
            inputs = outside
    return shapes | {"last_linear.weight": (CLASSES, 2048), "last_linear.bias": (CLASSES,)}


def norm(name, channels):
    return {f"{name}.{s}": (channels,) for s in ("weight", "bias", "running_mean", "running_var")}


@pytest.fixture(scope="module")
def state():
    rng = np.random.default_rng(0)
    return {
        name: rng.uniform(0.5, 1.5, shape).astype("float32")
        if len(shape) == 1
        else rng.standard_normal(shape, dtype="float32") / np.sqrt(prod(shape[1:]), dtype="float32")
        for name, shape in torch_shapes().items()
    }


class Watched(dict):
    def __init__(self, state):
        super().__init__(state)
        self.read = set()

    def __getitem__(self, name):
        self.read.add(name)
        return super().__getitem__(name)


@pytest.fixture(scope="module")
def loaded(state):
    """The model with a checkpoint's weights, and the tensors that went into it."""
    watched = Watched(state)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("skinkit.models.torch_weights.read_state", lambda path: watched)
        model = models.build("se_resnext50", (45, 54, 3), CLASSES, weights="se_resnext50_32x4d.pth")
    return model, watched.read


def test_it_has_the_published_number_of_parameters(loaded):
    by_definition = sum(prod(s) for name, s in torch_shapes().items() if ".running_" not in name)
    trainable = sum(prod(w.shape) for w in loaded[0].trainable_weights)
    assert by_definition == trainable == 27_559_896


def test_it_is_flat_and_takes_every_tensor_of_the_checkpoint(loaded, state):
    model, read = loaded
    assert not any(isinstance(layer, keras.Model) for layer in model.layers)
    assert find_layer(model).name == "layer4_2_out"
    assert set(state) - read == {"last_linear.weight", "last_linear.bias"}


def convolved(x, kernel, stride=1, pad=0, groups=1):
    """PyTorch's kernel `(out, in, height, width)` over `(height, width, channels)`, position by position."""
    size, (outputs, inputs) = kernel.shape[-1], kernel.shape[:2]
    x = np.pad(x.astype("float64"), [(pad, pad), (pad, pad), (0, 0)])
    rows, columns = ((n - size) // stride + 1 for n in x.shape[:2])
    result = np.empty((rows, columns, outputs))
    for g in range(groups):
        out = slice(g * outputs // groups, (g + 1) * outputs // groups)
        part = x[..., g * inputs : (g + 1) * inputs]
        for r in range(rows):
            for c in range(columns):
                patch = part[r * stride : r * stride + size, c * stride : c * stride + size]
                result[r, c, out] = np.einsum("hwi,oihw->o", patch, kernel[out])
    return result


def normalised(x, state, name):
    gamma, beta, mean, variance = (
        state[f"{name}.{s}"] for s in ("weight", "bias", "running_mean", "running_var")
    )
    return (x - mean) / np.sqrt(variance + 1e-5) * gamma + beta


def pooled(x):
    """3 x 3 maxima, stride 2, with a last row and column that may lie half outside (`ceil_mode`)."""
    rows, columns = (-(-(n - 3) // 2) + 1 for n in x.shape[:2])
    return np.array(
        [[x[2 * r : 2 * r + 3, 2 * c : 2 * c + 3].max((0, 1)) for c in range(columns)] for r in range(rows)]
    )


def block(x, state, name, stride):
    def convolution(x, number, **options):
        kernel = state[f"{name}.conv{number}.weight"]
        return normalised(convolved(x, kernel, **options), state, f"{name}.bn{number}")

    y = np.maximum(convolution(x, 1), 0)
    y = np.maximum(convolution(y, 2, stride=stride, pad=1, groups=32), 0)
    y = convolution(y, 3)
    weight = {n: state[f"{name}.se_module.fc{n}.weight"][:, :, 0, 0] for n in (1, 2)}
    bias = {n: state[f"{name}.se_module.fc{n}.bias"] for n in (1, 2)}
    gates = weight[2] @ np.maximum(weight[1] @ y.mean((0, 1)) + bias[1], 0) + bias[2]
    y = y / (1 + np.exp(-gates))
    if f"{name}.downsample.0.weight" in state:
        x = convolved(x, state[f"{name}.downsample.0.weight"], stride=stride)
        x = normalised(x, state, f"{name}.downsample.1")
    return np.maximum(x + y, 0)


def test_its_first_blocks_equal_a_computation_by_hand(loaded, state):
    # An odd and an even side behind the first convolution: 23 and 27 rows and columns become 11 and 13.
    image = np.random.default_rng(1).standard_normal((45, 54, 3))
    x = convolved(image, state["layer0.conv1.weight"], stride=2, pad=3)
    x = pooled(np.maximum(normalised(x, state, "layer0.bn1"), 0))
    for number in range(3):
        x = block(x, state, f"layer1.{number}", stride=1)
    x = block(x, state, "layer2.0", stride=2)
    model = loaded[0]
    found = keras.Model(model.input, model.get_layer("layer2_0_out").output)
    found = found.predict(image[None].astype("float32"), verbose=0)
    assert found.shape == (1, *x.shape)
    np.testing.assert_allclose(found[0], x, rtol=1e-3, atol=1e-3 * x.std())


def test_gradients_reach_every_weight(loaded):
    model = loaded[0]
    images = tf.random.stateless_normal((2, 45, 54, 3), seed=(1, 2))
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(tf.square(model(images, training=False)))
    gradients = tape.gradient(loss, [w.value for w in model.trainable_weights])
    reached = [gradient is not None and np.any(gradient) for gradient in gradients]
    assert [w.path for w, r in zip(model.trainable_weights, reached, strict=True) if not r] == []
