"""What does a training step cost: with attention, a second head, dropouts, bfloat16, and beside PyTorch?

    python benchmarks/training_step.py [--kind KIND ...] [--pair NAME ...] [--repeats R] [--out CSV]

Each pair "A / B" is two networks in training, or one network in two ways, on random pixels. The two take
turns, so that a busy moment of the machine meets both; the median of the ratios of neighbouring steps is
printed with their quartiles.

- `attention`: a network with the layer and the same without, at the document's size for koefler2023; nine
  crops of half the document's side and MobileNet for gessert2019; for hernandez2020 Lite0, and beside an
  image the stored features of the 113 others of the patient who has most in ISIC 2020, whose reading is not
  timed.
- `learning`: focal loss and cross-entropy, and a second head for the angle of a turned image (butskova2021);
  five dropouts before the last layer, R18DM of bermeo2023, and none, its R18M.
- `batch-normalisation`: the networks that this kit builds itself with Keras' layer, and with the kit's.
- `precision`: networks in float32 and in bfloat16.
- `pytorch`: PyTorch's step and skinkit's, where PyTorch and timm are installed (`torch_networks.py`).
"""

import argparse
import importlib.util
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from multiprocessing import get_context

import numpy as np
import pandas as pd
from result_table import show
from tqdm import tqdm

WARM_UP = 3
OTHERS = 113
CLASSES = 7


@dataclass(frozen=True)
class Step:
    """A network, its batch, and the way it is trained."""

    name: str
    shape: tuple
    batch: int
    options: dict
    precision: str = "float32"
    normalisation: str = "skinkit"
    framework: str = "skinkit"
    loss: str = "categorical_crossentropy"
    angles: int = 0  # classes of a second head


def network(name, shape, batch=32, **options):
    return Step(name, shape, batch, options)


def koefler(attention, **soft_attention):
    options = {"attention": attention, "soft_attention": soft_attention or None}
    return network("koefler_cnn", (100, 100, 3), **options)


def crops(backbone, attention="none"):
    return network("crop_classifier", (9, 112, 112, 3), 5, backbone=backbone, attention=attention)


def hernandez(context):
    return network("patient_network", (224, 224, 3), backbone="efficientnet_lite0", context=context)


CNN = koefler("none")
DESCRIBED = koefler("soft", kernel="described", gamma=None)
RELEASED = koefler("soft", kernel="released", gamma=None)
LITE0 = network("efficientnet_lite0", (120, 160, 3))
RESNET = network("resnet50", (128, 128, 3))
R18M = network("resnet18", (128, 128, 3), dropout=0.0)
R18DM = network("resnet18", (128, 128, 3), dropout=0.5, dropout_samples=5)
SMALL = network("small_cnn", (72, 96, 3), 64)
MOBILENET = network("mobilenet_025", (96, 96, 3))
# name: the network in question, the network it is compared with.
ATTENTION = {
    "koefler2023: CNN-SA / CNN": (RELEASED, CNN),
    "koefler2023: CNN-SA / CNN of its width": (RELEASED, koefler("doubled")),
    "koefler2023: described / released": (DESCRIBED, RELEASED),
    "gessert2019: initial attention / ordered crops": (
        crops("mobilenet_025", "initial"),
        crops("mobilenet_025"),
    ),
    "gessert2019: dual attention / ordered crops": (crops("mobilenet_025", "dual"), crops("mobilenet_025")),
    "hernandez2020: attention / image alone": (hernandez("attention"), hernandez("none")),
    "hernandez2020: mean / image alone": (hernandez("mean"), hernandez("none")),
}
LEARNING = {
    "focal loss / cross-entropy: mobilenet_025 96 x 96": (replace(MOBILENET, loss="focal"), MOBILENET),
    "focal loss / cross-entropy: resnet50 128 x 128": (replace(RESNET, loss="focal"), RESNET),
    "two heads / one: mobilenet_025 96 x 96": (replace(MOBILENET, angles=6), MOBILENET),
    "five dropouts / none: resnet18 128 x 128": (R18DM, R18M),
}
# Sizes of the documents, or of the `quick` profile where a step at the document's takes many seconds.
OWN = {
    "efficientnet_lite0 120 x 160": LITE0,
    "small_cnn 72 x 96": SMALL,
    "koefler_cnn 100 x 100": CNN,
    "koefler_cnn 100 x 100, soft attention": RELEASED,
    "koefler_cnn 100 x 100, doubled": koefler("doubled"),
    "koefler_cnn 100 x 100, random map": koefler("random_map"),
    "datta_vgg16 112 x 112, a quarter of its width": network("datta_vgg16", (112, 112, 3), width=0.25),
    "resnet18 128 x 128": R18M,
    "se_resnext50, 9 crops of 112 x 112": crops("se_resnext50"),
    "segnet_autoencoder 64 x 64": network("segnet_autoencoder", (64, 64, 3), 16),
}
PRECISION = {
    "koefler_cnn 100 x 100": CNN,
    "koefler_cnn 100 x 100, soft attention": RELEASED,
    "resnet50 128 x 128": RESNET,
    "densenet121, 9 crops of 112 x 112": crops("densenet121"),
    "efficientnet_lite0 120 x 160": LITE0,
    "mobilenet_025, 9 crops of 112 x 112": crops("mobilenet_025"),
    "small_cnn 72 x 96": SMALL,
}
PYTORCH = {
    "resnet50 128 x 128": RESNET,
    "efficientnet_lite0 120 x 160": LITE0,
    "koefler_cnn 100 x 100": CNN,
}


# kind: pairs by name. PyTorch is the first of a pair: loaded after TensorFlow, it crashes.
KINDS = {
    "attention": ATTENTION,
    "learning": LEARNING,
    "batch-normalisation": {
        f"Keras' / skinkit's batch normalisation: {name}": (replace(ours, normalisation="Keras"), ours)
        for name, ours in OWN.items()
    },
    "precision": {
        f"float32 / bfloat16: {name}": (ours, replace(ours, precision="bfloat16"))
        for name, ours in PRECISION.items()
    },
    "pytorch": {
        f"{way} / skinkit: {name}": (replace(ours, framework=way), ours)
        for name, ours in PYTORCH.items()
        for way in ("PyTorch", "PyTorch tuned")
    },
}
PAIRS = {name: pair for pairs in KINDS.values() for name, pair in pairs.items()}


def main():
    arguments = parse_arguments()
    rows = {}
    # A process for each pair: TensorFlow keeps the memory of what has been trained.
    with ProcessPoolExecutor(1, get_context("spawn"), max_tasks_per_child=1) as alone:
        for name in chosen(arguments.kind or KINDS, arguments.pair):
            rows[name] = alone.submit(compare, name, arguments.repeats).result()
            print(f"{name}: {rows[name]['ratio']:.2f}", flush=True)
    if rows:
        show(pair_table(rows), arguments.out)


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kind", action="append", choices=list(KINDS), help="default: all")
    parser.add_argument("--pair", action="append", choices=list(PAIRS), help="default: all of the kinds")
    parser.add_argument("--repeats", type=int, default=15, help="steps of each network; the median counts")
    parser.add_argument("--out", help="CSV file for the table")
    return parser.parse_args()


def chosen(kinds, pairs):
    """Names of the pairs that were asked for, without PyTorch where it is not installed."""
    names = [name for kind in kinds for name in KINDS[kind] if not pairs or name in pairs]
    missing = [package for package in ("torch", "timm") if importlib.util.find_spec(package) is None]
    if missing and any(name in KINDS["pytorch"] for name in names):
        print(f"PyTorch's steps are left out: pip install {' '.join(missing)}")
        names = [name for name in names if name not in KINDS["pytorch"]]
    return names


def compare(name, repeats):
    return compare_steps([training_step(step) for step in PAIRS[name]], repeats)


def pair_table(rows):
    """The results of `compare_steps` by pair."""
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("pair")


def compare_steps(steps, repeats):
    """Medians of both steps in milliseconds, and the ratio of neighbouring steps."""
    times = []
    for repeat in tqdm(range(WARM_UP + repeats), desc="Timing", unit="round"):
        # Who goes first changes, so that neither always finds the other's memory.
        order = (0, 1) if repeat % 2 else (1, 0)
        measured = {which: seconds(steps[which]) for which in order}
        times.append((measured[0], measured[1]))
    times = np.array(times[WARM_UP:])
    ratios = times[:, 0] / times[:, 1]
    low, middle, high = np.quantile(ratios, (0.25, 0.5, 0.75))
    with_ms, without_ms = 1000 * np.median(times, axis=0)
    return {"ms": with_ms, "ms compared": without_ms, "ratio": middle, "quartile 1": low, "quartile 3": high}


def training_step(step):
    """A function that trains a network on one batch."""
    if step.framework != "skinkit":
        import torch_networks

        is_tuned = step.framework == "PyTorch tuned"
        return torch_networks.training_step(step.name, step.shape, step.batch, CLASSES, is_tuned)
    model = compiled_model(step)
    random = np.random.default_rng(0)
    inputs = [random_input(tensor, step.batch, random) for tensor in model.inputs]
    inputs = inputs if len(inputs) > 1 else inputs[0]
    targets = [
        inputs if output.shape[1:] == step.shape else random_labels(output, step.batch, random)
        for output in model.outputs
    ]
    targets = dict(zip(model.output_names, targets, strict=True)) if step.angles else targets[0]
    # The first step makes the optimiser's variables, under the same policy.
    model.train_on_batch(inputs, targets)
    return lambda: model.train_on_batch(inputs, targets)


def compiled_model(step):
    import keras

    from skinkit import models
    from skinkit.experiments.plan import PRECISIONS
    from skinkit.training import build_loss

    keras.utils.set_random_seed(0)
    keras.config.set_dtype_policy(PRECISIONS[step.precision])
    model = models.build(step.name, step.shape, CLASSES, **step.options)
    if step.normalisation == "Keras":
        model = with_keras_normalisation(model)
    loss = "mean_squared_error" if models.MODELS[step.name].reconstructs else step.loss
    losses = build_loss(loss)
    if step.angles:
        model = models.with_second_head(model, step.angles, "angle")
        losses = {"probabilities": losses, "angle": build_loss("categorical_crossentropy")}
    model.compile(keras.optimizers.Adam(1e-4), losses)
    return model


def with_keras_normalisation(model):
    """A copy of the network with Keras' own layer in place of the kit's, and new weights."""
    import keras

    from skinkit.layers import BatchNormalization

    def copy(layer):
        kind = keras.layers.BatchNormalization if isinstance(layer, BatchNormalization) else type(layer)
        return kind.from_config(layer.get_config())

    return keras.models.clone_model(model, clone_function=copy)


def random_input(tensor, batch, random):
    if tensor.dtype == "bool":
        # A mask: all images are real.
        return np.ones((batch, OTHERS), bool)
    sides = [OTHERS if side is None else side for side in tensor.shape[1:]]
    return random.random((batch, *sides), dtype="float32")


def random_labels(output, batch, random):
    classes = output.shape[1]
    return np.eye(classes, dtype="float32")[random.integers(0, classes, batch)]


def seconds(step):
    start = time.perf_counter()
    step()
    return time.perf_counter() - start


if __name__ == "__main__":
    main()
