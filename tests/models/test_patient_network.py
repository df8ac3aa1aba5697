import keras
import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from skinkit import models
from skinkit.explain import grad_cam
from skinkit.models.patient_network import CONTEXTS, patient_classifier, patient_network

# Three patients with four, two and one images of 24 x 32 pixels.
MASK = np.array([[1, 1, 1, 1], [1, 1, 0, 0], [1, 0, 0, 0]], "bool")
PIXELS = np.random.default_rng(0).random((*MASK.shape, 24, 32, 3), dtype="float32")


def small(context="attention", **options):
    keras.utils.set_random_seed(1)
    options = {"backbone": "small_cnn", "width": 4, **options}
    return patient_network((24, 32, 3), 2, context=context, **options)


@pytest.fixture(scope="module", params=("attention", "mean"))
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


def test_a_saved_network_is_loaded_in_a_fresh_process(tmp_path, fresh_python):
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
    fresh_python(code, tmp_path)
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
    with pytest.raises(ValueError, match="cannot start from.*conv1 and .* are missing or have"):
        models.take_over_weights(small(), trained)


@pytest.mark.parametrize(
    ("make", "arguments", "message"),
    [
        (small, {"context": "median"}, "none, attention, mean.*'median'"),
        (small, {"context": "none", "context_options": {"exclude_self": False}}, "no options.*exclude_self"),
        (small, {"backbone": "resnet"}, "Backbones are"),
        (patient_classifier, {"depth": 16, "context": "means"}, "Did you mean mean"),
        (patient_classifier, {"depth": 16, "exclude_self": False}, "no options.*exclude_self"),
    ],
)
def test_wrong_arguments_are_named(make, arguments, message):
    with pytest.raises(ValueError, match=message):
        make(**arguments)


def patients(images=4, depth=16):
    return np.random.default_rng(2).normal(size=(3, images, depth)).astype("float32")


def linear(inputs, classes):
    return inputs * classes + classes


@pytest.mark.parametrize(
    ("context", "parameters"),
    [
        ("none", linear(1280, 2)),
        ("mean", linear(2560, 2)),
        ("attention", 4 * linear(1280, 1280) + 2 * 1280 + linear(1280, 2)),
    ],
)
def test_the_layers_behind_the_backbone_are_the_documents(context, parameters):
    model = patient_classifier(1280, context=context)
    assert model.count_params() == parameters
    assert (model.output.shape, model.output.dtype) == ((None, None, 2), "float32")
    assert model.layers[-1].name == "probabilities"


@pytest.mark.parametrize("context", CONTEXTS)
def test_one_model_takes_any_number_of_images_and_padding_changes_nothing(context):
    model, x = patient_classifier(16, classes=3, context=context), patients()
    plain = model.predict({"features": x, "mask": np.ones_like(MASK)}, verbose=0)
    np.testing.assert_allclose(plain.sum(axis=-1), 1, rtol=1e-5)
    padded = np.concatenate([x, np.full((3, 5, 16), np.nan, "float32")], axis=1)
    mask = np.arange(9) < np.full((3, 1), 4)
    found = model.predict({"features": padded, "mask": mask}, verbose=0)
    np.testing.assert_allclose(found[:, :4], plain, rtol=1e-4, atol=1e-6)
    assert np.all(np.isfinite(found))


@pytest.mark.parametrize("context", CONTEXTS)
def test_the_loss_counts_real_images_only(context):
    model, x = patient_classifier(16, context=context), patients()
    model.compile(keras.optimizers.SGD(0.5), "sparse_categorical_crossentropy")
    labels = np.random.default_rng(0).integers(0, 2, MASK.shape)
    predicted = model.predict([x, MASK], verbose=0)
    true = np.take_along_axis(predicted, labels[..., None], axis=-1)[..., 0]
    # Labels of padding must not matter either.
    labels[~MASK] = 1
    expected = -np.mean(np.log(true[MASK]))
    assert model.evaluate([x, MASK], labels, verbose=0) == pytest.approx(expected, rel=1e-5)
    x[~MASK] = np.nan
    assert model.train_on_batch([x, MASK], labels) == pytest.approx(expected, rel=1e-5)
    assert model.test_on_batch([x, MASK], labels) < expected


@pytest.mark.parametrize("context", CONTEXTS)
def test_probabilities_of_whole_patients_stay_float32_in_mixed_precision(context):
    keras.config.set_dtype_policy("mixed_float16")
    try:
        model = patient_classifier(16, context=context)
    finally:
        keras.config.set_dtype_policy("float32")
    assert model.get_layer("logits").input.dtype == "float16"
    found = model([patients(), MASK])
    assert found.dtype.name == "float32"
    np.testing.assert_allclose(np.sum(found, axis=-1), 1, rtol=1e-5)


def test_the_gradient_goes_through_the_context_into_the_backbone():
    network = models.grouped_images(small(), 4)
    network.compile("sgd", "sparse_categorical_crossentropy")
    kernel = np.array(network.get_layer("conv1").kernel)
    network.train_on_batch(PIXELS.reshape(-1, 24, 32, 3), np.zeros(12))
    assert np.any(network.get_layer("conv1").kernel != kernel)


def planted_flags(seed, patients=400, images=6, depth=16):
    """One image of each patient is scored. Of a patient with melanoma, one other image is flagged."""
    random = np.random.default_rng(seed)
    counts = random.integers(3, images + 1, patients)
    mask = np.arange(images) < counts[:, None]
    x = random.normal(size=(patients, images, depth)).astype("float32")
    melanoma, scored = random.random(patients) < 0.5, random.integers(0, counts)
    flagged = (scored + random.integers(1, counts)) % counts
    x[np.flatnonzero(melanoma), flagged[melanoma]] += 3
    x[~mask] = 100
    weights = np.zeros(mask.shape)
    weights[np.arange(patients), scored] = 1
    labels = np.repeat(melanoma[:, None], images, axis=1).astype("int32")
    return [x, mask], labels, weights, flagged


def trained_on_flags(context, **options):
    keras.utils.set_random_seed(0)
    model = patient_classifier(16, context=context, **options)
    model.compile(keras.optimizers.Adam(0.01), "sparse_categorical_crossentropy")
    inputs, labels, weights, _ = planted_flags(0)
    model.fit(inputs, labels, sample_weight=weights, epochs=20, batch_size=32, verbose=0)
    return model


@pytest.mark.parametrize(
    ("context", "options", "lowest", "highest"),
    [
        ("none", {}, 0.4, 0.6),
        ("mean", {}, 0.99, 1.0),
        ("attention", {}, 0.99, 1.0),
        ("attention", {"variant": "listing_e"}, 0.99, 1.0),
    ],
)
def test_the_planted_flag_is_found_through_the_context_only(context, options, lowest, highest):
    model = trained_on_flags(context, **options)
    inputs, labels, weights, flagged = planted_flags(1)
    predicted = model.predict(inputs, verbose=0)[..., 1]
    truth = labels[weights > 0]
    assert lowest <= roc_auc_score(truth, predicted[weights > 0]) <= highest
    if context == "attention":
        layer = model.get_layer("patient_attention")
        _, scores = layer(inputs[0], mask=inputs[1], return_scores=True)
        seen = np.argmax(np.mean(scores, axis=1)[weights > 0], axis=-1)
        # By chance it would be a third.
        assert np.mean(seen[truth == 1] == flagged[truth == 1]) > 0.75
