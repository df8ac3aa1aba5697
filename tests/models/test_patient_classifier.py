import keras
import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from skinkit.layers import StackCrops, UnstackCrops
from skinkit.models.patient_classifier import CONTEXTS, add_patient_head, patient_classifier

MASK = np.array([[1, 1, 1, 1], [1, 1, 0, 0], [1, 0, 0, 0]], "bool")


def features(images=4, depth=16):
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
    model, x = patient_classifier(16, classes=3, context=context), features()
    plain = model.predict({"features": x, "mask": np.ones_like(MASK)}, verbose=0)
    np.testing.assert_allclose(plain.sum(axis=-1), 1, rtol=1e-5)
    padded = np.concatenate([x, np.full((3, 5, 16), np.nan, "float32")], axis=1)
    mask = np.arange(9) < np.full((3, 1), 4)
    found = model.predict({"features": padded, "mask": mask}, verbose=0)
    np.testing.assert_allclose(found[:, :4], plain, rtol=1e-4, atol=1e-6)
    assert np.all(np.isfinite(found))


@pytest.mark.parametrize("context", CONTEXTS)
def test_the_loss_counts_real_images_only(context):
    model, x = patient_classifier(16, context=context), features()
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
def test_probabilities_stay_float32_in_mixed_precision(context):
    keras.config.set_dtype_policy("mixed_float16")
    try:
        model = patient_classifier(16, context=context)
    finally:
        keras.config.set_dtype_policy("float32")
    assert model.get_layer("logits").input.dtype == "float16"
    found = model([features(), MASK])
    assert found.dtype.name == "float32"
    np.testing.assert_allclose(np.sum(found, axis=-1), 1, rtol=1e-5)


def test_the_head_goes_on_a_backbone_and_the_gradient_through_it():
    pixels, mask = keras.Input((4, 8, 8, 3)), keras.Input((None,), dtype="bool")
    maps = keras.layers.Conv2D(16, 3, activation="relu", name="conv")(StackCrops()(pixels))
    pooled = UnstackCrops(4)(keras.layers.GlobalAveragePooling2D()(maps))
    model = keras.Model([pixels, mask], add_patient_head(pooled, mask, context="attention"))
    model.compile("sgd", "sparse_categorical_crossentropy")
    kernel = np.array(model.get_layer("conv").kernel)
    images = np.random.default_rng(0).random((3, 4, 8, 8, 3), dtype="float32")
    model.train_on_batch([images, MASK], np.zeros((3, 4)))
    assert np.any(model.get_layer("conv").kernel != kernel)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"context": "median"}, "none, attention, mean.*'median'"),
        ({"exclude_self": False}, "no options.*exclude_self"),
    ],
)
def test_wrong_arguments_are_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        patient_classifier(16, **arguments)


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
        ("attention", {"variant": "listing_c"}, 0.99, 1.0),
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
