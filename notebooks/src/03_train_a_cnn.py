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
# # Train a CNN: a network learns what its loss counts
#
# [![Colab](https://colab.research.google.com/assets/colab-badge.svg)](https://colab.research.google.com/github/REPOSITORY_SLUG/blob/main/notebooks/03_train_a_cnn.ipynb)
# · [Source](https://github.com/REPOSITORY_SLUG/blob/main/notebooks/src/03_train_a_cnn.py)
# · [Gessert et al. 2019, Section II-F and Table VI](https://arxiv.org/abs/1905.02793)
# · [Köfler 2023, code](https://github.com/MarkusStefan/DeepCNN_SoftAttention)
#
# You build a small network, layer by layer, and train it. It will look good and be useless. Then one
# line changes what an error costs, and it starts to find the rare diagnoses. At the end one call does
# the same work and survives a power cut.

# %% [markdown]
# You will produce the class weights of Köfler (2023, Section 4.1) beside ours, the trade-off that Table
# VI of Gessert et al. (2019) shows, with a network of your own in it, and your first run folder, which
# the next two notebooks use.
#
# | profile | CPU (2 cores) | T4 (estimated) | memory | data |
# | --- | --- | --- | --- | --- |
# | `smoke` | 1 minute | 1 minute | 2 GB | synthetic images, generated here |
# | `quick` | 6 minutes | 2 minutes | 3 GB | HAM10000, made small |
# | `full` | 20 minutes | 3 minutes | 4 GB | HAM10000, 30 epochs of the recipe |
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
SEED = 0  # an integer from 0 on: decides the split, the first weights and the order of the images
DATA_DIR = None  # folder that holds the folder ham10000; None: environment variable SKINKIT_DATA
OUT_DIR = "results/notebooks"  # runs are kept below it; notebooks 04 and 05 look for them there
RECIPE = "skinkit/demo/ham10000"  # section 10; `skinkit list` shows the others
IMAGE_SIZE = (48, 64)  # height and width, in pixels, of what the network by hand sees
EPOCHS = 4  # how often the network by hand sees each image
POWER = 1.0  # k in section 6: 0 counts images, 1 counts classes

# %%
import dataclasses
import math

import keras
import numpy as np
import pandas as pd
from keras import layers
from sklearn.neighbors import KNeighborsClassifier

# %%
import skinkit
from skinkit.evaluation import bootstrap_intervals, paired_difference, per_class, score
from skinkit.experiments import available_profile, run
from skinkit.experiments.run_folder import SavedRun
from skinkit.papers.published import load_published, published_row
from skinkit.pipeline import Augmentation, PipelineSpec, build_dataset, steps_per_epoch
from skinkit.training import build_loss, class_weights, sample_weights

skinkit.report_environment()

# %% tags=["images"]
# Real images: take the "# " away from one line. Sizes and times are estimates, hosts untried (2026-11-29).
# skinkit.data.get("dataverse", to=DATA_DIR)  # from the publisher: 2.8 GB, 3 to 10 minutes
# skinkit.data.get("kaggle", to=DATA_DIR)  # a copy, without an account: 5.6 GB, 4 to 15 minutes
# skinkit.data.get("drive", to=DATA_DIR)  # skinkit/ham10000 in your Drive: no download, 2 to 5 minutes

# %% [markdown]
# ## 1. Which images are for training, and which for the exam?
#
# Notebook 01 made two parts. From now on there are three. The network learns from `train`. We look at
# `validation` as often as we like while we decide things. `test` stays shut until everything is
# decided; it is opened once, at the end. All images of a lesion are in the same part.

# %%
profile = available_profile(PROFILE, "ham10000", DATA_DIR)
if profile == "smoke":
    table = skinkit.data.synthetic(900, seed=SEED, balance=0.1)
else:
    table = skinkit.data.load("ham10000", root=DATA_DIR)
classes = skinkit.data.CLASS_MAPS["isic2018"]
split = skinkit.data.stratified_group_split(table, seed=SEED)
parts = {part: split.rows(table, part) for part in ("train", "validation", "test")}
assert not set(parts["train"]["lesion_id"]) & set(parts["validation"]["lesion_id"])
pd.DataFrame({part: rows["label"].value_counts() for part, rows in parts.items()})

# %% [markdown]
# ## 2. What does the network see?
#
# Notebook 02 built the pipeline. Here it delivers small images, 32 at a time. They are mirrored at
# random while the network learns (a mole has no upside) and unchanged when it is examined.

# %%
mirrored = Augmentation(flip_left_right=0.5, flip_up_down=0.5)
spec = PipelineSpec(image_size=IMAGE_SIZE, augmentation=mirrored, cache="memory")
validation = build_dataset(parts["validation"], spec, labels=classes.labels)
images, answers = (item.numpy() for item in next(iter(validation)))
print("images", images.shape, f"with numbers from {images.min():.2f} to {images.max():.2f}")
print("answers ", answers.shape, "first:", answers[0])
assert images.shape[1:] == (*IMAGE_SIZE, 3)
assert np.all(answers.sum(axis=1) == 1)

# %% [markdown]
# An image has become a block of numbers between 0 and 1, and its diagnosis a row with a single 1. The
# position of the 1 means something only together with the order of the classes, which is that of the
# ISIC 2018 challenge: mel, nv, bcc, akiec, bkl, df, vasc.
#
# ## 3. How is the network built?
#
# A *convolution* slides a window of 3 × 3 pixels over the image and computes one weighted sum at each
# place. One set of weights answers to an edge, another to a brown dot: 16 sets, 16 answers. *Pooling*
# then keeps the largest answer of every 2 × 2 places, so the next window looks at twice as much skin.
# After four rounds we average each answer over the whole image (where a mole lies must not matter) and
# weigh the averages into seven shares.
#
# *Batch normalisation* brings each answer to mean 0 and spread 1, which lets us learn in big steps. In
# an exam it uses a running mean of what it saw; Keras' default momentum of 0.99 needs hundreds of steps
# to forget its start, so we use 0.9.


# %%
def small_network():
    """Returns a new network that has learnt nothing yet."""
    image = x = keras.Input((*IMAGE_SIZE, 3), name="image")
    for number, filters in enumerate((16, 32, 64, 96), start=1):
        x = layers.Conv2D(filters, 3, padding="same", use_bias=False, name=f"conv{number}")(x)
        x = layers.BatchNormalization(momentum=0.9, name=f"norm{number}")(x)
        x = layers.ReLU(name=f"relu{number}")(x)
        x = layers.MaxPooling2D(name=f"pool{number}")(x)
    x = layers.GlobalAveragePooling2D(name="average")(x)
    return keras.Model(image, layers.Dense(len(classes), activation="softmax", name="shares")(x))


# %%
keras.utils.set_random_seed(SEED)
network = small_network()
network.summary()
assert network.get_layer("conv1").count_params() == 16 * 3 * 3 * 3, "16 windows, 3 × 3 pixels, 3 colours"

# %% [markdown]
# Check one line of the table by hand: 16 windows of 3 × 3 pixels with 3 colours each make 432 weights.
# The whole network is tiny: that of Köfler (2023) has 56,654,727 numbers to learn.
#
# ## 4. What does the network know before training?
#
# The *loss* says how surprised the network is by the right answer: minus the logarithm of the share
# it gave to it. A network that knows nothing gives each of seven diagnoses about 1/7, and its loss
# is about ln 7. If yours starts elsewhere, look for an error before you train for an hour.

# %%
shares = network.predict(images, verbose=0)
surprise = -np.log((shares * answers).sum(axis=1))
print("first image:", pd.Series(shares[0].astype(float), classes.labels).round(2).to_dict())
print(f"mean loss {surprise.mean():.3f}, ln 7 = {math.log(7):.3f}")
assert np.allclose(shares.sum(axis=1), 1, atol=1e-5), "shares sum to 1"
assert abs(surprise.mean() - math.log(7)) < 0.5

# %% [markdown]
# ## 5. What does the network learn when every image counts alike?
#
# Training repeats one step: look at 32 images, compute the loss, move every number a little to where
# the loss falls. An *epoch* is one pass through all images.

# %%
training = build_dataset(parts["train"], spec, labels=classes.labels, training=True, seed=SEED)
network.compile(optimizer="adam", loss="categorical_crossentropy", metrics=["accuracy"])
steps = steps_per_epoch(len(parts["train"]), 32)
fitted = network.fit(
    training, steps_per_epoch=steps, epochs=EPOCHS, validation_data=validation, shuffle=False, verbose=2
)

# %%
history = pd.DataFrame(fitted.history).assign(epoch=range(1, EPOCHS + 1))
skinkit.plots.learning_curves(history, metrics=("loss", "accuracy"))

# %% [markdown]
# The solid line is the score on the training images, the dashed line that on images which the network
# has never seen. While both improve, go on. When the dashed loss turns up, the network has begun to
# learn its images by heart. (A jump of the dashed line is not an error of the plot: in the first epochs
# the running means of batch normalisation lag behind.)
#
# The accuracy looks respectable. But how many images of each diagnosis were found?

# %%
alone = network.predict(validation, verbose=0)
truth = parts["validation"]["label"]
print(f"accuracy {score('accuracy', truth, alone, classes.labels):.2f}")
per_class(truth, alone, classes.labels)[["recall", "support", "predicted"]].round(2)

# %% [markdown]
# `support` is how many there are, `predicted` how many the network claims to see. It says `nv` far too
# often and finds few of the rest: it takes most melanomas for moles. Nothing is broken. The loss is a
# mean over images, most images show `nv`, and the network did what the loss rewards.
#
# ## 6. What if an error on a rare diagnosis costs more?
#
# Give each class $i$ with $N_i$ of the $N$ training images the weight $(N/N_i)^k$. With $k = 0$ every
# image counts alike; with $k = 1$ every *class* does, however small.

# %%
strengths = (0, 0.5, 1.0, 1.5)
weights = {k: class_weights(parts["train"]["label"], classes.labels, power=k) for k in strengths}
pd.DataFrame(weights).rename_axis(columns="k").round(2)

# %% [markdown]
# Compare two lines: at $k = 1.5$ one image of the rarest class counts as much as dozens or hundreds of
# nevi. That is how Gessert et al. (2019) weigh. Köfler (2023) uses what scikit-learn calls *balanced*:
# $k = 1$, scaled so that the average image weighs 1. He prints his weights. They count all of HAM10000,
# with six images for each one that does not show a nevus.

# %%
copied = skinkit.data.augment_offline(table)
ours = pd.Series(class_weights(copied["label"], classes.labels, normalise=True), name="ours")
printed = published_row("koefler2023/text/class-weights").set_index("class")["value"].rename("printed")
beside = pd.concat([printed, ours], axis=1)
if profile != "smoke":
    assert (beside["printed"] - beside["ours"]).abs().max() <= 0.006, "more than rounding"
beside.round(2)

# %% [markdown]
# With HAM10000 the two columns agree to the printed digit. (Synthetic images have another mixture.) The
# released code counts training and test images together. Where a split keeps the mixture, the digits
# are the same either way. It is still a bad habit, because nothing that is learnt may depend on the
# test. skinkit counts the training images only.
#
# ## 7. What does a weighted loss divide by?
#
# Here is a trap on the way from PyTorch to Keras. Take four images, the shares given to the right
# answers, and their weights. PyTorch's weighted loss divides by the sum of the *weights* in the batch,
# Keras' by the number of *images*.

# %%
weight = np.array([1.0, 10.0, 5.0, 1.0], dtype="float32")
given = np.array([0.7, 0.4, 0.6, 0.1], dtype="float32")
two_classes, right = np.stack([given, 1 - given], axis=1), np.array([[1.0, 0.0]] * 4, dtype="float32")
for reduction, divisor in (("sum_over_batch_size", 4), ("mean_with_sample_weight", weight.sum())):
    loss = build_loss("categorical_crossentropy", reduction=reduction)
    found = float(loss(right, two_classes, sample_weight=weight))
    assert math.isclose(found, (weight * -np.log(given)).sum() / divisor, rel_tol=1e-5)
    print(f"{reduction}: {found:.6f}")

# %% [markdown]
# The same images and weights give another loss, four times smaller. This acts like another learning
# rate, and one that changes from batch to batch. A recipe therefore says which of the two it means. We
# take Keras' way, with weights whose mean is 1, so that the learning rate keeps its meaning.
#
# Now we train again, with the same first weights and the same images in the same order. Only the class
# weights are new. Because we do it a second time, it becomes a function.


# %%
def trained(rows, weight_of=None):
    """Returns a network that has seen each of `rows` EPOCHS times."""
    keras.utils.set_random_seed(SEED)
    fresh = small_network()
    fresh.compile(optimizer="adam", loss="categorical_crossentropy", metrics=["accuracy"])
    extra = {} if weight_of is None else {"sample_weight": sample_weights(rows["label"], weight_of)}
    batches = build_dataset(rows, spec, labels=classes.labels, training=True, seed=SEED, **extra)
    steps = steps_per_epoch(len(rows), 32)
    fresh.fit(batches, steps_per_epoch=steps, epochs=EPOCHS, shuffle=False, verbose=2)
    return fresh


prices = class_weights(parts["train"]["label"], classes.labels, power=POWER, normalise=True)
weighted = trained(parts["train"], prices).predict(validation, verbose=0)

# %%
names = ["accuracy", "macro_recall", *(f"recall:{label}" for label in classes.labels)]
lesions = parts["validation"]["lesion_id"]
answered = {"every image alike": alone, f"(N/N_i)^{POWER:g}": weighted}
intervals = {
    name: bootstrap_intervals(truth, found, classes.labels, lesions, names)
    for name, found in answered.items()
}
skinkit.plots.score_intervals(intervals)

# %% [markdown]
# The dots are the scores, the lines say how much they would move with another sample of as many lesions
# (notebook 04 makes them by hand; no line: all or none of a class was found). Read it from the top.
# Accuracy falls: nevi are lost. Macro recall, the mean of the seven recalls, rises: the rare ones are
# found. The network has no new layer. We told it what we want.
#
# With synthetic images a rare class has a handful of images here and the lines are as long as the
# figure is wide. Look at the first two rows, and repeat the cell with other seeds.
#
# ## 8. The document's table beside ours
#
# Is more always better? Table VI of Gessert et al. (2019) turns $k$ from 0.5 to 1.5; $k = 0$ stands
# in their Table V. MC-sensitivity is their word for macro recall. Their F1 is weighted by how often
# a class was *predicted*; why that matters is a story for notebook 04.

# %%
rows = load_published("gessert2019").query("table == 'table6' or table == 'table5'")
rows = rows[rows["metric"].isin(["macro_recall", "weighted_f1_by_pred"])]
k = rows["row"].str.extract(r"-k([\d.]+)$")[0].mask(rows["row"].str.endswith("-none"), "0")
rows = rows.assign(k=pd.to_numeric(k), network=rows["row"].str.split("-").str[0]).dropna(subset="k")
theirs = rows.pivot(index="k", columns=["metric", "network"], values="value").astype(float) / 100
for metric in ("macro_recall", "weighted_f1_by_pred"):
    for power, found in ((0, alone), (POWER, weighted)):
        theirs.loc[power, (metric, "ours")] = score(metric, truth, found, classes.labels)
theirs.sort_index().sort_index(axis=1).round(3)

# %% [markdown]
# Three large networks with ImageNet weights, three folds each, tell one story: macro recall climbs
# until $k$ is about 1 and stays; F1 falls all the way, first gently, then steeply. Weighting is a
# trade-off, and the document says so. Ours is a tiny network on tiny images and another split, so
# compare the direction, not the height.
#
# ## 9. What would a leaky split have said?
#
# Notebook 01 showed that shuffling images puts siblings of a lesion on both sides. What is that worth?
# Take a candidate that understands nothing and *remembers* everything: it keeps a thumbnail of each
# image and answers with the diagnosis of the most similar one. Its exam holds images of a shuffled test
# whose lesion was photographed more than once. It sits the exam twice, once with the siblings in its
# memory, once with as many other images instead. (Our own test stays shut.)

# %%
opened = pd.concat([parts["train"], parts["validation"]], ignore_index=True)
shuffled = skinkit.data.stratified_group_split(opened, {"train": 0.8, "test": 0.2}, group="image", seed=SEED)
in_test = opened["image_id"].isin(shuffled.ids("test"))
test, rest = opened[in_test], opened[~in_test]
exam = test[test["lesion_id"].isin(rest["lesion_id"])]
siblings = rest["lesion_id"].isin(test["lesion_id"])
sound = rest[~siblings]
leaky = rest.drop(sound.sample(siblings.sum(), random_state=SEED).index)
print(f"{len(exam)} of the {len(test)} images have siblings; a memory holds {len(leaky)} images")
assert len(sound) == len(leaky)


# %%
def thumbnails(rows):
    """Returns one row of numbers per image."""
    data = build_dataset(rows, PipelineSpec(image_size=(24, 32)), labels=classes.labels, batch_size=256)
    return np.concatenate([images.numpy().reshape(len(images), -1) for images, _ in data])


# %%
sat = {}
for name, seen in {"with siblings": leaky, "without": sound}.items():
    memory = KNeighborsClassifier(1).fit(thumbnails(seen), seen["label"].to_numpy(str))
    sat[name] = classes.one_hot(memory.predict(thumbnails(exam)))
outcome = {
    name: bootstrap_intervals(exam["label"], found, classes.labels, exam["lesion_id"], "macro_recall")
    for name, found in sat.items()
}
outcome["difference"] = paired_difference(exam["label"], *sat.values(), classes.labels, exam["lesion_id"])
pd.concat(outcome).droplevel("metric").round(3)

# %% [markdown]
# The line `difference` is the gain from the siblings in macro recall, with its 95 % interval. On
# HAM10000 it is clearly above zero: the memory knows no more about melanoma than before, but it has met
# old acquaintances. With synthetic images the exam is so small that the interval is wide; try other
# seeds before you believe either sign.
#
# A network is a memory with limits. Ours, after a few epochs, has hardly begun to learn by heart; the
# 59 million numbers of Köfler (2023), after a hundred epochs, have room for every image. Its macro
# recall of 0.94 (Table 4b) was measured where 81 % of the test images showed a lesion from training.
# Such a score is not *wrong*. It answers another question: how well does the network recognise lesions
# that it has met before?

# %% [markdown]
# ## 10. How does a recipe keep all this?
#
# What we did by hand is scattered over a dozen cells. A **recipe** says it in one place: data, split,
# image size, network, weights, optimiser, epochs. It is a frozen dataclass, so it can be printed,
# compared and copied with changes, and nothing else configures a run. A **profile** may change its
# sizes and nothing more.

# %%
recipe = skinkit.papers.recipe(RECIPE)
if profile == "smoke":
    # By default `smoke` trains for two epochs, for the tests; here it learns something.
    sizes = {"image_size": (48, 64), "epochs": (8,), "subset": 600}
    recipe = dataclasses.replace(recipe, profiles={"smoke": sizes})
print(recipe.title)

# %%
said = dataclasses.asdict(recipe.resolve(profile))
for name in ("dataset", "split", "image_size", "augmentation", "model", "balancing", "loss", "phases"):
    print(f"{name:<13} {said[name]}")

# %% [markdown]
# `experiments.run` carries it out. While it trains, stop the cell with ■ after an epoch or two and
# run it again: it goes on after the last complete epoch. Even a killed process, or with `OUT_DIR` in your
# Drive a Colab session that ended, continues so, and on a CPU ends with the very same predictions as an
# undisturbed run.

# %%
folder = run(recipe, profile, seed=SEED, out=OUT_DIR, data_dir=DATA_DIR, verbose=2)

# %% [markdown]
# We call it once more. A finished run is never repeated:

# %%
finished = SavedRun(folder).manifest["finished"]
assert run(recipe, profile, seed=SEED, out=OUT_DIR, data_dir=DATA_DIR) == folder
assert SavedRun(folder).manifest["finished"] == finished, "it would have trained again"
pd.Series({path.name: path.stat().st_size for path in sorted(folder.iterdir())}, name="bytes").to_frame()

# %% [markdown]
# `manifest.json` says how (recipe, seed, versions, device, split, leakage), `history.csv` what happened
# in each epoch, `predictions.csv.gz` what the network says about every test image, `metrics.json` the
# scores of these, `model.keras` the network. Numbers come from the predictions, never from memory, so
# anybody can compute another score next year without training again.
#
# `skinkit.models.load_model(folder / "model.keras")` loads the network. Keras' own `load_model` does so too,
# after `import skinkit.layers`, which makes the layers of this kit known to Keras.

# %%
saved = SavedRun(folder)
found = saved.metrics["scores"]["macro_recall"]
print(f"macro recall on the test: {found['value']:.3f} ({found['low']:.3f} to {found['high']:.3f})")
print(saved.leakage_line)
metrics = ("loss", "accuracy", "macro_recall")
skinkit.plots.learning_curves(pd.read_csv(folder / "history.csv"), metrics=metrics)

# %% [markdown]
# The epoch with the best macro recall on `validation` was kept; `test` was looked at once, after that.
# The interval beside the score matters: with few images of the rare classes, two runs that differ by
# several points may be equally good.

# %% [markdown]
# ## What could go wrong
#
# - **Accuracy goes up and the network gets worse.** You have seen it. Watch macro recall.
# - **The loss does not fall.** Look at the first value (ln of the number of classes), then at the
#   range of the pixels: a network made for 0 to 1 that gets 0 to 255 starts with a huge loss.
# - **The loss becomes NaN.** `run` stops and says so. Usually the learning rate is too high; very
#   large class weights act like one.
# - **Validation much better than training.** Not magic: mirrored images are harder than plain ones, and
#   the training line is a mean over an epoch in which the network was still learning.
# - **Other numbers than your neighbour's.** A GPU adds in another order. Equal seeds give equal
#   results on one CPU; elsewhere compare intervals, not digits.
# - **Weights counted on everything.** Count on the training part, after the split.

# %% [markdown]
# ## Exercises
#
# Answer in the open cell of an exercise, then run its check: it says that the answer is right, or gives a
# hint. Let code compute what depends on the images: marks are given on drawn ones.
#
# ### ex-03-1: How many numbers does the second convolution learn?
#
# Compute it from the windows, as we did for the first one, without asking Keras.

# %% tags=["exercise", "ex-03-1"]
second_convolution = None

# %% tags=["solution", "ex-03-1"]
second_convolution = 32 * 3 * 3 * 16

# %% tags=["check", "ex-03-1"] points=2
skinkit.check("03-1", second_convolution)

# %% tags=["test", "ex-03-1"]
assert second_convolution is not None, "section 3 counts the first; what does the second look at?"
learnt = network.get_layer("conv2").count_params()
assert second_convolution == learnt, "windows × height × width × inputs"

# %% tags=["hidden", "ex-03-1"]
assert second_convolution == 32 * 3 * 3 * 16

# %% tags=["wrong", "ex-03-1"]
# Each window looks at 16 maps, and not at one.
second_convolution = 32 * 3 * 3
# The inputs are the maps of the first convolution, and not three colours.
second_convolution = 32 * 3 * 3 * 3
# A window has nine positions.
second_convolution = 32 * 16

# %% [markdown]
# ### ex-03-2: Which k makes the rarest class weigh ten times the most common one?
#
# Take the counts of `parts["train"]`. You do not need a search: two logarithms will do.

# %% tags=["exercise", "ex-03-2"]
k_for_ten = None

# %% tags=["solution", "ex-03-2"]
counts = parts["train"]["label"].value_counts()
k_for_ten = math.log(10) / math.log(counts.max() / counts.min())

# %% tags=["check", "ex-03-2"] points=2
skinkit.check("03-2", k_for_ten)

# %% tags=["test", "ex-03-2"]
assert k_for_ten is not None, "the quotient of the two counts, to the power of k, is 10"
of_class = class_weights(parts["train"]["label"], classes.labels, power=k_for_ten)
ratio = max(of_class.values()) / min(of_class.values())
assert math.isclose(ratio, 10, rel_tol=1e-3), f"with this k it weighs {ratio:.2f} times as much"

# %% tags=["hidden", "ex-03-2"]
in_train = parts["train"]["label"].value_counts()
assert math.isclose((in_train.max() / in_train.min()) ** k_for_ten, 10, rel_tol=1e-3)

# %% tags=["wrong", "ex-03-2"]
# Then the weights differ as much as the counts.
k_for_ten = 1
# Forgets to divide by the logarithm of the quotient of the counts.
k_for_ten = math.log(10)
# Divides where a logarithm is needed.
k_for_ten = 10 / (counts.max() / counts.min())

# %% [markdown]
# ### ex-03-3: What does the attention cost?
#
# The recipe's network has a soft-attention layer. Make a recipe that is the same without it: use
# `dataclasses.replace` with another `model` (`skinkit.papers.choose("small_cnn", ...)`) and a name of
# your own in three parts, such as `"mine/demo/plain"`. If you have the minutes, run it and compare.

# %% tags=["exercise", "ex-03-3"]
plain = None

# %% tags=["solution", "ex-03-3"]
plain = dataclasses.replace(
    recipe, name="mine/demo/plain", model=skinkit.papers.choose("small_cnn", soft_attention=False)
)

# %% tags=["check", "ex-03-3"] points=3
skinkit.check("03-3", plain)

# %% tags=["test", "ex-03-3"]
assert plain is not None, "`dataclasses.replace(recipe, name=..., model=...)`"
assert plain.name != recipe.name, "give it a name of your own"
kept = dataclasses.replace(plain, name=recipe.name, model=recipe.model)
assert kept == recipe, "change the name and the model, and nothing else"
with_it, without = (
    skinkit.models.build(each.model.name, (48, 64, 3), len(classes), **each.model.options)
    for each in (recipe, plain)
)
assert not [one for one in without.layers if "attention" in one.name], "the attention is still there"
learnt = with_it.count_params() - without.count_params()
print(f"attention learns {learnt:,} numbers of {with_it.count_params():,}")

# %% tags=["hidden", "ex-03-3"]
built = skinkit.models.build(plain.model.name, (48, 64, 3), len(classes), **plain.model.options)
assert not [layer for layer in built.layers if "attention" in layer.name]
assert dataclasses.replace(plain, name=recipe.name, model=recipe.model) == recipe

# %% tags=["wrong", "ex-03-3"]
# Another name, the same network.
plain = dataclasses.replace(recipe, name="mine/demo/plain")
# Nothing is changed.
plain = recipe
# Changes the size of the images, too.
plain = dataclasses.replace(plain, image_size=(16, 16))
