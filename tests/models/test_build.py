import keras
import numpy as np
import pytest
import tensorflow as tf

from skinkit import models
from skinkit.explain.grad_cam import find_layer
from skinkit.layers import MultiDropout, SoftAttention

IMAGES = np.random.default_rng(0).random((2, 64, 96, 3), dtype="float32")


@pytest.mark.parametrize(
    ("name", "soft_attention"),
    [("small_cnn", False), ("small_cnn", True), ("efficientnet_lite0", False), ("efficientnet_b0", False)],
)
def test_small_models_are_flat_and_end_in_float32_probabilities(name, soft_attention):
    model = models.build(name, (64, 96, 3), 5, soft_attention=soft_attention)
    assert model.name == name
    assert not any(isinstance(layer, keras.Model) for layer in model.layers)
    assert model.layers[-1].name == "probabilities"
    assert (model.output.shape, model.output.dtype) == ((None, 5), "float32")
    np.testing.assert_allclose(np.sum(model(IMAGES), axis=1), 1.0, rtol=1e-5)
    expected = ["pooled", "dropout", "logits", "probabilities"]
    if soft_attention:
        expected = ["soft_attention", "with_attention", *expected]
    assert models.head_layers(model) == expected
    features = models.feature_layer(model)
    assert features == {"small_cnn": "relu6"}.get(name, "top_activation")
    assert find_layer(model).name == ("with_attention" if soft_attention else features)


def test_hidden_layers_stand_between_the_pooled_features_and_the_classes():
    model = models.build("small_cnn", (32, 32, 3), 5, hidden=(12, 8), width=4)
    names = ["pooled", "dropout", "hidden1", "hidden2", "logits", "probabilities"]
    assert models.head_layers(model) == names
    pooled = model.get_layer("pooled").output.shape[-1]
    counts = [model.get_layer(name).count_params() for name in ("hidden1", "hidden2", "logits")]
    assert counts == [(pooled + 1) * 12, 13 * 8, 9 * 5]
    assert all(model.get_layer(name).activation is keras.activations.relu for name in names[2:4])


def test_five_dropouts_add_no_weight_and_one_file_fits_both_heads(tmp_path):
    shape, options = (32, 32, 3), {"width": 4, "dropout": 0.5}
    plain, five = (models.build("small_cnn", shape, 5, dropout_samples=n, **options) for n in (1, 5))
    assert isinstance(five.get_layer("dropout"), MultiDropout) and five.get_layer("dropout").samples == 5
    assert five.count_params() == plain.count_params()
    assert models.head_layers(five) == models.head_layers(plain)
    assert (five.layers[-1].name, five.output.dtype) == ("probabilities", "float32")
    for one, other in ((plain, five), (five, plain)):
        one.get_layer("logits").set_weights([w + 1 for w in one.get_layer("logits").get_weights()])
        one.save_weights(tmp_path / "model.weights.h5")
        other.load_weights(tmp_path / "model.weights.h5")
        np.testing.assert_array_equal(other(IMAGES[:, :32, :32]), one(IMAGES[:, :32, :32]))
    drawn = [five(IMAGES[:, :32, :32], training=True) for _ in range(2)]
    assert np.any(drawn[0] != drawn[1])


def test_the_head_stays_float32_in_mixed_precision():
    keras.config.set_dtype_policy("mixed_float16")
    try:
        model = models.build("small_cnn", (64, 96, 3), 3, soft_attention=True)
    finally:
        keras.config.set_dtype_policy("float32")
    assert model.get_layer("relu6").output.dtype == "float16"
    assert (model.get_layer("logits").output.dtype, model.output.dtype) == ("float32", "float32")
    np.testing.assert_allclose(np.sum(model(IMAGES), axis=1), 1.0, rtol=1e-5)


@pytest.mark.parametrize(
    ("options", "parameters"), [({}, 144_999), ({"soft_attention": True}, 159_512), ({"width": 8}, 36_919)]
)
def test_small_cnn_is_small(options, parameters):
    assert models.build("small_cnn", (96, 128, 3), 7, **options).count_params() == parameters


def test_small_cnn_takes_images_of_any_size():
    model = models.build("small_cnn", (None, None, 3), 4, soft_attention=True)
    assert model(IMAGES).shape == model(IMAGES[:, :33, :50]).shape == (2, 4)


def test_each_position_of_small_cnn_sees_the_pixels_around_its_own_cell():
    model = models.build("small_cnn", (128, 128, 3), 2)
    features = keras.Model(model.input, model.get_layer("conv6").output)
    image = tf.random.stateless_uniform((1, 128, 128, 3), seed=(1, 2))
    with tf.GradientTape() as tape:
        tape.watch(image)
        score = tf.reduce_sum(features(image)[0, 7, 8])
    seen = np.any(tape.gradient(score, image)[0], axis=-1)
    rows, columns = np.flatnonzero(seen.any(axis=1)), np.flatnonzero(seen.any(axis=0))
    assert (rows[0] + rows[-1]) / 2 == 7 * 8 + 3.5
    assert (columns[0] + columns[-1]) / 2 == 8 * 8 + 3.5
    assert len(rows) == len(columns) == 62


def test_soft_attention_can_be_configured():
    options = {"heads": 12, "kernel": "released", "gamma": None}
    layer = models.build("small_cnn", (64, 96, 3), 3, soft_attention=options).get_layer("soft_attention")
    assert isinstance(layer, SoftAttention)
    assert {key: layer.get_config()[key] for key in options} == options


@pytest.mark.parametrize("file", ["model.keras", "model.weights.h5"])
def test_weights_are_loaded_from_a_file(tmp_path, file):
    model = models.build("small_cnn", (64, 96, 3), 3, soft_attention=True)
    (model.save if file.endswith(".keras") else model.save_weights)(tmp_path / file)
    twin = models.build("small_cnn", (64, 96, 3), 3, weights=str(tmp_path / file), soft_attention=True)
    np.testing.assert_array_equal(twin(IMAGES), model(IMAGES))
    with pytest.raises(ValueError, match="does not fit small_cnn with 4 classes"):
        models.build("small_cnn", (64, 96, 3), 4, weights=tmp_path / file, soft_attention=True)
    broken = model.layers[1].weights[0]
    broken.assign(broken * np.nan)
    (model.save if file.endswith(".keras") else model.save_weights)(tmp_path / file)
    with pytest.raises(ValueError, match=rf"{file}: {broken.path} holds NaN or infinity"):
        models.build("small_cnn", (64, 96, 3), 3, weights=tmp_path / file, soft_attention=True)


def test_a_saved_model_is_loaded_with_its_layers(tmp_path):
    model = models.build("small_cnn", (64, 96, 3), 3, soft_attention=True)
    model.save(tmp_path / "model.keras")
    loaded = models.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(loaded.predict(IMAGES, verbose=0), model.predict(IMAGES, verbose=0))
    assert models.head_layers(loaded) == models.head_layers(model)
    with pytest.raises(FileNotFoundError, match=r"other\.keras"):
        models.load_model(tmp_path / "other.keras")
    whole = (tmp_path / "model.keras").read_bytes()
    for size in (0, 100, len(whole) - 100):
        (tmp_path / "model.keras").write_bytes(whole[:size])
        with pytest.raises(ValueError, match=r"model\.keras is damaged.*copy"):
            models.load_model(tmp_path / "model.keras")
        with pytest.raises(ValueError, match=r"model\.keras does not fit"):
            models.build("small_cnn", (64, 96, 3), 3, tmp_path / "model.keras", soft_attention=True)


@pytest.mark.parametrize(
    ("name", "weights", "error", "message"),
    [
        ("resnet", None, ValueError, "small_cnn, efficientnet_lite0, efficientnet_lite1, .*'resnet'"),
        ("small_cnn", "imagenet", ValueError, "no ImageNet weights"),
        ("small_cnn", "missing.keras", FileNotFoundError, r"missing\.keras"),
        ("small_cnn", "missing.pth", FileNotFoundError, r"missing\.pth"),
        ("efficientnet_lite0", "missing.pth", FileNotFoundError, r"missing\.pth"),
        ("small_cnn", __file__, ValueError, r"Expected \.keras or \.weights\.h5"),
    ],
)
def test_wrong_names_and_weights_are_named(name, weights, error, message):
    with pytest.raises(error, match=message):
        models.build(name, (64, 64, 3), 3, weights=weights)


def test_unreachable_imagenet_weights_are_never_replaced_by_random_ones(monkeypatch):
    def no_network(**_):
        raise Exception("URL fetch failure on https://storage.googleapis.com")

    monkeypatch.setattr(keras.applications, "EfficientNetB0", no_network)
    with pytest.raises(FileNotFoundError, match=r"URL fetch failure.*efficientnetb0_notop\.h5.*weights=None"):
        models.build("efficientnet_b0", (64, 64, 3), 3, weights="imagenet")


def test_other_errors_of_keras_applications_are_left_alone(monkeypatch):
    def refuses(**_):
        raise ValueError("Expected input shape to be at least 32x32")

    monkeypatch.setattr(keras.applications, "EfficientNetB0", refuses)
    with pytest.raises(ValueError, match="at least 32x32"):
        models.build("efficientnet_b0", (8, 8, 3), 3, weights="imagenet")


def test_pooled_features_are_what_the_classifier_reads():
    model = models.build("small_cnn", (64, 96, 3), 3)
    features = models.pooled_features(model)(IMAGES)
    logits = keras.Model(model.input, model.get_layer("logits").output)
    kernel, bias = model.get_layer("logits").get_weights()
    np.testing.assert_allclose(features @ kernel + bias, logits(IMAGES), rtol=1e-4, atol=1e-5)
    with pytest.raises(ValueError, match="segnet_autoencoder has no layer called 'pooled'"):
        models.pooled_features(models.build("segnet_autoencoder", (32, 32, 3), 3, widths=[1] * 5))


def test_all_but_batch_normalization_keeps_nothing_else_from_training():
    model = models.build("small_cnn", (64, 96, 3), 3)
    left = {layer.name for layer in model.layers} - set(models.all_but_batch_normalization(model))
    assert left and all(isinstance(model.get_layer(name), keras.layers.BatchNormalization) for name in left)


@pytest.mark.parametrize(
    ("attention", "features"), [("soft", "bn5"), ("none", "pool6"), ("random_map", "pool6")]
)
def test_the_head_of_koefler_cnn_begins_where_it_attends_or_flattens(attention, features):
    model = models.build("koefler_cnn", (80, 80, 3), 3, attention=attention, width=0.125)
    assert models.feature_layer(model) == features
    names = [layer.name for layer in model.layers]
    assert models.head_layers(model) == names[names.index(features) + 1 :]


def test_an_autoencoder_has_no_head():
    assert models.head_layers(models.build("segnet_autoencoder", (32, 32, 3), 3, widths=[1] * 5)) == []


def test_the_pixels_of_an_unknown_network_are_not_known():
    with pytest.raises(ValueError, match="Did you mean resnet50"):
        models.expected_pixels("resnt50")
