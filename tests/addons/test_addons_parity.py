"""The replacements of TensorFlow Addons give what the Addons gave (see record_addons.py)."""

import json
from pathlib import Path

import keras
import numpy as np
import pytest
from sklearn.metrics import cohen_kappa_score, f1_score

from skinkit.pipeline import rotate

RECORD = json.loads(Path(__file__).with_name("addons_outputs.json").read_text(encoding="utf-8"))
SCORES = RECORD["scores"]
CLASSES = len(SCORES["scores"][0])


def truth_and_scores():
    return np.array(SCORES["truth"]), np.array(SCORES["scores"], dtype="float32")


def test_the_record_was_made_by_the_last_addons_release():
    assert RECORD["versions"] == {"tensorflow": "2.15.1", "tensorflow_addons": "0.23.0"}


@pytest.mark.parametrize("threshold", [None, 0.2])
@pytest.mark.parametrize("average", ["macro", "micro", "weighted", None])
def test_keras_f1_score_equals_the_addons(average, threshold):
    truth, scores = truth_and_scores()
    metric = keras.metrics.F1Score(average=average, threshold=threshold)
    metric.update_state(np.eye(CLASSES, dtype="float32")[truth], scores)
    expected = SCORES["outputs"][f"f1 {average or 'per class'} {threshold or 'argmax'}"]
    np.testing.assert_allclose(np.asarray(metric.result()), expected, rtol=0, atol=1e-6)


@pytest.mark.parametrize("average", ["macro", "micro", "weighted", None])
def test_sklearn_f1_score_equals_the_addons_when_given_all_classes(average):
    truth, scores = truth_and_scores()
    ours = f1_score(truth, scores.argmax(axis=1), labels=range(CLASSES), average=average, zero_division=0)
    expected = SCORES["outputs"][f"f1 {average or 'per class'} argmax"]
    np.testing.assert_allclose(ours, expected, rtol=0, atol=1e-6)


def test_the_addons_count_an_absent_class_as_zero_in_the_macro_mean():
    truth, scores = truth_and_scores()
    assert set(truth) | set(scores.argmax(axis=1)) == set(range(CLASSES - 1))
    present_only = f1_score(truth, scores.argmax(axis=1), average="macro")
    expected = SCORES["outputs"]["f1 macro argmax"] * CLASSES / (CLASSES - 1)
    assert present_only == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("weights", [None, "linear", "quadratic"])
def test_sklearn_cohen_kappa_equals_the_addons(weights):
    truth, scores = truth_and_scores()
    ours = cohen_kappa_score(truth, scores.argmax(axis=1), labels=range(CLASSES), weights=weights)
    assert ours == pytest.approx(SCORES["outputs"][f"kappa {weights or 'none'}"], abs=1e-6)


@pytest.mark.parametrize("reduction", [None, "sum"])
def test_keras_focal_loss_is_the_addons_divided_by_the_number_of_classes(reduction):
    record = RECORD["focal_loss"]
    truth, scores = np.array(record["truth"], "float32"), np.array(record["scores"], "float32")
    loss = keras.losses.BinaryFocalCrossentropy(
        apply_class_balancing=True,
        alpha=record["alpha"],
        gamma=record["gamma"],
        reduction=reduction,
    )
    expected = np.array(record["outputs"][reduction or "none"]) / truth.shape[1]
    np.testing.assert_allclose(np.asarray(loss(truth, scores)), expected, rtol=1e-5)


def test_keras_adamw_with_decay_over_rate_takes_the_steps_of_the_addons(rounding):
    record = RECORD["adamw"]
    settings = dict(record["settings"])
    decay = settings.pop("weight_decay") / settings["learning_rate"]
    optimizer = keras.optimizers.AdamW(weight_decay=decay, **settings)
    variable = keras.Variable(np.array(record["start"], "float32"))
    for gradient, expected in zip(record["gradients"], record["outputs"], strict=True):
        optimizer.apply([keras.ops.convert_to_tensor(gradient, "float32")], [variable])
        np.testing.assert_allclose(np.asarray(variable), expected, rtol=0, atol=rounding(expected))


@pytest.mark.parametrize("case", RECORD["rotate"]["cases"], ids=lambda c: f"{c['image']}-{c['radians']:.2f}")
def test_rotate_turns_images_as_the_addons_did(case):
    image = np.array(RECORD["rotate"]["images"][case["image"]], "float32")
    ours = rotate(image, case["radians"], interpolation=case["interpolation"])
    np.testing.assert_allclose(np.asarray(ours), case["output"], rtol=0, atol=2e-3)


def test_rotate_turns_each_image_of_a_batch_by_its_own_angle_as_the_addons_did():
    cases = [
        case
        for case in RECORD["rotate"]["cases"]
        if (case["image"], case["interpolation"]) == ("landscape", "bilinear")
    ]
    image = np.array(RECORD["rotate"]["images"]["landscape"], "float32")
    angles = [case["radians"] for case in cases]
    assert len(set(angles)) > 2
    ours = rotate(np.repeat(image, len(cases), axis=0), angles, interpolation="bilinear")
    expected = np.concatenate([case["output"] for case in cases])
    np.testing.assert_allclose(np.asarray(ours), expected, rtol=0, atol=2e-3)


def split_heads_last(kernel):
    """Addons kernels are (heads, features, size), Keras ones (features, heads, size)."""
    return np.transpose(kernel, (1, 0, 2))


def test_keras_attention_gives_the_values_of_the_addons_with_their_weights(rounding):
    record = RECORD["attention"]["values"]
    weights = {name: np.array(value, "float32") for name, value in record["weights"].items()}
    heads, _, size = weights["query_kernel"].shape
    query, value = np.array(record["query"], "float32"), np.array(record["value"], "float32")
    layer = keras.layers.MultiHeadAttention(heads, size, output_shape=weights["projection_bias"].shape[0])
    layer.build(query.shape, value.shape)
    kernels = [split_heads_last(weights[f"{part}_kernel"]) for part in ("query", "key", "value")]
    # The Addons project queries, keys and values without a bias.
    zeros = np.zeros((heads, size), "float32")
    pairs = [array for kernel in kernels for array in (kernel, zeros)]
    layer.set_weights([*pairs, weights["projection_kernel"], weights["projection_bias"]])
    expected = record["output"]
    np.testing.assert_allclose(np.asarray(layer(query, value)), expected, rtol=0, atol=rounding(expected))


@pytest.mark.parametrize("call", RECORD["attention"]["calls"])
def test_keras_attention_has_the_shapes_of_the_addons(call):
    # Without an output size the Addons return the width of the value, Keras that of the query.
    width = call["output_size"] or call["value"][-1]
    layer = keras.layers.MultiHeadAttention(call["num_heads"], call["head_size"], output_shape=width)
    output, coefficients = layer(
        np.zeros(call["query"], "float32"),
        np.zeros(call["value"], "float32"),
        return_attention_scores=True,
    )
    assert list(output.shape) == call["output"]
    assert list(coefficients.shape) == call["coefficients"]
