# ---
# jupyter:
#   colab:
#     provenance: []
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Build pipelines: what the network really sees
#
# [![Colab](https://colab.research.google.com/assets/colab-badge.svg)](https://colab.research.google.com/github/REPOSITORY_SLUG/blob/main/notebooks/02_build_pipelines.ipynb)
# · [Source](https://github.com/REPOSITORY_SLUG/blob/main/notebooks/src/02_build_pipelines.py)
# · [Gessert et al. 2019, Section II-C](https://arxiv.org/abs/1905.02793)
# · [Köfler 2023, code](https://github.com/MarkusStefan/DeepCNN_SoftAttention)
#
# A network never sees a photograph. It sees a block of numbers, and your code decides how a photograph
# becomes those numbers. Most bugs in that code raise no error: the network just learns a little worse,
# and nobody knows why. So in this notebook we look at the numbers.

# %% [markdown]
# You will produce the augmentations of Gessert et al. (2019) and Köfler (2023) as images you can look
# at, the sixfold copies of Köfler's Table 2 beside the printed count, and a measurement of your own:
# how close your pipeline comes to the fastest possible one.
#
# | profile | CPU (2 cores) | T4 (estimated) | memory | data |
# | --- | --- | --- | --- | --- |
# | `smoke` | 1 minute | 1 minute | 1 GB | 300 synthetic images, generated here |
# | `quick` | 1 minute | 1 minute | 1 GB | HAM10000, 1,000 of its images |
# | `full` | 3 minutes | 3 minutes | 2 GB | HAM10000, all 10,015 images |
#
# Not for clinical use: nothing here can tell you what a spot on your skin is.

# %% tags=["install"] cellView="form"
# Installs skinkit where it is missing: a wheel beside this notebook or in Drive (mounted), else the release.
import importlib.util
import subprocess
import sys
from pathlib import Path

if importlib.util.find_spec("skinkit") is None:
    places = [f"{file}[weights]" for at in (".", "drive/MyDrive") for file in Path(at).glob("skinkit-*.whl")]
    places.append("skinkit[weights] @ git+https://github.com/REPOSITORY_SLUG@RELEASE_TAG")
    pip = [sys.executable, "-m", "pip", "install", "--quiet"]
    done = any(subprocess.run([*pip, place]).returncode == 0 for place in places)
    assert done, "put skinkit's wheel (skinkit-*.whl) beside this notebook, and run this cell again"
skinkit = importlib.import_module("skinkit")  # before TensorFlow, to silence its start-up log

# %% tags=["parameters"]
PROFILE = "quick"  # "smoke", "quick" or "full": how many images are used; the method stays the same
SEED = 0  # an integer from 0 on: decides the order of the images and how each is changed
DATA_DIR = None  # folder that holds the folder ham10000; None: environment variable SKINKIT_DATA
OUT_DIR = "results/notebooks/02_build_pipelines"  # section 9 puts its table here
IMAGE_SIZE = (96, 96)  # height and width in pixels; keep them equal, section 4 turns images
MELANOMA = 4  # which of the melanomas is shown, from 0
REPEATS = 3  # how often section 9 measures each speed

# %%
import timeit
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import cv2
import keras
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import tensorflow as tf

# %%
import skinkit
from skinkit.experiments import available_profile
from skinkit.papers.published import published_row
from skinkit.pipeline import Augmentation, PipelineSpec, build_dataset, steps_per_epoch

skinkit.report_environment()

# %% tags=["images"]
# Real images: take the "# " away from one line. Sizes and times are estimates, hosts untried (2026-11-29).
# skinkit.data.get("dataverse", to=DATA_DIR)  # from the publisher: 2.8 GB, 3 to 10 minutes
# skinkit.data.get("kaggle", to=DATA_DIR)  # a copy, without an account: 5.6 GB, 4 to 15 minutes
# skinkit.data.get("drive", to=DATA_DIR)  # skinkit/ham10000 in your Drive: no download, 2 to 5 minutes

# %% [markdown]
# ## 1. What is in the file?
#
# A JPEG file holds an image in compressed form. We take one melanoma of the table and decode it by
# hand.

# %%
profile = available_profile(PROFILE, "ham10000", DATA_DIR)
if profile == "smoke":
    table = skinkit.data.synthetic(300, seed=SEED)
else:
    table = skinkit.data.load("ham10000", root=DATA_DIR)
if profile == "quick":
    table = table.sample(1000, random_state=SEED).reset_index(drop=True)
LABELS = skinkit.data.CLASS_MAPS["isic2018"].labels
melanoma = table[table["label"] == "mel"].iloc[MELANOMA]

# %%
contents = tf.io.read_file(melanoma["path"])
pixels = tf.io.decode_jpeg(contents, channels=3, dct_method="INTEGER_ACCURATE")
print(f"file: {len(contents.numpy()):,} bytes; decoded: {pixels.shape}, {tf.size(pixels):,} bytes")
print("the pixel in the middle:", pixels[pixels.shape[0] // 2, pixels.shape[1] // 2].numpy())
assert pixels.dtype == tf.uint8 and pixels.shape[-1] == 3

# %% [markdown]
# The shape is (height, width, colours), the order of the colours is red, green, blue, and each is a
# whole number from 0 to 255. The file is more than ten times smaller than what it becomes. Undoing
# that compression is work, and in section 9 we will see that it is most of the work.
#
# ## 2. How do you make a wide image square?
#
# The camera gives 4 : 3, most networks want 1 : 1. You can squeeze the image, cut its sides off, or
# fill it up with black. Which would you choose?

# %%
# Photographs stored as JPEG keep the notebook small.
# %config InlineBackend.figure_formats = ["jpeg"]
ways = {
    "as it is": pixels,
    "squeezed": tf.image.resize(pixels, IMAGE_SIZE, antialias=True),
    "cut": tf.image.resize(
        tf.image.resize_with_crop_or_pad(pixels, *[min(pixels.shape[:2])] * 2), IMAGE_SIZE
    ),
    "filled up": tf.image.resize_with_pad(pixels, *IMAGE_SIZE, antialias=True),
}
skinkit.plots.image_grid([np.uint8(way) for way in ways.values()], titles=list(ways))

# %% [markdown]
# Squeezing makes round lesions oval, cutting may cut the lesion, filling up wastes a quarter of the
# pixels and puts a black bar where a real source might have one, too. Gessert et al. ("downsampling")
# and Köfler squeeze, and it does little harm *as long as training and test are squeezed alike*.
# skinkit squeezes, and says so.
#
# ## 3. How is a batch made?
#
# A network takes images in batches. We first make one by hand: decode, resize, round, divide by 255,
# stack. Rounding lets us keep the small image as bytes later.

# %%
first = table.head(8)
by_hand = []
for path in first["path"]:
    image = tf.io.decode_jpeg(tf.io.read_file(path), channels=3, dct_method="INTEGER_ACCURATE")
    by_hand.append(tf.round(tf.image.resize(image, IMAGE_SIZE)) / 255)
by_hand = tf.stack(by_hand)
print(by_hand.shape, by_hand.dtype.name, f"from {by_hand.numpy().min():.2f} to {by_hand.numpy().max():.2f}")

# %% [markdown]
# Now skinkit makes the same batch. `PipelineSpec` says *what* we want; `build_dataset` reads files in
# parallel, keeps their order, and adds the answers.

# %%
plain = PipelineSpec(image_size=IMAGE_SIZE, resize="bilinear")
images, answers = next(iter(build_dataset(first, plain, labels=LABELS, batch_size=8)))
print("images", images.shape, "answers", answers.shape)
assert np.abs(images - by_hand).max() <= 1.01 / 255, "not the same images"
decoded = [LABELS[i] for i in answers.numpy().argmax(axis=1)]
assert decoded == first["label"].tolist(), "not the same answers"

# %% [markdown]
# The two differ by rounding only. The answers are *one-hot*: one column per diagnosis, with a 1 in the
# right one. Never type the order of these columns from memory; six orders are in use.
#
# One option deserves a look. `"bilinear"` uses four pixels of the large image and skips the others. The
# default, `"antialias"`, takes the mean of all of them.

# %%
fine = replace(plain, resize="antialias")
averaged, _ = next(iter(build_dataset(first, fine, labels=LABELS, batch_size=8)))
print(f"mean difference: {255 * np.abs(images - averaged).mean():.1f} grey levels of 255")
skinkit.plots.image_grid([images[0].numpy(), averaged[0].numpy()], titles=["bilinear", "antialias"])

# %% [markdown]
# The difference is small on average, but it gathers at hairs and fine lines, which skipped pixels turn
# into dashes. It grows as the result gets smaller. A network trained with one and tested with the other
# has to live with it.
#
# ## 4. Which changes leave the diagnosis as it is?
#
# A lesion has no up and no down: turned by 90 degrees, a melanoma is still a melanoma. If we show the
# network such changes it cannot cling to what does not matter. This is *augmentation*. Each change is
# one number, and everything is off by default. Here is one melanoma in five random versions of each
# change.


# %%
def versions(augmentation, row=melanoma, count=5):
    """Returns `count` random versions of one image."""
    spec = PipelineSpec(image_size=IMAGE_SIZE, augmentation=augmentation)
    rows = pd.DataFrame([row] * count)
    endless = build_dataset(rows, spec, labels=LABELS, training=True, batch_size=count, seed=SEED)
    return list(next(iter(endless))[0].numpy())


def show_versions(changes):
    """Draws one row of images for each change."""
    figure, axes = plt.subplots(len(changes), 5, figsize=(7, 1.55 * len(changes)), layout="constrained")
    titles = [f"{name}={value:.3g}" for name, value in changes.items() for _ in range(5)]
    images = [image for name in changes for image in versions(Augmentation(**{name: changes[name]}))]
    skinkit.plots.image_grid(images, titles, axes=axes)


# %%
show_versions(
    {"flip_left_right": 0.5, "flip_up_down": 0.5, "rot90": True, "rotation": 180, "zoom": 0.3, "shift": 0.2}
)

# %% [markdown]
# Flips and turns by 90 degrees only move pixels, so nothing is lost. Turning by any angle, zooming and
# shifting have to invent what lies outside the image; skinkit mirrors the inside there. Look for hairs
# that meet their reflection at the edge. Shift by half an image, and one lesion becomes two.

# %%
show_versions({"brightness": 0.4, "saturation": 0.8, "contrast": 0.6, "hue": 0.08})

# %% [markdown]
# Colour changes are risky. Light varies from clinic to clinic, so some change of brightness is fair.
# But colour *is* evidence: blue over brown speaks for melanoma, and red lagoons for a vessel. With a
# hue of 0.08 the skin turns olive or violet. Would you still trust a diagnosis? Then why should a
# network?
#
# ## 5. Is brightness 0.3 always brightness 0.3?
#
# You read "brightness 0.3, saturation 0.5" in a paper written with PyTorch, and Keras has layers with
# those names. What happens to one brown pixel?

# %%
brown = np.array([120.0, 70.0, 50.0], "float32")
grey = brown @ np.array([0.299, 0.587, 0.114], "float32")
keras_bright = keras.layers.RandomBrightness((0.3, 0.3), value_range=(0, 255), seed=SEED)
keras_pale = keras.layers.RandomSaturation((0.5, 0.5), value_range=(0, 255), seed=SEED)
pixel = brown[None, None, None]
rows = {
    "as it is": brown,
    "brightness 1.3, PyTorch: times 1.3": 1.3 * brown,
    "brightness 0.3, Keras: plus 0.3 of 255": keras_bright(pixel, training=True)[0, 0, 0],
    "saturation 0.5, PyTorch: halfway to grey": 0.5 * brown + 0.5 * grey,
    "saturation 0.5, Keras: unchanged": keras_pale(pixel, training=True)[0, 0, 0],
}

# %%
pixel_table = pd.DataFrame({name: np.asarray(value) for name, value in rows.items()}).T.round(0)
pixel_table.columns = ["red", "green", "blue"]
assert np.allclose(pixel_table.iloc[2] - pixel_table.iloc[0], 0.3 * 255, atol=1)
pixel_table

# %% [markdown]
# The words are the same, the operations differ. PyTorch multiplies, so dark stays dark; Keras adds,
# which lays a grey veil over everything. PyTorch's saturation factor 1 changes nothing; in Keras it is
# 0.5 that changes nothing. skinkit uses the definitions of the documents' code (multiply; blend with
# grey). Mixing them up raises no error.
#
# ## 6. What did the documents do?
#
# The recipe of each document holds its augmentation in one line. Gessert et al. (2019) flip both ways,
# and change brightness by 32 of 255 and saturation by a half. Köfler (2023) flips left-right and zooms
# height and width each by itself, as Keras' `ImageDataGenerator` does, which changes the shape of a
# lesion and repeats the edge. The released code also asks for a shear of 0.2; Keras reads it as 0.2
# *degrees*, which is nothing.

# %%
gessert = Augmentation(**skinkit.papers.recipe("gessert2019/table2/densenet121-dual").augmentation)
koefler = Augmentation(**skinkit.papers.recipe("koefler2023/table4a/cnn").augmentation)
images = versions(gessert, count=4) + versions(koefler, count=4)
skinkit.plots.image_grid(images, titles=["Gessert et al."] * 4 + ["Köfler"] * 4)

# %% [markdown]
# Then there is the input format. Köfler reads with OpenCV, which gives blue, green, red, from 0 to 255,
# and passes that on as it is. Most others use red, green, blue, from 0 to 1. We ask for both, and show
# Köfler's as if its order were red, green, blue.

# %%
usual = PipelineSpec(image_size=(100, 100), resize="bilinear")
opencv = replace(usual, channel_order="bgr", scaling="raw")
seen = {}
for name, spec in {"RGB, 0 to 1": usual, "BGR, 0 to 255": opencv}.items():
    seen[name] = next(iter(build_dataset(pd.DataFrame([melanoma]), spec, labels=LABELS)))[0][0].numpy()
    print(f"{name:13}  mean {seen[name].mean():6.2f}  highest {seen[name].max():6.2f}")
rgb, bgr = seen.values()
assert np.allclose(bgr[..., ::-1] / 255, rgb, atol=1e-4), "same image, other numbers"
skinkit.plots.image_grid([rgb, bgr / 255], titles=list(seen))

# %% [markdown]
# A network trained from scratch does not mind blue skin; it never saw any other. A network that was
# trained on ImageNet in red, green, blue does mind. Again there is no error, only a worse score.
#
# ## 7. Can we take out the colour of the light?
#
# Augmentation teaches the network to ignore the light. *Colour constancy* removes it beforehand. Shades
# of Gray guesses the colour of the lamp from the image's bright areas and divides by it.

# %%
some = table.groupby("label").head(1).head(4)
corrected = replace(fine, colour_constancy=True)
before, after = (
    next(iter(build_dataset(some, spec, labels=LABELS)))[0].numpy() for spec in (fine, corrected)
)
titles = ["as it is"] * len(some) + ["Shades of Gray"] * len(some)
print("red minus blue, mean:", [round(float((x[..., 0] - x[..., 2]).mean()), 2) for x in (before, after)])
skinkit.plots.image_grid([*before, *after], titles=titles)

# %% [markdown]
# The pink is nearly gone: the method takes the colour of the skin for that of the lamp. It makes images
# of different clinics more alike, but it also takes away skin colour and redness, which may matter. So
# it is off by default.
#
# ## 8. Can a random epoch be repeated?
#
# Training shuffles the images and augmentation changes them at random, in many threads at once. Suppose
# your computer crashes after epoch 1. If you go on, does epoch 2 show what it would have shown?

# %%
some_rows = table.head(100)
training = {"labels": LABELS, "training": True, "batch_size": 32, "seed": SEED}
spec = PipelineSpec(image_size=IMAGE_SIZE, augmentation=gessert)
steps = steps_per_epoch(len(some_rows), 32)
undisturbed = build_dataset(some_rows, spec, **training).skip(steps).take(steps)
resumed = build_dataset(some_rows, spec, **training, first_epoch=1).take(steps)
for (images, answers), (images_again, answers_again) in zip(undisturbed, resumed, strict=True):
    assert np.array_equal(images, images_again) and np.array_equal(answers, answers_again)
print(f"{steps} batches, the last of {len(images)} images: equal to the last bit")

# %% [markdown]
# They are equal to the last bit. Order and changes are computed from (seed, epoch, row) and from
# nothing else, so it does not matter which thread is faster. A resumed run is the same run.
#
# Rare diagnoses can be given more weight. The batch carries one *weight* per image as its third item,
# and the loss is multiplied by it.

# %%
share = table["label"].map(table["label"].value_counts(normalize=True)).to_numpy(float)
weights = 1 / (len(LABELS) * share)
*_, batch_weights = next(iter(build_dataset(table, fine, labels=LABELS, sample_weight=weights)))
print(pd.Series(weights).groupby(table["label"].to_numpy(str)).first().round(2).to_dict())
total = pd.Series(weights).groupby(table["label"].to_numpy(str)).sum()
assert np.allclose(total, total.iloc[0]), "each diagnosis has the same total weight"

# %% [markdown]
# The other way is copies. Köfler makes six images of each one that does not show a nevus. In skinkit a
# copy is a row with a `transform`; the pipeline turns the pixels when it reads the row.

# %%
augmented = skinkit.data.augment_offline(table)
family = augmented[augmented["source_id"] == melanoma["image_id"]]
copies, _ = next(iter(build_dataset(family, fine, labels=LABELS)))
assert np.array_equal(copies[1], np.rot90(copies[0], -1)), "rot90cw is an exact turn"
skinkit.plots.image_grid(list(copies.numpy()), titles=family["transform"].tolist(), columns=6)

# %% [markdown]
# Copies are harmless in one order and ruinous in the other. We swap the two calls and count the share
# of test images that have a turned twin in training.

# %%
parts = {"train": 0.67, "test": 0.33}
sound = skinkit.data.stratified_group_split(table, parts, group="lesion+patient", seed=SEED)
orders = {
    "copy, then split": skinkit.data.koefler2023_split(augmented),
    "split, then copy": skinkit.data.augmented_split(sound, augmented),
}
reports = {name: skinkit.data.leakage_report(augmented, split) for name, split in orders.items()}
leaks = pd.DataFrame({name: report.loc["all"] for name, report in reports.items()}).T
assert leaks.loc["split, then copy", "photograph"] == 0
leaks

# %% [markdown]
# The document's table beside ours shows how many images there are after copying.

# %%
printed = published_row("koefler2023/table2/augmentation").pivot(
    index="class", columns="metric", values="value"
)
counts = pd.DataFrame({"printed": printed["augmented_images"].astype("Int64")})
counts["ours"] = augmented["label"].value_counts()
counts.loc["all", "ours"] = len(augmented)
if profile == "full":
    assert (counts["printed"] == counts["ours"]).all()
counts

# %% [markdown]
# In `full` the columns agree to the last image; in the other profiles ours are fewer, because fewer
# images were used.
#
# ## 9. Is the pipeline fast enough?
#
# A network waits for its images. How fast can they come at best? Every file has to be decoded in any
# case, so we let OpenCV decode all files on all cores and do *nothing else*. That is the limit. Then we
# measure the pipeline, which also resizes, flips, changes colours and stacks.


# %%
def images_per_second(run_once, count):
    """Returns the speeds of `REPEATS` runs, after one run for warming up."""
    run_once()
    return count / np.array(timeit.repeat(run_once, number=1, repeat=REPEATS))


# %%
many = pd.concat([table] * 10)[:1000]


def decode_only():
    with ThreadPoolExecutor() as pool:
        return sum(image is not None for image in pool.map(cv2.imread, many["path"]))


# %%
kept = replace(spec, cache="memory")
speeds = {"decode only (OpenCV)": images_per_second(decode_only, 1000)}
for name, wanted in {"pipeline": spec, "pipeline, cached": kept}.items():
    batches = iter(build_dataset(many, wanted, **training))
    steps = steps_per_epoch(1000, 32)
    speeds[name] = images_per_second(lambda b=batches, n=steps: [next(b) for _ in range(n)], 1000)
measured = pd.DataFrame(speeds).agg(["min", "median", "max"]).T
measured["ratio to decoding"] = measured["median"] / measured["median"].iloc[0]
Path(OUT_DIR).mkdir(parents=True, exist_ok=True)
measured.round(2).to_csv(Path(OUT_DIR) / "speed.csv")
measured.round({"min": 0, "median": 0, "max": 0, "ratio to decoding": 2})

# %% [markdown]
# Images per second depend on your computer, the ratio less so. Even so, look at `min` and `max`: on a
# busy computer the ratio itself moved by a third from one run of this notebook to the next. A
# difference of ten per cent between two pipelines then means nothing: repeat the measurement, or say
# so. With small images decoding is cheap, so the rest weighs more and the ratio is lower than with
# photographs of 600 x 450. Those may also be decoded at half size, for half the work, so that a
# pipeline can come very near the "limit".
#
# The last row is beyond the limit, because after the first epoch it decodes nothing: `cache="memory"`
# keeps the small images as bytes, height x width x 3 for each. Here that is 28 kB per image, 277 MB for
# all of HAM10000. Beyond your memory, give a folder instead of `"memory"`. Random changes happen after
# the cache, so every epoch is still new.

# %% [markdown]
# ## What could go wrong
#
# - **Augmenting the test.** Without `training=True` skinkit never changes an image, whatever the spec
#   says. In a handwritten loop, check it.
# - **Dividing twice.** Some Keras networks divide by 255 themselves. Images from 0 to 0.004 are black,
#   and training goes on, badly. Print the lowest and the highest number of one batch.
# - **Caching after augmenting.** Then every epoch shows the same "random" images.
# - **Another resize at the end.** A web page that resizes in its own way tests another network than
#   the one you measured.
# - **Never looking.** Five minutes with one batch on the screen find most of the above.

# %% [markdown]
# ## Exercises
#
# Answer in the open cell of an exercise, then run its check: it says that the answer is right, or gives a
# hint. Let code compute what depends on the images: marks are given on drawn ones.
#
# ### ex-02-1: Can you reach all eight positions?
#
# A square has eight: four turns, each also mirrored. Write an `Augmentation` that reaches all of them
# and changes nothing else.

# %% tags=["exercise", "ex-02-1"]
eight_positions = None

# %% tags=["solution", "ex-02-1"]
eight_positions = Augmentation(flip_left_right=0.5, rot90=True)

# %% tags=["check", "ex-02-1"] points=2
skinkit.check("02-1", eight_positions)

# %% tags=["test", "ex-02-1"]
assert eight_positions is not None, "an `Augmentation` with two arguments will do: one mirrors, one turns"
found = {image.tobytes() for image in versions(eight_positions, count=200)}
assert len(found) == 8, f"200 versions gave {len(found)} different images, not 8"
other = eight_positions.warps or eight_positions.mixes_colours or eight_positions.hue
assert not other, "mirrors and quarter turns only: no warp, no colour"

# %% tags=["hidden", "ex-02-1"]
positions = {image.tobytes() for image in versions(eight_positions, count=200)}
assert len(positions) == 8 and not eight_positions.mixes_colours

# %% tags=["wrong", "ex-02-1"]
# Four turns, and no mirror.
eight_positions = Augmentation(rot90=True)
# Two mirrors make half a turn, no quarter.
eight_positions = Augmentation(flip_left_right=0.5, flip_up_down=0.5)
# Changes the colours, too.
eight_positions = Augmentation(flip_left_right=0.5, rot90=True, brightness=0.1)

# %% [markdown]
# ### ex-02-2: How much of an image is burnt out?
#
# With `brightness=0.5`, light skin runs into the ceiling of 1.0 and its texture is gone. Make 50
# versions of the melanoma's image with `versions` and give the share of numbers (0 to 1) that are 1.0.
# Guess before you run it.

# %% tags=["exercise", "ex-02-2"]
burnt_out = None

# %% tags=["solution", "ex-02-2"]
burnt_out = (np.array(versions(Augmentation(brightness=0.5), count=50)) == 1).mean()

# %% tags=["check", "ex-02-2"] points=2
skinkit.check("02-2", burnt_out)

# %% tags=["test", "ex-02-2"]
assert burnt_out is not None, (
    "`versions` gives a list; of one array of them, which share of the numbers is 1?"
)
lost = {b: np.mean(np.array(versions(Augmentation(brightness=b), count=50)) == 1) for b in (0.1, 0.5)}
assert abs(burnt_out - lost[0.5]) < 0.03, "count the numbers that equal 1 among all of the 50 images"
assert lost[0.1] <= burnt_out, "a gentle change burns less"

# %% tags=["hidden", "ex-02-2"]
bright = np.array(versions(Augmentation(brightness=0.5), count=50))
assert abs(burnt_out - (bright == bright.max()).mean()) < 0.03

# %% tags=["wrong", "ex-02-2"]
# The parameter is not the share.
burnt_out = 0.5
# A float seems to have no ceiling.
burnt_out = 0.0

# %% [markdown]
# ### ex-02-3: Can you go on after a crash?
#
# A training run with `spec` and `**training` on `some_rows` stopped after three whole epochs. Build the
# dataset that it goes on with.

# %% tags=["exercise", "ex-02-3"]
going_on = None

# %% tags=["solution", "ex-02-3"]
going_on = build_dataset(some_rows, spec, **training, first_epoch=3)

# %% tags=["check", "ex-02-3"] points=3
skinkit.check("02-3", going_on)

# %% tags=["test", "ex-02-3"]
assert going_on is not None, "`build_dataset` takes the number of the epoch to begin with"
through = build_dataset(some_rows, spec, **training).skip(3 * steps_per_epoch(len(some_rows), 32))
for mine, theirs in zip(next(iter(going_on)), next(iter(through)), strict=True):
    assert np.array_equal(mine, theirs), "not the batch that comes next"

# %% tags=["hidden", "ex-02-3"]
images_next, labels_next = next(iter(build_dataset(some_rows, spec, **training, first_epoch=3)))
images_mine, labels_mine = next(iter(going_on))
assert np.array_equal(images_mine, images_next) and np.array_equal(labels_mine, labels_next)

# %% tags=["wrong", "ex-02-3"]
# Starts from the first epoch again.
going_on = build_dataset(some_rows, spec, **training)
# Skips three batches, and not three epochs.
going_on = build_dataset(some_rows, spec, **training).skip(3)
# Epochs are counted from 0.
going_on = build_dataset(some_rows, spec, **training, first_epoch=4)
