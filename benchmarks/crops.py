"""How much faster are five crops with attention evaluated than sixteen crops that are averaged?

    python benchmarks/crops.py [--backbone NAME] [--profile quick] [--images N] [--repeats R] [--out CSV]

gessert2019, section IV, says about three times. The recipes of its Table III are evaluated with untrained
weights, 20 images at a time: the networks alone, on pixels in memory, and the whole way from JPEG files to
probabilities. The two take turns; a ratio of neighbouring times is that of sixteen crops to five.
"""

import argparse
import dataclasses
import os
import tempfile

import pandas as pd
from result_table import show
from training_step import compare_steps

BATCH = 20


def main():
    arguments = parse_arguments()
    with tempfile.TemporaryDirectory() as folder:
        rows = image_rows(folder, arguments.images)
        sides = [
            prepare(f"gessert2019/table3/{arguments.backbone}-{row}", arguments.profile, rows)
            for row in ("multi-crop-16", "attention-5")
        ]
        times = {name: compare_steps([side[name] for side in sides], arguments.repeats) for name in sides[0]}
    table = pd.DataFrame.from_dict(times, orient="index").rename_axis("what")
    print(f"16 crops averaged / 5 crops with attention, {arguments.backbone}, {len(rows)} images")
    show(table, arguments.out)


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--backbone", default="mobilenet", help="default: %(default)s")
    parser.add_argument("--profile", default="quick", choices=("smoke", "quick", "full"), help="sizes")
    parser.add_argument("--images", type=int, default=100, help="read from files in each turn")
    parser.add_argument("--repeats", type=int, default=9, help="turns of each; the median counts")
    parser.add_argument("--out", help="CSV file for the table")
    return parser.parse_args()


def image_rows(folder, number):
    """Rows of real HAM10000 images where SKINKIT_DATA points at some, else of drawn ones."""
    from skinkit import data

    if os.environ.get("SKINKIT_DATA"):
        return data.load("ham10000", verbose=False).head(number)
    return data.synthetic(number, folder=folder)


def prepare(name, profile, rows):
    """Functions that evaluate a recipe's network once: on one batch in memory, and on all files."""
    from skinkit import papers, pipeline, tasks
    from skinkit.tasks.batches import pipeline_spec

    recipe = dataclasses.replace(papers.recipe(name).resolve(profile), batch_size=BATCH)
    model = tasks.of(recipe).model("none")
    batches = pipeline.build_dataset(rows, pipeline_spec(recipe, augment=False), batch_size=BATCH)
    pixels = next(batches.as_numpy_iterator())

    def classify(images):
        # A network of one crop sees all crops of the images as one large batch.
        return model.predict_on_batch(images.reshape(-1, *model.input_shape[1:]))

    return {
        "networks alone": lambda: classify(pixels),
        "from files": lambda: [classify(images.numpy()) for images in batches],
    }


if __name__ == "__main__":
    main()
