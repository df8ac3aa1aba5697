import keras
import numpy as np
import pytest
import tensorflow as tf

from skinkit import models

SHAPE = (5, 24, 32, 3)
# Crops of different brightness, or a network without training would hardly tell them apart.
BRIGHTNESS = np.linspace(0, 1, 35).reshape(7, 5, 1, 1, 1)
CROPS = (BRIGHTNESS * np.random.default_rng(0).random((7, *SHAPE))).astype("float32")
ARMS = {
    "ordered": {},
    "multi-crop": {"average": "probabilities"},
    "initial": {"attention": "initial", "patch_dropout": 0.1},
    "end": {"attention": "end"},
    "dual": {"attention": "dual", "patch_dropout": 0.1},
    "gru": {"aggregation": "gru", "gru_units": 8},
}


def build(arm="ordered", **options):
    return models.build("crop_classifier", SHAPE, 4, width=4, **(ARMS[arm] | options))


def predict(model, crops=CROPS):
    return np.array(model(crops))


def move_weights(model):
    """Gives every weight a value other than the one it starts with."""
    draw = np.random.default_rng(1)
    model.set_weights([w + draw.uniform(-0.1, 0.1, w.shape) for w in model.get_weights()])
    return model


def softmax(logits):
    powers = np.exp(logits)
    return powers / powers.sum(axis=-1, keepdims=True)


def attend(values, layer):
    kernel, bias = layer.get_weights()
    means = values.reshape(*values.shape[:2], -1).mean(axis=-1)
    weights = 1 / (1 + np.exp(-(means @ kernel + bias)))
    return values * weights.reshape(*weights.shape, *[1] * (values.ndim - 2))


@pytest.mark.parametrize("arm", list(ARMS))
def test_every_arm_is_flat_and_ends_in_float32_probabilities(arm):
    model = build(arm)
    assert not any(isinstance(layer, keras.Model) for layer in model.layers)
    assert (model.name, model.layers[-1].name) == ("crop_classifier", "probabilities")
    assert (model.output.shape, model.output.dtype) == ((None, 4), "float32")
    assert model.input.shape == (None, *SHAPE)


@pytest.mark.parametrize("arm", ["ordered", "multi-crop", "initial", "end", "dual"])
def test_it_equals_the_crops_one_by_one(arm):
    model = move_weights(build(arm))
    backbone = keras.Model(model.get_layer("stacked_crops").output, model.get_layer("pooled").output)
    x = attend(CROPS, model.get_layer("initial_attention")) if arm in ("initial", "dual") else CROPS
    x = np.stack([predict(backbone, x[:, crop]) for crop in range(5)], axis=1)
    x = attend(x, model.get_layer("end_attention")) if arm in ("end", "dual") else x
    kernel, bias = model.get_layer("logits").get_weights()
    logits = x @ kernel + bias
    released_multi_crop = arm == "multi-crop"
    expected = softmax(logits).mean(axis=1) if released_multi_crop else softmax(logits.mean(axis=1))
    np.testing.assert_allclose(predict(model), expected, rtol=1e-4)


def test_an_image_model_is_evaluated_on_many_crops_with_its_own_weights():
    image_model = move_weights(models.build("small_cnn", SHAPE[1:], 4, width=4))
    crop_model = build("multi-crop")
    crop_model.set_weights(image_model.get_weights())
    expected = np.mean([predict(image_model, CROPS[:, crop]) for crop in range(5)], axis=0)
    np.testing.assert_allclose(predict(crop_model), expected, rtol=1e-5)


@pytest.mark.parametrize("arm", ["multi-crop", "dual", "gru"])
def test_predictions_do_not_depend_on_the_batch(arm):
    model = move_weights(build(arm))
    whole = predict(model)
    assert np.ptp(whole, axis=0).max() > 1e-3
    for batch_size in (1, 3):
        found = model.predict(CROPS, batch_size=batch_size, verbose=0)
        np.testing.assert_allclose(found, whole, rtol=1e-5)


@pytest.mark.parametrize(("arm", "matters"), [("ordered", False), ("dual", True), ("gru", True)])
def test_the_order_of_the_crops_matters_to_attention_and_gru_only(arm, matters, rounding):
    model = move_weights(build(arm))
    difference = np.abs(predict(model, CROPS[:, ::-1]) - predict(model)).max()
    assert difference > 1e-4 if matters else difference < rounding(1)


def test_the_backbone_sees_all_crops_of_a_batch_in_one_call():
    model = build("dual")
    features = keras.Model(model.input, model.get_layer("conv1").output)
    assert features(CROPS[:2]).shape == (10, 12, 16, 4)


def test_attention_on_the_pixels_comes_after_patch_dropout_and_before_any_convolution():
    names = [layer.name for layer in build("dual").layers]
    assert names[:5] == ["crops", "patch_dropout", "initial_attention", "stacked_crops", "conv1"]


def test_the_weights_of_attention_are_within_reach():
    model = move_weights(build("end"))
    layer = model.get_layer("end_attention")
    features = keras.Model(model.input, layer.input)(CROPS)
    _, weights = layer(features, return_weights=True)
    np.testing.assert_allclose(features * weights[..., None], attend(features.numpy(), layer), rtol=1e-5)


@pytest.mark.parametrize(
    ("arm", "expected"),
    [
        ("ordered", ["pooled", "unstacked_crops", "logits", "mean_logits", "probabilities"]),
        ("multi-crop", ["pooled", "unstacked_crops", "logits", "crop_probabilities", "probabilities"]),
        ("gru", ["pooled", "unstacked_crops", "gru", "logits", "probabilities"]),
    ],
)
def test_the_head_is_found(arm, expected):
    assert models.head_layers(build(arm)) == expected


def test_everything_but_the_backbone_trains_while_it_is_frozen():
    model = build("dual")
    for layer in model.layers:
        layer.trainable = layer.name in models.head_layers(model)
    assert {weight.path.split("/")[0] for weight in model.trainable_weights} == {
        "initial_attention",
        "end_attention",
        "logits",
    }


def test_the_gru_is_the_documents():
    layer = build("gru", gru_units=1024).get_layer("gru")
    assert (layer.units, layer.return_sequences, layer.go_backwards) == (1024, False, False)
    assert models.MODELS["crop_classifier"].make.__kwdefaults__["gru_units"] == 1024
    # PyTorch's GRU, which the document uses, has two biases too.
    assert layer.count_params() == 3 * 1024 * (24 + 1024 + 2)


def test_the_overhead_of_attention_is_its_share_of_all_parameters():
    assert models.attention_overhead(build()) == models.attention_overhead(build("gru")) == 0
    for arm, added in {"initial": 30, "end": 30, "dual": 60}.items():
        assert models.attention_overhead(build(arm)) == added / (build().count_params() + added)


def test_mixed_precision_reaches_the_backbone_and_spares_the_probabilities():
    keras.config.set_dtype_policy("mixed_float16")
    try:
        found = {arm: build(arm) for arm in ("multi-crop", "dual", "gru")}
    finally:
        keras.config.set_dtype_policy("float32")
    for model in found.values():
        assert (model.get_layer("relu6").output.dtype, model.output.dtype) == ("float16", "float32")
        np.testing.assert_allclose(predict(model).sum(axis=1), 1.0, rtol=1e-5)


def test_a_saved_model_is_loaded_with_its_layers(tmp_path):
    model = move_weights(build("dual"))
    model.save(tmp_path / "model.keras")
    np.testing.assert_array_equal(predict(models.load_model(tmp_path / "model.keras")), predict(model))


def test_crops_may_be_of_any_size():
    model = models.build("crop_classifier", (5, None, None, 3), 4, width=4, attention="dual")
    assert predict(model).shape == predict(model, CROPS[:, :, :17, :20]).shape == (7, 4)


@pytest.mark.parametrize("arm", ["dual", "gru"])
def test_every_trainable_weight_learns(arm):
    model = build(arm)
    with tf.GradientTape() as tape:
        loss = keras.losses.sparse_categorical_crossentropy(np.arange(7) % 4, model(CROPS, training=True))
    for weight, gradient in zip(
        model.trainable_weights,
        tape.gradient(loss, [weight.value for weight in model.trainable_weights]),
        strict=True,
    ):
        assert gradient is not None and np.any(gradient), weight.path


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"attention": "middle"}, "attention='middle'"),
        ({"aggregation": "max"}, "aggregation='max'"),
        ({"average": "votes"}, "average='votes'"),
        ({"aggregation": "gru", "average": "probabilities"}, "nothing to average"),
        ({"patch_dropout": 1.5}, "patch_dropout=1.5"),
    ],
)
def test_wrong_choices_are_named(wrong, message):
    with pytest.raises(ValueError, match=message):
        build(**wrong)


@pytest.mark.parametrize("shape", [(None, 24, 32, 3), (24, 32, 3)])
def test_the_number_of_crops_must_be_known(shape):
    with pytest.raises(ValueError, match="known number of crops"):
        models.build("crop_classifier", shape, 4)
