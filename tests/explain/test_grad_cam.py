import keras
import numpy as np
import pytest
from keras import layers

from skinkit import models
from skinkit.explain import grad_cam
from skinkit.explain.grad_cam import find_layer
from skinkit.explain.inner_layers import inner_layers

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


def backbone(inputs):
    """Features with a skip connection, so that no cut makes two halves of the graph."""
    x = layers.Conv2D(6, 3, strides=2, padding="same", name="conv")(inputs)
    x = layers.Add(name="sum")([x, layers.Conv2D(6, 1, activation="relu", name="branch")(x)])
    return layers.BatchNormalization(name="features")(x)


def head(x):
    x = layers.Dropout(0.2)(layers.GlobalAveragePooling2D()(x))
    return layers.Dense(4, activation="softmax", name="classes")(x)


def flat_net():
    inputs = keras.Input((12, 16, 3))
    return keras.Model(inputs, head(backbone(layers.Rescaling(2.0)(inputs))))


def nested_nets():
    """Yields networks whose backbone is one layer, as transfer learning makes them."""
    inner_inputs = keras.Input((12, 16, 3))
    inner = keras.Model(inner_inputs, backbone(inner_inputs), name="backbone")
    inner.trainable = False
    inputs = keras.Input((12, 16, 3))
    flipped = keras.Sequential([layers.RandomFlip()], name="augmentation")(inputs)
    yield keras.Model(inputs, head(inner(layers.Rescaling(2.0)(flipped), training=False)))
    outer = keras.Sequential([keras.Input((12, 16, 3)), layers.Rescaling(2.0), inner])
    # Once more on an input of its own, so that each layer has several symbolic outputs.
    inner(keras.Input((12, 16, 3)))
    top = keras.Sequential(
        [keras.Input((6, 8, 6)), *keras.Model(inner_inputs, head(inner.output)).layers[-3:]]
    )
    yield keras.Sequential([keras.Input((12, 16, 3)), outer, top])


@pytest.mark.parametrize("number", [0, 1])
@pytest.mark.parametrize("layer", [None, "features", "branch"])
@pytest.mark.parametrize("loaded", [False, True])
def test_a_nested_backbone_gives_the_map_of_the_flat_model(number, layer, loaded, tmp_path, rounding):
    flat, nested = flat_net(), list(nested_nets())[number]
    if loaded:
        nested.save(tmp_path / "nested.keras")
        nested = keras.saving.load_model(tmp_path / "nested.keras")
    for inner in inner_layers(nested):
        if inner.weights and type(inner).__name__ != "RandomFlip":
            inner.set_weights(flat.get_layer(inner.name).get_weights())
    before = nested.get_config()
    found, expected = (grad_cam(model, IMAGES, 1, layer, normalise=False) for model in (nested, flat))
    assert expected.max() > 0
    np.testing.assert_allclose(found, expected, rtol=0, atol=rounding(expected))
    assert nested.get_config() == before
    assert not any("call" in vars(inner) for inner in inner_layers(nested))


def test_a_layer_inside_a_pretrained_network_is_found_under_its_own_name():
    base = keras.applications.MobileNetV2(
        input_shape=(32, 32, 3), alpha=0.35, weights=None, include_top=False
    )
    inputs = keras.Input((32, 32, 3))
    nested = keras.Model(inputs, layers.Dense(2)(layers.GlobalAveragePooling2D()(base(inputs))))
    assert find_layer(nested).name == "out_relu"
    images = np.random.default_rng(0).random((2, 32, 32, 3), dtype="float32")
    assert grad_cam(nested, images, layer="block_3_expand_relu").shape == (2, 8, 8)


@pytest.mark.parametrize("has_input", [True, False])
def test_a_sequential_model_gives_the_same_maps_from_its_file(has_input, tmp_path, assert_relative):
    parts = [layers.Conv2D(6, 3, name="features"), layers.GlobalAveragePooling2D()]
    model = keras.Sequential([*parts, layers.Dense(4, activation="softmax", name="classes")])
    if has_input:
        model = keras.Sequential([keras.Input((12, 16, 3)), *model.layers])
    model(IMAGES)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    by_hand = cam_by_hand(keras.Model(model.inputs[0], model.outputs[0]), IMAGES, [1] * 5)
    assert_relative(grad_cam(loaded, IMAGES, 1), *by_hand)


def test_of_a_layer_that_is_called_twice_the_last_call_counts(rounding):
    def net(first, second):
        inputs = keras.Input((12, 16, 3))
        x = layers.GlobalAveragePooling2D()(second(first(inputs)))
        return keras.Model(inputs, layers.Dense(4, name="classes")(x))

    shared, *apart = (layers.Conv2D(3, 3, padding="same", activation="relu") for _ in range(3))
    twice, flat = net(shared, shared), net(*apart)
    for layer in apart:
        layer.set_weights(shared.get_weights())
    flat.get_layer("classes").set_weights(twice.get_layer("classes").get_weights())
    found, expected = (grad_cam(model, IMAGES, 0, normalise=False) for model in (twice, flat))
    np.testing.assert_allclose(found, expected, rtol=0, atol=rounding(expected))
    assert expected.max() > 0


@pytest.mark.parametrize("activation", ["sigmoid", None])
def test_one_output_is_explained_for_the_class_that_it_gives(activation, rounding):
    inputs, images = keras.Input((12, 16, 3)), IMAGES - 0.5
    features = layers.Conv2D(6, 3, strides=2, padding="same", name="features")(inputs)
    x = layers.GlobalAveragePooling2D()(features)
    model = keras.Model(inputs, layers.Dense(1, activation=activation, name="classes")(x))
    parts = (
        np.asarray(keras.Model(inputs, features)(images)) * np.ravel(model.get_layer("classes").kernel) / 48
    )
    speaks_for, speaks_against = np.maximum(parts.sum(axis=-1), 0), np.maximum(-parts.sum(axis=-1), 0)
    assert speaks_for.max() > 0 and speaks_against.max() > 0
    for bias, target, expected in (
        (9.0, None, speaks_for),
        (-9.0, None, speaks_against),
        # Position 0 is the output itself, whatever it gives.
        (-9.0, 0, speaks_for),
    ):
        model.get_layer("classes").bias.assign([bias])
        found = grad_cam(model, images, target, normalise=False)
        np.testing.assert_allclose(found, expected, rtol=0, atol=rounding(parts))


@pytest.mark.parametrize(
    "end",
    [
        layers.Activation("linear", dtype="float32"),
        layers.Identity(),
        layers.Dropout(0.5),
        lambda x: keras.ops.cast(x, "float32"),
        keras.Sequential([layers.Activation("linear")]),
    ],
)
@pytest.mark.parametrize("last", ["dense", "softmax layer"])
def test_what_follows_the_softmax_unchanged_does_not_hide_the_scores(end, last, assert_relative):
    sure = pooled_net(last)
    sure.get_layer("classes").bias.assign([0.0, 200.0, 0.0, 0.0])
    model = keras.Model(sure.input, end(sure.output))
    assert_relative(grad_cam(model, IMAGES, 1), *cam_by_hand(model, IMAGES, [1] * 5))


def test_the_scores_below_a_softmax_of_keras_ops_are_found(assert_relative):
    net = pooled_net("softmax layer")
    net.get_layer("classes").bias.assign([0.0, 200.0, 0.0, 0.0])
    model = keras.Model(net.input, keras.ops.softmax(net.get_layer("classes").output))
    assert_relative(grad_cam(model, IMAGES, 1), *cam_by_hand(model, IMAGES, [1] * 5))


def test_a_classifier_derived_from_dense_is_one(assert_relative):
    class Classifier(layers.Dense):
        pass

    net = pooled_net()
    inputs, pooled = net.input, net.get_layer("classes").input
    model = keras.Model(inputs, Classifier(4, activation="softmax", name="classes")(pooled))
    model.get_layer("classes").bias.assign([0.0, 200.0, 0.0, 0.0])
    assert_relative(grad_cam(model, IMAGES, 1), *cam_by_hand(model, IMAGES, [1] * 5))


def test_a_failed_call_leaves_no_recording_behind():
    model = pooled_net()
    with pytest.raises(ValueError):
        grad_cam(model, IMAGES[..., :2], 1)
    assert not any("call" in vars(layer) for layer in model.layers)


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


def test_targets_are_one_or_as_many_as_the_images():
    with pytest.raises(ValueError, match="one position, or one for each of 2 images"):
        grad_cam(pooled_net(), np.zeros((2, 8, 8, 3), "float32"), target=[0, 1, 2])
