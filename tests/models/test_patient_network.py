import subprocess
import sys

import keras
import numpy as np
import pytest

from skinkit import models
from skinkit.explain import grad_cam
from skinkit.models.patient_network import patient_network

# Three patients with four, two and one images of 24 x 32 pixels.
MASK = np.array([[1, 1, 1, 1], [1, 1, 0, 0], [1, 0, 0, 0]], "bool")
PIXELS = np.random.default_rng(0).random((*MASK.shape, 24, 32, 3), dtype="float32")
CONTEXTS = ("attention", "mean")


def small(context="attention", **options):
    keras.utils.set_random_seed(1)
    options = {"backbone": "small_cnn", "width": 4, **options}
    return patient_network((24, 32, 3), 2, context=context, **options)


@pytest.fixture(scope="module", params=CONTEXTS)
def network(request):
    return small(request.param)


@pytest.fixture(scope="module")
def whole(network):
    """Features of all images of all patients, and their probabilities in the form for whole patients."""
    features = models.pooled_features(network).predict(PIXELS.reshape(-1, 24, 32, 3), verbose=0)
    features = features.reshape(*MASK.shape, -1)
    return features, models.whole_patients(network).predict([features, MASK], verbose=0)


@pytest.mark.parametrize("image", range(4))
def test_an_image_beside_stored_features_is_seen_as_in_its_whole_patient(network, whole, image):
    features, expected = whole
    stored, mask = features.copy(), MASK.copy()
    # Its own stored features are masked, whatever they are.
    stored[:, image], mask[:, image] = np.nan, False
    found = network.predict([PIXELS[:, image], stored, mask], verbose=0)
    real = MASK[:, image]
    np.testing.assert_allclose(found[real], expected[real, image], rtol=1e-4, atol=1e-6)


def test_grouped_images_are_each_others_context(network, whole):
    features, _ = whole
    every = np.ones_like(MASK)
    expected = models.whole_patients(network).predict([features, every], verbose=0)
    grouped = models.grouped_images(network, 4)
    assert (grouped.input_shape, grouped.output_shape) == ((None, 24, 32, 3), (None, 2))
    found = grouped.predict(PIXELS.reshape(-1, 24, 32, 3), verbose=0)
    np.testing.assert_allclose(found.reshape(3, 4, 2), expected, rtol=1e-4, atol=1e-6)


def test_an_image_alone_is_that_of_a_patient_with_a_single_one(network, whole):
    _, expected = whole
    alone = models.image_alone(network)
    found = alone.predict(PIXELS[2:, 0], verbose=0)
    np.testing.assert_allclose(found, expected[2:, 0], rtol=1e-4, atol=1e-6)
    maps = grad_cam(alone, PIXELS[:, 0])
    assert maps.shape == (3, 3, 4)
    assert alone.layers[-1].output is alone.outputs[0], "Grad-CAM reads the scores before the softmax"


def test_the_forms_share_one_set_of_weights(network):
    weights = [w.path for w in network.weights]
    for form in (
        models.whole_patients(network),
        models.grouped_images(network, 2),
        models.image_alone(network),
    ):
        assert {w.path for w in form.weights} <= set(weights)
    assert not any(isinstance(layer, keras.Model) for layer in network.layers)


def test_a_saved_network_is_loaded_in_a_fresh_process(tmp_path):
    network = small()
    models.whole_patients(network)
    inputs = [PIXELS[:, 0], np.ones((3, 5, network.inputs[1].shape[-1]), "float32"), np.ones((3, 5), "bool")]
    expected = network.predict(inputs, verbose=0)
    # As a run does it, after other forms were made of the same layers.
    keras.Model(network.inputs, network.outputs, name=network.name).save(tmp_path / "model.keras")
    np.savez(tmp_path / "inputs.npz", *inputs)
    code = """
import sys, numpy as np
from skinkit import models
model = models.load_model(sys.argv[1] + "/model.keras")
with np.load(sys.argv[1] + "/inputs.npz") as inputs:
    found = model.predict([inputs[name] for name in inputs.files], verbose=0)
assert models.uses_context(model) and len(models.whole_patients(model).inputs) == 2
np.save(sys.argv[1] + "/outputs.npy", found)
"""
    done = subprocess.run([sys.executable, "-c", code, tmp_path], capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stderr[-2000:]
    np.testing.assert_allclose(np.load(tmp_path / "outputs.npy"), expected, rtol=1e-5)


@pytest.mark.parametrize(("context", "layer"), [("attention", "patient_attention"), ("mean", "patient_mean")])
def test_the_context_trains_with_the_head(context, layer):
    network = small(context)
    names = models.head_layers(network)
    assert names == ["pooled", "dropout", "one_image", layer, "in_context", "logits", "probabilities"]
    frozen = {part.name for part in network.layers if part.weights} - set(names)
    assert frozen == {f"{kind}{number}" for kind in ("conv", "bn") for number in range(1, 7)}


def test_without_context_it_is_an_image_network():
    network = small("none")
    assert (network.input_shape, network.output_shape) == ((None, 24, 32, 3), (None, 2))
    assert not models.uses_context(network)
    assert models.image_alone(network) is network


@pytest.mark.parametrize("backbone", ["efficientnet_lite0", "efficientnet_b0", "mobilenet_025"])
def test_it_is_built_by_name_on_any_backbone(backbone):
    network = models.build("patient_network", (64, 64, 3), 2, backbone=backbone, context="mean")
    depth = network.get_layer("pooled").output.shape[-1]
    shapes = [tuple(tensor.shape) for tensor in network.inputs]
    assert shapes == [(None, 64, 64, 3), (None, None, depth), (None, None)]
    assert network.get_layer("logits").kernel.shape == (2 * depth, 2)
    assert models.expected_pixels("patient_network", backbone=backbone) == models.expected_pixels(backbone)


def test_the_head_stays_float32_in_mixed_precision():
    keras.config.set_dtype_policy("mixed_float16")
    try:
        network = small()
    finally:
        keras.config.set_dtype_policy("float32")
    inputs = [PIXELS[:, 0], np.ones((3, 5, 24), "float32"), np.zeros((3, 5), "bool")]
    assert network.get_layer("pooled").output.dtype == "float16"
    for found in (network(inputs), models.whole_patients(network)([inputs[1], np.ones((3, 5), "bool")])):
        assert found.dtype.name == "float32"
        np.testing.assert_allclose(np.sum(found, axis=-1), 1, rtol=1e-5)


def test_weights_are_taken_over_by_name_where_they_fit():
    trained = models.build("small_cnn", (24, 32, 3), 2, width=4)
    attention, mean = small("attention"), small("mean")
    assert models.take_over_weights(attention, trained) == ["patient_attention"]
    # A linear layer of twice the inputs cannot take them.
    assert models.take_over_weights(mean, trained) == ["logits"]
    for network in (attention, mean):
        np.testing.assert_array_equal(network.get_layer("conv3").kernel, trained.get_layer("conv3").kernel)
    np.testing.assert_array_equal(attention.get_layer("logits").kernel, trained.get_layer("logits").kernel)


@pytest.mark.parametrize("other", [{"width": 8}, {"backbone": "mobilenet_025", "width": None}])
def test_weights_of_another_backbone_are_refused(other):
    options = {"backbone": "small_cnn", "width": 4} | other
    options = {name: value for name, value in options.items() if value is not None}
    trained = patient_network((32, 32, 3), 2, context="none", **options)
    with pytest.raises(ValueError, match="cannot start from.*Received no conv1"):
        models.take_over_weights(small(), trained)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"context": "median"}, "none, attention, mean.*'median'"),
        ({"context": "none", "context_options": {"exclude_self": False}}, "no options.*exclude_self"),
        ({"backbone": "resnet"}, "Backbones are"),
    ],
)
def test_wrong_arguments_are_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        small(**arguments)
