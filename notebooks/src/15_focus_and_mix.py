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
# # Focus and mix: what do gamma, alpha and mixup ask of a network?
#
# [![Colab](https://colab.research.google.com/assets/colab-badge.svg)](https://colab.research.google.com/github/REPOSITORY_SLUG/blob/main/notebooks/15_focus_and_mix.ipynb)
# · [Source](https://github.com/REPOSITORY_SLUG/blob/main/notebooks/src/15_focus_and_mix.py)
# · [Focal loss, Lin et al. 2018, Section 3](https://arxiv.org/abs/1708.02002)
# · [mixup, Zhang et al. 2018](https://arxiv.org/abs/1710.09412)
#
# A course report (Butskova 2021) trains with a loss that cares less about easy images, and on images
# that are blends of two. It finds both helpful for rare diagnoses. You take the three numbers apart that
# do it: what each of them asks of a network can be computed before anything is trained. Then you train,
# and look whether it was that.

# %% [markdown]
# You will produce the weight of an image under the focal loss; what gamma and alpha ask a network to
# say; images mixed at 50/50 and at 70/30, with their labels; the proof in numbers that a soft label is
# two targets; and the five rows of Butskova's table of gamma beside your own runs, with and without
# mixup, with their calibration.
#
# | profile | CPU (2 cores) | T4 (estimated) | memory | data |
# | --- | --- | --- | --- | --- |
# | `smoke` | 2 minutes | 2 minutes | 2 GB | 120 synthetic images, generated here |
# | `quick` | 20 minutes | 4 minutes | not measured yet | HAM10000, its images half as large |
# | `full` | not measured yet | not estimated | not measured yet | HAM10000, at the document's own crops |
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
GAMMAS = ("0", "1")  # trained in section 6, without and with mixup, against the first; also "1.5", "2", "5"
WEIGHT = 0.7  # of the first image of a mixture; the document's value
PROJECT = None  # folder of the project's own results; None: of the clone that skinkit is installed from

# %%
import dataclasses
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import tensorflow as tf

import skinkit
from skinkit import evaluation, pipeline, plots, training
from skinkit.experiments import SavedRun, available_profile, ledger, run
from skinkit.papers import choose, register_recipe
from skinkit.papers.published import load_published

skinkit.report_environment()

# %% tags=["images"]
# Real images: take the "# " away from one line. Sizes and times are estimates, hosts untried (2026-11-29).
# skinkit.data.get("dataverse", to=DATA_DIR)  # from the publisher: 2.8 GB, 3 to 10 minutes
# skinkit.data.get("kaggle", to=DATA_DIR)  # a copy, without an account: 5.6 GB, 4 to 15 minutes
# skinkit.data.get("drive", to=DATA_DIR)  # skinkit/ham10000 in your Drive: no download, 2 to 5 minutes

# %% [markdown]
# ## 1. What does gamma do to one image?
#
# Let $p$ be the probability that a network gives to the right class. Cross-entropy is $-\log p$. The
# focal loss multiplies it by $(1-p)^\gamma$. We do it by hand for four images, from hard to easy.

# %%
right = np.array([0.1, 0.5, 0.9, 0.99])
by_hand = {g: (1 - right) ** g * -np.log(right) for g in (0, 1, 2, 5)}
given = np.stack([right, 1 - right], axis=1)
for g, losses in by_hand.items():
    loss = training.build_loss("focal", gamma=float(g), reduction="none")
    assert np.allclose(loss(np.tile([1, 0], (4, 1)), given), losses, atol=1e-5), "the kit's loss is the same"
pd.DataFrame(by_hand, index=pd.Index(right, name="p")).rename_axis(columns="gamma").round(4)

# %%
p = np.linspace(0.01, 0.99, 99)
figure, axes = plt.subplots(1, 2, figsize=(9, 3.2))
for g in by_hand:
    assert ((1 - p) ** g <= 1).all(), "no image gets more than with cross-entropy"
    axes[0].plot(p, (1 - p) ** g, label=f"gamma {g}")
    axes[1].plot(p, (1 - p) ** g * -np.log(p))
for ax, name in zip(axes, ("weight beside cross-entropy", "loss"), strict=True):
    ax.set(xlabel="probability of the right class", ylabel=name)
legend = axes[0].legend()

# %% [markdown]
# At gamma 2 the image with $p$ = 0.99 counts a ten-thousandth of its cross-entropy, that with $p$ = 0.1
# still 81 %. The report says that wrongly classified images have "a higher weight". They have it only
# *relative* to the easy ones: no weight is above 1, and the whole loss shrinks. (The gradient is another
# matter. See exercise 1.)
#
# ## 2. Which images does alpha choose, and which does gamma?
#
# Alpha is a weight by *class*, gamma one by *difficulty*. Neither sees what the other sees. Four images:
# an easy and a hard nevus, an easy and a hard melanoma. Alpha is by inverse frequency, from the printed
# counts of HAM10000, with mean 1 over all images.

# %%
counts = load_published("gessert2019").query("table == 'table1' and row == 'ham10000'")
counts = counts.set_index("class")["value"].astype(int)
labels, everyone = list(counts.index), np.repeat(counts.index.to_numpy(str), counts)
options = training.resolve_alpha({"gamma": 2.0, "alpha": "inverse_frequency"}, labels, everyone)
alpha = pd.Series(options["alpha"], index=labels)
assert np.isclose((alpha * counts).sum() / counts.sum(), 1), "mean 1 over the images"
pd.DataFrame({"images": counts.astype(float), "alpha": alpha.round(2)}).T

# %%
four = [("nv", 0.95), ("nv", 0.3), ("mel", 0.95), ("mel", 0.3)]
weights = {
    "gamma 2": [(1 - p) ** 2 for _, p in four],
    "alpha": [alpha[label] for label, _ in four],
    "alpha and gamma 2": [alpha[label] * (1 - p) ** 2 for label, p in four],
}
columns = pd.MultiIndex.from_tuples(four, names=["image of", "p"])
weights = pd.DataFrame(weights, index=columns).T
assert weights.loc["gamma 2", ("nv", 0.3)] == weights.loc["gamma 2", ("mel", 0.3)], "gamma knows no class"
weights.round(4)

# %% [markdown]
# Gamma treats a hard nevus and a hard melanoma alike. It lifts rare classes only as far as these are the
# hard ones. Alpha lifts the easy melanoma as much as the hard one. The report tried both, and kept alpha
# at 1 for its un-pretrained networks.
#
# ## 3. What does a loss ask for?
#
# Suppose that among all images that look just like this one, a share $q$ are melanomas, and the rest are
# nevi. No network can tell them apart, so that it says one $p$ for all. Which $p$ has the smallest loss?
# Cross-entropy asks for $p = q$: the truth. We try all $p$ for the others.

# %%
q, p = np.linspace(0.02, 0.98, 49)[:, None], np.linspace(0.001, 0.999, 999)
asked = pd.DataFrame(index=pd.Index(q.ravel(), name="share of melanomas among such images"))
for g, rare in ((0, 1), (1, 1), (2, 1), (5, 1), (0, 4)):
    expected = q * rare * (1 - p) ** g * -np.log(p) + (1 - q) * p**g * -np.log(1 - p)
    asked[f"gamma {g}" if rare == 1 else f"alpha {rare}"] = p[expected.argmin(axis=1)]
assert np.allclose(asked["gamma 0"], asked.index, atol=1e-3), "cross-entropy asks for the truth"

# %%
ax = asked.plot(figsize=(6, 4), ylabel="what the loss asks for")
ax.axhline(0.5, color="#BBBBBB", linestyle=":")
says_melanoma = asked > 0.5
for name in ("gamma 1", "gamma 2", "gamma 5"):
    assert says_melanoma[name].equals(says_melanoma["gamma 0"]), "gamma changes no decision"
assert says_melanoma["alpha 4"].sum() > says_melanoma["gamma 0"].sum(), "alpha does"
asked.iloc[[-5]].round(3)

# %% [markdown]
# There are two things to see.
#
# **Gamma asks for less sureness, never for another decision.** Its curves are flatter than the truth, and
# all cross one half at one half (with more classes it is the same: Charoenphakdee et al. 2021). Where 90 %
# are melanomas, gamma 2 asks for 0.69. **Alpha asks for another decision**: at 4 to 1 a fifth of melanomas
# is enough to say melanoma.
#
# The report writes that with gamma "a lot of the dominant benign images become misclassified in favor of
# the less popular classes", and its accuracy falls from 0.748 to 0.540. That is what alpha would do. The
# focal loss with alpha 1 does not ask for it. A network that has not come near what it is asked may of
# course do anything: only a measurement can tell (sections 6 and 7).
#
# ## 4. What does a mixed image look like?
#
# Mixup trains on $w \cdot a + (1-w) \cdot b$, of two images and of their labels alike. The report's figure
# shows 50/50, "for illustration"; its training has 70/30. By hand, on two drawn lesions:

# %%
drawn = skinkit.data.synthetic(120)  # drawn images, whatever the profile
one_each = drawn.drop_duplicates("label")
spec = pipeline.PipelineSpec(image_size=(90, 120))
batch = pipeline.build_dataset(one_each, spec, labels=labels, batch_size=7)
images, hard = (part.numpy() for part in next(iter(batch)))
a, b = images[:2]
shown = {"a": a, "b": b, "50/50": 0.5 * a + 0.5 * b, "70/30": 0.7 * a + 0.3 * b}
plots.image_grid(list(shown.values()), list(shown))

# %% [markdown]
# Now a whole batch by the kit. Each image gets another one as its partner, and is itself the partner of
# one. So a batch keeps its light and its labels: every class has as much label after mixing as before.

# %%
mixed, soft = (part.numpy() for part in next(iter(pipeline.Mixup(weight=WEIGHT)(batch, seed=SEED))))
assert np.allclose(soft.sum(axis=1), 1)
assert np.allclose(soft.sum(axis=0), hard.sum(axis=0)), "mixup balances nothing"
partner = hard.argmax(axis=0)[(soft - WEIGHT * hard).argmax(axis=1)]
assert np.allclose(mixed, WEIGHT * images + (1 - WEIGHT) * images[partner], atol=1e-5)
pd.DataFrame(soft, columns=labels, index=one_each["label"]).round(2)

# %% [markdown]
# This batch has one image of each class. A real one is mostly nevi. How often does mixup then make a soft
# label at all, and what do the images of the rarest class meet?

# %%
share = counts / counts.sum()
print(f"both images of one class, so that the label stays hard: {(share**2).sum():.0%} of the mixtures")
print(f"at least one of the two a nevus: {1 - (1 - share['nv']) ** 2:.0%}")
print(
    f"a dermatofibroma meets a nevus in {share['nv']:.0%} of its mixtures, another one in {share['df']:.1%}"
)
sampled = pipeline.Mixup(alpha=0.2).random_weights(10_000, SEED, 0).numpy()
pure = (np.abs(sampled - 0.5) > 0.4).mean()
print(f"weights sampled from Beta(0.2, 0.2): {pure:.0%} leave more than nine tenths of one image")

# %% [markdown]
# The last line is a difference that the report does not mention. It says that the mixup paper suggests
# weights in the range of 0.7 and 0.3. The paper *samples* the weight anew each time, mostly close to 0 or 1.
# With a fixed 0.7 the network never sees an unmixed image until it is examined on one.
#
# ## 5. Is a soft label two targets?
#
# "Loss of the first target times 0.7, plus loss of the second times 0.3": or one loss on the mixed label?
# For a loss that is *linear* in its target both are the same. Cross-entropy is. Keras' focal loss is, too:
# it sums over the classes, each with its own $(1-p)^\gamma$. But many snippets spell the focal loss through
# the cross-entropy, $(1-e^{-CE})^\gamma \cdot CE$. With one true class $e^{-CE}$ is $p$. With two it is not.

# %%
random = np.random.default_rng(SEED)
given = random.dirichlet(np.ones(7), size=64).astype("float32")
first = np.eye(7, dtype="float32")[random.integers(7, size=64)]
second = np.roll(first, 1, axis=1)
soft = WEIGHT * first + (1 - WEIGHT) * second
entropy = -(soft * np.log(given)).sum(axis=1)
losses = {f"focal, gamma {g}": (g, {"gamma": float(g)}) for g in (0, 1, 2, 5)}
losses["focal, gamma 2, alpha by class"] = (2, options)

# %%
linear = {}
for name, (g, given_options) in losses.items():
    loss = training.build_loss("focal", **given_options, reduction="none")
    of_first, of_second, at_once = (np.array(loss(each, given)) for each in (first, second, soft))
    apart, spelt = WEIGHT * of_first + (1 - WEIGHT) * of_second, (1 - np.exp(-entropy)) ** g * entropy
    linear[name] = {"two targets": apart.mean(), "one soft label": at_once.mean()}
    linear[name]["largest difference"] = np.abs(at_once - apart).max()
    linear[name]["spelt 1 - exp(-CE)"] = np.nan if "alpha" in name else np.abs(spelt - apart).max()
linear = pd.DataFrame(linear).T
assert (linear["largest difference"] < 1e-4).all(), "linear in the target"
assert (linear["spelt 1 - exp(-CE)"].iloc[1:4] > 0.05).all(), "another loss"
linear.map("{:.2g}".format).replace("nan", "")

# %% [markdown]
# The last two columns are the largest differences to the two targets. The third is rounding. The fourth is
# not, but for gamma 0, which is the cross-entropy. The report adds the losses of two targets, each of one
# class: there both spellings agree, and so does one loss on the soft label *here*. Only the other spelling
# on a soft label is another method.
#
# ## 6. Train: gamma, with and without mixup
#
# The report has no row with and without mixup: both of its EfficientNet rows have it, no ResNet row has.
# So its gain from the network and its gain from mixup are one number. We train all four cells: two values
# of gamma, each without and with mixup, on a small network from nothing, on the report's crops.

# %%
profile = available_profile(PROFILE, "ham10000", DATA_DIR)
arms = {f"gamma {g}": skinkit.papers.recipe(f"butskova2021/gamma/mobilenet-gamma{g}") for g in GAMMAS}
for name, recipe in tuple(arms.items()):
    own = recipe.name.replace("butskova2021", "mine") + f"-mixup{WEIGHT}"
    own = dataclasses.replace(recipe, name=own, mixing=choose("mixup", weight=WEIGHT))
    arms[f"{name}, mixup"] = register_recipe(own)  # so that the ledger of section 7 knows it
where = {"seed": SEED, "out": OUT_DIR, "data_dir": DATA_DIR, "verbose": 2}
runs = {name: SavedRun(run(recipe, profile, **where)) for name, recipe in arms.items()}

# %%
base, *others = [f"gamma {g}" for g in GAMMAS]
exam, classes = runs[base].predictions, runs[base].labels
truth, lesions = exam["label"], exam["lesion_id"]
shares = {name: evaluation.unpack_predictions(saved.predictions)[1] for name, saved in runs.items()}
scored = ["accuracy", "macro_recall"]
intervals = {}
for name, saved in runs.items():
    assert saved.predictions["image_id"].equals(exam["image_id"]), "one exam for all"
    assert saved.manifest["leakage"]["lesion"] == 0, "a lesion of the exam was seen in training"
    intervals[name] = evaluation.bootstrap_intervals(truth, shares[name], classes, lesions, scored)
plots.score_intervals(intervals)

# %%
pairs = [(other, base) for other in others]
pairs += [(f"{name}, mixup", name) for name in (base, *others)]
differences = {}
for x, y in pairs:
    compared = evaluation.paired_difference(truth, shares[x], shares[y], classes, lesions, scored)
    differences[f"{x} minus {y}"] = compared[["value", "low", "high"]]
differences = pd.concat(differences)
differences.assign(contains_0=differences["low"].mul(differences["high"]) <= 0).round(3)

# %% [markdown]
# Where an interval contains 0, these images cannot tell the two apart. (In `smoke` no network has learnt
# anything: there the table only shows the question.) It is one seed: training again with another one moves
# the mean recall by some hundredths.
#
# ## 7. The document's table beside ours
#
# Five rows, ResNet-50 from nothing. The report splits images, not lesions, so that its scores are partly of
# lesions that were in training (notebook 08); and gamma was chosen on the images that are scored.

# %%
printed = load_published("butskova2021").query("table == 'unpretrained'")
printed = printed.pivot(index="row", columns="metric", values="value").astype(float)
printed.index = printed.index.str.removeprefix("resnet50-")
lead = printed["macro_recall"]["gamma1"] - printed["macro_recall"]["gamma1.5"]
print(f"gamma 1 leads over 1.5 by {lead:.3f}; one of 23 dermatofibromas is {1 / 7 / 23:.4f}")
printed.join(printed.sub(printed.loc["gamma0"]).add_prefix("minus gamma 0: ")).round(3)

# %%
books = {"this notebook": ledger(OUT_DIR, smoke=True).query("profile == @profile")}
project = Path(PROJECT or Path(skinkit.__file__).parents[1] / "results")
if (project / "ledger.csv").exists():
    books["the project"] = pd.read_csv(project / "ledger.csv")

# %%
wanted = "document in ('butskova2021', 'mine') and table in ('gamma', 'stages') and `class` == 'all'"
found = []
for source, book in books.items():
    book = book.query(wanted).assign(source=source)
    book = book[book["measured"].notna() & (book["stale"].isna() | book["stale"].eq(""))]
    found += [book[book["metric"].isin([*scored, "ece"])]] if len(book) else []
keys = ["source", "profile", "protocol", "precision"]
found = pd.concat([each[[*keys, "row", "metric", "runs", "measured", "low", "high"]] for each in found])
found.pivot_table("measured", [*keys, "row", "runs"], "metric").round(3)

# %%
rows = [f"gamma{g}" for g in ("0", "1", "1.5", "2", "5")]
figure, axes = plt.subplots(1, 2, figsize=(11, 4.5), layout="constrained")
found["gamma"] = found["row"].str.extract(r"^mobilenet-(gamma[\d.]+)$")[0]
for ax, metric in zip(axes, scored, strict=True):
    tables = {"printed, ResNet-50": printed.assign(value=printed[metric], low=np.nan, high=np.nan)}
    mine = found[found["metric"].eq(metric) & found["gamma"].notna()].rename(columns={"measured": "value"})
    tables |= {", ".join(which): part.set_index("gamma") for which, part in mine.groupby(keys)}
    plots.score_intervals(tables, rows, ax=ax)
    ax.set_title(metric)
    not_run = {name: [row for row in rows if row not in table.index] for name, table in tables.items()}
print("\n".join(f"not run in {name}: {', '.join(missing)}" for name, missing in not_run.items() if missing))

# %% [markdown]
# Compare the order of the dots, not their place: another network, smaller images, another split. What to
# look for: does the accuracy fall where gamma is above 0? Section 3 says that the loss does not ask for
# it. If ours does not fall, then what moved the printed accuracy was something else, which the report does
# not name (a sampler, another epoch, another learning rate). If ours falls, too, the reason lies in how a
# network learns, and not in where its loss leads it.
#
# The project's own comparisons, over several seeds, if their file is here. Else see
# [results/butskova2021.md](https://github.com/REPOSITORY_SLUG/blob/main/results/butskova2021.md).

# %%
book, table = project / "comparisons.csv", pd.DataFrame()
if book.exists():
    table = pd.read_csv(book).query("metric in @scored")
    table = table[table["first"].str.match("butskova2021/(?:gamma|stages)/")].set_index(["first", "second"])
    asked_for = ["profile", "protocol", "runs", "difference", "low_of_both", "high_of_both", "holds"]
    table = table[["metric", *asked_for]].round(3)
table if len(table) else print("not here: see results/butskova2021.md")

# %% [markdown]
# And the printed table of pretrained networks: gamma 1 is *below* gamma 0 in both scores, and yet the
# conclusion calls a positive gamma beneficial. The two lines of the EfficientNet differ from the others in
# the network and in mixup at once.

# %%
pretrained = load_published("butskova2021").query("table == 'pretrained'")
pretrained = pretrained.pivot(index="row", columns="metric", values="value").astype(float)
assert (pretrained.loc["resnet50-gamma1"] < pretrained.loc["resnet50-gamma0"]).all()
pretrained.round(3)

# %% [markdown]
# ## 8. Does it mean what it says?
#
# A network is *calibrated* if of the images for which it says 0.8, 80 % are right (notebook 04). Section 3
# predicts that gamma asks for answers below the truth, and soft labels do so as well. But a network that
# knows its training images by heart is too sure on others. Then a loss that asks for less may come out
# right (Mukhoti et al. 2020), and one that asks for still less may overshoot.
#
# The calibration error (ECE) is never 0 on few images, even for a perfect network. So we need a line to
# hold it against: let a network's own probabilities be the truth, sample the labels from them, and see
# which error it then has.


# %%
def error_by_chance(p, labels, times=200):
    """Returns the calibration error that 95 % of samples stay below if the probabilities are the truth."""
    random, found = np.random.default_rng(SEED), []
    for _ in range(times):
        label = (p.cumsum(axis=1) < random.random((len(p), 1))).sum(axis=1).clip(max=len(labels) - 1)
        found.append(evaluation.score("ece", np.array(labels)[label], p, labels))
    return np.quantile(found, 0.95)


# %%
p = shares[base]
line = error_by_chance(p, classes)
print(f"the run with {base}: {evaluation.score('ece', truth, p, classes):.3f}; by chance up to {line:.3f}")
plots.reliability_diagram(evaluation.reliability_table(truth, p, classes))

# %% [markdown]
# Dots below the line: too sure. Dots above it: not sure enough. Exercise 3 asks for all runs. Whatever
# comes out, one number mends most of it without any training: a temperature, fitted on validation images
# (notebook 04). It changes no decision.
#
# ## What could go wrong
#
# - **Keras' own alpha.** `CategoricalFocalCrossentropy` has alpha 0.25 unless told otherwise: with Adam
#   that is nearly nothing, with SGD a quarter of the learning rate. The kit's default is 1.
# - **A smaller loss.** Losses of two gammas cannot be compared, nor those with and without mixup. Compare
#   scores.
# - **Sample weights beside mixup.** A mixed image has two classes, and a weight is of one. Use a class
#   alpha; the kit refuses the other.
# - **The spelling.** With soft labels `1 - exp(-CE)` is another loss (section 5). Label smoothing makes
#   labels soft, too.
# - **A threshold on the probability.** Gamma and mixup move it. "Call the doctor above 0.8" has to be set
#   anew for each of them.
# - **Two changes in one row.** Network and mixup changed together: neither gain is known.
# - **The best of five on the exam.** Gamma 1 was chosen by 0.001 on the images that are then reported.

# %% [markdown]
# ## Exercises
#
# Answer in the open cell of an exercise, then run its check: it says that the answer is right, or gives a
# hint. Let code compute what depends on the images: marks are given on drawn ones.
#
# ### ex-15-1: How hard do an easy and a hard image pull?
#
# The network's last layer gives a score $z$ for the right class, and softmax makes $p$ of it, so that
# $dp/dz = p(1-p)$. What is the slope of the focal loss $-(1-p)^\gamma \log p$ by $z$, for the easy image
# ($p$ = 0.95) and the hard one ($p$ = 0.2), at gamma 0 and 2? Does any of them pull *harder* with gamma 2?
# Make an array with a row for each image and a column for each gamma.

# %% tags=["exercise", "ex-15-1"]
slopes = None

# %% tags=["solution", "ex-15-1"]
p, g = np.array([[0.95], [0.2]]), np.array([0, 2])
slopes = g * p * (1 - p) ** g * np.log(p) - (1 - p) ** (g + 1)

# %% tags=["check", "ex-15-1"] points=4
skinkit.check("15-1", slopes)

# %% tags=["test", "ex-15-1"]
assert slopes is not None, "the product rule for (1 - p) ** gamma times log(p), then times p (1 - p)"
for row, right_one in enumerate((0.95, 0.2)):
    for column, g in enumerate((0.0, 2.0)):
        z = tf.Variable([[np.log(right_one / (1 - right_one)), 0.0]], dtype="float32")
        with tf.GradientTape() as tape:
            value = training.build_loss("focal", gamma=g)(np.array([[1.0, 0.0]]), tf.nn.softmax(z))
        slope = tape.gradient(value, z)[0, 0]
        assert np.isclose(slopes[row][column], slope, atol=1e-3), f"p {right_one}, gamma {g}: {slope:.3f}"
easy, hard_one = np.abs(slopes)
print(f"hard / easy: {hard_one[0] / easy[0]:.0f} with cross-entropy, {hard_one[1] / easy[1]:.0f} at gamma 2")

# %% tags=["hidden", "ex-15-1"]
chances, gammas = np.array([[0.95], [0.2]]), np.array([0.0, 2.0])
step = 1e-6
focal = lambda z: -((1 - 1 / (1 + np.exp(-z))) ** gammas) * np.log(1 / (1 + np.exp(-z)))
at = np.log(chances / (1 - chances))
assert np.allclose(slopes, (focal(at + step) - focal(at - step)) / (2 * step), atol=1e-3)

# %% tags=["wrong", "ex-15-1"]
# A higher score lowers the loss.
slopes = -slopes
# By p, and not by z.
slopes = slopes / (p * (1 - p))
# Forgets that (1 - p) ** gamma changes, too.
slopes = -((1 - p) ** (g + 1))

# %% [markdown]
# (The hard one pulls harder than with cross-entropy, although its loss is smaller. There the report's "a
# higher weight" is right.)
#
# ### ex-15-2: Whose loss is it?
#
# Seven classes with the `counts` of HAM10000. All nevi have $p$ = 0.9, all others 0.5. Which share of the
# whole loss does each class have at gamma 2 with `alpha`? Make a Series, index label. (What were the
# shares with alpha alone, if all had the same $p$?)

# %% tags=["exercise", "ex-15-2"]
class_shares = None

# %% tags=["solution", "ex-15-2"]
p = pd.Series(0.5, index=labels)
p["nv"] = 0.9
class_shares = counts * alpha * (1 - p) ** 2 * -np.log(p)
class_shares = class_shares / class_shares.sum()

# %% tags=["check", "ex-15-2"] points=3
skinkit.check("15-2", class_shares)

# %% tags=["test", "ex-15-2"]
assert class_shares is not None, "which loss has one image of a class, and how many such images are there?"
true_class = np.eye(7)[np.repeat(np.arange(7), counts)]
sure = np.where(everyone == "nv", 0.9, 0.5)[:, None]
given = np.where(true_class == 1, sure, (1 - sure) / 6)
loss = training.build_loss("focal", gamma=2.0, alpha=options["alpha"], reduction="none")
summed = pd.Series(np.array(loss(true_class, given))).groupby(everyone).sum()
for label, total in (summed / summed.sum()).items():
    assert abs(class_shares[label] - total) < 1e-3, f"{label}: the kit's loss has {total:.4f}"
print(f"nevi {class_shares['nv']:.1%}, each other class {class_shares['df']:.1%}")

# %% tags=["hidden", "ex-15-2"]
of_one = np.where(counts.index == "nv", 0.01 * -np.log(0.9), 0.25 * -np.log(0.5))
weighed = counts * options["alpha"] * of_one
assert np.allclose(class_shares[weighed.index], weighed / weighed.sum(), atol=1e-3)

# %% tags=["wrong", "ex-15-2"]
# Shares of the images, and not of the loss.
class_shares = counts / counts.sum()
# Without gamma.
class_shares = counts * alpha / (counts * alpha).sum()
# Without alpha.
class_shares = counts * (1 - p) ** 2 * -np.log(p) / (counts * (1 - p) ** 2 * -np.log(p)).sum()

# %% [markdown]
# ### ex-15-3: Is mixup with the focal loss calibrated?
#
# For each run in `shares` (its probabilities; `truth` and `classes` go with them): the calibration error
# `ece`; the `gap`, mean confidence minus accuracy (above 0: too sure); and `calibrated`, whether the error
# is not above `error_by_chance`. Make a DataFrame with a row for each run.

# %% tags=["exercise", "ex-15-3"]
calibration = None

# %% tags=["solution", "ex-15-3"]
calibration = {}
for name, p in shares.items():
    ece, accuracy = (evaluation.score(metric, truth, p, classes) for metric in ("ece", "accuracy"))
    calibration[name] = {"ece": ece, "gap": p.max(axis=1).mean() - accuracy}
    calibration[name]["calibrated"] = ece <= error_by_chance(p, classes)
calibration = pd.DataFrame(calibration).T

# %% tags=["check", "ex-15-3"] points=4
skinkit.check("15-3", calibration)

# %% tags=["test", "ex-15-3"]
assert calibration is not None, "evaluation.score gives 'ece' and 'accuracy'; confidence is p.max(axis=1)"
for name, p in shares.items():
    bins = evaluation.reliability_table(truth, p, classes).query("n > 0")
    gaps, said = bins["confidence"] - bins["accuracy"], calibration.loc[name]
    error = np.average(gaps.abs(), weights=bins["n"])
    too_sure = np.average(gaps, weights=bins["n"])
    assert abs(said["gap"] - too_sure) < 1e-3, f"{name}: confidence minus accuracy is {too_sure:.3f}"
    assert abs(said["ece"] - error) < 1e-3, f"{name}: the mean gap of the bins is {error:.3f}"
    assert said["calibrated"] == (error <= error_by_chance(p, classes)), f"{name}: against chance"
print(calibration.to_string())

# %% tags=["hidden", "ex-15-3"]
for run_name, given_shares in shares.items():
    found_ece = evaluation.score("ece", truth, given_shares, classes)
    too_sure = given_shares.max(axis=1).mean() - evaluation.score("accuracy", truth, given_shares, classes)
    assert np.allclose(
        calibration.loc[run_name, ["ece", "gap"]].astype(float), [found_ece, too_sure], atol=1e-3
    )
    assert calibration.loc[run_name, "calibrated"] == (found_ece <= error_by_chance(given_shares, classes))

# %% tags=["wrong", "ex-15-3"]
# Accuracy minus confidence.
calibration = calibration.assign(gap=-calibration["gap"])
# As if confidence and accuracy agreed in every bin.
calibration = calibration.assign(ece=0.0)
# Turned over.
calibration = calibration.assign(calibrated=~calibration["calibrated"].astype(bool))
