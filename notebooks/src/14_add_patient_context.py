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
# # Add patient context: does a network see the odd one out?
#
# [![Colab](https://colab.research.google.com/assets/colab-badge.svg)](https://colab.research.google.com/github/REPOSITORY_SLUG/blob/main/notebooks/14_add_patient_context.ipynb)
# · [Source](https://github.com/REPOSITORY_SLUG/blob/main/notebooks/src/14_add_patient_context.py)
# · [ISIC 2020, the data of Hernández Pérez 2020, Sections 3.2 and 3.4](https://doi.org/10.1038/s41597-021-00815-z)
#
# A thesis lets a network look at all images of a patient before it judges one of them, in three ways,
# and finds no clear gain. Was there nothing to find, or could it not be found that way? You take the
# three ways apart, plant something to be found, and see which of them finds it.

# %% [markdown]
# You will produce the batches of the contextual sampler, as the text describes it and as the listing
# prints it; attention among the images of a patient by hand, with the same numbers as the layer; the
# stored features of Algorithm 1; the document's "cheat"; a baseline without any parameter; the scores
# of each on synthetic patients whose images tell something together, or do not; and Table 4 of
# Hernández Pérez (2020) beside them.
#
# | profile | CPU (2 cores) | T4 (estimated) | memory | data |
# | --- | --- | --- | --- | --- |
# | `smoke` | 2 minutes | 2 minutes | 2 GB | 160 synthetic images, generated here |
# | `quick` | 13 minutes | 4 minutes | 3 GB | 6,000 small synthetic images; ISIC 2020: an hour more, guessed |
# | `full` | not measured yet | not estimated | not measured yet | 12,000 small synthetic images; ISIC 2020 |
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
ROWS = ("base", "attention", "mean", "zscore")  # the rows trained on synthetic patients; "base" is needed
REAL_ROWS = ("base", "attention", "mean", "zscore")  # the same on ISIC 2020, if it is there

# %%
from pathlib import Path

import keras
import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

# %%
import skinkit
from skinkit import evaluation
from skinkit.experiments import SavedRun, available_profile, ledger, run
from skinkit.experiments.predictions import predict
from skinkit.experiments.run_data import build_run_data
from skinkit.models import patient_classifier
from skinkit.papers.published import load_published
from skinkit.tasks import batches

skinkit.report_environment()

# %% tags=["images"]
# Real images: take the "# " away from one line. Sizes and times are estimates, hosts untried (2026-11-29).
# skinkit.data.fetch("isic2020")  # from the publisher: 25 GB, an hour or more
# skinkit.data.get("kaggle", "isic2020", to=DATA_DIR)  # at 512 x 512, no account: some GB, 5 to 15 minutes
# skinkit.data.get("drive", "isic2020", to=DATA_DIR)  # skinkit/isic2020 in your Drive: 2 to 5 minutes

# %% [markdown]
# ## 1. Which images share a batch?
#
# A network can compare the images of a patient only if they reach it together. In a shuffled set they
# hardly ever do. The document's *contextual sampler* takes patients, every other one with a melanoma.
# Then it takes a few images of each; for ill patients half of these are malignant. We use the synthetic
# patients of this whole notebook, in whom context tells something (notebook 12, section 7).

# %%
recipe = skinkit.papers.recipe("hernandez2020/synthetic/informative-attention").resolve(PROFILE)
run_data = build_run_data(recipe, PROFILE)
rows, labels = run_data.rows("train"), run_data.labels
samplers = skinkit.pipeline.SAMPLERS
sampler = samplers["contextual"](
    rows["label"], rows["patient_id"], patients_per_batch=8, images_per_patient=4
)
batch = rows.iloc[sampler.order(SEED, 0)[:32]]
groups = np.arange(32) // 4
assert (batch.groupby(groups)["patient_id"].nunique() == 1).all(), "four images of one patient each"
pd.DataFrame({"patient": groups, "label": batch["label"].to_numpy()}).value_counts().unstack(fill_value=0)

# %% [markdown]
# Every other patient is ill, and two of their four images are malignant: a quarter of the batch. (A
# patient with one melanoma shows it twice.) The text says so. The *listing* in the appendix takes
# **one** image of each patient, so that a batch has nothing to compare an image with. We count over an
# epoch:

# %%
ways = {"weighted_random": (rows["label"],), "contextual": (rows["label"], rows["patient_id"])}
orders = {"as they come": rows}
orders |= {name: rows.iloc[samplers[name](*columns).order(SEED, 0)] for name, columns in ways.items()}
listed = samplers["contextual"](*ways["contextual"], images_per_patient=1).order(SEED, 0)
orders["contextual, as listed"] = rows.iloc[listed]
table = {}
for name, seen in orders.items():
    patients = seen["patient_id"].to_numpy()
    together = [len(set(patients[i : i + 32])) for i in range(0, len(seen) - 31, 32)]
    table[name] = {"malignant": seen["label"].eq("malignant").mean(), "patients in 32": np.mean(together)}
assert abs(table["contextual"]["malignant"] - 0.25) < 0.03
pd.DataFrame(table).T.round(2)

# %% [markdown]
# ## 2. What is attention among images?
#
# Take four images of one patient, each with six numbers, its *features*. Every image asks a question
# (*query*), offers an answer to it (*key*), and has something to hand over (*value*): three matrices
# that the network learns. How well a key fits a query, as a share of all, says how much of that value
# is handed over. The image itself is left out: what it knows it need not ask for.

# %%
random = np.random.default_rng(SEED)
count, depth = 4, 6
x = random.normal(size=(count, depth)).astype("float32")
keras.utils.set_random_seed(SEED)
layer = skinkit.layers.PatientAttention(num_heads=1)
layer.build((None, None, depth))
weights = [each.squeeze() for each in layer.get_weights()]
w_query, b_query, w_key, b_key, w_value, b_value, w_out, b_out, gamma, beta = weights

# %%
fit = (x @ w_query + b_query) @ (x @ w_key + b_key).T / np.sqrt(depth)
np.fill_diagonal(fit, -np.inf)
shares = np.exp(fit) / np.exp(fit).sum(axis=1, keepdims=True)
assert np.allclose(shares.sum(axis=1), 1) and not shares.diagonal().any()
pd.DataFrame(shares).round(2)

# %% [markdown]
# Each row shows what an image takes from each of the others. What it gets is added to what it was
# (*residual*), and the sum is brought to mean 0 and deviation 1 (*layer normalisation*). Does the layer
# agree?

# %%
received = shares @ (x @ w_value + b_value) @ w_out + b_out
total = x + received
spread = np.sqrt(total.var(axis=1, keepdims=True) + 1e-5)
by_hand = (total - total.mean(axis=1, keepdims=True)) / spread * gamma + beta
found, scores = layer(x[np.newaxis], return_scores=True)
assert np.allclose(found[0], by_hand, atol=1e-5)
assert np.allclose(scores[0, 0], shares, atol=1e-6)
print("number for number")

# %% [markdown]
# Patients have two images or a hundred, and a batch is a rectangle, so some patients are padded. Three
# things must be true of a layer that looks at patients, and they are easily broken: padding must change
# nothing, the order of the images must not matter, and a patient with one image must get an answer.

# %%
filled = np.concatenate([x, np.full((3, depth), 1e6, "float32")])[np.newaxis]
real = np.array([[True] * count + [False] * 3])
assert np.allclose(layer(filled, mask=real)[0, :count], by_hand, atol=1e-5), "padding changes nothing"
order = random.permutation(count)
assert np.allclose(layer(x[np.newaxis, order])[0], by_hand[order], atol=1e-5), "the order does not matter"
alone = layer(x[np.newaxis, :1])[0, 0]
assert np.allclose(alone, (x[0] - x[0].mean()) / np.sqrt(x[0].var() + 1e-5), atol=1e-5), "nothing received"
print("padding, order and a single image: all three hold")

# %% [markdown]
# (A softmax over nothing divides 0 by 0. With the usual large negative number in place of infinity, it
# shares out evenly among the padding. Many released layers do one of the two.)
#
# The document has three attentions: that of the text, that of listing C and that of listing E, which asks
# twice with the same weights and drops 60 % of the shares. `PatientAttention(variant=...)` has them all.
#
# ## 3. What can attention know, and what the mean?
#
# The other way of the document is simpler: lay the *mean* of the patient's features beside the image's
# own, and let one linear layer decide. Before any image, we make a thought experiment. Each patient has
# a look, a point on a circle. Spots have the look of their patient, and one in four has the opposite
# look: the task is to find those.


# %%
def synthetic_looks(patients, seed):
    """Returns features (patients, 8, 8) and which images have the look opposite to their patient's."""
    rng = np.random.default_rng(seed)
    angle, odd = rng.uniform(0, 2 * np.pi, (patients, 1)), rng.random((patients, 8)) < 0.25
    features = rng.normal(0, 0.3, (patients, 8, 8))
    look = np.stack([np.cos(angle), np.sin(angle)], axis=-1)
    features[..., :2] += np.where(odd, -1, 1)[..., np.newaxis] * look
    return features.astype("float32"), odd.astype("int32")


# %%
def trained_on(context, learn, test, weights=None):
    """Returns a small classifier of patients' features and its probabilities for other patients."""
    keras.utils.set_random_seed(SEED)
    classifier = patient_classifier(learn[0].shape[-1], context=context)
    classifier.compile(keras.optimizers.Adam(0.01), "sparse_categorical_crossentropy")
    masks = [np.ones(y.shape, bool) for _, y in (learn, test)]
    classifier.fit([learn[0], masks[0]], learn[1], sample_weight=weights, epochs=15, batch_size=32, verbose=0)
    p = classifier.predict([test[0], masks[1]], verbose=0)[..., 1]
    return classifier, p


# %%
learn, test = synthetic_looks(800, 0), synthetic_looks(400, 1)
areas = {}
for context in ("none", "mean", "attention"):
    _, p = trained_on(context, learn, test)
    areas[context] = roc_auc_score(test[1].ravel(), p.ravel())
assert areas["attention"] > 0.75 > 0.6 > max(areas["mean"], areas["none"])
pd.Series(areas, name="area under the curve").round(2)

# %% [markdown]
# The mean finds *nothing*, and no amount of training would help. A linear layer adds: so much for the
# image, so much for the patient. "Unlike the others" is not a sum. A red spot is odd in a brown patient
# and at home in a red one; what red adds to the score it adds in both. Attention can do it, because the
# normalisation behind it is not a sum: where image and patient cancel out, everything else in the
# vector grows.
#
# So a table in which "static mean" wins by half a point (section 7) is not the table of an ugly duckling
# that was found. What the linear mean *can* learn is which patients are ill.
#
# ## 4. Does attention look where the answer is? The cheat
#
# The document asks whether its attention works at all, and plants the answer: patients with melanoma
# get an extra vector. It trains to a high accuracy, and the attention points at the plant. Ours is
# stricter: the flag is put on *another* image of an ill patient, and only one unflagged image of each
# patient is scored. Alone this image says nothing.

# %%
flagged = {}
for part, seed in (("learn", 2), ("test", 3)):
    rng = np.random.default_rng(seed)
    features, ill = rng.normal(size=(400, 6, 16)).astype("float32"), rng.random(400) < 0.5
    flag = rng.integers(1, 6, 400)
    features[ill, flag[ill]] += 3
    answers = np.repeat(ill[:, np.newaxis], 6, axis=1).astype("int32")
    flagged[part] = (features, answers), flag
only_first = np.tile([1.0, 0, 0, 0, 0, 0], (400, 1))

# %%
cheat, (asked, flag) = {}, flagged["test"]
for context in ("none", "attention"):
    model, p = trained_on(context, flagged["learn"][0], asked, only_first)
    cheat[context] = roc_auc_score(asked[1][:, 0], p[:, 0])

# %%
_, scores = model.get_layer("patient_attention")(asked[0], return_scores=True)
ill = asked[1][:, 0] == 1
looked_at = np.mean(scores, axis=1)[:, 0].argmax(axis=1)
pointing = (looked_at[ill] == flag[ill]).mean()
assert cheat["attention"] > 0.99 and cheat["none"] < 0.6
assert pointing > 0.75, "by chance it would be one in five"
print(
    f"alone {cheat['none']:.2f}, with attention {cheat['attention']:.3f}; "
    f"for {pointing:.0%} of the ill patients it looks most at the flag"
)

# %% [markdown]
# The path is open: whatever is in the features of a patient's other images can reach the answer. If
# real patients bring no gain, the network's wiring is not the reason. (A planted answer is the cheapest
# test there is. Do it with every network before you believe its zero.)
#
# ## 5. Where do the features come from? Algorithm 1
#
# A hundred images of a patient do not fit onto a graphics card together with the network that learns
# from them, but a hundred *feature vectors* do. So the document computes the features of all images
# beforehand, trains on one image beside the stored features of the others, and computes them anew now
# and then. It calls that expectation maximisation. Here is one refresh by hand.

# %%
network = skinkit.models.build("patient_network", (*recipe.image_size, 3), 2, backbone="small_cnn")
extractor = skinkit.models.pooled_features(network)
depth = extractor.output.shape[-1]
store = skinkit.training.FeatureStore(Path(OUT_DIR, "store"), rows["image_id"], rows["patient_id"], depth)


def batches_from(first):
    """Returns the training images from a position on, batch by batch, without augmentation."""
    return batches.evaluation_images(recipe, rows[first:])


store.refresh(extractor, batches_from)
(file,) = store.folder.iterdir()
print(f"{len(rows)} images of {depth} numbers in float16: {file.stat().st_size / 1e6:.2f} MB on disk")

# %%
asked = rows["image_id"].iloc[:32].tolist()
context, mask = store.read(asked)
others = rows.groupby("patient_id")["image_id"].transform("size").iloc[:32] - 1
assert context.shape == (32, store.most, depth)
assert (mask.sum(axis=1) == others).all(), "all other images of the patient, and not the image itself"
inputs = {"image": next(batches_from(0)), "context": context, "mask": mask}
judged = network.predict(inputs, verbose=0)
assert np.allclose(judged.sum(axis=1), 1, atol=1e-5)
print(f"between {mask.sum(axis=1).min()} and {mask.sum(axis=1).max()} others; room for {store.most}")

# %% [markdown]
# There are two traps. First, the features get *stale*: they are those of the network as it was. Refresh
# at least once per epoch. Second, there is a leak that nobody notices: if validation images of a
# patient are in the store, training has seen them, and the score is leaky. In skinkit a store belongs
# to one part of a split and refuses all other images:

# %%
try:
    store.read([*asked[:2], run_data.rows("test")["image_id"].iloc[0]])
    refused = False
except ValueError as error:
    refused = True
    print(error)
assert refused

# %% [markdown]
# ## 6. Does the network find what is there, and only that?
#
# Now we train on two kinds of synthetic patients. *Informative*: a melanoma is a nevus with the look
# opposite to its patient's; alone it tells next to nothing. *Uninformative*: each image tells its own
# diagnosis, and the others add nothing. `zscore` is the ugly duckling without a parameter: how many
# standard deviations is the base's logit above the mean of its patient? It is not trained.

# %%
where = {"seed": SEED, "out": OUT_DIR, "data_dir": DATA_DIR, "verbose": 0}
words = ("informative", "uninformative")
runs = {
    (word, row): SavedRun(run(f"hernandez2020/synthetic/{word}-{row}", PROFILE, **where))
    for word in words
    for row in ROWS
}
measured = {key: saved.metrics["scores"]["auc"] for key, saved in runs.items()}
assert all(saved.manifest["stamp"] is None for saved in runs.values()), "a patient is in two parts"
pd.DataFrame(measured).T.round(3)

# %%
differences = {}
for word, row in runs:
    if row != "base":
        base, other = (runs[word, name].predictions for name in ("base", row))
        y, p, _ = evaluation.unpack_predictions(base)
        _, q, _ = evaluation.unpack_predictions(other)
        assert base["image_id"].equals(other["image_id"]), "one exam for all"
        people = base["patient_id"].to_numpy(object)
        differences[word, row] = evaluation.paired_difference(y, q, p, labels, people, "auc").loc["auc"]
pd.DataFrame(differences).T.round(3)

# %% [markdown]
# Each line is a row minus the base, on the same resamples of whole patients. Where an interval contains
# 0, these patients cannot tell the two apart. Read it as a test of the method: a gain on the first kind
# and none on the second is what a network with context should show. (In `smoke` no network has learnt
# anything, and the table shows only the question.)
#
# The z-score takes the logit of a network that looks at single images. If that network is blind, there
# is nothing to compare. We compute it by hand for one patient:

# %%
alone = runs["informative", "base"].predictions
person = alone["patient_id"].value_counts().index[0]
p = alone.loc[alone["patient_id"] == person, "p_malignant"]
logit = np.log(p / (1 - p))
z = (logit - logit.mean()) / logit.std(ddof=0)
assert np.allclose(z, evaluation.patient_z_scores(p, [person] * len(p)), atol=1e-4)
print(f"{len(z)} images of one patient: the largest z is {z.max():.1f}, the smallest {z.min():.1f}")

# %% [markdown]
# ## 7. The document's table beside ours
#
# Table 4 prints area, precision and recall. With the number of melanomas these say more than is
# printed: how many benign images were called benign (*specificity*), and the *balanced accuracy*, which
# the document itself uses in its figures.

# %%
table4 = load_published("hernandez2020").query("table == 'table4'")
table4 = table4.pivot(index="row", columns="metric", values="value") / 100
prevalence = 584 / 33_125
implied = [
    evaluation.implied_specificity(p, r, prevalence) for p, r in table4[["precision", "recall"]].values
]
table4["specificity"] = implied
table4["balanced accuracy"] = (table4["recall"] + table4["specificity"]) / 2
assert table4["auc"].idxmax() == "static-mean-em"
assert table4["balanced accuracy"].idxmax() == "contextual-sampler"
table4.sort_values("auc").round(3)

# %% [markdown]
# By area the contextual sampler is the worst row, by balanced accuracy the best. The document prints
# the area and concludes that the sampler does not help. Worse: the scores are those of **training and
# validation together**. What is that worth? We ask our base, which has learnt its training patients,
# about each part of its split.

# %%
base = runs["uninformative", "base"]
network, parts = base.load_model(), ("train", "validation", "train+validation", "test")
exams = {part: predict(network, base.recipe, base.run_data().rows(part)) for part in parts}
pd.Series(
    {part: evaluation.score("auc", *evaluation.unpack_predictions(found)) for part, found in exams.items()}
).round(3)

# %% [markdown]
# The first and the third line count images that the network knows by heart. Only the last line is an
# exam.
#
# If the images of ISIC 2020 are there, the same rows are trained on them, with EfficientNet-Lite0.
# Otherwise this cell is empty.

# %%
profile = available_profile(PROFILE, "isic2020", DATA_DIR)
if profile != "smoke":
    for row in REAL_ROWS:
        run(f"hernandez2020/controls/lite0-{row}", profile, **where | {"verbose": 2})
book = ledger(OUT_DIR, smoke=True).query("document == 'hernandez2020' and metric == 'auc'")
columns = ["profile", "published", "measured", "low", "high", "runs", "leakage_patient", "verdict", "reason"]
book = book[book["class"].eq("all") | book["measured"].isna()]
book.set_index(["table", "row"])[columns].dropna(how="all").round(3)

# %% [markdown]
# Nothing here can be compared with the printed numbers: the patients are synthetic, the images are
# small, or only a part of the release is used. The last column gives the reason. With few melanomas in
# an exam, intervals are wide, and "no difference found" is not "no difference". That holds for the
# document's conclusion, too.
#
# ## What could go wrong
#
# - **Mean plus linear.** A linear layer on the mean cannot know what "unlike" is (section 3). Give the
#   layer the difference, or a hidden layer, before you say that context does not help.
# - **The image in its own context.** If its own features are among the stored ones, an attention may
#   learn to look at itself, and "context" is a longer way to the same image. Listing D stores them all.
# - **A store for all parts.** Features of validation images beside training images: a leak without a
#   single shared file. Ask which ids a store holds.
# - **Patients in two parts.** With context this is worse than without: training then learns the exam's
#   own neighbours by heart.
# - **More epochs for the winner.** Context starts from the trained base and trains on. Compare it with
#   the base that trains on as well (`controls/lite0-longer`).
# - **Resampling images.** Predictions of one patient depend on each other here by construction.
#   Intervals must resample whole patients.

# %% [markdown]
# ## Exercises
#
# Answer in the open cell of an exercise, then run its check: it says that the answer is right, or gives a
# hint. Let code compute what depends on the images: marks are given on drawn ones.
#
# ### ex-14-1: How malignant is a batch?
#
# The contextual sampler makes three quarters of an ill patient's images malignant
# (`malignant_fraction=0.75`). What share of a batch is malignant?

# %% tags=["exercise", "ex-14-1"]
malignant_share = None

# %% tags=["solution", "ex-14-1"]
malignant_share = 0.5 * 0.75

# %% tags=["check", "ex-14-1"] points=1
skinkit.check("14-1", malignant_share)

# %% tags=["test", "ex-14-1"]
greedy = samplers["contextual"](*ways["contextual"], malignant_fraction=0.75)
counted = rows["label"].iloc[greedy.order(SEED, 0)].eq("malignant").mean()
assert malignant_share is not None, "section 1 says how many patients of a batch are ill"
assert abs(counted - malignant_share) < 0.03, f"counted: {counted:.2f}"

# %% tags=["hidden", "ex-14-1"]
assert abs(malignant_share - 0.375) < 0.03

# %% tags=["wrong", "ex-14-1"]
# Of the ill patients; half of a batch is of the others.
malignant_share = 0.75
# Of the patients, and not of the images.
malignant_share = 0.5
# The benign share.
malignant_share = 0.5 * 0.25

# %% [markdown]
# ### ex-14-2: How large is the store?
#
# All 33,126 images of ISIC 2020, 1,280 numbers each, two bytes per number: how many megabytes (of a
# million bytes) is that? How many would the images need, with 224 x 224 x 3 bytes each?

# %% tags=["exercise", "ex-14-2"]
stored_megabytes = None
image_megabytes = None

# %% tags=["solution", "ex-14-2"]
stored_megabytes = 33_126 * 1_280 * 2 / 1e6
image_megabytes = 33_126 * 224 * 224 * 3 / 1e6

# %% tags=["check", "ex-14-2"] points=2
skinkit.check("14-2", stored_megabytes, image_megabytes)

# %% tags=["test", "ex-14-2"]
header = file.stat().st_size - len(rows) * depth * 2
assert 0 < header < 200, "the file holds the numbers and a short header"
assert stored_megabytes is not None, "how many bytes does one image take in the store?"
assert image_megabytes is not None, "how many bytes does one image take as it is?"
assert round(stored_megabytes) == 85, "two bytes per number; a megabyte is a million bytes"
assert round(image_megabytes / stored_megabytes) == 59, "224 x 224 x 3 bytes for each image"

# %% tags=["hidden", "ex-14-2"]
assert round(stored_megabytes) == 85 and round(image_megabytes / stored_megabytes) == 59

# %% tags=["wrong", "ex-14-2"]
# One byte per number.
stored_megabytes, image_megabytes = 33_126 * 1_280 / 1e6, 33_126 * 224 * 224 * 3 / 1e6
# One colour.
stored_megabytes, image_megabytes = 33_126 * 1_280 * 2 / 1e6, 33_126 * 224 * 224 / 1e6
# Float32.
stored_megabytes, image_megabytes = 33_126 * 1_280 * 4 / 1e6, 33_126 * 224 * 224 * 3 / 1e6

# %% [markdown]
# ### ex-14-3: Give the mean what it lacks
#
# `features` are those of section 3. Make `unlike`, of the same shape: for each image the product of its
# own features and the mean of the patient's *other* images, number by number. Then a linear classifier
# finds the odd ones.

# %% tags=["exercise", "ex-14-3"]
features, odd = synthetic_looks(400, 4)
unlike = None

# %% tags=["solution", "ex-14-3"]
features, odd = synthetic_looks(400, 4)
mean_of_others = (features.sum(axis=1, keepdims=True) - features) / (features.shape[1] - 1)
unlike = features * mean_of_others

# %% tags=["check", "ex-14-3"] points=3
skinkit.check("14-3", unlike)

# %% tags=["test", "ex-14-3"]
assert unlike is not None, "the mean of the others: the sum of the patient's features without its own, over 7"
assert np.shape(unlike) == features.shape, f"the shape stays {features.shape}"
first = features[0, 0] * features[0, 1:].mean(axis=0)
assert np.allclose(unlike[0, 0], first, atol=1e-5), "its own features times the mean of the other seven"
half = np.arange(400) < 200
linear = LogisticRegression().fit(unlike[half].reshape(-1, 8), odd[half].ravel())
p = linear.predict_proba(unlike[~half].reshape(-1, 8))[:, 1]
area = roc_auc_score(odd[~half].ravel(), p)
assert area > areas["attention"], "one multiplication beats the attention"
print(
    f"{area:.3f} with a product, {areas['attention']:.3f} with attention, {areas['mean']:.3f} with the mean"
)

# %% tags=["hidden", "ex-14-3"]
of_others = np.stack(
    [np.delete(features, number, axis=1).mean(axis=1) for number in range(features.shape[1])], axis=1
)
assert np.allclose(unlike, features * of_others, atol=1e-5)

# %% tags=["wrong", "ex-14-3"]
# Without a patient.
unlike = features
# The mean holds the image's own features, too.
unlike = features * features.mean(axis=1, keepdims=True)
# Without the image itself.
unlike = mean_of_others
