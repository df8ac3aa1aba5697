"""How many images a second do pipelines make of 600 x 450 JPEGs?

    python benchmarks/pipeline.py [--data DIR] [--images N] [--repeats R] [--out CSV]

Every way ends at float32 batches of 32 x 224 x 224 x 3 with flips, right-angle turns and colour
changes, except `limit`, which only decodes, and the crops of gessert2019 at half size: 32 images of
9 x 112 x 112 x 3 each. The images are real HAM10000 photographs where the
environment variable SKINKIT_DATA (or --data) points at some, and synthetic ones otherwise, enlarged
to the released size, JPEG quality 90. The ways take turns, each timed inside an endless iterator.
"""

import argparse
import os
import tempfile
import time
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import count, islice
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
from result_table import show
from tqdm import tqdm

SIZE, BATCH, LABELS = 224, 32, ("a", "b")
POSITIONS = {"flip_left_right": 0.5, "flip_up_down": 0.5, "rot90": True}
COLOURS = {"brightness": 0.1, "saturation": 0.2}
CORES = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
WARM_UP, TIMED = 8, 24  # batches; the first ones were made while others were timed


def main():
    arguments = parse_arguments(__doc__)
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        source = prepare_images(folder / "images", arguments.data, arguments.images)
        speeds = compare_speeds(folder / "images", arguments.repeats)
        print(f"\n{arguments.images} {source} images of 600 x 450")
        show(speeds, arguments.out, digits=2)


def parse_arguments(about):
    parser = argparse.ArgumentParser(description=about.splitlines()[0])
    parser.add_argument("--data", type=Path, default=photographs(), help="folder of JPEG photographs")
    parser.add_argument("--images", type=int, default=512, help="how many to use")
    parser.add_argument("--repeats", type=int, default=5, help="timings of each way; the median counts")
    parser.add_argument("--out", type=Path, help="CSV file for the speeds")
    return parser.parse_args()


# Images


def photographs():
    """The folder of real photographs, or `None`."""
    given = os.environ.get("SKINKIT_DATA")
    return Path(given, "ham10000", "images") if given else None


def prepare_images(folder, data, number, size=(600, 450)):
    """Writes `number` images of that width and height into one folder a class; returns what they are."""
    for label in LABELS:
        (folder / label).mkdir(parents=True)
    if data is not None:
        sources = sorted(data.glob("*.jpg"))[:number]
    else:
        from skinkit.data import synthetic

        sources = synthetic(number, folder=folder.parent / "drawn")["path"].map(Path)
    if len(sources) < number:
        raise FileNotFoundError(f"{data} holds {len(sources)} JPEG files. Expected: {number}")
    for i, source in enumerate(tqdm(sources, desc="Resizing", unit="image")):
        image = cv2.resize(cv2.imread(str(source)), size, interpolation=cv2.INTER_CUBIC)
        target = folder / LABELS[i % len(LABELS)] / f"{i:05}.jpg"
        cv2.imwrite(str(target), image, [cv2.IMWRITE_JPEG_QUALITY, 90])
    return "real" if data is not None else "synthetic"


def image_table(folder):
    paths = sorted(folder.glob("*/*.jpg"))
    return pd.DataFrame(
        {
            "image_id": [path.stem for path in paths],
            "path": [str(path) for path in paths],
            "label": [path.parent.name for path in paths],
        },
        dtype="string",
    )


# Ways to batches: each function returns an endless iterator


def limit(folder):
    """OpenCV decode only, a thread for each core."""
    paths = image_table(folder)["path"].tolist()
    with ThreadPoolExecutor(CORES) as pool:
        for i in count():
            chosen = [paths[(i * BATCH + k) % len(paths)] for k in range(BATCH)]
            yield list(pool.map(lambda path: cv2.imread(path).shape, chosen))


def skinkit(folder, changes=POSITIONS | COLOURS, **options):
    return iter(training_batches(folder, skinkit_spec(changes, **options)))


def skinkit_spec(changes=POSITIONS | COLOURS, **options):
    from skinkit.pipeline import Augmentation, PipelineSpec

    return PipelineSpec((SIZE, SIZE), augmentation=Augmentation(**changes), **options)


def training_batches(folder, spec):
    from skinkit.pipeline import build_dataset

    table = image_table(folder)
    return build_dataset(table, spec, labels=LABELS, training=True, batch_size=BATCH)


def skinkit_cached(folder):
    return skinkit(folder, cache="memory")


def skinkit_crops(folder):
    """Nine ordered crops an image, after gessert2019's augmentation of the whole image."""
    from skinkit.pipeline import Augmentation, Crops, PipelineSpec

    augmentation = Augmentation(flip_left_right=0.5, flip_up_down=0.5, brightness=32 / 255, saturation=0.5)
    crops = Crops("ordered_crops", size=112, count=9)
    spec = PipelineSpec((225, 300), augmentation=augmentation, crops=crops)
    return iter(training_batches(folder, spec))


def skinkit_mixup(folder):
    """Pairs of images at 0.7 and 0.3, as butskova2021 has them."""
    from skinkit.pipeline import Mixup

    return iter(Mixup(weight=0.7)(training_batches(folder, skinkit_spec()), seed=0))


def skinkit_keras_mixup(folder):
    """Keras' layer instead, in the same place; it draws the weights."""
    import keras

    layer = keras.layers.MixUp(alpha=0.2)
    batches = training_batches(folder, skinkit_spec())
    return iter(batches.map(lambda x, y: layer({"images": x, "labels": y}, training=True)).prefetch(2))


def skinkit_disorder(folder):
    from skinkit.pipeline import Disorder

    return skinkit(folder, pretext=Disorder(patch=8, swaps=20))


def skinkit_turn(folder):
    from skinkit.pipeline import Turn

    return skinkit(folder, pretext=Turn(angles=6))


def keras_directory(folder):
    """`image_dataset_from_directory`, then Keras' random layers."""
    import keras
    import tensorflow as tf

    layers = keras.Sequential(
        [
            keras.layers.RandomFlip(),
            keras.layers.RandomRotation(0.5),
            keras.layers.RandomBrightness(0.1),
            keras.layers.RandomSaturation((0.4, 0.6)),
        ]
    )
    images = keras.utils.image_dataset_from_directory(
        folder, image_size=(SIZE, SIZE), batch_size=BATCH, label_mode="categorical", verbose=False
    )
    augmented = images.repeat().map(
        lambda x, y: (layers(x, training=True) / 255, y), num_parallel_calls=tf.data.AUTOTUNE
    )
    return iter(augmented.prefetch(2))


def arrays_and_generator(folder):
    """OpenCV into arrays, then Keras' old generator, as koefler2023 does; loading is not timed."""
    import tensorflow as tf

    table = image_table(folder)
    images = np.stack([cv2.resize(cv2.imread(path), (SIZE, SIZE)) for path in table["path"]])
    generator = tf.keras.preprocessing.image.ImageDataGenerator(
        zoom_range=0.2, horizontal_flip=True, shear_range=0.2
    )
    return iter(generator.flow(images, np.zeros((len(images), 2)), batch_size=BATCH))


def py_dataset(folder):
    return threaded(folder, lambda path: augment_with_opencv(cv2.imread(path)), CORES)


def threaded(folder, read, threads):
    """A `PyDataset` of what a function makes of a path, in threads."""
    import keras

    class Lesions(keras.utils.PyDataset):
        def __init__(self, paths):
            super().__init__(workers=threads)
            self.paths = paths

        def __len__(self):
            return len(self.paths) // BATCH

        def __getitem__(self, i):
            chosen = self.paths[i * BATCH : (i + 1) * BATCH]
            images = np.stack([read(path) for path in chosen])
            return images, np.zeros((BATCH, 2), np.float32)

    lesions = Lesions(image_table(folder)["path"].tolist())
    # What `fit` does with workers, without a model to wait for.
    with ThreadPoolExecutor(threads) as pool:
        waiting = [pool.submit(lesions.__getitem__, i % len(lesions)) for i in range(2 * threads)]
        for i in count(2 * threads):
            yield waiting.pop(0).result()
            waiting.append(pool.submit(lesions.__getitem__, i % len(lesions)))


def augment_with_opencv(image):
    generator = np.random.default_rng()
    image = cv2.cvtColor(cv2.resize(image, (SIZE, SIZE)), cv2.COLOR_BGR2RGB)
    turn = generator.integers(4)
    if turn:
        image = cv2.rotate(image, (cv2.ROTATE_90_CLOCKWISE, cv2.ROTATE_180, 2)[turn - 1])
    flip = generator.integers(-1, 3)
    if flip < 2:
        image = cv2.flip(image, int(flip))
    brightness, saturation = generator.uniform(0.9, 1.1), generator.uniform(0.8, 1.2)
    grey = np.tile(np.array([0.299, 0.587, 0.114]) * (1 - saturation), (3, 1))
    mixed = cv2.transform(image, brightness * (saturation * np.eye(3) + grey))
    return mixed.astype(np.float32) / 255


WAYS = {
    "limit: OpenCV decode only": limit,
    "skinkit": skinkit,
    "skinkit, cached in memory": skinkit_cached,
    "image_dataset_from_directory + Random*": keras_directory,
    "OpenCV arrays + generator (koefler2023)": arrays_and_generator,
    "PyDataset + OpenCV": py_dataset,
    "skinkit, 9 crops of 112 from 225 x 300": skinkit_crops,
    "skinkit, no changes": partial(skinkit, changes={}),
    "skinkit, flips and turns only": partial(skinkit, changes=POSITIONS),
    "skinkit, colours only": partial(skinkit, changes=COLOURS),
    "skinkit, mixup": skinkit_mixup,
    "skinkit, keras.layers.MixUp": skinkit_keras_mixup,
    "skinkit, disorder": skinkit_disorder,
    "skinkit, turn": skinkit_turn,
}
# Timed after the others: NumPy's large arrays make fresh memory slower for all ways in the process.
PRETEXT = ("skinkit, disorder", "skinkit, turn")
# What others are compared with, by column.
REFERENCES = {
    "x limit": "limit: OpenCV decode only",
    "x Keras": "image_dataset_from_directory + Random*",
    "x skinkit": "skinkit",
    "x MixUp": "skinkit, keras.layers.MixUp",
}


# Measuring


def compare_speeds(folder, repeats):
    cv2.setNumThreads(1)
    first = compare(folder, repeats, [name for name in WAYS if name not in PRETEXT])
    then = compare(folder, repeats, [*REFERENCES.values(), *PRETEXT])
    return pd.concat([first, then.loc[list(PRETEXT)]])


def compare(folder, repeats, names):
    return speed_table(*time_ways({name: WAYS[name](folder) for name in names}, repeats))


def time_ways(iterators, repeats):
    """Images a second and seconds of work, two tables with a row for each round, of ways that take turns."""
    speeds, work = ({name: [] for name in iterators} for _ in range(2))
    for _ in tqdm(range(repeats), desc="Timing", unit="round"):
        for name, iterator in iterators.items():
            wait_for_quiet()
            consume(iterator, WARM_UP)
            start, start_of_work = time.perf_counter(), time.process_time()
            consume(iterator, TIMED)
            speeds[name].append(TIMED * BATCH / (time.perf_counter() - start))
            work[name].append(time.process_time() - start_of_work)
    return pd.DataFrame(speeds), pd.DataFrame(work)


def wait_for_quiet(pause=0.05):
    """Waits until the ways that were timed before have filled their buffers in the background."""
    worked = time.process_time()
    time.sleep(pause)
    while time.process_time() - worked > pause / 10:
        worked = time.process_time()
        time.sleep(pause)


def consume(iterator, number):
    """Takes batches without keeping them, as training does: memory in use already is faster than new."""
    deque(islice(iterator, number), maxlen=0)


def quartiles(speeds):
    columns = {"images/s": 0.5, "quartile 1": 0.25, "quartile 3": 0.75}
    return {column: speeds.quantile(share) for column, share in columns.items()}


def speed_table(speeds, work):
    """Medians, quartiles, and the medians of the ratios within each round."""
    against = {name: speeds.div(speeds[way], axis=0).median() for name, way in REFERENCES.items()}
    of_work = work.rdiv(work[REFERENCES["x limit"]], axis=0).median()
    return pd.DataFrame(
        {
            **quartiles(speeds),
            "x limit": against.pop("x limit"),
            "x limit, processor": of_work,
            **against,
        }
    ).rename_axis("way")


if __name__ == "__main__":
    main()
