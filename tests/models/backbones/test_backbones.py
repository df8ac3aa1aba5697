import inspect

import keras
import numpy as np
import pytest
from keras import layers

from skinkit import models
from skinkit.explain.grad_cam import find_layer
from skinkit.models import BACKBONES, extract_features
from skinkit.models.backbones.applications import APPLICATIONS, densenet_features

# Of an image of 96 x 128: the feature map, the parameters (published by Keras without the classifier), and
# the last layer before any pooling. The largest are built once, in test_datta.
LARGE = {
    "mobilenet": ((3, 4, 1024), 3_228_864, "conv_pw_13_relu"),
    "mobilenet_025": ((3, 4, 256), 218_544, "conv_pw_13_relu"),
    "mobilenet_v2": ((3, 4, 1280), 2_257_984, "out_relu"),
    "vgg16": ((3, 4, 512), 14_714_688, "block5_conv3"),
    "densenet121": ((3, 4, 1024), 7_037_504, "bn"),
    "inception_v3": ((1, 2, 2048), 21_802_784, "mixed10"),
}
OPTIONS = {
    "mobilenet": {"batch_norm_momentum": 0.9},
    "densenet121": {"batch_norm_momentum": 0.9, "final_relu": False},
    "inception_v3": {"batch_norm_momentum": 0.9},
}


@pytest.fixture(scope="module", params=LARGE)
def large(request):
    return models.build(request.param, (96, 128, 3), 5, soft_attention=True, **OPTIONS.get(request.param, {}))


def test_backbones_of_keras_applications_are_flat_and_complete(large):
    features, parameters, last = LARGE[large.name]
    assert not any(isinstance(layer, keras.Model) for layer in large.layers)
    assert large.get_layer("soft_attention").input.shape == (None, *features)
    head = models.head_layers(large)
    backbone = [layer for layer in large.layers if layer.name not in head]
    assert sum(layer.count_params() for layer in backbone) == parameters
    assert head == ["soft_attention", "with_attention", "pooled", "dropout", "logits", "probabilities"]
    assert (large.layers[-1].name, large.output.shape) == ("probabilities", (None, 5))
    # Of DenseNet without its last ReLU, too.
    assert models.feature_layer(large) == ("block5_pool" if large.name == "vgg16" else last)
    assert find_layer(keras.Model(large.input, large.get_layer("soft_attention").input)).name == last


def test_a_file_without_classifier_fills_the_backbone_of_any_model(tmp_path):
    path = tmp_path / "mobilenet_2_5_no_top.weights.h5"
    source = keras.applications.MobileNet(
        alpha=0.25, include_top=False, weights=None, input_shape=(96, 96, 3)
    )
    source.save_weights(path)
    one = models.build("mobilenet_025", (64, 64, 3), 3, weights=path)
    crops = models.build(
        "crop_classifier", (5, 64, 64, 3), 3, weights=path, backbone="mobilenet_025", attention="dual"
    )
    for name in ("conv1", "conv_dw_7", "conv_pw_13_bn"):
        expected = source.get_layer(name).get_weights()
        for model in (one, crops):
            for found, weight in zip(model.get_layer(name).get_weights(), expected, strict=True):
                np.testing.assert_array_equal(found, weight)
    with pytest.raises(FileNotFoundError, match="missing_no_top.h5"):
        models.build("mobilenet_025", (64, 64, 3), 3, weights=tmp_path / "missing_no_top.h5")
    (tmp_path / "broken_no_top.h5").write_bytes(b"no weights at all")
    with pytest.raises(ValueError, match=r"broken_no_top\.h5 is damaged.*mobilenet_2_5_224_tf_no_top\.h5"):
        models.build("mobilenet_025", (64, 64, 3), 3, weights=tmp_path / "broken_no_top.h5")


def test_the_momentum_of_batch_normalisation_can_be_pytorchs(large):
    momenta = {layer.momentum for layer in large.layers if isinstance(layer, layers.BatchNormalization)}
    wanted = OPTIONS.get(large.name, {}).get("batch_norm_momentum")
    assert (momenta == {wanted}) if wanted else (0.9 not in momenta)
    # Without the option DenseNet, too, keeps its own.
    assert inspect.signature(densenet_features).parameters["batch_norm_momentum"].default is None


MEAN, STANDARD_DEVIATION = [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]
SCALED = {
    "raw": lambda x: x,
    "symmetric": lambda x: x / 127.5 - 1,
    "imagenet": lambda x: (x / 255 - MEAN) / STANDARD_DEVIATION,
    "caffe": lambda x: x - [123.68, 116.779, 103.939],
}


@pytest.mark.parametrize(
    ("name", "module"),
    [
        ("efficientnet_b0", keras.applications.efficientnet),
        ("efficientnet_b7", keras.applications.efficientnet),
        ("mobilenet", keras.applications.mobilenet),
        ("mobilenet_025", keras.applications.mobilenet),
        ("mobilenet_v2", keras.applications.mobilenet_v2),
        ("vgg16", keras.applications.vgg16),
        ("resnet50", keras.applications.resnet50),
        ("densenet121", keras.applications.densenet),
        ("densenet201", keras.applications.densenet),
        ("inception_v3", keras.applications.inception_v3),
        ("inception_resnet_v2", keras.applications.inception_resnet_v2),
    ],
)
def test_scaling_and_channel_order_are_those_of_the_weights(name, module):
    pixels = np.random.default_rng(0).uniform(0, 255, (4, 5, 3))
    ours = SCALED[BACKBONES[name].scaling](pixels)
    ours = ours[..., ::-1] if BACKBONES[name].channel_order == "bgr" else ours
    np.testing.assert_allclose(module.preprocess_input(pixels.copy()), ours, atol=1e-4)


def test_every_model_says_how_its_pixels_are_scaled():
    for entry in models.MODELS.values():
        assert entry.scaling in ("unit", "raw", "symmetric", "imagenet", "caffe")
        assert entry.channel_order in ("rgb", "bgr")
    assert models.MODELS["vgg16"].channel_order == BACKBONES["vgg16"].channel_order == "bgr"


def randomise(model):
    rng = np.random.default_rng(0)
    for layer in model.layers:
        layer.set_weights([w if w.ndim > 1 else rng.uniform(0.5, 1.5, w.shape) for w in layer.get_weights()])
        if isinstance(layer, layers.Normalization):
            layer.finalize_state()


@pytest.fixture
def stored_weights(monkeypatch):
    """Keras finds the file of any ImageNet weights; returns what was loaded: models and names of files."""
    loaded = []

    def load_weights(model, path):
        randomise(model)
        loaded.append((model, path))

    monkeypatch.setattr("keras.src.utils.file_utils.get_file", lambda name, *_, **__: name)
    monkeypatch.setattr(keras.Model, "load_weights", load_weights)
    return loaded


@pytest.mark.parametrize("name", ["mobilenet_v2", "efficientnet_b0"])
def test_imagenet_weights_give_the_features_of_keras_applications(stored_weights, name):
    photographs = keras.Input((224, 224, 3))
    # As in a crop classifier there are weights below the backbone's image.
    image = layers.Conv2D(3, 1, name="below")(photographs)
    features = extract_features(name, image, "imagenet")
    model = keras.Model(photographs, [image, features])
    below, ours = model(np.random.default_rng(1).uniform(0, 255, (1, 224, 224, 3)))
    [(source, file)] = stored_weights
    assert file == APPLICATIONS[name][1]
    expected = source(below)
    assert np.std(expected) > 1e-3
    np.testing.assert_allclose(ours, expected, rtol=1e-3, atol=1e-3 * np.std(expected))
    # The network without ImageNet weights has no second one: files of either fit the other.
    assert sum(isinstance(layer, layers.Rescaling) for layer in model.layers) <= 1


@pytest.mark.parametrize(
    ("name", "weights", "message"),
    [
        ("resnet", None, "small_cnn, .*'resnet'"),
        ("small_cnn", "imagenet", "small_cnn has no ImageNet weights. Received"),
        ("se_resnext50", "imagenet", "only a PyTorch checkpoint"),
        ("vgg16", "vgg.pth", r"vgg16 reads no such weights.*vgg\.pth"),
        ("se_resnext50", "model.keras", "reads no such weights"),
    ],
)
def test_wrong_names_and_weights_are_named(name, weights, message):
    with pytest.raises(ValueError, match=message):
        extract_features(name, keras.Input((64, 64, 3)), weights)


def test_the_first_blocks_of_mobilenet_are_those_of_the_whole_network(tmp_path):
    path = tmp_path / "mobilenet_2_5_no_top.weights.h5"
    source = keras.applications.MobileNet(
        alpha=0.25, include_top=False, weights=None, input_shape=(32, 32, 3)
    )
    source.save_weights(path)
    few = models.build("mobilenet_025", (32, 32, 3), 3, weights=path, max_blocks=2)
    assert models.feature_layer(few) == "conv_pw_2_relu"
    image = np.random.default_rng(0).uniform(-1, 1, (1, 32, 32, 3)).astype("float32")
    expected, found = (
        keras.Model(model.input, model.get_layer("conv_pw_2_relu").output)(image) for model in (source, few)
    )
    np.testing.assert_array_equal(found, expected)
