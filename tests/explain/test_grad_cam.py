import keras
import numpy as np
import pytest
from keras import layers

from skinkit import models
from skinkit.explain import grad_cam
from skinkit.explain.grad_cam import find_layer

IMAGES = np.random.default_rng(0).random((5, 12, 16, 3), dtype="float32")


def pooled_net(last="dense", classes=4, dtype=None):
    """A network whose Grad-CAM is known: after global pooling the weights are those of the last layer."""
    inputs = keras.Input((12, 16, 3))
    x = layers.Conv2D(6, 3, strides=2, padding="same", name="features", dtype=dtype)(inputs)
    x = layers.GlobalAveragePooling2D()(layers.MaxPooling2D(1)(x))
    if last == "dense":
        outputs = layers.Dense(classes, activation="softmax", name="classes")(x)
    else:
        outputs = layers.Softmax()(layers.Dense(classes, name="classes")(x))
    return keras.Model(inputs, outputs)


def cam_by_hand(model, images, targets):
    """Returns maps as they are before they are made relative to their largest value, and what was added."""
    features = np.asarray(keras.Model(model.input, model.get_layer("features").output)(images))
    weights = np.asarray(model.get_layer("classes").kernel)[:, targets].T / np.prod(features.shape[1:3])
    parts = np.einsum("nhwc,nc->nhwc", features, weights)
    return np.maximum(parts.sum(axis=-1), 0), np.abs(parts).sum(axis=-1)


@pytest.fixture
def assert_relative(rounding):
    """Compares maps relative to their largest value on the scale of what was added: it may be far larger."""

    def check(found, maps, parts):
        largest = maps.max(axis=tuple(range(1, maps.ndim)), keepdims=True)
        np.testing.assert_allclose(found * largest, maps, rtol=0, atol=rounding(parts))
        assert set(found.reshape(len(found), -1).max(axis=1)) <= {0, 1}

    return check


@pytest.mark.parametrize("last", ["dense", "softmax layer"])
@pytest.mark.parametrize("target", [2, [0, 1, 2, 3, 0], None])
@pytest.mark.parametrize("batch_size", [2, 16])
def test_it_equals_the_class_activation_map_by_hand(last, target, batch_size, assert_relative):
    model = pooled_net(last)
    found = grad_cam(model, IMAGES, target, batch_size=batch_size)
    targets = model.predict(IMAGES, verbose=0).argmax(axis=1) if target is None else target
    assert (found.shape, found.dtype) == ((5, 6, 8), np.float32)
    assert_relative(found, *cam_by_hand(model, IMAGES, np.broadcast_to(targets, len(IMAGES))))


def test_maps_of_ordered_crops_are_by_hand_and_have_one_scale_an_image(assert_relative, rounding):
    model = models.build("crop_classifier", (4, 32, 32, 3), classes=3, backbone="small_cnn", width=4)
    crops = np.random.default_rng(1).random((3, 4, 32, 32, 3), dtype="float32")
    features = np.asarray(keras.Model(model.input, find_layer(model).output)(crops))
    weights = np.asarray(model.get_layer("logits").kernel)[:, 1]
    # The mean over the positions, then over the crops.
    parts = (features * weights / np.prod(features.shape[1:3]) / 4).reshape(3, 4, *features.shape[1:])
    by_hand = np.maximum(parts.sum(axis=-1), 0)
    found = grad_cam(model, crops, target=1, normalise=False, batch_size=2)
    np.testing.assert_allclose(found, by_hand, rtol=0, atol=rounding(parts))
    assert_relative(grad_cam(model, crops, target=1), by_hand, parts)


def test_it_does_not_fade_when_the_model_is_sure(assert_relative):
    model = pooled_net()
    model.get_layer("classes").bias.assign([0.0, 200.0, 0.0, 0.0])
    assert model.predict(IMAGES, verbose=0)[:, 1].min() == 1.0
    assert_relative(grad_cam(model, IMAGES, 1), *cam_by_hand(model, IMAGES, [1] * 5))


def test_it_finds_the_bright_square_that_makes_the_class():
    model = keras.Sequential(
        [
            keras.Input((32, 32, 1)),
            layers.Conv2D(1, 3, padding="same", kernel_initializer="ones", name="features"),
            layers.GlobalAveragePooling2D(),
            layers.Dense(1, activation="sigmoid", kernel_initializer="ones", name="classes"),
        ]
    )
    image = np.zeros((1, 32, 32, 1), "float32")
    image[0, 5:11, 20:27] = 1
    heatmap = grad_cam(model, image)[0]
    assert heatmap[image[0, ..., 0] == 1].min() > 0.4
    assert heatmap[:3].max() == heatmap[14:].max() == heatmap[:, :17].max() == 0
    assert np.unravel_index(heatmap.argmax(), heatmap.shape) in {
        (r, c) for r in range(5, 11) for c in range(20, 27)
    }


def test_it_works_below_frozen_layers_and_leaves_the_model_as_it_was(assert_relative):
    model = pooled_net()
    model.trainable = False
    before = model.get_config()
    assert_relative(grad_cam(model, IMAGES, 1, layer="features"), *cam_by_hand(model, IMAGES, [1] * 5))
    assert model.get_config() == before


def test_it_works_in_mixed_precision(rounding):
    exact, mixed = pooled_net(), pooled_net(dtype="mixed_float16")
    mixed.set_weights(exact.get_weights())
    found, expected = (grad_cam(model, IMAGES, 1, normalise=False) for model in (mixed, exact))
    _, parts = cam_by_hand(exact, IMAGES, [1] * 5)
    np.testing.assert_allclose(found, expected, rtol=0, atol=rounding(parts, count=8, dtype="float16"))


def test_a_class_without_evidence_gets_a_map_of_zeros():
    model = pooled_net()
    kernel, bias = model.get_layer("classes").get_weights()
    model.get_layer("classes").set_weights([np.zeros_like(kernel), bias])
    assert np.all(grad_cam(model, IMAGES, 0) == 0)


def test_a_nested_backbone_is_refused_with_the_cure():
    inner = pooled_net()
    outer = keras.Sequential([keras.Input((12, 16, 3)), inner, layers.Dense(2)])
    for layer in ("features", None):
        with pytest.raises(ValueError, match="Build it flat"):
            grad_cam(outer, IMAGES, layer=layer)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"layer": "classes"}, "layer='classes'"),
        ({"layer": "conv9"}, "layer='conv9'"),
        ({"target": 4}, "classes 0 to 3.*target=4"),
        ({"target": -1}, "classes 0 to 3.*target=-1"),
    ],
)
def test_wrong_arguments_are_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        grad_cam(pooled_net(), IMAGES, **arguments)


@pytest.mark.parametrize("soft_attention", [False, True])
def test_the_layer_of_small_cnn_is_the_one_below_its_head(soft_attention):
    model = models.build("small_cnn", (32, 48, 3), 3, soft_attention=soft_attention)
    images = np.random.default_rng(0).random((2, 32, 48, 3), dtype="float32")
    assert grad_cam(model, images, layer=models.feature_layer(model)).shape == (2, 4, 6)
    assert grad_cam(model, images).shape == (2, 4, 6)


@pytest.mark.parametrize(
    ("name", "options", "layer"),
    [
        ("small_cnn", {}, "relu6"),
        ("efficientnet_lite0", {}, "top_activation"),
        ("efficientnet_b0", {}, "top_activation"),
        ("mobilenet_025", {}, "conv_pw_13_relu"),
        ("se_resnext50", {}, "layer4_2_out"),
        ("datta_vgg16", {"width": 0.1}, "block5_bn3"),
        ("datta_resnet50", {}, "relu_attention"),
    ],
)
def test_the_last_features_of_our_models_are_found(name, options, layer):
    assert find_layer(models.build(name, (64, 64, 3), 2, **options)).name == layer


@pytest.mark.parametrize(
    ("make", "layer"),
    [
        (keras.applications.VGG16, "block5_conv3"),
        (keras.applications.ResNet50, "conv5_block3_out"),
        (keras.applications.DenseNet121, "relu"),
        (keras.applications.InceptionV3, "mixed10"),
        (keras.applications.MobileNetV2, "out_relu"),
    ],
)
def test_the_last_features_of_keras_applications_are_found(make, layer):
    model = make(input_shape=(96, 96, 3), weights=None, include_top=False)
    assert find_layer(model).name == layer
