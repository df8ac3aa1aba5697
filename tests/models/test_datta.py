import keras
import numpy as np
import pytest
from keras import layers

from skinkit import models
from skinkit.explain import attention_maps, grad_cam
from skinkit.explain.grad_cam import find_layer
from skinkit.models.backbones.applications import build_application

# Side of the image, feature map under attention, all and trainable parameters as the public code prints them.
PUBLISHED = {
    "datta_irv2": (299, (8, 8, 192), 47_535_287, 47_480_887),
    "datta_resnet50": (224, (7, 7, 2048), 23_911_319, 23_858_199),
    "datta_densenet201": (224, (7, 7, 128), 17_477_463, 17_264_151),
    "datta_vgg16": (224, (28, 28, 512), 62_650_711, 62_642_263),
}
IMAGES = np.random.default_rng(0).uniform(-1, 1, (2, 64, 64, 3)).astype("float32")
LOADER = """
import sys
import numpy as np
import skinkit
model = skinkit.load_model(sys.argv[1])
np.save(sys.argv[3], model.predict(np.load(sys.argv[2]), verbose=0))
"""


# The whole backbones, which take seconds to build: feature map, parameters (published by Keras), last layer.
BACKBONES = {
    "datta_irv2": ((8, 8, 1536), 54_336_736, "conv_7b_ac"),
    "datta_resnet50": ((7, 7, 2048), 23_587_712, "conv5_block3_out"),
    "datta_densenet201": ((7, 7, 1920), 18_321_984, "relu"),
}


@pytest.fixture(scope="module", params=PUBLISHED)
def built(request):
    """The network, and the backbone that it was cut from, if any."""
    side, backbones = PUBLISHED[request.param][0], [None]

    def build(*arguments):
        backbones.append(build_application(*arguments))
        return backbones[-1]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("skinkit.models.datta.build_application", build)
        return models.build(request.param, (side, side, 3), 7), backbones[-1]


@pytest.fixture
def network(built):
    return built[0]


def test_the_backbones_are_complete(built):
    network, backbone = built
    if backbone is not None:
        features, parameters, last = BACKBONES[network.name]
        assert (backbone.output.shape, backbone.count_params()) == ((None, *features), parameters)
        assert find_layer(backbone).name == last
        own = {layer.name for layer in network.layers} - set(models.head_layers(network))
        assert own <= {layer.name for layer in backbone.layers}


def layer_below(model, name):
    below = model.get_layer(name).input
    return next(layer for layer in model.layers if layer.output is below)


def test_the_networks_are_those_of_the_public_code(network):
    _, features, parameters, trainable = PUBLISHED[network.name]
    attention = network.get_layer("soft_attention")
    assert attention.input.shape == (None, *features)
    assert attention.count_params() == 9 * 16 * features[-1] + 16
    assert network.count_params() == parameters
    assert sum(int(np.prod(w.shape)) for w in network.trainable_weights) == trainable
    rows, columns, channels = (-(-features[0] // 2), -(-features[1] // 2), 2 * features[2])
    assert network.get_layer("dropout").output.shape == (None, rows, columns, channels)
    assert {k: attention.get_config()[k] for k in ("heads", "kernel", "gamma", "aggregate")} == {
        "heads": 16,
        "kernel": "released",
        "gamma": None,
        "aggregate": True,
    }


def test_the_networks_are_flat_and_end_in_float32_probabilities(network):
    assert not any(isinstance(layer, keras.Model) for layer in network.layers)
    assert network.layers[-1].name == "probabilities"
    assert find_layer(network).name == ("block5_bn3" if network.name == "datta_vgg16" else "relu_attention")
    assert (network.output.shape, network.output.dtype) == ((None, 7), "float32")


def test_the_features_are_those_of_an_inner_layer(network):
    found = layer_below(network, "soft_attention")
    names = {layer.name for layer in network.layers}
    if network.name == "datta_irv2":
        assert isinstance(found, layers.BatchNormalization)
        assert "block8_8_ac" in names and "block8_9_mixed" not in names
        assert network.get_layer("soft_attention").count_params() == 27_664
    else:
        expected = {
            "datta_resnet50": "conv5_block3_out",
            "datta_densenet201": "conv5_block29_1_relu",
            "datta_vgg16": "block4_bn3",
        }
        assert found.name == expected[network.name]


def test_the_scaling_layers_of_inception_resnet_can_be_saved(network):
    scaling = [layer for layer in network.layers if type(layer).__name__ == "CustomScaleLayer"]
    assert bool(scaling) == (network.name == "datta_irv2")
    for layer in scaling:
        twin = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(layer))
        assert (type(twin), twin.scale) == (type(layer), layer.scale)


def small_vgg(**options):
    return models.build("datta_vgg16", (64, 64, 3), 3, width=1 / 16, **options)


def test_width_scales_all_layers_but_the_last():
    model = small_vgg()
    assert model.get_layer("soft_attention").input.shape == (None, 8, 8, 32)
    assert (model.get_layer("dense1").units, model.get_layer("logits").units) == (256, 3)


def test_attention_and_dropout_can_be_configured():
    model = small_vgg(dropout=0.25, soft_attention={"kernel": "described", "gamma": "learnable"})
    config = model.get_layer("soft_attention").get_config()
    assert (config["heads"], config["kernel"], config["gamma"]) == (16, "described", "learnable")
    assert model.get_layer("dropout").rate == 0.25


def test_grad_cam_and_attention_maps_lie_on_their_layers():
    model = small_vgg()
    assert grad_cam(model, IMAGES, target=1).shape == (2, 4, 4)
    assert grad_cam(model, IMAGES, target=1, layer="block4_bn3").shape == (2, 8, 8)
    assert attention_maps(model, IMAGES).shape == (2, 8, 8)


def test_a_saved_network_is_loaded_in_a_fresh_process(tmp_path, fresh_python):
    model = small_vgg()
    files = [tmp_path / name for name in ("model.keras", "images.npy", "found.npy")]
    model.save(files[0])
    np.save(files[1], IMAGES)
    fresh_python(LOADER, *files)
    np.testing.assert_allclose(np.load(files[2]), model.predict(IMAGES, verbose=0), rtol=1e-5)


def test_the_vgg_like_network_has_no_imagenet_weights():
    with pytest.raises(ValueError, match="datta_vgg16 has no ImageNet weights"):
        models.build("datta_vgg16", (64, 64, 3), 3, weights="imagenet")
