"""How much memory do pipelines take, and does it grow with the number of images?

    python benchmarks/memory.py [--data DIR] [--images FEW MANY] [--out CSV]

Peak resident memory of one epoch of batches of 32 x 224 x 224 x 3 from 600 x 450 JPEGs, links to 512 images
as `pipeline.py` makes them, each in a process of its own.
"""

import argparse
import tempfile
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import pandas as pd
from pipeline import BATCH, image_table, photographs, prepare_images, skinkit_spec, training_batches
from result_table import peak_memory, show

FILES = 512
WAYS = ("no cache", "cache in a folder", "mixup")


def main():
    arguments = parse_arguments()
    with tempfile.TemporaryDirectory() as folder:
        prepare_images(Path(folder, "images"), arguments.data, min(FILES, *arguments.images))
        show(compare(Path(folder), arguments.images), arguments.out)


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=photographs(), help="folder of JPEG photographs")
    parser.add_argument("--images", type=int, nargs=2, default=(1_000, 10_000), help="few, many")
    parser.add_argument("--out", type=Path, help="CSV file for the table")
    return parser.parse_args()


def compare(folder, numbers):
    """Peak MiB with few and many images, and how many times as much many take."""
    rows = {}
    # A process for each peak.
    with ProcessPoolExecutor(1, get_context("spawn"), max_tasks_per_child=1) as alone:
        for way in WAYS:
            few, many = (alone.submit(measure, folder, number, way).result() for number in numbers)
            rows[way] = {"few": numbers[0], "many": numbers[1], "MiB": many, "MiB of few": few}
    table = pd.DataFrame.from_dict(rows, orient="index").rename_axis("way")
    return table.assign(ratio=table["MiB"] / table["MiB of few"])


def measure(folder, number, way):
    """MiB at the peak of one epoch of `number` images, in this process."""
    from skinkit.pipeline import Mixup

    with tempfile.TemporaryDirectory() as work:
        cache = Path(work, "cache") if way == "cache in a folder" else None
        links = link_images(image_table(folder / "images"), Path(work), number)
        batches = training_batches(links, skinkit_spec({"brightness": 0.1}, cache=cache))
        if way == "mixup":
            batches = Mixup(weight=0.7)(batches, seed=0)
        for _ in batches.take(-(-number // BATCH)):
            pass
        return peak_memory()


def link_images(table, folder, number):
    """The folder of `number` different files, which are links to those of a table."""
    links = folder / "links"
    for i in range(number):
        row = table.iloc[i % len(table)]
        link = links / row["label"] / f"{i:05}.jpg"
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(row["path"])
    return links


if __name__ == "__main__":
    main()
