"""How many images a second are distorted as bermeo2023 distorts them?

    python benchmarks/distortions.py [--data DIR] [--images N] [--repeats R] [--out CSV]

JPEGs of 300 x 225 become float32 batches of 32 x 224 x 224 x 3, with all steps of the document's Figure 7.5:
by the pipeline, and by albumentations 2.0.8, whose library the document uses, in a `keras.utils.PyDataset`.
Both have two threads. The images are as in `pipeline.py`; the ways take turns.
"""

import importlib.util
import tempfile
from functools import partial
from pathlib import Path

import cv2
import pandas as pd
from pipeline import parse_arguments, prepare_images, quartiles, threaded, time_ways, training_batches
from result_table import show

SIZE, FILES, THREADS = 224, (300, 225), 2
FLIPS = {"flip_left_right": 0.5, "flip_up_down": 0.5, "transpose": 0.5}
DOCUMENT = "bermeo2023's own loaders: 8.5 to 10.1 images/s of 512 x 512 (M4 to M7, released logs)"


def main():
    arguments = parse_arguments(__doc__)
    with tempfile.TemporaryDirectory() as folder:
        images = Path(folder, "images")
        source = prepare_images(images, arguments.data, arguments.images, FILES)
        table = compare(images, arguments.repeats)
    print(f"\n{arguments.images} {source} images of {FILES[0]} x {FILES[1]}, {THREADS} threads. {DOCUMENT}")
    show(table, arguments.out, digits=2)


def skinkit(folder, **changes):
    from skinkit.pipeline import Augmentation, PipelineSpec

    augmentation = Augmentation(**FLIPS, **changes)
    spec = PipelineSpec((SIZE, SIZE), scaling="imagenet", resize="bilinear", augmentation=augmentation)
    return iter(training_batches(folder, spec))


def albumentations(folder):
    change = figure_7_5()
    return threaded(folder, lambda path: change(image=cv2.imread(path)[..., ::-1])["image"], THREADS)


def figure_7_5():
    """The document's list, in the words of albumentations 2, whose elastic distortion has no affine jolt."""
    import albumentations as A  # noqa: N812

    noise = tuple(variance**0.5 / 255 for variance in (5, 30))
    reflect = {"border_mode": cv2.BORDER_REFLECT_101}
    blurs = [A.MotionBlur(blur_limit=5), A.MedianBlur(blur_limit=5), A.GaussianBlur(blur_limit=(3, 5))]
    bends = [
        A.OpticalDistortion(distort_limit=1.0, **reflect),
        A.GridDistortion(num_steps=5, distort_limit=1.0, **reflect),
        A.ElasticTransform(alpha=3, **reflect),
    ]
    hole = {"num_holes_range": (1, 1), "hole_height_range": (0.375,) * 2, "hole_width_range": (0.375,) * 2}
    return A.Compose(
        [
            A.Transpose(p=0.5),
            A.VerticalFlip(p=0.5),
            A.HorizontalFlip(p=0.5),
            A.RandomBrightnessContrast(contrast_limit=0.2, p=0.75),
            A.OneOf([*blurs, A.GaussNoise(std_range=noise)], p=0.7),
            A.OneOf(bends, p=0.7),
            A.CLAHE(clip_limit=4.0, p=0.7),
            A.HueSaturationValue(hue_shift_limit=10, sat_shift_limit=20, val_shift_limit=10, p=0.5),
            A.Affine(translate_percent=(-0.1, 0.1), scale=(0.9, 1.1), rotate=(-15, 15), p=0.85),
            A.Resize(SIZE, SIZE),
            A.CoarseDropout(**hole, p=0.7),
            A.Normalize(),
        ]
    )


ALBUMENTATIONS = "albumentations in a PyDataset"
WAYS = {
    ALBUMENTATIONS: albumentations,
    "skinkit, as published": partial(skinkit, distortions="as_published"),
    "skinkit, as described": partial(skinkit, distortions="described"),
    "skinkit, flips alone": skinkit,
}


def compare(folder, repeats):
    import tensorflow as tf

    tf.config.threading.set_inter_op_parallelism_threads(THREADS)
    cv2.setNumThreads(1)
    names = list(WAYS)
    if importlib.util.find_spec("albumentations") is None:
        print("albumentations is left out: it needs `pip install albumentations==2.0.8`, see README.md")
        names.remove(ALBUMENTATIONS)
    speeds, _ = time_ways({name: WAYS[name](folder) for name in names}, repeats)
    columns = quartiles(speeds)
    if ALBUMENTATIONS in speeds:
        columns["x albumentations"] = speeds.div(speeds[ALBUMENTATIONS], axis=0).median()
    return pd.DataFrame(columns).rename_axis("way")


if __name__ == "__main__":
    main()
