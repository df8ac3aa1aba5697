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
# # Compare input strategies: how much of the image does the network see?
#
# [![Colab](https://colab.research.google.com/assets/colab-badge.svg)](https://colab.research.google.com/github/REPOSITORY_SLUG/blob/main/notebooks/09_compare_input_strategies.ipynb)
# · [Source](https://github.com/REPOSITORY_SLUG/blob/main/notebooks/src/09_compare_input_strategies.py)
# · [Gessert et al. 2019, section II-D](https://arxiv.org/abs/1905.02793)
#
# A camera takes 600 x 450 pixels, and the network wants 224 x 224. You can squeeze the image, cut one
# piece out of it, or cut out many and average their answers. Which is better, and is it the pieces, or
# the number of them? You make the pieces by hand, train the same network on each kind of input, and add
# the arm that the document left out.

# %% [markdown]
# You will produce the corners of 5, 9, 16 and 36 crops and what they cover; the four input strategies
# of Table II of Gessert et al. (2019) side by side; how much of a lesion each of them shows; their
# scores with intervals, beside the printed ones; and the first lines of Table III, which cost no
# training at all.
#
# | profile | CPU (2 cores) | T4 (estimated) | memory | data |
# | --- | --- | --- | --- | --- |
# | `smoke` | 2 minutes | 2 minutes | 2 GB | 120 synthetic images, generated here |
# | `quick` | 13 minutes | 4 minutes | 2 GB | HAM10000, 3,000 of its images, half as large |
# | `full` | not measured yet | not estimated | not measured yet | HAM10000, the document's own settings |
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
OUT_DIR = "results/notebooks"  # runs are kept below it; notebooks 10 and 11 look for two of them there
BACKBONE = "mobilenet"  # or "inceptionv3", "densenet121", "seresnext50"; `smoke` takes "small"
WEIGHTS = None  # a file of ImageNet weights, where Keras cannot fetch them; "none" trains from nothing
ARMS = ("downsampling", "single-crop", "multi-crop", "ordered")  # these four at least; there is "gru", too
FOLDS = (0,)  # (0, 1, 2) trains three models per arm, as the document did
IMAGES = 500  # at most this many test images in sections 3, 6 and 7

# %%
import dataclasses

import numpy as np
import pandas as pd
from matplotlib_inline.backend_inline import set_matplotlib_formats

# %%
import skinkit
from skinkit import evaluation, plots
from skinkit.experiments import SavedRun, available_profile, ledger, run
from skinkit.experiments.predictions import predict
from skinkit.experiments.run_data import build_run_data
from skinkit.papers.published import load_published, printed_arms
from skinkit.pipeline import build_dataset, coverage, crop_corners
from skinkit.pipeline.crops import centre_box
from skinkit.tasks import batches

set_matplotlib_formats("jpeg", pil_kwargs={"quality": 90})  # half the size of PNG
skinkit.report_environment()

# %% tags=["images"]
# Real images: take the "# " away from one line. Sizes and times are estimates, hosts untried (2026-11-29).
# skinkit.data.get("dataverse", to=DATA_DIR)  # from the publisher: 2.8 GB, 3 to 10 minutes
# skinkit.data.get("kaggle", to=DATA_DIR)  # a copy, without an account: 5.6 GB, 4 to 15 minutes
# skinkit.data.get("drive", to=DATA_DIR)  # skinkit/ham10000 in your Drive: no download, 2 to 5 minutes

# %% [markdown]
# ## 1. Where are the crops?
#
# Crops are spread evenly, and the outer ones touch the edges. Along 450 pixels a crop of 224 can move
# by 226; three rows of crops start at 0, a half of that, and all of it. The same holds along 600, and
# the nine come row by row, as one reads.

# %%
whole, side = (450, 600), 224
down, right = (length - side for length in whole)
by_hand = [(i * down // 2, j * right // 2) for i in range(3) for j in range(3)]
corners = crop_corners(whole, side, 9)
assert [tuple(corner) for corner in corners] == by_hand
assert crop_corners(whole, side, 5).tolist() == [[0, 0], [0, 376], [226, 0], [226, 376], [113, 188]]
shares = {count: coverage(whole, side, count) for count in (5, 9, 16, 36)}
often = {count: count * side**2 / (whole[0] * whole[1]) for count in shares}
assert round(shares[5], 3) == 0.87 and shares[9] == 1
pd.DataFrame({"share of the image": shares, "a pixel is seen (times)": often}).round(3)

# %% [markdown]
# Five crops are an exception: the four corners, and the centre *last*. They miss 13 % of the image,
# most of it in the middle of the upper and the lower edge. The order looks like a detail but is part of
# the method: attention (notebook 10) has weights for the first crop and others for the second, and a
# recurrent network gives its answer after the last.
#
# The formula scales: on images half as large, with crops of 112, it gives the same places, halved.

# %%
profile = available_profile(PROFILE, "ham10000", DATA_DIR)
backbone = "small" if profile == "smoke" else BACKBONE
names = {arm: f"gessert2019/{'controls' if arm == 'ordered' else 'table2'}/{backbone}-{arm}" for arm in ARMS}
plans = {arm: skinkit.papers.recipe(name).resolve(profile) for arm, name in names.items()}
ordered = plans["ordered"]
run_data = build_run_data(ordered, profile, data_dir=DATA_DIR)
labels, test = run_data.labels, run_data.rows("test")
test = test.sample(frac=1, random_state=SEED).head(IMAGES).reset_index(drop=True)

# %%
one = test[test["label"] == "mel"].head(1)
print(f"images of {ordered.image_size}, crops of {ordered.crop_size}; {run_data.split.note}")
(crops,) = batches.evaluation_images(ordered, one, scaling="unit")
assert crops.shape == (1, 9, ordered.crop_size, ordered.crop_size, 3)
plots.image_grid(list(crops[0]), [f"crop {number}" for number in range(1, 10)], columns=3)

# %% [markdown]
# ## 2. What are the input strategies?
#
# - *Downsampling* squeezes the image, which makes circles into ellipses: 4 : 3 becomes 1 : 1.
# - *Single-crop* trains on a random part, 8 to 100 % of the area in a random shape, and is examined on
#   the centre.
# - *Multi-crop* trains on one random crop at full sharpness and is examined on nine ordered ones, whose
#   answers are averaged.
# - *Ordered* crops are the same nine in training and in the exam, all nine of an image in one step.

# %%
specs = {arm: batches.pipeline_spec(plan, augment=True) for arm, plan in plans.items()}
shapes = {arm: {"training": spec.shape(True), "exam": spec.shape(False)} for arm, spec in specs.items()}
assert shapes["multi-crop"]["exam"] == shapes["ordered"]["training"], "one network sees 1 crop, one sees 9"
for arm, plan in plans.items():
    shapes[arm]["images per step"] = plan.batch_size
pd.DataFrame(shapes).T

# %% [markdown]
# Here is the same melanoma, four times with each strategy. Mirroring, brightness and saturation are
# chosen for the *whole* image, before anything is cut, so all crops of an image change alike. (Of nine
# ordered crops the first is shown: it always is the upper left corner, sometimes of a mirrored image.)

# %%
views, titles = [], []
for arm, spec in specs.items():
    spec = dataclasses.replace(spec, scaling="unit")
    twisted = build_dataset(one, spec, labels=labels, training=True, seed=SEED)
    for images, _ in twisted.take(4):
        view = images[0].numpy().clip(0, 1)
        views.append(view if view.ndim == 3 else view[0])
        titles.append(arm)
plots.image_grid(views, titles, columns=4)

# %% [markdown]
# ## 3. How much of the lesion does the input show?
#
# A diagnosis needs the whole lesion: its border, its symmetry. We count. Synthetic images have exact
# masks; for HAM10000 put the published masks beside the images (`masks/` beside `images/`), otherwise
# what is darker than skin stands for the lesion. "Best crop" is the one that shows most of it.
#
# The exam of *single-crop* comes in two forms. The text says a centre that covers 85 % of the image;
# the released code cuts 336 x 336, which is 42 %.

# %%
size, cut = ordered.image_size, ordered.crop_size
masks = np.stack([skinkit.data.lesion_mask(path, size) for path in test["path"]])
masks = masks[masks.any(axis=(1, 2))]


def lesion_share(box):
    """Returns the share of each lesion's area that lies in a box (top, left, height, width)."""
    top, left, height, width = box
    inside = masks[:, top : top + height, left : left + width].sum(axis=(1, 2))
    return inside / masks.sum(axis=(1, 2))


# %%
centres = {way: centre_box(size, cut, way) for way in ("centre85", "centre336")}
for way, (_, _, height, width) in centres.items():
    print(f"{way}: {height * width / (size[0] * size[1]):.0%} of the image")
nine = np.stack([lesion_share((*corner, cut, cut)) for corner in crop_corners(size, cut, 9)])
shown = {way: lesion_share(box) for way, box in centres.items()}
shown |= {"an average crop of nine": nine.mean(axis=0), "the best crop of nine": nine.max(axis=0)}
shown = pd.DataFrame(shown)
assert (shown["centre85"] >= shown["centre336"] - 1e-9).all(), "the smaller centre lies in the larger"
shown.describe().loc[["mean", "min", "25%", "50%"]].round(2)

# %% [markdown]
# HAM10000 was taken by people who put the lesion into the middle, so a centre does not lose much. But
# an average crop of nine shows about a quarter of the lesion, and even the best of them cuts most
# lesions. That is the price of sharpness: all nine together see everything, and none of them alone
# knows the border on the other side. The model has to put the pieces together. Averaging answers is the
# simplest way; attention and GRU are others.
#
# ## 4. Train on each input strategy
#
# All arms have one network, one loss (weighted by class, notebook 11) and the document's split: four
# parts, none of which shares a lesion with another. Finished runs are not repeated. (Synthetic patients
# have several lesions, so in `smoke` the stamp mentions patients. HAM10000 does not name its patients,
# so nobody can tell there.)

# %%
where = {"seed": SEED, "out": OUT_DIR, "data_dir": DATA_DIR, "weights": WEIGHTS, "verbose": 2}
folders = {arm: [run(name, profile, fold=fold, **where) for fold in FOLDS] for arm, name in names.items()}
runs = {arm: SavedRun(found[0]) for arm, found in folders.items()}

# %%
table = pd.DataFrame({arm: saved.manifest for arm, saved in runs.items()}).T[["parameters", "seconds"]]
table["epochs"] = pd.Series({arm: plan.phases[0].epochs for arm, plan in plans.items()})
steps = {arm: batches.training_batches(plan, run_data, SEED).steps for arm, plan in plans.items()}
table["steps"] = table["epochs"] * pd.Series(steps)
crops = pd.Series({arm: 9 if arm in ("ordered", "gru") else 1 for arm in ARMS})
table["crops met"] = table["epochs"] * crops * len(run_data.rows("train"))
assert table["parameters"].drop("gru", errors="ignore").nunique() == 1, "the same network on every input"
table

# %% [markdown]
# Look at the last columns before you look at any score. In as many epochs the network of ordered crops
# meets nine times as many crops, in four times as many steps. (This holds in `full`, as in the
# document. In `quick` it gets fewer epochs, so that all arms take about as many steps.) The same is
# true of every attention model of the document, but not of Multi-Crop, which these are compared with. A
# comparison of *end attention* with *multi-crop* compares three things at once. The arm `ordered` tells
# them apart. The document does not have it; notebook 10 needs it.
#
# ## 5. Which input strategy is better?

# %%
exam = runs["multi-crop"].predictions
truth, _, _ = evaluation.unpack_predictions(exam)
answers = {arm: evaluation.unpack_predictions(saved.predictions)[1] for arm, saved in runs.items()}
lesions, asked = exam["lesion_id"], ["macro_recall", "macro_specificity", "weighted_f1_by_pred", "accuracy"]
for saved in runs.values():
    assert saved.predictions["image_id"].equals(exam["image_id"]), "one exam for all"
    assert saved.manifest["leakage"]["lesion"] == 0, "a lesion of the exam was seen in training"
intervals = {
    arm: evaluation.bootstrap_intervals(truth, each, labels, lesions, asked) for arm, each in answers.items()
}
plots.score_intervals(intervals)

# %%
pairs = [("single-crop", "downsampling"), ("multi-crop", "downsampling"), ("ordered", "multi-crop")]
differences = {
    f"{a} minus {b}": evaluation.paired_difference(truth, answers[a], answers[b], labels, lesions, asked)
    for a, b in pairs
}
differences = pd.concat(differences)[["value", "low", "high"]]
differences.assign(contains_0=differences["low"].mul(differences["high"]) <= 0).round(3)

# %% [markdown]
# Where an interval contains 0, these images cannot tell two strategies apart. With synthetic images and
# two epochs no network has learnt anything: `smoke` shows the question, not the answer. The interval
# covers only the luck of the exam. For the luck of training set `FOLDS = (0, 1, 2)`: the ledger then
# has the mean and the standard deviation of the three models, as the document prints them. Other
# `SEED`s give those over seeds, which the document mixes with it.
#
# ## 6. What does the average over crops do?
#
# We take the average by hand for the run `multi-crop`: all nine crops of all images go through the
# network as one pile, and the nine answers of an image are averaged.

# %%
model, plan = runs["multi-crop"].load_model(), plans["multi-crop"]
each = []
for images in batches.evaluation_images(plan, test):
    pile = images.reshape(-1, *model.input_shape[1:])
    each.append(model.predict_on_batch(pile).reshape(len(images), 9, len(labels)))
each = np.concatenate(each)
saved_answers = exam.set_index("image_id").loc[test["image_id"]]
assert np.allclose(each.mean(axis=1), saved_answers.filter(like="p_"), atol=1e-4)
alone = [evaluation.score("macro_recall", test["label"], each[:, n], labels) for n in range(9)]
mean = evaluation.score("macro_recall", test["label"], each.mean(axis=1), labels)
agree = (each.argmax(axis=2) == each.mean(axis=1).argmax(axis=1)[:, None]).mean()
print(f"crop by crop {np.round(alone, 2)}; their average {mean:.2f}; {agree:.0%} of the crops agree with it")

# %% [markdown]
# This is nine times the work for one image. The pile makes it bearable: it takes one call for a whole
# batch, and the memory grows with images times crops only.
#
# ## 7. How many crops does the exam need?
#
# The network of *multi-crop* does not depend on the number nine. So the same trained network can be
# examined with any number of crops, and so can that of *single-crop* with either centre.

# %%
choose = skinkit.papers.choose
ways = {f"multi-crop {n}": ("multi-crop", choose("multi_crop", count=n)) for n in (4, 5, 9, 16)}
ways |= {f"single-crop {way}": ("single-crop", choose("single_crop", evaluation=way)) for way in centres}

# %%
rows = {}
for name, (arm, strategy) in ways.items():
    plan = dataclasses.replace(plans[arm], input=strategy)
    found = predict(runs[arm].load_model(), plan, test)
    shares = evaluation.unpack_predictions(found)[1]
    scored = evaluation.bootstrap_intervals(test["label"], shares, labels, test["lesion_id"], "macro_recall")
    rows[name] = scored.loc["macro_recall"]
rows = pd.DataFrame(rows).T
assert rows[["low", "high"]].notna().all(axis=None)
plots.score_intervals({f"{len(test)} test images": rows})

# %% [markdown]
# The document prints these scores for the same question (each comes from its own training, under the
# same settings):

# %%
third = printed_arms("gessert2019", "table3", "macro_recall")
third = pd.DataFrame({network: scores["value"] for network, scores in third.items()})
third = third.loc[[f"multi-crop-{count}" for count in (5, 9, 16)]]
assert (third.diff().dropna() > 0).all(axis=None), "in print, more crops are better in every network"
third.round(3)

# %% [markdown]
# ## 8. The document's table beside ours
#
# The figure shows the rows of Table II without attention: means of three models, with one standard
# deviation on each side. Ours is one model (or the first of `FOLDS`), with the 95 % interval of the
# exam. These lines do not mean the same, so compare the order of the dots and not the length of the
# lines.

# %%
printed = printed_arms("gessert2019", "table2", "macro_recall")
ours = pd.DataFrame({arm: scores.loc["macro_recall"] for arm, scores in intervals.items()}).T
plots.score_intervals({**printed, f"ours, {backbone}": ours}, [*ARMS])

# %%
book = ledger(OUT_DIR, smoke=True)
book = book.query("document == 'gessert2019' and profile == @profile and protocol == 'corrected'")
mine = {name.split("/", 1)[1]: arm for arm, name in names.items()}
book = book.assign(arm=(book["table"] + "/" + book["row"]).map(mine)).dropna(subset="arm")
book = book[book["metric"].isin(asked[:3]) & (book["class"] == "all")]
assert set(book["arm"]) == set(ARMS) and (book["leakage_lesion"] == 0).all()
columns = ["measured", "low", "high", "runs", "measured_best", "population_sd", "verdict", "reason"]
book.set_index(["metric", "arm"])[columns].sort_index().round(3)

# %% [markdown]
# `measured` is the last epoch, as the document evaluates it; `measured_best` is the epoch that was best
# on the validation part, on the same test. (MC-sensitivity is macro recall; the document's F1 is
# weighted by how often a class was *predicted*, notebook 04.) The rows are *not comparable* for good
# reasons: another network, smaller images, fewer epochs. What can be compared is the order of the arms:

# %%
order = load_published("gessert2019").query("table == 'table2' and metric == 'macro_recall'")
order = order.pivot(index="row", columns="metric", values="value")["macro_recall"].astype(float)
single, squeezed, multi = (order.filter(like=arm) for arm in ("single-crop", "downsampling", "multi-crop"))
assert (single.to_numpy() > squeezed.to_numpy()).all() and (multi.to_numpy() > single.to_numpy()).all()
print("printed, in all three networks: downsampling < single-crop < multi-crop")
print("ours:", " < ".join(ours["value"].sort_values().index))

# %% [markdown]
# ## What could go wrong
#
# - **Another order of the crops.** Averaging does not mind, attention and GRU do; a test with averages
#   alone will not find it.
# - **Augmentation after the cut.** If each crop is mirrored on its own, the pieces no longer belong
#   together.
# - **Training and exam in different sizes.** *Single-crop* shows lesions enlarged up to three times in
#   training and the centre reduced in the exam: two scales for one network.
# - **A centre that is not the text's.** 42 or 85 %: say which, both are one line (section 7).
# - **A batch of crops as a batch of images.** Batch normalisation sees 45 crops of 5 images, which look
#   more alike than 45 images. Say what a "batch size" counts.
# - **Four times the steps.** Equal epochs are not equal training (section 4).

# %% [markdown]
# ## Exercises
#
# Answer in the open cell of an exercise, then run its check: it says that the answer is right, or gives a
# hint. Let code compute what depends on the images: marks are given on drawn ones.
#
# ### ex-09-1: Where is the seventh of sixteen?
#
# 4 x 4 crops of 224 on 450 x 600 pixels, row by row, ends included, whole pixels. What are row and
# column of the upper left corner of the seventh?

# %% tags=["exercise", "ex-09-1"]
seventh = None

# %% tags=["solution", "ex-09-1"]
seventh = (1 * 226 // 3, 2 * 376 // 3)

# %% tags=["check", "ex-09-1"] points=2
skinkit.check("09-1", seventh)

# %% tags=["test", "ex-09-1"]
assert seventh is not None, "four crops stand in a row: where is the seventh, and how long is a step?"
corner = tuple(crop_corners((450, 600), 224, 16)[6])
assert tuple(seventh) == corner, "(450 - 224) / 3 from row to row, (600 - 224) / 3 from column to column"

# %% tags=["hidden", "ex-09-1"]
assert tuple(seventh) == (75, 250)

# %% tags=["wrong", "ex-09-1"]
# Column by column.
seventh = (150, 125)
# The eighth: counted from 0.
seventh = (75, 376)
# Steps of a quarter of the image, as if no crop overlapped.
seventh = (112, 300)

# %% [markdown]
# ### ex-09-2: How large is the overlap?
#
# Of nine crops of 224 on 450 x 600 pixels, what share of the image lies in more than one crop? You can
# count, or think in rows and columns.

# %% tags=["exercise", "ex-09-2"]
seen_more_than_once = None

# %% tags=["solution", "ex-09-2"]
times = np.zeros((450, 600))
for row, column in by_hand:
    times[row : row + 224, column : column + 224] += 1
seen_more_than_once = (times > 1).mean()

# %% tags=["check", "ex-09-2"] points=3
skinkit.check("09-2", seen_more_than_once)

# %% tags=["test", "ex-09-2"]
# Two neighbours share 224 - 113 rows or 224 - 188 columns; seen once is what lies in neither overlap.
once = (450 - 2 * (224 - 113)) * (600 - 2 * (224 - 188))
assert seen_more_than_once is not None, "count, with zeros of the size of the image"
assert abs(seen_more_than_once - (1 - once / (450 * 600))) < 1e-3, "more than once, not once"

# %% tags=["hidden", "ex-09-2"]
covered_by = sum(
    np.pad(np.ones((224, 224)), ((row, 226 - row), (column, 376 - column))) for row, column in by_hand
)
assert abs(seen_more_than_once - (covered_by >= 2).mean()) < 1e-3

# %% tags=["wrong", "ex-09-2"]
# Everything is seen, and not everything twice.
seen_more_than_once = 1.0
# What is seen once.
seen_more_than_once = 1 - seen_more_than_once
# Counts what four crops see three times.
seen_more_than_once = 9 * 224 * 224 / (450 * 600) - 1

# %% [markdown]
# ### ex-09-3: Vote instead
#
# The released code could also let the crops vote: each names one diagnosis, and the share of the votes
# is the answer. You have the answers of all crops, `each`, of shape (images, 9, classes). Make `votes`,
# of shape (images, classes).

# %% tags=["exercise", "ex-09-3"]
votes = None

# %% tags=["solution", "ex-09-3"]
votes = np.eye(len(labels))[each.argmax(axis=2)].mean(axis=1)

# %% tags=["check", "ex-09-3"] points=2
skinkit.check("09-3", votes)

# %% tags=["test", "ex-09-3"]
assert votes is not None, "a crop's vote is 1 for its likeliest class and 0 for the others"
assert votes.shape == (len(test), len(labels)), f"one row for each image, {(len(test), len(labels))}"
assert np.allclose(votes.sum(axis=1), 1) and np.allclose(votes * 9, np.round(votes * 9)), "whole votes"
for row, crops in zip(votes, each.argmax(axis=2), strict=True):
    expected = np.bincount(crops, minlength=len(labels)) / 9
    assert np.allclose(row, expected), "each crop names its likeliest diagnosis"
print(f"voting {evaluation.score('macro_recall', test['label'], votes, labels):.3f}, averaging {mean:.3f}")

# %% tags=["hidden", "ex-09-3"]
called = each.argmax(axis=2)
assert np.allclose(
    votes, np.stack([(called == number).mean(axis=1) for number in range(len(labels))], axis=1)
)

# %% tags=["wrong", "ex-09-3"]
# Averages, and does not vote.
votes = each.mean(axis=1)
# One vote of the average.
votes = np.eye(len(labels))[each.mean(axis=1).argmax(axis=1)]
# Numbers of votes, and not their shares.
votes = np.eye(len(labels))[each.argmax(axis=2)].sum(axis=1)
