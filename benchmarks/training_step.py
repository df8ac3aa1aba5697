"""What does a training step cost with an attention layer, as a multiple of the step without?

    python benchmarks/training_step.py [--pair NAME ...] [--repeats R] [--out CSV]

Each pair is a network with the layer and the same network without, on random pixels: of the document's
size for koefler2023; nine crops of half the document's side and MobileNet for gessert2019; for hernandez2020
Lite0, and beside an image the stored features of the 113 others of the patient who has most in ISIC 2020,
whose reading is not timed. The two take turns, so that a busy moment of the machine meets both; the median of
the ratios of neighbouring steps is printed with their quartiles.
"""

import argparse
import time

import numpy as np
import pandas as pd
from tqdm import tqdm

WARM_UP = 3
OTHERS = 113


def koefler(attention, **soft_attention):
    options = {"attention": attention, "soft_attention": soft_attention or None}
    return "koefler_cnn", (100, 100, 3), 32, options


def gessert(attention):
    options = {"backbone": "mobilenet_025", "attention": attention}
    return "crop_classifier", (9, 112, 112, 3), 5, options


def hernandez(context):
    options = {"backbone": "efficientnet_lite0", "context": context}
    return "patient_network", (224, 224, 3), 32, options


CNN = koefler("none")
DESCRIBED = koefler("soft", kernel="described", gamma=None)
RELEASED = koefler("soft", kernel="released", gamma=None)
# name: the network in question, the network it is compared with.
PAIRS = {
    "koefler2023: CNN-SA / CNN": (RELEASED, CNN),
    "koefler2023: CNN-SA / CNN of its width": (RELEASED, koefler("doubled")),
    "koefler2023: described / released": (DESCRIBED, RELEASED),
    "gessert2019: initial attention / ordered crops": (gessert("initial"), gessert("none")),
    "gessert2019: dual attention / ordered crops": (gessert("dual"), gessert("none")),
    "hernandez2020: attention / image alone": (hernandez("attention"), hernandez("none")),
    "hernandez2020: mean / image alone": (hernandez("mean"), hernandez("none")),
}


def main():
    arguments = parse_arguments()
    show({name: compare(*PAIRS[name], arguments.repeats) for name in arguments.pair or PAIRS}, arguments.out)


def show(rows, out):
    """Prints the results of `compare_steps` by pair, and writes them to a CSV file if one is named."""
    table = pd.DataFrame.from_dict(rows, orient="index")
    table.index.name = "pair"
    print(table.to_string(float_format="{:.3f}".format))
    if out:
        table.to_csv(out, float_format="%.3f")


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pair", action="append", choices=list(PAIRS), help="default: all")
    parser.add_argument("--repeats", type=int, default=15, help="steps of each network; the median counts")
    parser.add_argument("--out", help="CSV file for the table")
    return parser.parse_args()


def compare(one, other, repeats):
    """Times two networks in training; each is what `training_step` takes."""
    return compare_steps([training_step(*one), training_step(*other)], repeats)


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


def training_step(name, shape, batch, options):
    """A function that trains the network on one batch."""
    import keras

    from skinkit import models

    keras.utils.set_random_seed(0)
    model = models.build(name, shape, 7, **options)
    model.compile(keras.optimizers.Adam(1e-4), "categorical_crossentropy")
    random = np.random.default_rng(0)
    inputs = [random_input(tensor, batch, random) for tensor in model.inputs]
    labels = np.eye(7, dtype="float32")[random.integers(0, 7, batch)]
    return lambda: model.train_on_batch(inputs, labels)


def random_input(tensor, batch, random):
    if tensor.dtype == "bool":
        # A mask: all images are real.
        return np.ones((batch, OTHERS), bool)
    sides = [OTHERS if side is None else side for side in tensor.shape[1:]]
    return random.random((batch, *sides), dtype="float32")


def seconds(step):
    start = time.perf_counter()
    step()
    return time.perf_counter() - start


if __name__ == "__main__":
    main()
