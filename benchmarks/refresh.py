"""What does it cost to compute the stored features of all images anew, in seconds and in memory?

    python benchmarks/refresh.py [--images N ...] [--backbone NAME] [--out CSV]

One refresh of hernandez2020's Algorithm 1 for each number of images, each in a process of its own:
synthetic JPEGs of 64 x 64 pixels, 16 to a patient as in ISIC 2020 on average, 32 to a batch. Time should grow
with the number of images, and memory should not. `ms to read` is for the context of one batch of 32 images.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd
from result_table import peak_memory, show

SIDE, BATCH, PATIENT = 64, 32, 16
NUMBERS = (1_000, 10_000, 33_126)
DRAWN = 500


def main():
    arguments = parse_arguments()
    if arguments.one is not None:
        measure_one(Path(arguments.drawn), arguments.one, arguments.backbone)
        return
    table = compare(arguments.images, arguments.backbone)
    show(table, arguments.out, digits=2)


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--images", type=int, nargs="+", default=NUMBERS, help="numbers of images")
    parser.add_argument("--backbone", default="efficientnet_lite0", help="default: %(default)s")
    parser.add_argument("--out", help="CSV file for the table")
    parser.add_argument("--one", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--drawn", help=argparse.SUPPRESS)
    return parser.parse_args()


def compare(numbers, backbone):
    """One row per number of images: seconds, microseconds an image, and peak memory of the process."""
    from skinkit.data import synthetic

    with tempfile.TemporaryDirectory() as folder:
        synthetic(DRAWN, folder=folder, size=(SIDE, SIDE), layout="isic2020", progress=False)
        rows = {number: run_one(folder, number, backbone) for number in numbers}
    table = pd.DataFrame.from_dict(
        rows, orient="index", columns=["seconds", "ms to read", "peak MiB", "file MiB"]
    )
    table.insert(1, "ms an image", 1000 * table["seconds"] / table.index)
    table.index.name = "images"
    return table


def run_one(folder, number, backbone):
    command = [sys.executable, __file__, "--one", str(number), "--drawn", folder, "--backbone", backbone]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(done.stderr)
    return [float(word) for word in done.stdout.split()[-4:]]


def measure_one(drawn, number, backbone):
    from skinkit import models
    from skinkit.training import FeatureStore

    network = models.build("patient_network", (SIDE, SIDE, 3), 2, backbone=backbone)
    extractor = models.pooled_features(network)
    depth = extractor.output.shape[-1]
    with tempfile.TemporaryDirectory() as folder:
        rows = link_images(drawn, Path(folder), number)
        # Nobody wants to know how long TensorFlow traces.
        refresh(FeatureStore(Path(folder, "warm"), *columns(rows[:BATCH]), depth), extractor, rows[:BATCH])
        store = FeatureStore(Path(folder, "store"), *columns(rows), depth)
        seconds = refresh(store, extractor, rows)
        size = sum(path.stat().st_size for path in store.folder.iterdir())
        print(seconds, 1000 * read(store, rows), peak_memory(), size / 2**20)


def columns(rows):
    return rows["image_id"], rows["patient_id"]


def refresh(store, extractor, rows):
    """Seconds of one refresh."""
    from skinkit.pipeline import PipelineSpec, build_dataset

    def batches(first):
        spec = PipelineSpec((SIDE, SIDE))
        images = build_dataset(rows[first:], spec, labels=("benign", "malignant"), batch_size=BATCH)
        return (batch[0] for batch in images)

    start = time.perf_counter()
    store.refresh(extractor, batches)
    return time.perf_counter() - start


def read(store, rows, repeats=20):
    """Median seconds of reading the context of a batch of random images."""
    random, times = np.random.default_rng(0), []
    for _ in range(repeats):
        ids = rows["image_id"].sample(BATCH, random_state=int(random.integers(2**31)))
        start = time.perf_counter()
        store.read(ids)
        times.append(time.perf_counter() - start)
    return np.median(times)


def link_images(drawn, folder, number):
    """A table of `number` image files: links to the drawn ones under names of their own."""
    sources = sorted((drawn / "images").glob("*.jpg"))
    rows = []
    for i in range(number):
        path = folder / f"{i:05}.jpg"
        os.link(sources[i % len(sources)], path)
        rows.append((path.stem, str(path), "benign", f"P{i // PATIENT:05}"))
    return pd.DataFrame(rows, columns=["image_id", "path", "label", "patient_id"], dtype="string")


if __name__ == "__main__":
    main()
