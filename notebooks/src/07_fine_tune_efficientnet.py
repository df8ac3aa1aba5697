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
# # Fine-tune an EfficientNet: what a network that knows dogs can learn about moles
#
# [![Colab](https://colab.research.google.com/assets/colab-badge.svg)](https://colab.research.google.com/github/REPOSITORY_SLUG/blob/main/notebooks/07_fine_tune_efficientnet.ipynb)
# · [Source](https://github.com/REPOSITORY_SLUG/blob/main/notebooks/src/07_fine_tune_efficientnet.py)
# · [Tan and Le 2019, EfficientNet](https://arxiv.org/abs/1905.11946)
# · [Datta et al. 2021, soft attention](https://arxiv.org/abs/2105.03358)
# · [Köfler 2023, code](https://github.com/MarkusStefan/DeepCNN_SoftAttention)
#
# Hardly anybody in this field trains from nothing. One takes a network that has seen ImageNet (a
# thousand kinds of things, not one skin lesion), gives it a new head, and trains a little. Here you
# look inside: what it knows before the first step, what moves in which phase, what the borrowed weights
# are worth, and whether soft attention adds anything.

# %% [markdown]
# You will produce a count of what is learnt where, the learning curves of both phases, the gain from
# pretraining beside that of Butskova (2021, Section 5), the gain from soft attention beside that of
# Köfler (2023, Table 4), both of ours with intervals, and Grad-CAM maps beside attention maps.
#
# | profile | CPU (2 cores) | T4 (estimated) | memory | data |
# | --- | --- | --- | --- | --- |
# | `smoke` | 3 minutes | 3 minutes | 3 GB | 160 synthetic images, generated here |
# | `quick` | 12 minutes | 4 minutes | 4 GB | HAM10000, 3,000 of its images, made small |
# | `full` | not measured yet | not estimated | 6 GB | HAM10000, the recipe's 21 epochs, three times |
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
SEED = 0  # an integer from 0 on: decides the first weights of the head and the order of the images
DATA_DIR = None  # folder that holds the folder ham10000; None: environment variable SKINKIT_DATA
OUT_DIR = "results/notebooks"  # the runs are kept below it; give another after changing what follows
RECIPE = "skinkit/baseline/efficientnet-lite0-plain"  # one that trains the head, then all layers
EPOCHS = (1, 3)  # of `quick`: epochs of the head alone, then of all layers
SUBSET = 3000  # of `quick`: how many of the 10,015 images are used

# %%
import dataclasses
import math

import keras
import numpy as np
import pandas as pd
from matplotlib_inline.backend_inline import set_matplotlib_formats
from sklearn.linear_model import RidgeClassifierCV

# %%
import skinkit
from skinkit import evaluation, plots, tasks
from skinkit.experiments import SavedRun, available_profile, run
from skinkit.experiments.run_data import build_run_data
from skinkit.papers.published import published_row
from skinkit.tasks.batches import evaluation_images, training_batches

set_matplotlib_formats("jpeg", pil_kwargs={"quality": 90})  # half the size of PNG
skinkit.report_environment()

# %% tags=["images"]
# Real images: take the "# " away from one line. Sizes and times are estimates, hosts untried (2026-11-29).
# skinkit.data.get("dataverse", to=DATA_DIR)  # from the publisher: 2.8 GB, 3 to 10 minutes
# skinkit.data.get("kaggle", to=DATA_DIR)  # a copy, without an account: 5.6 GB, 4 to 15 minutes
# skinkit.data.get("drive", to=DATA_DIR)  # skinkit/ham10000 in your Drive: no download, 2 to 5 minutes

# %% [markdown]
# ## 1. Which recipe, which images?
#
# The recipe says everything: the network and its weights, the split (no lesion and no patient in two
# parts), mirrored and tinted images, and two phases of training. We only make it smaller.

# %%
recipe = skinkit.papers.recipe(RECIPE)
profile = available_profile(PROFILE, recipe.dataset, DATA_DIR)
quick = {"image_size": (96, 128), "epochs": EPOCHS, "subset": SUBSET}
sizes = {**recipe.profiles, "quick": quick}
recipe = dataclasses.replace(recipe, profiles=sizes)
plan = recipe.resolve(profile)
run_data = build_run_data(plan, profile, data_dir=DATA_DIR)
parts = {part: run_data.rows(part) for part in ("train", "validation", "test")}
assert not set(parts["train"]["lesion_id"]) & set(parts["test"]["lesion_id"])
labels, classes = run_data.labels, skinkit.data.CLASS_MAPS[recipe.classes]
pd.DataFrame({part: rows["label"].value_counts() for part, rows in parts.items()}).reindex(labels)

# %%
for number, phase in enumerate(plan.phases, start=1):
    print(f"phase {number}: {phase.epochs} epochs of {phase.trainable}, {phase.optimiser}, {phase.schedule}")
print(f"network: {plan.model}")

# %% [markdown]
# ## 2. What is in the network?
#
# EfficientNet-Lite0 is the small sister of the networks which Tan and Le (2019) found by letting a
# computer search: convolutions in blocks, each block with a detour around it. Its weights come as a
# Python package, so nothing is downloaded while you wait. We split it in two: the *backbone*, all
# that ImageNet taught it, and the *head*, which is ours and knows nothing yet.

# %%
keras.utils.set_random_seed(SEED)
network = skinkit.models.build(plan.model.name, (None, None, 3), len(labels), **plan.model.options)
head = skinkit.models.head_layers(network)
part_of = [
    "head" if layer.name in head else "backbone, counted" if "moving" in weight.name else "backbone, learnt"
    for layer in network.layers
    for weight in layer.weights
]
numbers = pd.Series([math.prod(weight.shape) for weight in network.weights])
assert numbers[np.array(part_of) == "head"].sum() == 1280 * len(labels) + len(labels)
pd.DataFrame({"tensors": numbers.groupby(part_of).size(), "numbers": numbers.groupby(part_of).sum()})

# %% [markdown]
# Check the head by hand: 1,280 averages, each with a weight for each diagnosis, and one more number per
# diagnosis. Nearly everything we are going to use is borrowed. The *counted* numbers are the running
# means and spreads of batch normalisation: no gradient moves them, they just follow the images. They
# come back in section 4.
#
# We left height and width of the input open (`None`). A convolution slides over any image, and the head
# averages over what is left. How large is that?

# %%
tapped = keras.Model(network.inputs, network.get_layer("top_activation").output)
for size in ((64, 64), (96, 128), (225, 300)):
    found = tapped.compute_output_shape((1, *size, 3))
    print(f"{size[0]} x {size[1]} pixels -> {found[1]} x {found[2]} positions with {found[3]} features")
    assert found[1:3] == tuple(math.ceil(side / 32) for side in size)
    assert network.compute_output_shape((1, *size, 3)) == (1, len(labels))

# %% [markdown]
# The size is halved five times, so a position stands for a square of 32 pixels. Any size *works*. But
# at another size than in training the moles are larger or smaller than any the network has met, and no
# error message says so. Section 9 comes back to this.
#
# ## 3. What does the network know before it has seen a mole?
#
# We ask the backbone alone. It turns each image into 1,280 averages; on these we fit the simplest thing
# that can answer, one weighted sum for each diagnosis (a *linear probe*). If that works, the features
# tell the diagnoses apart. For comparison the same sums see the image itself, reduced to 8 x 8 dots:
# where it is dark and what colour it has.


# %%
def features_of(backbone, part, **changes):
    """Returns the features of a part, one row per image; `changes` go to `evaluation_images`."""
    batches = evaluation_images(plan, parts[part], **changes)
    return np.concatenate([backbone(images, training=False).numpy() for images in batches])


def linear_probe(seen, asked):
    """Returns the validation scores of one weighted sum per diagnosis, fitted to the features `seen`."""
    mean, spread = seen.mean(axis=0), seen.std(axis=0) + 1e-3
    sums = RidgeClassifierCV(np.logspace(0, 5, 11), class_weight="balanced")
    sums.fit((seen - mean) / spread, parts["train"]["label"].to_numpy(str))
    answers, right = classes.one_hot(sums.predict((asked - mean) / spread)), parts["validation"]
    scores = ["accuracy", "macro_recall"]
    return evaluation.bootstrap_intervals(right["label"], answers, labels, right["lesion_id"], scores)


# %%
backbone, dots = keras.Model(network.input, network.get_layer("pooled").output), keras.layers.Flatten()
known = [features_of(backbone, part) for part in ("train", "validation")]
seen = [features_of(dots, part, image_size=(8, 8)) for part in ("train", "validation")]
print(f"features {known[0].shape}, dots {seen[0].shape}")
probed = {"features of ImageNet": linear_probe(*known), "8 x 8 dots": linear_probe(*seen)}
plots.score_intervals(probed)

# %% [markdown]
# A guess has a macro recall of one divided by the number of classes. The distance between the two
# colours is what ImageNet has taught about brown spots, before a single weight has been trained on one.
# (With synthetic images the exam is tiny and a rare diagnosis may be missing from it: look at the lines
# before you look at the dots.)
#
# ## 4. Why is the head trained first?
#
# The head starts with random weights, so its first errors are its own fault. But the gradient of an
# error runs down through all layers and moves them, too. So the first phase *freezes* the backbone.
# What exactly stands still then? We take two steps with the head alone and two with everything,
# and look how far each part has moved at most.

# %%
few = list(training_batches(plan, run_data, SEED)(0)[0].take(2))


def moved_after(trainable, rate):
    """Trains layers of `network` for two steps; returns how far each part has moved at most."""
    before = network.get_weights()
    for layer in network.layers:
        layer.trainable = layer.name in trainable
    # Eagerly: for two steps, building a graph would take longer than it saves.
    network.compile(keras.optimizers.Adam(rate), "categorical_crossentropy", run_eagerly=True)
    for images, answers, weights in few:
        network.train_on_batch(images, answers, sample_weight=weights)
    moved = [np.abs(new - old).max() for new, old in zip(network.get_weights(), before, strict=True)]
    return pd.Series(moved).groupby(part_of).max()


# %%
start, everything = network.get_weights(), [layer.name for layer in network.layers]
rates = [phase.optimiser.options["learning_rate"] for phase in plan.phases]
moves = pd.DataFrame(
    {"head only": moved_after(head, rates[0]), "all layers": moved_after(everything, rates[1])}
)
assert (moves.loc[["backbone, counted", "backbone, learnt"], "head only"] == 0).all()
assert moves.loc["backbone, counted", "all layers"] > moves.loc["backbone, learnt", "all layers"] > 0
moves.round(4)

# %% [markdown]
# In the first phase the backbone does not change in a single digit, *including what is counted*: in
# Keras a frozen batch normalisation also stops counting and uses what ImageNet left it. That is a
# choice. In PyTorch `requires_grad = False` stops only the learning; the statistics drift on, and the
# features change while the head learns, although the code says "frozen".
#
# In the second column the first line moves furthest of all. The learning rate limits what is learnt,
# but not what is counted.
#
# ## 5. How does the learning rate change?
#
# The first phase keeps its rate. In the second phase the rate falls along half a cosine, so that the
# last steps only polish.

# %%
steps, over_time = training_batches(plan, run_data, SEED).steps, []
for phase, rate in zip(plan.phases, rates, strict=True):
    name, options = phase.schedule.name, phase.schedule.options
    schedule = skinkit.training.build_schedule(name, rate, phase.epochs, steps, **options)
    taken = range(phase.epochs * steps)
    over_time += [float(schedule(step)) if callable(schedule) else schedule for step in taken]
ax = pd.Series(over_time).plot(drawstyle="steps-post", figsize=(7, 3), xlabel="step", ylabel="learning rate")
ax.set_title(f"{steps} steps per epoch; right of the dotted line all layers learn")
thaw = plan.phases[0].epochs * steps
ax.axvline(thaw, color="#999999", linestyle=":")
assert max(over_time[thaw:]) <= rates[1] * 1.001, "nothing above the rate of the recipe"

# %% [markdown]
# Note the heights: the rate of the second phase is lower, because good weights should move little.
#
# ## 6. How good is the fine-tuned network?
#
# You have seen the pieces; the rest is one call. (On a CPU, take a coffee break here.)

# %%
where = {"profile": profile, "seed": SEED, "out": OUT_DIR, "data_dir": DATA_DIR, "verbose": 2}
saved = {"pretrained": SavedRun(run(recipe, **where))}
history = pd.read_csv(saved["pretrained"].folder / "history.csv")
plots.learning_curves(history, metrics=("loss", "accuracy", "macro_recall", "learning_rate"))

# %% [markdown]
# The dotted line is where the backbone thaws. Compare what the head alone can do with the linear probe
# of section 3: both fit the head only, here by gradient. Do not read the training line as an exam: its
# images are mirrored and tinted, and its loss is weighted and has smoothed labels.
#
# Now we open the test, once. A lesion has no upper side, so the network sees each image four times (as
# it is, mirrored, upside down, and both), and the recipe takes the mean (*test-time augmentation*):

# %%
answered, lesions = saved["pretrained"].predictions, saved["pretrained"].predictions["lesion_id"]
truth, shares, _ = evaluation.unpack_predictions(answered)
assert np.allclose(shares.sum(axis=1), 1, atol=1e-4), "shares sum to 1"
intervals = evaluation.bootstrap_intervals(truth, shares, labels, lesions, evaluation.table_metrics(labels))
print(saved["pretrained"].leakage_line)
shown = ["precision", "recall", "recall_low", "recall_high", "f1", "support"]
evaluation.classification_table(truth, shares, labels, intervals)[shown].round(2)

# %% [markdown]
# What are the three further looks worth? We show the same network the same images once:

# %%
model, one_view = saved["pretrained"].load_model(), dataclasses.replace(plan, tta=None)
once = skinkit.experiments.predictions.predict(model, one_view, parts["test"])
assert once["image_id"].tolist() == answered["image_id"].tolist(), "not the same exam"
one_look, metrics = evaluation.unpack_predictions(once)[1], ["accuracy", "macro_recall", "macro_auc"]
evaluation.paired_difference(truth, shares, one_look, labels, lesions, metrics).round(3)

# %% [markdown]
# ## 7. What is pretraining worth?
#
# We change one word of the recipe: `weights=None`. Split, images, their order, epochs and rates stay
# the same.

# %%
nothing = dataclasses.replace(
    recipe,
    name="mine/baseline/efficientnet-lite0-from-nothing",
    model=skinkit.papers.choose(recipe.model.name, **{**recipe.model.options, "weights": None}),
)
saved["from nothing"] = SavedRun(run(nothing, **where))
by_epoch = {
    name: pd.read_csv(each.folder / "history.csv").set_index("epoch")["val_macro_recall"]
    for name, each in saved.items()
}
pd.DataFrame(by_epoch).round(3)

# %% [markdown]
# Butskova (2021) prints the same comparison for a ResNet-50 with plain cross-entropy (`gamma0`: the
# focal loss with gamma 0). Here are her numbers beside ours:


# %%
def gain(first, second, *printed):
    """Returns the gain of one saved run over another on the test, beside that of two printed rows."""
    runs = [saved[name].predictions for name in (first, second)]
    assert runs[0]["image_id"].equals(runs[1]["image_id"]), "not the same exam"
    shares = [evaluation.unpack_predictions(predictions)[1] for predictions in runs]
    ours = evaluation.paired_difference(truth, *shares, labels, lesions, ["accuracy", "macro_recall"])
    rows = [published_row(name).query("`class` == 'all'").set_index("metric")["value"] for name in printed]
    table = pd.concat(rows, axis=1, keys=["printed with", "printed without"]).astype(float)
    table["their gain"] = table["printed with"] - table["printed without"]
    return table.join(ours[["value", "low", "high"]].add_prefix("our gain: "), how="inner").round(3)


hers = ("butskova2021/pretrained/resnet50-gamma0", "butskova2021/unpretrained/resnet50-gamma0")
gain("pretrained", "from nothing", *hers)

# %% [markdown]
# Compare the signs, not the sizes: she has another network, weights that her text calls "Imagenette"
# (ten classes of ImageNet; we read ImageNet), images shuffled without regard to lesions, and scores of
# a validation part. Three things make *our* gain look larger than it is:
#
# - A network from nothing needs many more epochs than we gave it.
# - Its first phase is idle. Batch normalisation that has counted nothing does not normalise, so the
#   signal fades through some fifty of these layers, and the head gets next to nothing to learn from.
# - In the second phase it begins to count at mean 0 and spread 1. Until it has forgotten that start, it
#   is examined with the wrong statistics (exercise 3 says how long that takes).
#
# "Pretraining gains x" is half a sentence; the other half is "after so many epochs of this recipe".
#
# ## 8. Does soft attention add anything?
#
# A twin of our network has a soft-attention layer (Datta et al. 2021) between backbone and head: 16 maps
# say which positions count, and the features weighted by them are appended to the plain ones.

# %%
twin = skinkit.papers.recipe("skinkit/baseline/efficientnet-lite0-sa").model
attentive = dataclasses.replace(recipe, name="mine/baseline/efficientnet-lite0-with-attention", model=twin)
saved["with attention"] = SavedRun(run(attentive, **where))
count = {name: saved[name].manifest["parameters"] for name in ("pretrained", "with attention")}
print(f"the attention and its wider head add {count['with attention'] - count['pretrained']:,} numbers")
assert saved["with attention"].manifest["split_hash"] == saved["pretrained"].manifest["split_hash"]
gain("with attention", "pretrained", "koefler2023/table4b/cnn-sa", "koefler2023/table4a/cnn")

# %% [markdown]
# If our interval contains 0, these images cannot tell the two networks apart. His gain has no interval,
# stands on a split where most test lesions were also in training (notebook 01), and his network with
# attention has 2.4 million numbers more than the one without. Ours is not the last word either: it is
# one seed. Another order of the images moves such a score as well; run it with other seeds before you
# write a sentence about attention.
#
# ## 9. Where does the network look?
#
# We ask the network with attention twice: Grad-CAM (top row) says which places speak for the answer
# that was given, the attention (bottom row) which places were let through at all. A grid of a few cells
# makes a poor map. Here the open input helps: we load the trained weights into a network of any size
# and show it larger images.

# %%
folder, size = saved["with attention"].folder, plan.image_size
options = {**attentive.model.options, **plan.model_size, "weights": folder / "model.keras"}
model = skinkit.models.build(attentive.model.name, (None, None, 3), len(labels), **options)
chosen = parts["test"].drop_duplicates("label").head(6)
views = {1: np.concatenate(list(evaluation_images(plan, chosen)))}
views[2] = np.concatenate(list(evaluation_images(plan, chosen, image_size=(2 * size[0], 2 * size[1]))))
given = {factor: model(images).numpy() for factor, images in views.items()}
first = saved["with attention"].predictions.set_index("image_id").loc[chosen["image_id"]]
same = skinkit.pipeline.image_views(views[1], plan.tta.name) if plan.tta else [views[1]]
flips = [model(view).numpy() for view in same]
mean = evaluation.mean_over_views(np.stack(flips, axis=1))
assert np.allclose(mean, first[[f"p_{label}" for label in labels]], atol=1e-3), "another network"

# %%
maps = [*skinkit.explain.grad_cam(model, views[2]), *skinkit.explain.attention_maps(model, views[2])]
best = given[2].argmax(axis=1)
titles = [f"truth {label}, answer {labels[b]}" for label, b in zip(chosen["label"], best, strict=True)]
shown = list((views[2] + 1) / 2)
print(f"maps of {maps[0].shape[0]} x {maps[0].shape[1]} cells over {views[2].shape[1]} x {views[2].shape[2]}")
print(f"{(best == given[1].argmax(axis=1)).sum()} of {len(best)} answers are as at the size of the training")
plots.overlay_grid(shown * 2, maps, titles * 2, columns=len(chosen))

# %% [markdown]
# Notebook 05 puts such maps to the test; do not believe them before. The larger size has a catch. Each
# head shares out exactly 1 over all positions. With four times the positions each gets a quarter:

# %%
layer = model.get_layer("soft_attention")
below = keras.Model(model.inputs, layer.input)
for images in views.values():
    features = below([images])
    attended, shared = (item.numpy() for item in layer(features, return_maps=True))
    summed = shared.sum(axis=-1).mean()
    assert math.isclose(summed, layer.heads / math.prod(features.shape[1:3]), rel_tol=1e-3)
    part = np.abs(attended).mean() / np.abs(features.numpy()).mean()
    print(
        f"{features.shape[1]} x {features.shape[2]} positions: mean weight {summed:.2f}, attended {part:.2%}"
    )

# %% [markdown]
# The last number is the mean size of the attended features beside the plain ones. The convolutions do
# not mind another size; this layer does. A network with soft attention takes any image and is the same
# network only at the size it was trained at.
#
# ## What could go wrong
#
# - **The wrong scaling of the pixels.** These weights expect -1 to 1. Other networks want 0 to 1, 0 to
#   255, or ImageNet's means taken off, and no network complains. The probe of section 3 shows what it
#   costs. First it is fitted and scored with the same scaling. Then it is fitted with the right scaling
#   and scored with another, as when a server scales differently from the training.

# %%
network.set_weights(start)
right = probed["features of ImageNet"]
outcome = {"symmetric": {"this in both": right, "fitted to symmetric": right}}
for scaling in ("unit", "raw"):
    seen, asked = (features_of(backbone, part, scaling=scaling) for part in ("train", "validation"))
    outcome[scaling] = {"this in both": linear_probe(seen, asked)}
    outcome[scaling]["fitted to symmetric"] = linear_probe(known[0], asked)
recalls = {
    scaling: {name: found.loc["macro_recall", "value"] for name, found in each.items()}
    for scaling, each in outcome.items()
}
pd.DataFrame(recalls).T.rename_axis("scaling").round(3)

# %% [markdown]
# Compare the columns. A fault that is in training and in use alike can hide: what sits on top learns to
# live with it. The same fault on one side only cannot be learnt away, and it is the common one.
#
# - **A learning rate that is too high.** Nothing crashes; the network just forgets. Two steps with a
#   hundred times the rate of the second phase, and the same probe:

# %%
moved_after(everything, 100 * rates[1])
washed = [features_of(backbone, part) for part in ("train", "validation")]
network.set_weights(start)
pd.concat({"before": right, "after": linear_probe(*washed)}).round(3)

# %% [markdown]
# - **Thawing too early.** The gradient of a random head does the same damage, only more slowly.
# - **A nested backbone.** Called as one layer inside another model it hides its layers from
#   `head_layers`. The kit's networks are flat.
# - **Weights that are missing without a message.** skinkit stops when they are missing; only
#   `weights=None` trains without them.
# - **ImageNet names in the head.** Load the backbone only: the old head answers with dogs.
# - **A comparison with other epochs.** Pretraining buys time. With enough of it (and enough images) the
#   difference shrinks.

# %% [markdown]
# ## Exercises
#
# Answer in the open cell of an exercise, then run its check: it says that the answer is right, or gives a
# hint. Let code compute what depends on the images: marks are given on drawn ones.
#
# ### ex-07-1: How many positions has the original?
#
# The released images of HAM10000 have 450 rows and 600 columns. How many rows and columns of positions
# does the backbone make of one? Give a pair.

# %% tags=["exercise", "ex-07-1"]
positions = None

# %% tags=["solution", "ex-07-1"]
positions = (math.ceil(450 / 32), math.ceil(600 / 32))

# %% tags=["check", "ex-07-1"] points=2
skinkit.check("07-1", positions)

# %% tags=["test", "ex-07-1"]
assert positions is not None, "see section 2: how many pixels has the side of one position's square?"
made = tapped.compute_output_shape((1, 450, 600, 3))[1:3]
assert tuple(positions) == made, "a square that is only begun counts, too"

# %% tags=["hidden", "ex-07-1"]
assert tuple(positions) == (15, 19)

# %% tags=["wrong", "ex-07-1"]
# A square that is only begun counts, too.
positions = (14, 18)
# Columns first.
positions = (19, 15)
# Pixels, and not positions.
positions = (450, 600)

# %% [markdown]
# ### ex-07-2: What does the attention learn?
#
# The layer is a convolution of 3 × 3 positions with 16 heads over 1,280 features, with one bias per
# head, and one number, gamma, for all. Behind it the head sees twice as many features as before. How
# many numbers do the attention and the seven weighted sums learn together? Compute it without asking
# Keras.

# %% tags=["exercise", "ex-07-2"]
learnt_on_top = None

# %% tags=["solution", "ex-07-2"]
attention = 3 * 3 * 1280 * 16 + 16 + 1
learnt_on_top = attention + 2 * 1280 * 7 + 7

# %% tags=["check", "ex-07-2"] points=3
skinkit.check("07-2", learnt_on_top)

# %% tags=["test", "ex-07-2"]
assert learnt_on_top is not None, (
    "the kernel, the biases and gamma of the attention; then the weights and the biases of the sums"
)
on_top = [model.get_layer(name).count_params() for name in ("soft_attention", "logits")]
assert learnt_on_top == sum(on_top), f"the two layers have {on_top[0]:,} and {on_top[1]:,}"

# %% tags=["hidden", "ex-07-2"]
assert learnt_on_top == 9 * 1280 * 16 + 17 + 2560 * 7 + 7

# %% tags=["wrong", "ex-07-2"]
# Without biases and gamma.
learnt_on_top = 3 * 3 * 1280 * 16 + 2 * 1280 * 7
# The head sees twice as many features.
learnt_on_top = 3 * 3 * 1280 * 16 + 16 + 1 + 1280 * 7 + 7
# The attention alone.
learnt_on_top = 3 * 3 * 1280 * 16 + 16 + 1

# %% [markdown]
# ### ex-07-3: How long does batch normalisation remember its start?
#
# With every step the running mean keeps `memory` of what it was. After how many steps is less than
# 5 % of the start left? Then compare with the steps that your run from nothing had.

# %% tags=["exercise", "ex-07-3"]
memory = network.get_layer("stem_bn").momentum
steps_to_forget = None

# %% tags=["solution", "ex-07-3"]
steps_to_forget = math.floor(math.log(0.05) / math.log(memory)) + 1

# %% tags=["check", "ex-07-3"] points=2
skinkit.check("07-3", steps_to_forget)

# %% tags=["test", "ex-07-3"]
assert steps_to_forget is not None, "after two steps, `memory * memory` of the start is left"
enough = memory**steps_to_forget < 0.05
assert enough, f"after {steps_to_forget} steps {memory**steps_to_forget:.1%} are left"
assert memory ** (steps_to_forget - 1) >= 0.05, "one step less would do; give a whole number"
counting = plan.phases[1].epochs * steps
print(
    f"{steps_to_forget} steps; your run counted for {counting}: {memory**counting:.0%} of the start is left"
)

# %% tags=["hidden", "ex-07-3"]
assert steps_to_forget == math.floor(math.log(0.05) / math.log(memory)) + 1

# %% tags=["wrong", "ex-07-3"]
# Not a whole number of steps.
steps_to_forget = math.log(0.05) / math.log(memory)
# 5 % and a little are left.
steps_to_forget = math.floor(math.log(0.05) / math.log(memory))
# As if each step took as much as the first.
steps_to_forget = math.ceil(0.95 / (1 - memory))

# %% [markdown]
# ### ex-07-4: What if the backbone never thaws?
#
# Make a recipe that trains the head for as many epochs as ours has in all and never touches the
# backbone. Start from `plan`, which has its profile applied already; give it a name of your own in
# three parts. If you have the minutes, run it, and compare with `evaluation.paired_difference`.

# %% tags=["exercise", "ex-07-4"]
never_thawed = None

# %% tags=["solution", "ex-07-4"]
total = sum(phase.epochs for phase in plan.phases)
only = dataclasses.replace(plan.phases[0], epochs=total)
never_thawed = dataclasses.replace(plan, name="mine/baseline/never-thawed", phases=(only,))

# %% tags=["check", "ex-07-4"] points=4
skinkit.check("07-4", never_thawed)

# %% tags=["test", "ex-07-4"]
assert never_thawed is not None, "`dataclasses.replace(plan, name=..., phases=(...,))`"
assert never_thawed.name != plan.name, "give it a name of your own"
assert never_thawed.model == plan.model, "the model stays; its phases change"
phases = tasks.phases.training_phases(
    never_thawed.resolve(profile), network, steps, loss="categorical_crossentropy"
)
assert all(set(phase.trainable or everything) == set(head) for phase in phases), "the backbone still moves"
total = sum(phase.epochs for phase in plan.phases)
assert sum(phase.epochs for phase in phases) == total, f"{total} epochs in all"

# %% tags=["hidden", "ex-07-4"]
assert all(phase.trainable == plan.phases[0].trainable for phase in never_thawed.phases)
assert sum(phase.epochs for phase in never_thawed.phases) == sum(phase.epochs for phase in plan.phases)
assert never_thawed.model == plan.model and never_thawed.split == plan.split

# %% tags=["wrong", "ex-07-4"]
# Its phases still thaw the backbone.
never_thawed = dataclasses.replace(plan, name="mine/a/b")
# Fewer epochs than ours.
never_thawed = dataclasses.replace(plan, name="mine/a/b", phases=plan.phases[:1])
# Thaws it first.
never_thawed = dataclasses.replace(plan, name="mine/a/b", phases=plan.phases[::-1])
