"""What do the mean over four flips and a second stage cost in prediction, as a multiple of one network's?

    python benchmarks/views.py [--repeats R] [--out CSV]

The baseline network at the size of its `quick` profile, in one view, in four, and in four as Keras users do
it; and EfficientNet-Lite0 in butskova2021's two stages, at that of its. Images are in memory; the arms take
turns, and the median of the ratios of neighbouring turns is printed with their quartiles.
"""

import argparse

import numpy as np
from result_table import show
from training_step import compare_steps, pair_table

IMAGES = 32


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=15, help="turns of each arm; the median counts")
    parser.add_argument("--out", help="CSV file for the table")
    arguments = parser.parse_args()
    one, four, keras = arms()
    two_stages, one_stage = stage_arms()
    rows = {
        "four views / one": compare_steps([four, one], arguments.repeats),
        "four times keras.Model.predict / four views": compare_steps([keras, four], arguments.repeats),
        "two stages / one": compare_steps([two_stages, one_stage], arguments.repeats),
    }
    show(pair_table(rows), arguments.out)


def arms():
    """Functions that predict the same images: in one view, in four, and in four as Keras users do it."""
    from dataclasses import replace

    from skinkit import papers, pipeline, tasks

    recipe = papers.recipe("skinkit/baseline/efficientnet-lite0-plain").resolve("quick")
    several, single = tasks.of(recipe), tasks.of(replace(recipe, tta=None))
    model, images = several.model("none"), random_images(recipe)

    def keras_way():
        return np.mean(
            [model.predict(view, verbose=0) for view in pipeline.image_views(images, "flips")], axis=0
        )

    return lambda: single.ask(model, images), lambda: several.ask(model, images), keras_way


def stage_arms():
    """Functions that predict the same images: by both stages, joined by the soft rule, and by one."""
    from skinkit import papers, tasks

    recipe = papers.recipe("butskova2021/stages/lite0-two-stage-soft")
    gate, rest = (tasks.of(papers.recipe(need).resolve("quick")) for need in recipe.needs)
    both, one = tasks.of(recipe.resolve("quick")), rest.model("none")
    model, images = both.model(needed=[gate.model("none"), one]), random_images(rest.recipe)
    return lambda: both.ask(model, images), lambda: rest.ask(one, images)


def random_images(recipe):
    return np.random.default_rng(0).random((IMAGES, *recipe.image_size, 3), dtype="float32")


if __name__ == "__main__":
    main()
