"""Record what TensorFlow Addons 0.23.0 computes, so that its replacements can be held against it.

`make record-addons PYTHON=python3.11` runs it in the environment of requirements-legacy.txt
(TensorFlow 2.15.1), the only one in which the Addons can be imported.

Writes addons_outputs.json beside this file. Inputs are written with the outputs, so that no random
generator has to give the same numbers in two NumPy versions.
"""

import json
from pathlib import Path

import numpy as np
import tensorflow as tf
import tensorflow_addons as tfa

SEED = 2023
CLASSES = 7
TARGET = Path(__file__).with_name("addons_outputs.json")


def as_list(tensor, decimals=9):
    return np.round(np.asarray(tensor, dtype=float), decimals).tolist()


def record_scores(rng):
    """F1 and Cohen's kappa on predictions in which the last class is neither true nor predicted."""
    truth = rng.integers(0, CLASSES - 1, size=60)
    scores = rng.random((60, CLASSES))
    scores[np.arange(60), truth] += 0.4
    scores[:, -1] = 0.0
    scores = np.round(scores / scores.sum(axis=1, keepdims=True), 4)
    one_hot = np.eye(CLASSES, dtype="float32")[truth]
    predicted = scores.astype("float32")

    outputs = {}
    for average in ("macro", "micro", "weighted", None):
        for threshold in (None, 0.2):
            metric = tfa.metrics.F1Score(CLASSES, average=average, threshold=threshold)
            metric.update_state(one_hot, predicted)
            outputs[f"f1 {average or 'per class'} {threshold or 'argmax'}"] = as_list(metric.result())
    for weightage in (None, "linear", "quadratic"):
        metric = tfa.metrics.CohenKappa(CLASSES, weightage=weightage)
        metric.update_state(one_hot, predicted)
        outputs[f"kappa {weightage or 'none'}"] = as_list(metric.result())
    return {"truth": truth.tolist(), "scores": scores.tolist(), "outputs": outputs}


def record_focal_loss(rng):
    truth = np.eye(4, dtype="float32")[rng.integers(0, 4, size=6)]
    scores = np.round(rng.uniform(0.02, 0.98, size=(6, 4)), 3)
    reductions = {"none": tf.keras.losses.Reduction.NONE, "sum": tf.keras.losses.Reduction.SUM}
    outputs = {}
    for name, reduction in reductions.items():
        loss = tfa.losses.SigmoidFocalCrossEntropy(alpha=0.25, gamma=2.0, reduction=reduction)
        outputs[name] = as_list(loss(truth, scores.astype("float32")))
    return {
        "alpha": 0.25,
        "gamma": 2.0,
        "truth": truth.tolist(),
        "scores": scores.tolist(),
        "outputs": outputs,
    }


def record_adamw(rng):
    settings = {"learning_rate": 0.01, "weight_decay": 0.004, "beta_1": 0.9, "beta_2": 0.999}
    start = np.round(rng.normal(size=(2, 3)), 3)
    gradients = np.round(rng.normal(size=(5, 2, 3)), 3)
    variable = tf.Variable(start, dtype=tf.float32)
    optimizer = tfa.optimizers.AdamW(epsilon=1e-7, **settings)
    steps = []
    for gradient in gradients:
        optimizer.apply_gradients([(tf.constant(gradient, tf.float32), variable)])
        steps.append(as_list(variable))
    return {
        "settings": {**settings, "epsilon": 1e-7},
        "start": start.tolist(),
        "gradients": gradients.tolist(),
        "outputs": steps,
    }


def record_rotate(rng):
    """At these angles no source point lies halfway between two pixels: "nearest" has no ties."""
    images = {
        "landscape": rng.integers(0, 256, size=(1, 8, 10, 1)),
        "odd square": rng.integers(0, 256, size=(1, 7, 7, 1)),
    }
    angles = {"landscape": [0.0, 0.5, -1.1, 2.5], "odd square": [np.pi / 2, -np.pi / 2, np.pi, 0.3]}
    cases = [
        {
            "image": name,
            "radians": radians,
            "interpolation": interpolation,
            "output": as_list(tfa.image.rotate(image.astype("float32"), radians, interpolation), 4),
        }
        for name, image in images.items()
        for radians in angles[name]
        for interpolation in ("nearest", "bilinear")
    ]
    return {"images": {name: image.tolist() for name, image in images.items()}, "cases": cases}


def record_attention(rng):
    """Shapes of several calls, and the values of one with all its weights."""
    calls = [
        {
            "head_size": 4,
            "num_heads": 2,
            "output_size": None,
            "query": [2, 3, 5],
            "value": [2, 6, 8],
        },
        {"head_size": 4, "num_heads": 2, "output_size": 7, "query": [2, 3, 5], "value": [2, 6, 8]},
        {"head_size": 3, "num_heads": 1, "output_size": 2, "query": [1, 4, 4], "value": [1, 4, 4]},
    ]
    for call in calls:
        layer = tfa.layers.MultiHeadAttention(
            call["head_size"],
            call["num_heads"],
            call["output_size"],
            return_attn_coef=True,
        )
        output, coefficients = layer([tf.zeros(call["query"]), tf.zeros(call["value"])])
        call["output"] = list(output.shape)
        call["coefficients"] = list(coefficients.shape)

    query = np.round(rng.normal(size=(1, 3, 5)), 3)
    value = np.round(rng.normal(size=(1, 4, 6)), 3)
    layer = tfa.layers.MultiHeadAttention(head_size=2, num_heads=2, output_size=3)
    inputs = [query.astype("float32"), value.astype("float32")]
    layer(inputs)
    weights = [np.round(rng.normal(size=weight.shape), 3) for weight in layer.get_weights()]
    layer.set_weights(weights)
    names = [weight.name.split("/")[-1].split(":")[0] for weight in layer.weights]
    return {
        "calls": calls,
        "values": {
            "query": query.tolist(),
            "value": value.tolist(),
            "weights": {n: w.tolist() for n, w in zip(names, weights, strict=True)},
            "output": as_list(layer(inputs)),
        },
    }


def main():
    rng = np.random.default_rng(SEED)
    record = {
        "versions": {"tensorflow": tf.__version__, "tensorflow_addons": tfa.__version__},
        "scores": record_scores(rng),
        "focal_loss": record_focal_loss(rng),
        "adamw": record_adamw(rng),
        "rotate": record_rotate(rng),
        "attention": record_attention(rng),
    }
    lines = [f"{json.dumps(key)}: {json.dumps(value)}" for key, value in record.items()]
    TARGET.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")
    print(f"{TARGET.name}: {TARGET.stat().st_size} bytes")


if __name__ == "__main__":
    main()
