"""What does a training step cost with an attention layer, as a multiple of the step without?

    python benchmarks/training_step.py [--pair NAME ...] [--repeats R] [--out CSV]

Each pair is a network with the layer and the same network without, on random pixels of the document's
size. The two take turns, so that a busy moment of the machine meets both; the median of the ratios of
neighbouring steps is printed with their quartiles.
"""

import argparse
import time

import numpy as np
import pandas as pd
from tqdm import tqdm

WARM_UP = 3


def koefler(attention, **soft_attention):
    options = {"attention": attention, "soft_attention": soft_attention or None}
    return "koefler_cnn", (100, 100, 3), 32, options


CNN = koefler("none")
DESCRIBED = koefler("soft", kernel="described", gamma=None)
RELEASED = koefler("soft", kernel="released", gamma=None)
# name: the network in question, the network it is compared with.
PAIRS = {
    "koefler2023: CNN-SA / CNN": (RELEASED, CNN),
    "koefler2023: CNN-SA / CNN of its width": (RELEASED, koefler("doubled")),
    "koefler2023: described / released": (DESCRIBED, RELEASED),
}


def main():
    arguments = parse_arguments()
    rows = {name: compare(*PAIRS[name], arguments.repeats) for name in arguments.pair or PAIRS}
    table = pd.DataFrame.from_dict(rows, orient="index")
    table.index.name = "pair"
    print(table.to_string(float_format="{:.3f}".format))
    if arguments.out:
        table.to_csv(arguments.out, float_format="%.3f")


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pair", action="append", choices=list(PAIRS), help="default: all")
    parser.add_argument("--repeats", type=int, default=15, help="steps of each network; the median counts")
    parser.add_argument("--out", help="CSV file for the table")
    return parser.parse_args()


def compare(one, other, repeats):
    """Medians of both steps in milliseconds, and the ratio of neighbouring steps."""
    steps = [training_step(*one), training_step(*other)]
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
    images = random.random((batch, *shape), dtype="float32")
    labels = np.eye(7, dtype="float32")[random.integers(0, 7, batch)]
    return lambda: model.train_on_batch(images, labels)


def seconds(step):
    start = time.perf_counter()
    step()
    return time.perf_counter() - start


if __name__ == "__main__":
    main()
