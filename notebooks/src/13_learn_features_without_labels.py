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
# # Learn features without labels: what does an autoencoder know?
#
# [![Colab](https://colab.research.google.com/assets/colab-badge.svg)](https://colab.research.google.com/github/REPOSITORY_SLUG/blob/main/notebooks/13_learn_features_without_labels.ipynb)
# · [Source](https://github.com/REPOSITORY_SLUG/blob/main/notebooks/src/13_learn_features_without_labels.py)
# · [The autoencoder of Hernández Pérez 2020, code](https://github.com/foamliu/Autoencoder)
# · [Badrinarayanan et al. 2015, SegNet](https://arxiv.org/abs/1511.00561)
#
# Labels are expensive, images are not. A network that only learns to return its input needs no
# dermatologist. A thesis fits a forest of trees to the features of such a network. In precision this
# forest beats all CNNs of the thesis, 67 % to 9 % at best. Here you find out what the network knows,
# and what these 67 % are made of.

# %% [markdown]
# You will produce pooling with indices by hand, with the same numbers as the layers; an autoencoder
# without labels, its reconstructions, and which part of the code they come from; Table 3 of Hernandez
# Perez (2020) beside ours, under two protocols; the same forest scored on what it was fitted on and on
# what it was not; and Figures 24 to 26 with a number beside each plot.
#
# | profile | CPU (2 cores) | T4 (estimated) | memory | data |
# | --- | --- | --- | --- | --- |
# | `smoke` | 2 minutes | 2 minutes | 2 GB | 240 synthetic images, generated here |
# | `quick` | not measured yet | not estimated | not measured yet | all of ISIC 2020, made small |
# | `full` | not measured yet | not estimated | not measured yet | ISIC 2020, the document's own settings |
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
DATA_DIR = None  # folder that holds the folder isic2020; None: environment variable SKINKIT_DATA
OUT_DIR = "results/notebooks"  # runs are kept below it
PROTOCOLS = ("corrected", "as_published")  # the protocols of Table 3; the first is analysed
DEPTHS = (2, 4, 8, 16, None)  # how deep the trees of section 6 may grow; None: to the end
POINTS = 1500  # most images in a figure of section 7

# %%
import keras
import numpy as np
import pandas as pd
from matplotlib_inline.backend_inline import set_matplotlib_formats
from sklearn.ensemble import ExtraTreesClassifier

# %%
import skinkit
from skinkit.evaluation import bootstrap_intervals, paired_difference, unpack_predictions
from skinkit.experiments import SavedRun, available_profile, ledger, run
from skinkit.explain import embed, linear_probe, patient_means
from skinkit.layers import MaxPoolWithIndices, MaxUnpool
from skinkit.papers.published import load_published
from skinkit.tasks.batches import evaluation_images
from skinkit.tasks.feature_classifier import image_features

set_matplotlib_formats("jpeg", pil_kwargs={"quality": 90})  # half the size of PNG
skinkit.report_environment()

# %% tags=["images"]
# Real images: take the "# " away from one line. Sizes and times are estimates, hosts untried (2026-11-29).
# skinkit.data.fetch("isic2020")  # from the publisher: 25 GB, an hour or more
# skinkit.data.get("kaggle", "isic2020", to=DATA_DIR)  # at 512 x 512, no account: some GB, 5 to 15 minutes
# skinkit.data.get("drive", "isic2020", to=DATA_DIR)  # skinkit/isic2020 in your Drive: 2 to 5 minutes

# %% [markdown]
# ## 1. How does a network make an image small, and large again?
#
# *Pooling* keeps the largest of each 2 x 2 window and forgets the other three. To make a small image
# large again, a decoder must guess where in its window each number stood. SegNet does not guess: it
# notes the place. By hand, on a grid of 4 x 4:

# %%
grid = np.random.default_rng(SEED).integers(0, 100, (4, 4)).astype("float32")
windows = grid.reshape(2, 2, 2, 2).swapaxes(1, 2).reshape(2, 2, 4)
largest, places = windows.max(axis=-1), windows.argmax(axis=-1)
print(f"{grid.astype(int)}\nlargest:\n{largest.astype(int)}")
print(f"place in the window, from 0 top left to 3 bottom right:\n{places}")

# %%
again = np.where(np.arange(4) == places[..., np.newaxis], largest[..., np.newaxis], 0)
again = again.reshape(2, 2, 2, 2).swapaxes(1, 2).reshape(4, 4)
pooled, indices = MaxPoolWithIndices()(grid[np.newaxis, ..., np.newaxis])
unpooled = MaxUnpool()(pooled, indices)
assert (np.array(pooled)[0, ..., 0] == largest).all() and (np.array(indices)[0, ..., 0] == places).all()
assert (np.array(unpooled)[0, ..., 0] == again).all()
again.astype(int)

# %% [markdown]
# The result is exact where there is a number, and empty elsewhere. Convolutions fill the gaps.
#
# ## 2. How many bits does the code hold?
#
# The autoencoder of the document has the convolutions of VGG16 on the way down and their mirror image
# on the way up. In the middle, its *bottleneck*, an image of 224 x 224 has become 7 x 7 x 512 numbers.
# The places of all five poolings bypass the bottleneck. How many bits do they hold?

# %%
network = skinkit.models.build("segnet_autoencoder", (224, 224, 3), classes=2)
levels = [network.get_layer(f"pool{level}").output for level in range(1, 6)]
places = sum(int(np.prod(index.shape[1:])) for _, index in levels)
numbers = int(np.prod(levels[-1][0].shape[1:]))
bits = pd.Series({"the image": 224 * 224 * 3 * 8, "the bottleneck": numbers * 32, "the places": places * 2})
print(f"{network.count_params():,} parameters; bottleneck {numbers:,} numbers; {places:,} places of 2 bits")
assert (numbers, places) == (25_088, 1_530_368)
assert bits["the places"] > 2.5 * bits["the image"]
del network, levels
(bits / bits["the image"]).round(2)

# %% [markdown]
# The places alone hold two and a half times as many bits as the image itself. This network is not
# forced to understand anything in order to return an image: it may look at its notes. The bottleneck,
# which the forest will be given, need not hold what the notes hold.
#
# (Chapter 2 of the document describes an autoencoder with a dense code in the middle. The one that was
# used does not have it. The released code ends in batch normalisation and ReLU like every other layer,
# so that a pixel may be brighter than white; `final="recommended"` ends in a sigmoid.)
#
# ## 3. Training without labels
#
# The loss is the root of the mean squared difference between image and reconstruction. No label is
# read. When 8 epochs bring no improvement on validation images, the rate falls by a fifth; after 20 the
# training ends.

# %%
RECIPE = "hernandez2020/table3/cae-extra-trees"
profile = available_profile(PROFILE, "isic2020", DATA_DIR)
where = {"seed": SEED, "out": OUT_DIR, "data_dir": DATA_DIR, "verbose": 2}
# On synthetic images a second training shows nothing new.
ways = PROTOCOLS[:1] if profile == "smoke" else PROTOCOLS
runs = {protocol: SavedRun(run(RECIPE, profile, protocol, **where)) for protocol in ways}
saved = runs[ways[0]]
history = pd.read_csv(saved.folder / "history.csv")
assert "accuracy" not in history, "nobody told it a label"
skinkit.plots.learning_curves(history, metrics=("loss", "psnr"))

# %% [markdown]
# `psnr`, the peak signal-to-noise ratio in decibels, is the same error on a scale where more is better:
# 20 dB is an error of 0.1 on pixels from 0 to 1, 40 dB one of 0.01. Is that good? A number needs a
# comparison. The laziest network returns the mean of all training images, whatever it is shown:

# %%
model, recipe, labels = saved.load_model(), saved.recipe, list(saved.labels)
run_data = saved.run_data(DATA_DIR)
train, held = run_data.rows("train"), run_data.rows(recipe.selection_part)


def pixels_of(rows):
    """Returns the images of manifest rows as the network sees them."""
    return np.concatenate(list(evaluation_images(recipe, rows)))


def rmse(a, b):
    """Returns the root of the mean squared difference of two arrays of images."""
    return float(np.sqrt(np.mean(np.square(a - b))))


# %%
exam = pixels_of(held.head(200))
mean = pixels_of(train.sample(min(len(train), 500), random_state=SEED)).mean(axis=0)
made = model.predict(exam, verbose=0)
assert made.shape == exam.shape
errors = {
    "the mean image": rmse(exam, mean),
    "each image's mean colour": rmse(exam, exam.mean((1, 2), keepdims=True)),
    "the autoencoder": rmse(exam, made),
}
pd.DataFrame({"rmse": errors, "psnr": {name: -20 * np.log10(e) for name, e in errors.items()}}).round(3)

# %%
chosen = held.head(200).groupby("label").head(2).index
pairs = np.concatenate([exam[chosen], np.clip(made[chosen], 0, 1)])
titles = [*held.loc[chosen, "label"], *["reconstruction"] * len(chosen)]
skinkit.plots.image_grid(pairs, titles, columns=len(chosen))

# %% [markdown]
# In `smoke` the images are synthetic, 32 pixels wide, and few; there the network has just learned where
# the lesion is and which colour it has.
#
# ## 4. What comes from the bottleneck, and what from the places?
#
# Cut the network in two: an encoder that gives the bottleneck and the places, and a decoder that takes
# them. Then mix image A's bottleneck with image B's places. Which of the two does the reconstruction
# look like?

# %%
levels = [model.get_layer(f"pool{level}").output for level in range(1, 6)]
code = [levels[-1][0], *[index for _, index in levels]]
encoder, decoder = keras.Model(model.input, code), keras.Model(code, model.output)
a, b = exam[0::2][:50], exam[1::2][:50]
code_a, code_b = (encoder.predict(images[: min(len(a), len(b))], verbose=0) for images in (a, b))
a, b = a[: len(code_b[0])], b[: len(code_b[0])]
assert np.allclose(decoder.predict(code_a, verbose=0), model.predict(a, verbose=0), atol=1e-5)

# %%
mixtures = {
    "A's bottleneck, A's places": code_a,
    "B's bottleneck, A's places": [code_b[0], *code_a[1:]],
    "A's bottleneck, B's places": [code_a[0], *code_b[1:]],
    "no bottleneck, A's places": [np.zeros_like(code_a[0]), *code_a[1:]],
    "A's bottleneck, no places": [code_a[0], *[np.zeros_like(index) for index in code_a[1:]]],
}
rebuilt = {name: decoder.predict(code, verbose=0) for name, code in mixtures.items()}
distances = {name: {"to A": rmse(image, a), "to B": rmse(image, b)} for name, image in rebuilt.items()}
pd.DataFrame(distances).T.round(3)

# %%
skinkit.plots.image_grid(
    [np.clip(image, 0, 1) for image in (a[0], b[0], *(p[0] for p in rebuilt.values()))],
    ["A", "B", *(name.replace(", ", "\n") for name in rebuilt)],
    columns=7,
)

# %% [markdown]
# Compare the second and the third row with the first. Where the places decide about the outlines, the
# bottleneck is left with colour and light: a *weak code*. The forest gets the bottleneck alone.
#
# ## 5. Table 3 as printed, beside ours
#
# ExtraTrees: several hundred decision trees, each grown with random cuts. First come the printed
# scores. Then comes the same recipe, also under the protocol that the document describes in its section
# 4.3: fitted on training images, scored on training *and* validation images.

# %%
printed = load_published("hernandez2020").query("table == 'table3'")
printed.pivot(index="row", columns="metric", values="value")

# %%
book = ledger(OUT_DIR, smoke=True)
book = book.query("document == 'hernandez2020' and table == 'table3' and profile == @profile")
book = book[book["metric"].isin(["auc", "precision", "recall"])].dropna(subset=["published", "measured"])
assert set(ways) == set(book["protocol"])
keys = ["row", "metric", "protocol"]
columns = [*keys, "published", "measured", "low", "high", "leakage_patient", "verdict", "reason"]
book[columns].sort_values(keys).set_index(keys).round(3)

# %% [markdown]
# Read the leakage column first. Under `as_published` most images of the exam are those the forest was
# fitted on. (Smaller profiles are *not comparable* with the print, whatever they measure. In `smoke`
# only the first protocol is run.)
#
# ## 6. What does a forest know by heart?
#
# Now we do the same by hand. The features are the means of the channels of the bottleneck. We fit a
# forest on the training images and give it three exams.

# %%
exams = {"train": train, "train + validation": pd.concat([train, held]), "validation": held}
seen, new = (image_features(model, recipe, rows, of="bottleneck_mean") for rows in (train, held))
features = {"train": seen, "train + validation": np.concatenate([seen, new]), "validation": new}
taught = train["label"].eq("malignant").to_numpy()


def scores_of(forest):
    """Returns AUC, precision and recall of a forest in the three exams, with intervals by patient."""
    found = {}
    for name, rows in exams.items():
        votes, people = forest.predict_proba(features[name]), rows["patient_id"].to_numpy(object)
        asked = ["auc", "precision", "recall"]
        found[name] = bootstrap_intervals(rows["label"], votes, labels, people, asked, resamples=200)
    return pd.concat(found)


# %%
forest = ExtraTreesClassifier(300, random_state=SEED, n_jobs=-1).fit(features["train"], taught)
by_exam = scores_of(forest)
assert by_exam.loc[("train", "auc"), "value"] > 0.999, "a full forest knows its images by heart"
by_exam[["value", "low", "high"]].round(3)

# %% [markdown]
# A full forest is perfect on the images it was fitted on: each tree grows until every leaf holds one
# class. That takes no understanding. Scored on both parts together the perfect training part carries
# the rest. Only the last three lines say what happens to the next patient.
#
# The printed row (AUC 90.2 %, recall 49.7 %) is *below* such a mixture: a full forest finds all melanomas of
# the training part, so its recall on both parts cannot be smaller than their share in training. Either less
# than half of the melanomas were in training, or the trees were not allowed to grow to the end. The document
# says neither. What does a limit do?

# %%
limits = {}
for depth in DEPTHS:
    limited = ExtraTreesClassifier(100, max_depth=depth, random_state=SEED, n_jobs=-1)
    found = scores_of(limited.fit(features["train"], taught))["value"]
    limits[str(depth)] = found.loc[["train + validation", "validation"]]
limits = pd.DataFrame(limits).rename_axis(columns="depth")
grown = limits.loc["train + validation"]
assert grown.loc["recall"].iloc[-1] >= grown.loc["recall"].iloc[0], "deeper trees know more by heart"
limits.round(3)

# %% [markdown]
# The upper lines have a depth for nearly every number one would like to print. The lower lines hardly
# move. A score on training images measures how much was learned by heart.
#
# ## 7. What do the plots show? Figures 24 to 26
#
# t-SNE draws points in a plane so that neighbours stay neighbours. It is meant for looking, and the eye
# finds clouds everywhere. So we plot pure noise first:

# %%
rng = np.random.default_rng(SEED)
rows = exams["train + validation"].reset_index(drop=True)
some = np.sort(rng.permutation(len(rows))[:POINTS])
noise = rng.normal(size=(len(some), features["train + validation"].shape[1]))


def plot_with_area(vectors, classes, people):
    """Plots feature vectors in a plane, with the area of a linear probe and its interval."""
    shares = linear_probe(vectors, classes, labels, people, seed=SEED)
    area = bootstrap_intervals(classes, shares, labels, people, ["auc"]).loc["auc"]
    return skinkit.plots.embedding(embed(vectors, seed=SEED), classes, area)


classes, people = rows.loc[some, "label"].to_numpy(), rows.loc[some, "patient_id"].to_numpy(object)
plot_with_area(noise, classes, people)

# %% [markdown]
# The number over the plot is the area of a *linear probe*: a straight cut through the features, found
# on some patients and scored on others. 0.5 is nothing. Here are the features of the autoencoder
# (Figure 24):

# %%
plot_with_area(features["train + validation"][some], classes, people)

# %% [markdown]
# "Two major clusters are formed", writes the document about its Figure 24. It prints no number beside it.
#
# Figure 26 asks the document's own question: do the *benign* spots of a patient with melanoma differ
# from those of other patients? There is one point per patient, the mean of their benign images.

# %%
benign = (rows["label"] == "benign").to_numpy()
means = patient_means(features["train + validation"][benign], rows.loc[benign, "patient_id"])
ill = set(rows.loc[~benign, "patient_id"])
kinds = np.where(means.index.isin(ill), "malignant", "benign")
print(f"{len(means)} patients, {(kinds == 'malignant').sum()} of them with melanoma")
plot_with_area(means.to_numpy(), kinds, means.index.to_numpy())

# %% [markdown]
# The document sees "an almost uniform cloud" and concludes that context cannot help. Careful: this plot
# says that a patient's *mean* does not tell whether they have a melanoma *somewhere*. The ugly duckling
# is another question: whether a spot differs *from* that mean (notebook 12, section 7, and notebook
# 14).
#
# ## 8. Do age, sex and site help?
#
# We do the document's future work on the same features: the forest gets sex, age and site beside the
# bottleneck. The autoencoder comes from the run above; only the forest is new.

# %%
fused = SavedRun(run("hernandez2020/controls/cae-extra-trees-metadata", profile, ways[0], **where))
y, plain, _ = unpack_predictions(saved.predictions)
with_metadata = unpack_predictions(fused.predictions)[1]
assert fused.predictions["image_id"].equals(saved.predictions["image_id"]), "one exam for both"
tested = saved.predictions["patient_id"].to_numpy(object)
paired_difference(y, with_metadata, plain, labels, tested, ["auc", "average_precision"]).round(3)

# %% [markdown]
# If an interval contains 0, these patients cannot tell the two apart. Compare it with the table of
# notebook 12, section 5: what the three columns know alone is the most that they can add.
#
# ## What could go wrong
#
# - **A good reconstruction is not a good code.** Reconstruction error also measures what bypasses the
#   bottleneck. If you want a code, cut the bypasses.
# - **Two clouds in a plane** can be two cameras. Colour the same points by site, by clinic, by year.
# - **Threshold 0.5.** With 2 % melanomas a forest rarely gives one more than half of its votes: precision
#   high, recall near zero. Precision alone then praises a forest that never raises an alarm.
# - **Features from the exam.** An autoencoder needs no labels, and training it on the exam's images, as
#   the document did, leaks no label. It is still not the situation of the next patient.
# - **Bottlenecks of all images** at once are 3 GB in `full`; `features="bottleneck_pca"` reduces them
#   piece by piece.

# %% [markdown]
# ## Exercises
#
# Answer in the open cell of an exercise, then run its check: it says that the answer is right, or gives a
# hint. Let code compute what depends on the images: marks are given on drawn ones.
#
# ### ex-13-1: Can a forest learn nothing, and score well?
#
# Fit a forest of 100 trees on the training features with *shuffled* labels. Then give `told`, the labels
# (`"malignant"` or `"benign"`) of training and validation images together: those that it was given for
# training, the true ones for validation; and `votes`, its probabilities for these images. The check says what
# AUC that is.

# %% tags=["exercise", "ex-13-1"]
told = None
votes = None

# %% tags=["solution", "ex-13-1"]
shuffled = rng.permutation(taught)
parrot = ExtraTreesClassifier(100, random_state=SEED).fit(features["train"], shuffled)
told = np.where([*shuffled, *held["label"].eq("malignant")], "malignant", "benign")
votes = parrot.predict_proba(features["train + validation"])

# %% tags=["check", "ex-13-1"] points=4
skinkit.check("13-1", told, votes)

# %% tags=["test", "ex-13-1"]
assert told is not None, "the shuffled labels of training, then the true ones of `held`"
assert votes is not None, "`predict_proba` of the forest for the features of both parts"
truth = np.where([*taught, *held["label"].eq("malignant")], "malignant", "benign")
own = len(taught)
assert len(told) == len(votes) == len(truth), f"{len(truth)} rows: training, then validation"
assert list(told[own:]) == list(truth[own:]), "the labels of validation are true"
assert sorted(told[:own]) == sorted(truth[:own]), "the labels of training are shuffled, none is added or lost"
assert list(told[:own]) != list(truth[:own]), "the labels of training are not shuffled"
area = bootstrap_intervals(told, votes, labels, metrics=["auc"], resamples=20).loc["auc", "value"]
assert area > 0.8, f"AUC {area:.3f}: score on both parts, with the forest that was taught these labels"
print(f"AUC {area:.3f} for a forest that was taught nonsense; the document prints 0.902")

# %% tags=["hidden", "ex-13-1"]
right_labels = [*train["label"], *held["label"]]
assert list(told[len(train) :]) == list(held["label"]) and sorted(told) == sorted(right_labels)
assert np.mean(np.asarray(told)[: len(train)] == train["label"].to_numpy(str)) < 0.999
chances, told_ill = np.asarray(votes)[:, labels.index("malignant")], np.asarray(told) == "malignant"
assert (chances[told_ill][:, None] >= chances[~told_ill]).mean() > 0.8

# %% tags=["wrong", "ex-13-1"]
# Nothing is shuffled.
told = np.where([*taught, *held["label"].eq("malignant")], "malignant", "benign")
# The labels of validation are shuffled, too.
told = rng.permutation(told)
# Of no forest.
votes = rng.random(votes.shape)

# %% [markdown]
# ### ex-13-2: What if the decoder forgets half of its notes?
#
# Give the error to A of a reconstruction with A's bottleneck and A's places, except that those of the finest
# level (`pool1`) are all 0. `code_a[1]` holds them.

# %% tags=["exercise", "ex-13-2"]
without_finest = None

# %% tags=["solution", "ex-13-2"]
forgetful = [code_a[0], np.zeros_like(code_a[1]), *code_a[2:]]
without_finest = rmse(decoder.predict(forgetful, verbose=0), a)

# %% tags=["check", "ex-13-2"] points=2
skinkit.check("13-2", without_finest)

# %% tags=["test", "ex-13-2"]
assert without_finest is not None, "copy `code_a`, put zeros where its places of `pool1` are, and decode"
notes = [index if level != 1 else 0 * index for level, index in enumerate(code_a)]
expected = rmse(decoder.predict(notes, verbose=0), a)
assert abs(without_finest - expected) < 1e-4, "only the finest level, and four digits"
print(f"{without_finest:.3f} instead of {rmse(model.predict(a, verbose=0), a):.3f}")

# %% tags=["hidden", "ex-13-2"]
emptied = [*code_a]
emptied[1] = emptied[1] * 0
found_error = np.sqrt(np.mean((decoder.predict(emptied, verbose=0) - a) ** 2))
assert abs(without_finest - found_error) < 1e-4

# %% tags=["wrong", "ex-13-2"]
# Forgets nothing.
without_finest = rmse(model.predict(a, verbose=0), a)
# Forgets all.
without_finest = rmse(decoder.predict([code_a[0], *[0 * x for x in code_a[1:]]], verbose=0), a)
# The coarsest level.
without_finest = rmse(decoder.predict([*code_a[:-1], 0 * code_a[-1]], verbose=0), a)

# %% [markdown]
# ### ex-13-3: Do the features know more than colour?
#
# Take three numbers per image: its mean red, green and blue. Give the area of a linear probe (by
# patients) on these three for the validation images, and compare it with that of the autoencoder's
# features.

# %% tags=["exercise", "ex-13-3"]
colour_area = None

# %% tags=["solution", "ex-13-3"]
three = pixels_of(held).mean(axis=(1, 2))
shares = linear_probe(three, held["label"], labels, held["patient_id"], seed=SEED)
colour_area = bootstrap_intervals(held["label"], shares, labels, metrics=["auc"]).loc["auc", "value"]

# %% tags=["check", "ex-13-3"] points=3
skinkit.check("13-3", colour_area)

# %% tags=["test", "ex-13-3"]
found = {}
for name, vectors in (("colour", pixels_of(held).mean(axis=(1, 2))), ("autoencoder", features["validation"])):
    probe = linear_probe(vectors, held["label"], labels, held["patient_id"], seed=SEED)
    found[name] = bootstrap_intervals(held["label"], probe, labels, metrics=["auc"]).loc["auc", "value"]
assert colour_area is not None, (
    "`pixels_of(held)` has the axes image, row, column, colour; then `linear_probe`"
)
assert abs(colour_area - found["colour"]) < 0.02, "mean over rows and columns, probe by patients"
print({name: round(float(value), 3) for name, value in found.items()})

# %% tags=["hidden", "ex-13-3"]
coloured = np.stack([image.reshape(-1, 3).mean(axis=0) for image in pixels_of(held)])
probed = linear_probe(coloured, held["label"], labels, held["patient_id"], seed=SEED)
colour_probe = bootstrap_intervals(held["label"], probed, labels, metrics=["auc"]).loc["auc", "value"]
assert abs(colour_area - colour_probe) < 0.02

# %% tags=["wrong", "ex-13-3"]
# Turned over.
colour_area = 1 - colour_area
# A guess.
colour_area = 0.5 if abs(colour_area - 0.5) > 0.03 else 0.6
