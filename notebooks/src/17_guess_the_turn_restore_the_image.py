# ---
# jupyter:
#   accelerator: GPU
#   colab:
#     gpuType: T4
#     provenance: []
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Guess the turn, restore the image: what does a task without labels teach?
#
# [![Colab](https://colab.research.google.com/assets/colab-badge.svg)](https://colab.research.google.com/github/REPOSITORY_SLUG/blob/main/notebooks/17_guess_the_turn_restore_the_image.ipynb)
# · [Source](https://github.com/REPOSITORY_SLUG/blob/main/notebooks/src/17_guess_the_turn_restore_the_image.py)
# · [Context restoration, Chen et al. 2019, which Butskova 2021, Section 4, takes up](https://doi.org/10.1016/j.media.2019.101539)
#
# Labels are dear, images are not. So a network may first solve a task that needs no label: tell by which
# angle an image was turned, or put back patches that traded places. Such a *pretext task* should teach it
# what a lesion looks like. A report tries both, and prints one row for each. You make both tasks by hand,
# and ask of each what it can be solved with. Then you give the result the rival that the report
# does not have: a network that simply trains on for as many steps.

# %% [markdown]
# You will produce disordered and turned images, by hand and with the kit; a guesser of angles that never
# sees a lesion, and its score on pure noise; three questions that a network's guess of an angle consists
# of; restored images with their error in moved and in unmoved patches; scores beside the number of updates
# that they took; and the self-supervised rows of Butskova (2021) beside yours.
#
# | profile | CPU (2 cores) | T4 (estimated) | memory | data |
# | --- | --- | --- | --- | --- |
# | `smoke` | 2 minutes | 2 minutes | 2 GB | 120 synthetic images, generated here |
# | `quick` | about 60 minutes | not estimated | not measured yet | HAM10000, 96 x 96 pixels |
# | `full` | not measured yet | not estimated | not measured yet | HAM10000, 128 x 128 pixels |
#
# The networks are MobileNet-0.25 and a narrow U-Net in all profiles. Those of the document are larger: its
# rows are the recipes `butskova2021/self-supervised/...`.
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
PROFILE = "quick"  # "smoke", "quick" or "full": how much is run; the method stays the same
SEED = 0  # an integer from 0 on: seeds the runs and all that is random here
DATA_DIR = None  # folder that holds the folder ham10000; None: environment variable SKINKIT_DATA
OUT_DIR = "results/notebooks"  # runs are kept below it
ARMS = ("scratch", "scratch-50-epochs", "rotation", "restoration")  # these; also "restoration-light", ...
RESTORERS = ("restoration", "restoration-light")  # with skips, and without; the first is needed
IMAGES = 200  # most images of each part that sections 1 to 3 and 5 look at

# %%
import cv2
import keras
import numpy as np
import pandas as pd
from scipy.ndimage import map_coordinates
from sklearn.linear_model import LogisticRegression

# %%
import skinkit
from skinkit import evaluation, explain, pipeline, plots, tasks
from skinkit.experiments import SavedRun, available_profile, ledger, run
from skinkit.experiments.run_data import build_run_data
from skinkit.papers.published import load_published
from skinkit.tasks.batches import evaluation_images
from skinkit.tasks.feature_classifier import image_features

skinkit.report_environment()

# %% tags=["images"]
# Real images: take the "# " away from one line. Sizes and times are estimates, hosts untried (2026-11-29).
# skinkit.data.get("dataverse", to=DATA_DIR)  # from the publisher: 2.8 GB, 3 to 10 minutes
# skinkit.data.get("kaggle", to=DATA_DIR)  # a copy, without an account: 5.6 GB, 4 to 15 minutes
# skinkit.data.get("drive", to=DATA_DIR)  # skinkit/ham10000 in your Drive: no download, 2 to 5 minutes

# %% [markdown]
# ## 1. Which patches trade places?
#
# Algorithm 1 of the document: divide the image into square cells, choose two of them, let them trade
# places, and do that twenty times. The network sees the result and should return the image.

# %%
profile = available_profile(PROFILE, "ham10000", DATA_DIR)
table = "butskova2021/pretext/mobilenet"
recipe = skinkit.papers.recipe(f"{table}-restoration-pretext").resolve(profile)
run_data = build_run_data(recipe, profile, data_dir=DATA_DIR)
parts = (run_data.rows(part).head(IMAGES) for part in ("train", "test"))
learned, images = (np.concatenate(list(evaluation_images(recipe, rows))) for rows in parts)
side = images.shape[1]
print(f"{len(learned)} training images and {len(images)} test images of {side} x {side} pixels")

# %%
task = pipeline.Disorder(patch=8, swaps=20)
swaps = task.sample(len(images), (side, side), seed=SEED, epoch=0)
by_hand = images[0].copy()
for pair in swaps[0].numpy():
    corners_of_cells = [[8 * place for place in divmod(cell, side // 8)] for cell in pair]
    here, there = ((slice(y, y + 8), slice(x, x + 8)) for y, x in corners_of_cells)
    by_hand[here], by_hand[there] = by_hand[there].copy(), by_hand[here].copy()
seen, targets = task.finish(images, swaps)
seen = seen.numpy()
assert np.array_equal(seen[0], by_hand) and np.array_equal(targets, images)
assert np.allclose(np.sort(seen[0], axis=None), np.sort(images[0], axis=None)), "no pixel is new"

# %%
large = pipeline.Disorder(patch=16, swaps=20)
larger = pipeline.disorder(images[:1], 16, large.sample(1, (side, side), SEED, 0))
once = pipeline.disorder(images[:1], 8, swaps[:1, :1])
shown = [images[0], once[0].numpy(), seen[0], larger[0].numpy()]
plots.image_grid(shown, ["the image", "one swap of 8 pixels", "20 swaps of 8", "20 swaps of 16"])

# %% [markdown]
# The number of swaps is fixed, and so the task depends on the image: 20 swaps touch at most 40 cells. Of
# 128 x 128 pixels, as in the document, most cells stay where they are. Of 32 x 32, as in `smoke`, hardly
# any does. Exercise 1 has the formula.
#
# ## 2. How is an image turned?
#
# The document turns by "6 angle sizes", without naming them. We take 0, 60, ..., 300 degrees. Each pixel
# of the turned image asks where it comes from. That place lies between four pixels, so it gets a weighted
# mean of them. If it lies outside the image, something must be invented: we reflect the image at its
# border.


# %%
def turned_by_hand(image, degrees):
    """Returns a square image turned counter-clockwise about its centre."""
    centre, angle = (len(image) - 1) / 2, np.deg2rad(degrees)
    y, x = np.mgrid[: len(image), : len(image)] - centre
    places = np.cos(angle) * y + np.sin(angle) * x, np.cos(angle) * x - np.sin(angle) * y
    places = np.stack(places) + centre
    channels = [map_coordinates(image[..., c], places, order=1, mode="reflect") for c in range(3)]
    return np.stack(channels, axis=-1)


# %%
same = np.repeat(images[:1], 6, axis=0)
turned = {disc: pipeline.turn(same, np.arange(6), 6, disc).numpy() for disc in (False, True)}
for number, each in enumerate(turned[False]):
    assert np.abs(each - turned_by_hand(images[0], 60 * number)).mean() < 0.01
assert np.allclose(turned[False][3], images[0][::-1, ::-1], atol=1e-3), "180 degrees move whole pixels"
degrees = [f"{60 * number} degrees" for number in range(6)]
plots.image_grid([*turned[False], *turned[True]], [*degrees, *degrees], columns=6)

# %% [markdown]
# Look at the corners of the upper row: there the reflection shows. The lower row hides all outside the
# inscribed circle, the *disc*, in every image. (At 0 degrees, too: otherwise the disc itself would tell.)
#
# ## 3. Can the angle be told without a look at the lesion?
#
# Chance guesses one angle in six. But a network takes whatever tells, and two things tell that have
# nothing to do with skin.
#
# **The corners.** Where the turned frame ends, the image is its own mirror image. A frame is a square, and
# half a turn leaves it as it is. So it tells three *pairs* apart (0 and 180, 60 and 240, 120 and 300
# degrees), and not the two in a pair. Who knows the pair and guesses within it is right in one of two.
#
# We make a detector that has nothing to learn: turn the image back by 60 degrees, and forth again, so that
# the corners are invented anew. If they come out as they were, the angle was 60 or 240.

# %%
distance = np.hypot(*(np.mgrid[:side, :side] - (side - 1) / 2))
outside, inside = distance > side / 2, distance < side / 2 - 3
assert not turned[True][:, outside].any(), "nothing is left of the corners"


def corner_clue(images):
    """Returns one number an image: do its corners mirror it at 60 (below 0) or at 120 degrees (above 0)?"""
    misfits = []
    for number in (1, 2):
        back = pipeline.turn(images, np.full(len(images), 6 - number), disc=False)
        again = pipeline.turn(back, np.full(len(images), number), disc=False)
        misfits.append(np.abs(again - images)[:, outside].mean(axis=(1, 2)))
    return np.log(misfits[0] + 1e-6) - np.log(misfits[1] + 1e-6)


# %% [markdown]
# **The smoothing.** A mean of four pixels is smoother than a pixel. After 0 and 180 degrees nothing is
# smoothed. After other angles it depends on the place: where a pixel falls onto a pixel, nothing; halfway
# between four, much. Turned noise shows it. Its spread at each place:

# %%
noise = np.random.default_rng(SEED).random((300, side, side, 3)).astype("float32")
angles = [pipeline.turn(noise[:200], np.full(200, number), disc=False) for number in range(3)]
spread = [each.numpy().std(axis=(0, 3)) for each in angles]
assert spread[0][inside].min() > spread[1][inside].mean(), "only 0 and 180 degrees leave noise as it was"
likeness = np.corrcoef(spread[1][inside], spread[2][inside])[0, 1]
print(f"correlation of both patterns: {likeness:.2f}")
middle = slice(side // 2 - 12, side // 2 + 12)
bright = [np.repeat(each[middle, middle, np.newaxis], 3, axis=-1) / spread[0].max() for each in spread]
plots.image_grid(bright, ["0 and 180 degrees", "60 and 240", "120 and 300"], columns=3)

# %% [markdown]
# These are the 24 x 24 pixels in the middle: bright means that little was smoothed. The pattern depends on
# the pair of angles alone, never on the image, and no disc hides it. So the second detector compares the
# fine detail *inside* the disc with both patterns.


# %%
def pattern_clue(images):
    """Returns one number an image: does its detail follow the pattern of 60 (above 0) or of 120 degrees?"""
    fine = images - np.stack([cv2.GaussianBlur(image, (0, 0), 1) for image in images])
    detail = np.log(np.square(fine).mean(axis=-1)[:, inside] + 1e-6)
    alike = np.corrcoef(np.vstack([detail, spread[1][inside], spread[2][inside]]))[:-2, -2:]
    return alike[:, 0] - alike[:, 1]


# %%
def guess_angles(clue, learn, test, disc):
    """Returns how often a linear classifier of one clue is right about the angle, and about its pair."""
    numbers, clues = [], []
    for part in (learn, test):
        numbers.append(np.tile(np.arange(6), len(part)))
        clues.append(clue(pipeline.turn(np.repeat(part, 6, axis=0), numbers[-1], 6, disc).numpy()))
    mean, deviation = clues[0].mean(), clues[0].std()
    learn_x, test_x = ((each[:, np.newaxis] - mean) / deviation for each in clues)
    guess = LogisticRegression(C=100, max_iter=1000).fit(learn_x, numbers[0]).predict(test_x)
    return {"angle": (guess == numbers[1]).mean(), "pair": (guess % 3 == numbers[1] % 3).mean()}


# %%
clues = {"corners": corner_clue, "detail": pattern_clue, "detail in a disc": pattern_clue}
kinds = {"noise": (noise[200:250], noise[250:]), "images": (learned, images)}
blind = {(k, name): guess_angles(clues[name], *kinds[k], "disc" in name) for k in kinds for name in clues}
blind = pd.DataFrame(blind).T
blind.loc[("by chance", ""), :] = 1 / 6, 1 / 3
assert (blind.loc["noise", "pair"] > 0.9).all(), "noise has no lesion, and its pair is known"
blind.round(3)

# %% [markdown]
# One number an image, nothing learned about skin, and the guess is right about three times as often as
# chance, on noise as well. A disc takes away the corners, and not the pattern. So compare a network's
# accuracy in this task with 1/2, not with 1/6: only what lies above was certainly seen *in* the image.
#
# ## 4. What does a network guess by?
#
# Now the kit's networks, without and with the disc. An angle is two answers: its pair (chance 1/3), and
# within the pair which way is up (chance 1/2). Neither corners nor smoothing help with the second. (The
# recipes flip training images sideways alone: flipped both ways, an image is turned by 180 degrees, and
# nobody could say which way is up.)

# %%
where = {"seed": SEED, "out": OUT_DIR, "data_dir": DATA_DIR, "verbose": 2}
pretexts = ("rotation-pretext", "rotation-disc-pretext", *(f"{name}-pretext" for name in RESTORERS))
runs = {name: SavedRun(run(f"{table}-{name}", profile, **where)) for name in pretexts}


# %%
def two_answers(saved):
    """Returns the accuracy of the angle, of its pair, and of the way up within the pair, with intervals."""
    angles, p, names = evaluation.unpack_predictions(saved.predictions)
    number, by_pair = pd.Index(names).get_indexer(angles), p.reshape(-1, 2, 3)
    pair, up = number % 3, number // 3
    pairs, ups = by_pair.max(axis=1), by_pair[np.arange(len(p)), :, pair] + 1e-9
    of_pair = (pair.astype(str), pairs / pairs.sum(axis=1, keepdims=True), ["0", "1", "2"])
    of_way = (up.astype(str), ups / ups.sum(axis=1, keepdims=True), ["0", "1"])
    asked = [(angles, p, names), of_pair, of_way]
    lesions = saved.predictions["lesion_id"]
    found = [evaluation.bootstrap_intervals(*each, lesions, ["accuracy"]) for each in asked]
    return pd.concat(found).set_axis(["the angle (1/6)", "its pair (1/3)", "the way up (1/2)"])


# %%
guesses = {name: two_answers(runs[name]) for name in pretexts[:2]}
whole = guesses["rotation-pretext"]["value"]
assert whole["the angle (1/6)"] <= whole["its pair (1/3)"], "a right angle is in the right pair"
print(pd.concat(guesses)[["value", "low", "high"]].round(3))
plots.score_intervals(guesses)

# %% [markdown]
# Read the third line. If its interval contains 1/2, the network may have learned about frames and
# smoothing, and nothing else. (In `smoke`, after one epoch on 84 images, it has learned nothing.) If it is
# above, there is something in the photographs that has an upper end. That need not be the lesion: light
# comes from somewhere, and the label of a ruler is read from one side. For the diagnosis, it does not
# matter which way up a lesion is shown. So this task asks for the one thing that a classifier of lesions
# should ignore.
#
# ## 5. What does a restorer restore?
#
# The error is the mean square over all pixels, given as *PSNR* in decibels: more is better, and 20 dB is an
# error of 0.1 on pixels from 0 to 1. But most of the image was never moved. So we look at moved and at
# unmoved cells separately. To find them we disorder an image of the numbers of its cells.


# %%
def psnr(made, images):
    """Returns the peak signal-to-noise ratio of images with pixels from 0 to 1, in decibels."""
    return -10 * np.log10(np.mean(np.square(made - images)) + 1e-12)


def moved_pixels(side, patch, swaps):
    """Returns which pixels lie in a cell that is not where it was, `(images, side, side)`."""
    cells = np.arange((side // patch) ** 2, dtype="float32").reshape(1, side // patch, -1, 1)
    cells = cells.repeat(patch, axis=1).repeat(patch, axis=2).repeat(len(swaps), axis=0)
    return (pipeline.disorder(cells, patch, swaps).numpy() != cells)[..., 0]


# %%
moved = moved_pixels(side, 8, swaps)
print(f"{moved.mean():.0%} of the cells are not where they were")
restored = {
    "the disordered image": seen,
    "its mean colour": np.broadcast_to(seen.mean(axis=(1, 2), keepdims=True), seen.shape),
}
for name in RESTORERS:
    restored[name] = runs[f"{name}-pretext"].load_model().predict(seen, verbose=0)

# %%
errors = {}
for name, made in restored.items():
    parts = {"moved cells": (made[moved], images[moved]), "others": (made[~moved], images[~moved])}
    grey = {f"error in {part}": 255 * np.sqrt(np.mean(np.square(a - b))) for part, (a, b) in parts.items()}
    errors[name] = {"PSNR": psnr(made, images), **grey}
assert errors["the disordered image"]["error in others"] == 0
pd.DataFrame(errors).T.astype(float).round(1)

# %%
few = range(min(3, len(images)))
shown = [np.clip(made[i], 0, 1) for i in few for made in (images, seen, *(restored[n] for n in RESTORERS))]
names = ["image", "disordered", *RESTORERS]
plots.image_grid(shown, [*names] * len(few), columns=len(names))

# %% [markdown]
# The first line does nothing, and has no error in the cells that stayed. A restorer is worth something
# where its error in *moved* cells is smaller, at little cost in the others. The loss does not ask for the
# right patch: it rewards the mean of all that might have been there, which is smooth skin. Exercise 2
# gives it a rival. (In `smoke`, after one epoch, a restorer has hardly learned more than grey.)
#
# The document's network is "similar to U-Net". Its skips hand the disordered image to the last layer, so
# that the unmoved pixels need not pass the bottleneck. Chen et al., whose task it is, have a *light* decoder
# without skips where a classifier is the aim. Compare both in the last column.
#
# ## 6. Is it worth its steps?
#
# The document compares 20 epochs from nothing with 30 epochs of a pretext task *and* 20 of the classifier.
# Whatever trains two and a half times as long may be better for that alone. So there is one row more:
# from nothing for 50 epochs, as many updates as both together.

# %%
for arm in ARMS:
    one_epoch = profile == "smoke" and arm == "scratch-50-epochs"  # there it is the same run as "scratch"
    runs[arm] = SavedRun(run(f"{table}-{'scratch' if one_epoch else arm}", profile, **where))

# %%
steps, per_epoch = {}, pipeline.steps_per_epoch(len(run_data.rows("train")), recipe.batch_size)
for arm in ARMS:
    first = runs[arm].recipe.start_from
    cost = {"pretext": runs[first.removeprefix(f"{table}-")] if first else None, "class": runs[arm]}
    updates = {name: len(saved.history) * per_epoch if saved else 0 for name, saved in cost.items()}
    seconds = sum(saved.manifest["seconds"] for saved in cost.values() if saved)
    steps[arm] = {**updates, "seconds": seconds}
steps = pd.DataFrame(steps).T.round().astype(int)
if profile != "smoke":
    assert steps.loc["scratch-50-epochs", "class"] == steps.loc["rotation", ["pretext", "class"]].sum()
print(steps)
steps[["pretext", "class"]].plot.barh(stacked=True, figsize=(7, 2.5), xlabel="updates").invert_yaxis()

# %%
asked, shares, intervals = ["accuracy", "macro_recall"], {}, {}
tested = runs["scratch"].predictions
lesions = tested["lesion_id"].to_numpy(object)
for arm in ARMS:
    truth, shares[arm], classes = evaluation.unpack_predictions(runs[arm].predictions)
    assert runs[arm].predictions["image_id"].equals(tested["image_id"]), "one exam for all"
    assert runs[arm].manifest["leakage"]["lesion"] == 0, "a lesion of the exam was seen in training"
    intervals[arm] = evaluation.bootstrap_intervals(truth, shares[arm], classes, lesions, asked)
plots.score_intervals(intervals)

# %%
rivals = ("scratch", "scratch-50-epochs")
pairs = [(arm, rival) for rival in rivals for arm in ARMS if arm not in rivals]
pairs += [rivals[::-1], ("restoration", "rotation")]
differences = {
    f"{a} minus {b}": evaluation.paired_difference(truth, shares[a], shares[b], classes, lesions, asked)
    for a, b in pairs
}
differences = pd.concat(differences)[["value", "low", "high"]]
differences.assign(contains_0=differences["low"].mul(differences["high"]) <= 0).round(3)

# %% [markdown]
# The comparison with `scratch` is the document's. The one with `scratch-50-epochs` is fair in updates, and
# kind to restoration even so: look at its seconds, as each update goes through a U-Net, too. Where an
# interval contains 0, these images cannot tell the two apart. (In `smoke` all train for one epoch, and the
# table shows only the question.) The names of further arms stand in `skinkit list butskova2021`.
#
# And this is one seed. The same recipe trained with another seed moves by some hundredths, which no
# interval of test images knows of. Run the notebook with three seeds before you believe a difference, or
# `skinkit report`, which sets the differences beside their spread.
#
# ## 7. The document's table beside ours

# %%
published = load_published("butskova2021")
printed = published[published["table"].isin(["self-supervised", "unpretrained"])]
printed = printed[printed["metric"].isin(asked)].pivot(index="row", columns="metric", values="value")
printed = printed.astype(float).loc[["resnet50-gamma0", "resnet50-gamma1", "rotation", "context-restoration"]]
supervised, taught = printed.loc["resnet50-gamma1"], printed.loc[["rotation", "context-restoration"]]
assert (taught["accuracy"] > supervised["accuracy"]).all()
assert (taught["macro_recall"] < supervised["macro_recall"]).all()
assert round(taught["accuracy"].diff().iloc[-1], 3) == 0.029
printed.assign(margin=1.96 * np.sqrt(printed["accuracy"] * (1 - printed["accuracy"]) / 2003)).round(3)

# %%
stands_for = {"resnet50-gamma1": "scratch", "rotation": "rotation", "context-restoration": "restoration"}
beside = printed.loc[list(stands_for)].rename(index=stands_for).stack().rename("printed")
ours = pd.concat(intervals)[["value", "low", "high"]]
pd.concat([beside, ours.reindex(beside.index)], axis=1).round(3)

# %%
book = ledger(OUT_DIR, smoke=True).query("document == 'butskova2021' and `class` == 'all'")
mine = book["table"].eq("pretext") & book["profile"].eq(profile) & book["protocol"].eq("corrected")
book = book[(mine | book["table"].eq("self-supervised")) & book["metric"].isin(asked)]
assert {runs[arm].manifest["recipe"] for arm in ARMS} <= {*book["recipe"]}
columns = ["profile", "published", "measured", "low", "high", "runs", "leakage_lesion", "verdict", "reason"]
book.set_index(["metric", "table", "row"])[columns].sort_index().round(3)

# %% [markdown]
# A line without a measured score was not run.
#
# What does the printed table say? Both rows have a higher accuracy than un-pretrained ResNet-50 at gamma 1,
# and a lower mean recall. That is also how gamma 0 differs from gamma 1, without any pretext task: the
# first two lines are the table's own warning. Restoration lies 0.029 above rotation in accuracy. The margin
# of a single score is about 0.02, and it knows of other images, not of other seeds.
#
# And no two of these rows differ in the pretext task alone. The baseline is a ResNet-50 on crops, rotation
# an EfficientNet-B7, restoration a U-Net with a MobileNet behind it, and neither of these was trained without
# its task. The document does not say, either, whether the rows are those of one training after the other or
# of both losses at once (it tried both). Our rows share exam, image size and backbone, though restoration has
# its U-Net in front of it.
#
# ## What could go wrong
#
# - **Solved without looking.** A pretext task is only as good as its cheapest solution. Ask what noise
#   scores.
# - **A disc as a cure.** It hides the corners and not the smoothing. Quarter turns need neither border nor
#   mean. Turned at twice its size and made small afterwards, an image shows our clue no pattern any more;
#   only 0 and 180 degrees stay a little sharper.
# - **Chance as the rival.** 50 % of six angles looks like learning. It may be the frame.
# - **PSNR of everything.** Where most cells never moved, copying is rewarded. Score what the task is about.
# - **Size decides how hard it is.** 20 swaps are few among 256 cells and many among 16 (section 1). A task
#   tuned at one size is another task at the next.
# - **More steps for the winner.** A pretext task takes time. Give the rival the same.
# - **Labels are not the only leak.** The document turned "all the images in the dataset", those of its exam
#   among them. Here the pretext task, too, learns from the training part alone.

# %% [markdown]
# ## Exercises
#
# Answer in the open cell of an exercise, then run its check: it says that the answer is right, or gives a
# hint. Let code compute what depends on the images: marks are given on drawn ones.
#
# ### ex-17-1: How many cells move?
#
# An image of 128 x 128 pixels has `n` cells. One swap takes two of them, so a cell is left alone with a
# chance of 1 - 2/n. What share of the cells was touched at least once after 20 swaps, with cells of 8 and
# of 16 pixels?

# %% tags=["exercise", "ex-17-1"]
touched = {8: None, 16: None}

# %% tags=["solution", "ex-17-1"]
touched = {patch: 1 - (1 - 2 / (128 // patch) ** 2) ** 20 for patch in (8, 16)}

# %% tags=["check", "ex-17-1"] points=2
skinkit.check("17-1", touched)

# %% tags=["test", "ex-17-1"]
assert set(touched) == {8, 16}, "a share for cells of 8 pixels, and one for cells of 16"
for patch, share in touched.items():
    assert share is not None, "what is the chance that a cell is left alone by all of the 20 swaps?"
    pairs = pipeline.Disorder(patch, 20).sample(200, (128, 128), SEED, 0)
    found = moved_pixels(128, patch, pairs)
    assert abs(share - found.mean()) < 0.015, f"{patch} pixels: {found.mean():.3f} were counted"
    print(f"{patch} pixels: {share:.2%} touched; {found.mean():.2%} ended elsewhere (some come back)")

# %% tags=["hidden", "ex-17-1"]
for cells, share_of in ((256, touched[8]), (64, touched[16])):
    assert abs(share_of - (1 - ((cells - 2) / cells) ** 20)) < 0.015

# %% tags=["wrong", "ex-17-1"]
# Nothing at all.
touched = {}
# Those left alone.
touched = {patch: 1 - share for patch, share in touched.items()}
# As if no cell were touched twice.
touched = {patch: 40 / (128 // patch) ** 2 for patch in (8, 16)}
# A swap takes two cells.
touched = {patch: 1 - (1 - 1 / (128 // patch) ** 2) ** 20 for patch in (8, 16)}

# %% [markdown]
# ### ex-17-2: Can a blur beat the restorer?
#
# Make `blurred`: the images of `seen` after a Gaussian blur (`cv2.GaussianBlur(image, (0, 0), sigma)`) whose
# width gives them the highest PSNR that you can find. It must beat doing nothing. Does it beat the restorer?

# %% tags=["exercise", "ex-17-2"]
blurred = None

# %% tags=["solution", "ex-17-2"]
sigmas = (0.3, 0.4, 0.5, 0.7, 1, 1.5, 2, 3, 4, 6, 8)
tried = [np.stack([cv2.GaussianBlur(image, (0, 0), sigma) for image in seen]) for sigma in sigmas]
blurred = max(tried, key=lambda made: psnr(made, images))

# %% tags=["check", "ex-17-2"] points=3
skinkit.check("17-2", blurred)

# %% tags=["test", "ex-17-2"]
assert blurred is not None, "`cv2.GaussianBlur(image, (0, 0), sigma)` of each image, with several sigmas"
assert np.shape(blurred) == seen.shape, "blur each image of `seen`"
nothing, yours = psnr(seen, images), psnr(blurred, images)
assert nothing < yours < 60, f"{yours:.1f} dB; doing nothing has {nothing:.1f}: try another sigma"
tried = [np.stack([cv2.GaussianBlur(x, (0, 0), sigma) for x in seen]) for sigma in np.arange(0.5, 8, 0.5)]
assert yours > max(psnr(each, images) for each in tried) - 0.5, "another sigma gains more than half a dB"
print(f"doing nothing {nothing:.1f} dB, a blur {yours:.1f} dB")
for name in RESTORERS:
    print(f"{name}: {errors[name]['PSNR']:.1f} dB, {errors[name]['PSNR'] - yours:+.1f} against the blur")

# %% tags=["hidden", "ex-17-2"]
widths_tried = np.arange(0.5, 8, 0.5)
best_blur = max(psnr(np.stack([cv2.GaussianBlur(x, (0, 0), w) for x in seen]), images) for w in widths_tried)
assert psnr(seen, images) < psnr(blurred, images) < 60 and psnr(blurred, images) > best_blur - 0.5

# %% tags=["wrong", "ex-17-2"]
# No blur.
blurred = seen
# The originals.
blurred = images
# Too narrow to change anything.
blurred = np.stack([cv2.GaussianBlur(image, (0, 0), 0.2) for image in seen])

# %% [markdown]
# ### ex-17-3: Freeze and probe
#
# What does a pretext network know before it sees a label? Make `frozen`: the features (`image_features` with
# `backbone`, a recipe whose images are in order) of the rows `held`, by the network of
# `runs["rotation-pretext"]` and by one that was never trained (`tasks.of(backbone).model()`).

# %%
backbone = skinkit.papers.recipe(f"{table}-scratch").resolve(profile)
held = pd.concat([run_data.rows("validation"), run_data.rows("test")], ignore_index=True)
held = held[held.groupby("label")["lesion_id"].transform("nunique") > 2].reset_index(drop=True)
print(f"{len(held)} rows, of classes with three lesions at least")

# %% tags=["exercise", "ex-17-3"]
frozen = {"rotation": None, "untrained": None}

# %% tags=["solution", "ex-17-3"]
keras.utils.set_random_seed(SEED)
networks = {"rotation": runs["rotation-pretext"].load_model(), "untrained": tasks.of(backbone).model()}
frozen = {name: image_features(network, backbone, held) for name, network in networks.items()}

# %% tags=["check", "ex-17-3"] points=4
skinkit.check("17-3", frozen)

# %% tags=["test", "ex-17-3"]
present, people, areas = sorted(held["label"].unique()), held["lesion_id"].to_numpy(object), {}
for name in ("rotation", "untrained"):
    features = frozen[name]
    assert features is not None, f"{name}: `image_features(network, backbone, held)` of its network"
    assert len(features) == len(held), f"{name}: one row for each row of `held`"
    chances = explain.linear_probe(features, held["label"], present, people, seed=SEED)
    found = evaluation.bootstrap_intervals(held["label"], chances, present, people, ["macro_auc"])
    areas[name] = found.loc["macro_auc", ["value", "low", "high"]]
expected = image_features(runs["rotation-pretext"].load_model(), backbone, held)
assert np.allclose(frozen["rotation"], expected, atol=1e-4), "rotation: these are of another network"
assert np.shape(frozen["untrained"]) == expected.shape, "untrained: the network of `backbone`"
assert not np.allclose(frozen["rotation"], frozen["untrained"]), "these are features of one network"
print(pd.DataFrame(areas).T.astype(float).round(3).to_string())

# %% tags=["hidden", "ex-17-3"]
from_turns = image_features(runs["rotation-pretext"].load_model(), backbone, held)
assert np.allclose(frozen["rotation"], from_turns, atol=1e-4)
assert np.shape(frozen["untrained"]) == from_turns.shape
assert not np.allclose(frozen["untrained"], from_turns)

# %% tags=["wrong", "ex-17-3"]
# Changes them over.
frozen = {"rotation": frozen["untrained"], "untrained": frozen["rotation"]}
# One network twice.
frozen = {"rotation": frozen["rotation"], "untrained": frozen["rotation"]}
