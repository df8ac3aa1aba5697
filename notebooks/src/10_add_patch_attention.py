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
# # Add patch attention: does the network look at the image?
#
# [![Colab](https://colab.research.google.com/assets/colab-badge.svg)](https://colab.research.google.com/github/REPOSITORY_SLUG/blob/main/notebooks/10_add_patch_attention.ipynb)
# · [Source](https://github.com/REPOSITORY_SLUG/blob/main/notebooks/src/10_add_patch_attention.py)
# · [Gessert et al. 2019, section II-E](https://arxiv.org/abs/1905.02793)
#
# An image has nine crops, and not all of them matter. Ninety numbers learn which. You build the block
# by hand, find out what it can know and what it cannot, train it beside the same nine crops without it,
# and ask of the trained weights a question that a pretty figure does not answer.

# %% [markdown]
# You will produce the attention block of Gessert et al. (2019), with the same numbers as the layer; the
# attention rows of Table II beside your own, with the control that the document lacks; the weights
# drawn as frames around the crops, as in Figure 4, and what is left of the answers when the weights may
# not depend on the image; and the sweep of Figure 5, patch dropout.
#
# | profile | CPU (2 cores) | T4 (estimated) | memory | data |
# | --- | --- | --- | --- | --- |
# | `smoke` | 2 minutes | 2 minutes | 2 GB | 120 synthetic images, generated here |
# | `quick` | 21 minutes | 4 minutes | 5 GB | HAM10000, 3,000 of its images, half as large |
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
OUT_DIR = "results/notebooks"  # runs are kept below it; one of them is that of notebook 09
BACKBONE = "mobilenet"  # or "inceptionv3", "densenet121", "seresnext50"; `smoke` takes "small"
WEIGHTS = None  # a file of ImageNet weights, where Keras cannot fetch them; "none" trains from nothing
ARMS = ("initial", "dual")  # these two at least; there are "end" and "gru", too
DROPOUTS = ("0.0", "0.2", "0.4")  # of section 8, from 0.0 to 0.5; 0.2 is the arm "initial"
IMAGES = 500  # at most this many test images in sections 6 and 7

# %%
import keras
import numpy as np
import pandas as pd
from matplotlib_inline.backend_inline import set_matplotlib_formats

# %%
import skinkit
from skinkit import evaluation, plots
from skinkit.experiments import SavedRun, available_profile, ledger, run
from skinkit.explain import crop_weights
from skinkit.layers import PatchAttention, PatchDropout
from skinkit.papers.published import printed_arms
from skinkit.tasks import batches

set_matplotlib_formats("jpeg", pil_kwargs={"quality": 90})  # half the size of PNG
skinkit.report_environment()

# %% tags=["images"]
# Real images: take the "# " away from one line. Sizes and times are estimates, hosts untried (2026-11-29).
# skinkit.data.get("dataverse", to=DATA_DIR)  # from the publisher: 2.8 GB, 3 to 10 minutes
# skinkit.data.get("kaggle", to=DATA_DIR)  # a copy, without an account: 5.6 GB, 4 to 15 minutes
# skinkit.data.get("drive", to=DATA_DIR)  # skinkit/ham10000 in your Drive: no download, 2 to 5 minutes

# %% [markdown]
# ## 1. How does the block work?
#
# It takes all crops of an image at once. **One number per crop:** the mean of everything in it. **A
# dense layer** from the crops to the crops, with a bias. **A sigmoid**, so that each crop gets a weight
# between 0 and 1. **A product:** the whole crop times its weight. Here it is by hand, on four images of
# nine crops:

# %%
random = np.random.default_rng(SEED)
crops = random.random((4, 9, 8, 8, 3)).astype("float32") * random.random((4, 9, 1, 1, 1)).astype("float32")
keras.utils.set_random_seed(SEED)
layer = PatchAttention()
layer.build(crops.shape)
kernel, bias = layer.get_weights()
means = crops.mean(axis=(2, 3, 4))
weights = 1 / (1 + np.exp(-(means @ kernel + bias)))
by_hand = crops * weights[:, :, None, None, None]
attended, found = layer(crops, return_weights=True)
assert np.allclose(found, weights, atol=1e-5) and np.allclose(attended, by_hand, atol=1e-5)
pd.DataFrame({"mean": means[0], "weight": weights[0]}, index=range(1, 10)).round(3).T

# %%
parameters = {}
for count in (5, 9, 16):
    block = PatchAttention()
    block.build((None, count, 224, 224, 3))
    parameters[count] = block.count_params()
assert parameters == {count: count**2 + count for count in (5, 9, 16)} == {5: 30, 9: 90, 16: 272}
parameters

# %% [markdown]
# A fresh block gives every crop about one half, so it begins by making everything half as large.
# Nothing makes the weights of an image sum to 1: they can all be large, or all be small. This is not
# the soft attention of notebook 06.
#
# ## 2. What can the block know?
#
# One number per crop goes in. So the block cannot see any difference that leaves the mean of a crop as
# it is. Shuffle the pixels inside each crop, and no weight moves. Exchange two crops, and the weights
# do not just follow: the dense layer has its own row for each place.

# %%
shuffled = random.permuted(crops.reshape(4, 9, 64, 3), axis=2).reshape(crops.shape)
assert not np.allclose(shuffled, crops)
_, same = layer(shuffled, return_weights=True)
assert np.allclose(same, weights, atol=1e-5), "the same means, the same weights"
_, turned = layer(crops[:, ::-1], return_weights=True)
assert not np.allclose(turned.numpy()[:, ::-1], weights, atol=1e-3), "weights know their place"
print(f"largest change when the nine come in reverse: {np.abs(turned.numpy()[:, ::-1] - weights).max():.3f}")

# %% [markdown]
# The block goes to one of three places. *Initial*: on the pixels, before any convolution. There the one
# number is how bright the crop is, all colours together: a dark spot on skin. *End*: on the pooled
# features of the crops, where the mean of a thousand features means whatever the network makes of it.
# *Dual*: both. On pixels from 0 to 1 a small weight darkens a crop. (With pixels from -1 to 1, which
# MobileNet's weights expect, it pulls a crop towards grey; the recipe's protocols `as_published` and
# `as_described` keep 0 to 1.)

# %%
profile = available_profile(PROFILE, "ham10000", DATA_DIR)
backbone = "small" if profile == "smoke" else BACKBONE
names = {"ordered": f"gessert2019/controls/{backbone}-ordered"}
names |= {arm: f"gessert2019/table2/{backbone}-{arm}" for arm in ARMS}
sweep = {p: f"gessert2019/figure5/{backbone}-p{p}" for p in DROPOUTS}
plan = skinkit.papers.recipe(names["dual"]).resolve(profile)
shape = batches.pipeline_spec(plan, augment=False).input_shape
network = skinkit.models.build(plan.model.name, shape, 7, **{**plan.model.options, "weights": None})
print(f"{network.count_params():,} parameters, {skinkit.models.attention_overhead(network):.4%} attend")
for name in ("initial_attention", "end_attention"):
    print(f"{name}: from {network.get_layer(name).input.shape}")
    assert network.get_layer(name).count_params() == 90

# %% [markdown]
# The document gives the overhead as about 0.001 %. For DenseNet121 with seven million parameters and
# one block of 90 that is right; this network is smaller, so its share is larger.
#
# ## 3. What is patch dropout?
#
# In training each crop is replaced by black with a probability $p$, so that the network cannot rely on
# one place. Keras' own dropout would take single pixels and scale up what is left; here whole crops
# become black, and nothing is scaled.

# %%
dropped = PatchDropout(0.4, seed=SEED)(np.ones((500, 9, 2, 2, 3), "float32"), training=True).numpy()
kept = dropped.any(axis=(2, 3, 4))
assert set(np.unique(dropped)) == {0.0, 1.0}, "all or nothing, and nothing is scaled"
assert (dropped.all(axis=(2, 3, 4)) == kept).all(), "whole crops"
assert np.isclose(kept.mean(), 0.6, atol=0.03)
print(f"{kept.mean():.1%} of the crops are kept; crops kept of an image: {np.bincount(kept.sum(axis=1))}")

# %% [markdown]
# ## 4. Train with attention and without
#
# The *control* comes first: the same nine ordered crops, the same averaging and the same patch dropout,
# without attention. The document does not have it. It compares its attention models with Multi-Crop,
# whose network saw one random crop of an image at a time (notebook 09), so it cannot say whether its
# gain comes from attention or from training on ordered crops.

# %%
where = {"seed": SEED, "out": OUT_DIR, "data_dir": DATA_DIR, "weights": WEIGHTS, "verbose": 2}
runs = {arm: SavedRun(run(name, profile, **where)) for arm, name in names.items()}

# %%
exam = runs["ordered"].predictions
truth, _, labels = evaluation.unpack_predictions(exam)
lesions, asked = exam["lesion_id"], ["macro_recall", "macro_specificity", "weighted_f1_by_pred", "accuracy"]
shares = {arm: evaluation.unpack_predictions(saved.predictions)[1] for arm, saved in runs.items()}
intervals = {}
for arm, saved in runs.items():
    assert saved.predictions["image_id"].equals(exam["image_id"]), "one exam for all"
    assert saved.manifest["leakage"]["lesion"] == 0, "a lesion of the exam was seen in training"
    intervals[arm] = evaluation.bootstrap_intervals(truth, shares[arm], labels, lesions, asked)
    more = saved.manifest["parameters"] - runs["ordered"].manifest["parameters"]
    print(f"{arm:8} {more:>4} parameters more than the control, {saved.manifest['seconds']:.0f} s")
plots.score_intervals(intervals)

# %% [markdown]
# ## 5. Does the gain come from attention?
#
# We compare each arm with the control on the same resamples of lesions:

# %%
differences = {
    f"{arm} minus ordered": evaluation.paired_difference(
        truth, shares[arm], shares["ordered"], labels, lesions, asked
    )
    for arm in ARMS
}
differences = pd.concat(differences)[["value", "low", "high"]]
differences.assign(contains_0=differences["low"].mul(differences["high"]) <= 0).round(3)

# %% [markdown]
# Where an interval contains 0, these images cannot tell them apart. (In `smoke` no network has learnt
# anything; there the table only shows the question.) One training each is little: repeat with other
# `SEED`s, and the folder of runs has their spread.
#
# ## 6. Where does the block look?
#
# The trained model `dual` has both blocks. We take one test image of each diagnosis; the frame of a
# crop is wide and bright where its weight is large. The first figure shows the weights on the pixels,
# the second those on the features.

# %%
model, run_data = runs["dual"].load_model(), runs["dual"].run_data(DATA_DIR)
test = run_data.rows("test").sample(frac=1, random_state=SEED).drop_duplicates("lesion_id")
test = test.head(IMAGES).reset_index(drop=True)
pixels = np.concatenate(list(batches.evaluation_images(plan, test)))
given = {name: crop_weights(model, pixels, layer=f"{name}_attention") for name in ("initial", "end")}
for name, each in given.items():
    assert each.shape == (len(test), 9) and (each > 0).all() and (each < 1).all()
    print(f"{name}: weights from {each.min():.3f} to {each.max():.3f}")
chosen = test.drop_duplicates("label").head(4)
shown = list(batches.evaluation_images(plan, chosen, scaling="unit"))
shown = np.concatenate(shown)

# %%
plots.crop_weights(shown, given["initial"][chosen.index], chosen["label"].tolist())
plots.crop_weights(shown, given["end"][chosen.index], chosen["label"].tolist())

# %% [markdown]
# Read the bar before the frames: the colours always go from the smallest weight of the figure to the
# largest. If these are 0.49 and 0.51, the product hardly changes anything.
#
# ## 7. Does the block look at the *image*?
#
# Compare the four panels. Do the frames differ from image to image, or from place to place only? A
# weight could depend on nothing but the place: the middle counts, whatever it shows. That would be a
# good rule for HAM10000, where the lesion lies in the middle, but it would not be attention. It may not
# even be a rule: the random first weights of a block differ from place to place, and skin is equally
# bright everywhere, so the frames differ before anything is learnt. Split the variance of the weights
# into the part that the place explains and the rest.

# %%
explained = {}
for name, each in given.items():
    by_place = each.mean(axis=0)
    explained[name] = {
        "spread over places (sd)": by_place.std(),
        "spread over images at one place (sd)": each.std(axis=0).mean(),
        "explained by the place": by_place.var() / each.var(),
    }
explained = pd.DataFrame(explained).T
assert explained["explained by the place"].between(0, 1 + 1e-6).all()
explained.round(4)

# %% [markdown]
# Does the answer need the rest? We freeze the weights: every image gets the mean weights of all images.
# A kernel of zeros and the right bias do this without any change to the network.


# %%
def without_looking(block):
    """Fixes a block's weights at their mean over all images; returns its kernel and bias from before."""
    before = block.get_weights()
    mean = given[block.name.removesuffix("_attention")].mean(axis=0)
    block.set_weights([np.zeros_like(before[0]), np.log(mean / (1 - mean))])
    return before


# %%
blocks = [model.get_layer(f"{name}_attention") for name in given]
looking = model.predict(pixels, verbose=0)
trained = [without_looking(block) for block in blocks]
frozen = model.predict(pixels, verbose=0)
for block, before in zip(blocks, trained, strict=True):
    block.set_weights(before)
assert np.allclose(model.predict(pixels, verbose=0), looking, atol=1e-6), "put back as it was"

# %%
unchanged = (looking.argmax(axis=1) == frozen.argmax(axis=1)).mean()
scored = {
    name: evaluation.bootstrap_intervals(test["label"], each, labels, test["lesion_id"], asked)
    for name, each in {"weights as trained": looking, "the same weights for all": frozen}.items()
}
print(f"{unchanged:.1%} of the answers stay; shares move by {np.abs(looking - frozen).mean():.4f} on average")
plots.score_intervals(scored)

# %% [markdown]
# If nearly every answer stays, the trained block does not attend to images; it has learnt a fixed mask
# of nine numbers, which a network could as well have learnt elsewhere. If the score falls, the block
# does look. This check takes one minute and no training. The document shows Figure 4 without it.
#
# ## 8. How much patch dropout is best?
#
# Figure 5 varies $p$, for initial attention and nine crops. The document does not print the figure's
# numbers; the released settings have 0.1 for five crops and 0.2 for nine. The arm `initial` *is* $p$ =
# 0.2, so it is not trained again.

# %%
swept = {f"p = {p}": SavedRun(run(name, profile, **where)) for p, name in sweep.items()}
assert "0.2" not in DROPOUTS or swept["p = 0.2"].folder == runs["initial"].folder, "one experiment, one run"
table = {
    name: pd.DataFrame({m: saved.metrics["scores"][m] for m in asked[:3]}).T for name, saved in swept.items()
}
plots.score_intervals(table)

# %% [markdown]
# With $p$ = 0 each training image shows all its crops; at 0.5 half of them are black, but never in the
# exam. A dropped crop also changes the *mean* that the other weights are computed from, so the block
# trains on combinations which it never meets later.
#
# ## 9. The document's table beside ours
#
# The figure shows the rows of Table II with attention: means of three models, with one standard
# deviation on each side, and ours with the 95 % interval of the exam. The lines do not mean the same:
# compare the order of the dots. The row `multi-crop` is what the document compares with, `ordered` what
# it should have.

# %%
printed = printed_arms("gessert2019", "table2", "macro_recall")
ours = pd.DataFrame({arm: each.loc["macro_recall"] for arm, each in intervals.items()}).T
rows = ["multi-crop", "ordered", "gru", "initial", "end", "dual"]
plots.score_intervals({**printed, f"ours, {backbone}": ours}, rows)

# %%
gains = {network: scores["value"] - scores.loc["multi-crop", "value"] for network, scores in printed.items()}
gains = pd.DataFrame(gains).loc[["gru", "initial", "end", "dual"]]
assert (gains.max() < 0.05).all() and (gains > 0).all(axis=None)
relative = gains.max() / [scores.loc["multi-crop", "value"] for scores in printed.values()]
print(f"best attention over multi-crop, in points: {(100 * gains.max()).round(1).to_dict()}")
print(f"relative, in %: {(100 * relative).round(1).to_dict()}")
gains.round(3)

# %% [markdown]
# "Improves the mean sensitivity by 7 %" is in the second line: it is a relative gain of the best arm,
# in the network where the gain is largest. In points it is 3.5 to 4.9, and a standard deviation of
# three models is up to 2.1. Both ways to say it are right; a reader expects only one of them.

# %%
book = ledger(OUT_DIR, smoke=True)
book = book.query("document == 'gessert2019' and profile == @profile and protocol == 'corrected'")
book = book[book["metric"].isin(asked[:3]) & (book["class"] == "all")].dropna(subset="measured")
book = book[book["row"].str.startswith(f"{backbone}-")]
assert {f"{backbone}-{arm}" for arm in names} <= set(book["row"])
columns = ["measured", "low", "high", "runs", "measured_best", "verdict", "reason"]
book.set_index(["table", "row", "metric"])[columns].sort_index().round(3)

# %% [markdown]
# ## What could go wrong
#
# - **Another order of the crops** in the exam than in training. The shapes fit, and every weight belongs
#   to another place. Exercise 3 shows what that costs.
# - **No control.** The gain of an added layer is measured against the same training without it.
# - **A figure instead of a question.** Frames always look like attention. Section 7 is shorter than
#   Figure 4.
# - **Softmax instead of sigmoid.** Then the weights of an image compete, and with nine crops everything
#   is divided by nine.
# - **Scaled dropout.** Keras' `Dropout` scales up; the mean brightness, the one thing that initial
#   attention sees, would jump with every dropped crop.
# - **Another number of crops.** The dense layer is built for nine; a model for nine cannot take sixteen.

# %% [markdown]
# ## Exercises
#
# Answer in the open cell of an exercise, then run its check: it says that the answer is right, or gives a
# hint. Let code compute what depends on the images: marks are given on drawn ones.
#
# ### ex-10-1: What would 36 crops cost?
#
# The challenge entry of the same group used 36 crops. How many parameters does dual attention have on
# them?

# %% tags=["exercise", "ex-10-1"]
dual_on_36 = None

# %% tags=["solution", "ex-10-1"]
dual_on_36 = 2 * (36**2 + 36)

# %% tags=["check", "ex-10-1"] points=2
skinkit.check("10-1", dual_on_36)

# %% tags=["test", "ex-10-1"]
assert dual_on_36 is not None, "two blocks, each with a kernel and a bias"
wide = PatchAttention()
wide.build((None, 36, 2048))
assert dual_on_36 == 2 * wide.count_params(), "two blocks, each with a kernel and a bias"

# %% tags=["hidden", "ex-10-1"]
assert dual_on_36 == 2664

# %% tags=["wrong", "ex-10-1"]
# One block; dual attention has two.
dual_on_36 = 36**2 + 36
# Without biases.
dual_on_36 = 2 * 36**2
# Of the features, and not of the crops.
dual_on_36 = 2 * (2048**2 + 2048)

# %% [markdown]
# ### ex-10-2: How often is an image left with nothing?
#
# With five crops and $p$ = 0.5, what is the probability that a training image loses all of them? Look
# at `PatchDropout`: each crop is dropped on its own.

# %% tags=["exercise", "ex-10-2"]
all_black = None

# %% tags=["solution", "ex-10-2"]
all_black = 0.5**5

# %% tags=["check", "ex-10-2"] points=1
skinkit.check("10-2", all_black)

# %% tags=["test", "ex-10-2"]
assert all_black is not None, "all five are dropped, each on its own"
dropped = PatchDropout(0.5, seed=SEED)(np.ones((20_000, 5, 1), "float32"), training=True).numpy()
counted = (dropped.sum(axis=(1, 2)) == 0).mean()
assert abs(all_black - counted) < 0.005, f"counted {counted:.4f}"

# %% tags=["hidden", "ex-10-2"]
assert abs(all_black - 1 / 32) < 0.005

# %% tags=["wrong", "ex-10-2"]
# Of one crop.
all_black = 0.5
# Chances of independent events are multiplied.
all_black = 0.5 / 5
# That one is left at least.
all_black = 1 - 0.5**5

# %% [markdown]
# ### ex-10-3: How much does the order matter?
#
# Give the model `dual` (it is `model`) the nine crops of each test image in reverse, and the control, too.
# Make `backward`, the probabilities of both, by their names. The check says what share of answers changes.
# You have `pixels`, `looking` and `runs`.

# %% tags=["exercise", "ex-10-3"]
backward = {"dual": None, "ordered": None}

# %% tags=["solution", "ex-10-3"]
control = runs["ordered"].load_model()
networks = {"dual": model, "ordered": control}
backward = {arm: network.predict(pixels[:, ::-1], verbose=0) for arm, network in networks.items()}

# %% tags=["check", "ex-10-3"] points=3
skinkit.check("10-3", backward)

# %% tags=["test", "ex-10-3"]
for arm in ("dual", "ordered"):
    given, network = backward.get(arm), runs[arm].load_model()
    assert given is not None, f"{arm}: its network predicts; the crops are the second axis of `pixels`"
    assert np.shape(given) == looking.shape, f"{arm}: the probabilities, {looking.shape}"
    reverse = network.predict(pixels[:, ::-1], verbose=0)
    assert np.allclose(given, reverse, atol=1e-5), f"{arm}: the crops are the second axis of `pixels`"
    share = np.mean(network.predict(pixels, verbose=0).argmax(axis=1) != reverse.argmax(axis=1))
    assert arm == "dual" or share <= 0.01, "a mean does not know the order (up to rounding)"
    print(f"{arm}: {share:.1%} of the answers change")

# %% tags=["hidden", "ex-10-3"]
controlled = runs["ordered"].load_model().predict(pixels[:, ::-1], verbose=0)
assert np.allclose(backward["ordered"], controlled, atol=1e-5)
assert np.allclose(backward["dual"], model.predict(pixels[:, ::-1], verbose=0), atol=1e-5)

# %% tags=["wrong", "ex-10-3"]
# In their own order.
backward = {"dual": looking, "ordered": backward["ordered"]}
# The control's for both.
backward = dict.fromkeys(backward, backward["ordered"])
# Reverses the images, and not the crops.
backward = {arm: given[::-1] for arm, given in backward.items()}
