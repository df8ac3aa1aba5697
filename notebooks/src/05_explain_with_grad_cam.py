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
# # Explain with Grad-CAM: where does the network look?
#
# [![Colab](https://colab.research.google.com/assets/colab-badge.svg)](https://colab.research.google.com/github/REPOSITORY_SLUG/blob/main/notebooks/05_explain_with_grad_cam.ipynb)
# · [Source](https://github.com/REPOSITORY_SLUG/blob/main/notebooks/src/05_explain_with_grad_cam.py)
# · [Selvaraju et al. 2017, Section 3](https://arxiv.org/abs/1610.02391)
# · [Datta et al. 2021, soft attention](https://arxiv.org/abs/2105.03358)
# · [Adebayo et al. 2018, sanity checks](https://arxiv.org/abs/1810.03292)
#
# A coloured cloud over a mole convinces everybody. Here you compute one in ten lines, and then you
# do what is usually left out: you put the cloud itself to the test. At the end you catch a network
# that cheats.

# %% [markdown]
# You will produce Grad-CAM maps by hand and with the kit (they agree), the attention maps of the
# network's own soft-attention layer, and an answer by counting to what Figure 9 of Butskova (2021)
# shows with four images: does the network look past the lesion when it is wrong?
#
# | profile | CPU (2 cores) | T4 (estimated) | memory | data |
# | --- | --- | --- | --- | --- |
# | `smoke` | 1 minute | 1 minute | 2 GB | 600 synthetic images, generated here |
# | `quick` | 1 minute; 3 more without 03 | 1 minute; 1 more without 03 | 2 GB | HAM10000, made small |
# | `full` | 2 minutes; 15 more without 03 | 2 minutes; 2 more without 03 | 3 GB | HAM10000 |
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
SEED = 0  # an integer from 0 on: seeds the run and all that is random here
DATA_DIR = None  # folder that holds the folder ham10000; None: environment variable SKINKIT_DATA
OUT_DIR = "results/notebooks"  # a run of notebook 03 is found here
RECIPE = "skinkit/demo/ham10000"  # the recipe whose network is explained; `skinkit list` shows the others
IMAGES = 500  # at most this many test images in sections 6 to 9

# %%
import dataclasses

import keras
import numpy as np
import pandas as pd
import tensorflow as tf
from matplotlib_inline.backend_inline import set_matplotlib_formats

# %%
import skinkit
from skinkit.experiments import available_profile, run
from skinkit.experiments.run_folder import SavedRun
from skinkit.explain import attention_maps, grad_cam, mass_inside, resize_map
from skinkit.tasks.batches import evaluation_images

set_matplotlib_formats("jpeg", pil_kwargs={"quality": 90})  # half the size of PNG
skinkit.report_environment()

# %% tags=["images"]
# Real images: take the "# " away from one line. Sizes and times are estimates, hosts untried (2026-11-29).
# skinkit.data.get("dataverse", to=DATA_DIR)  # from the publisher: 2.8 GB, 3 to 10 minutes
# skinkit.data.get("kaggle", to=DATA_DIR)  # a copy, without an account: 5.6 GB, 4 to 15 minutes
# skinkit.data.get("drive", to=DATA_DIR)  # skinkit/ham10000 in your Drive: no download, 2 to 5 minutes

# %% [markdown]
# ## 1. Which network, which images?
#
# We explain the network of notebook 03. If it has been trained, this cell returns at once. Of each
# lesion in the test we take one image, because we are going to count.

# %%
recipe = skinkit.papers.recipe(RECIPE)
profile = available_profile(PROFILE, recipe.dataset, DATA_DIR)
if profile == "smoke":
    # As in notebook 03: enough synthetic images, seen often enough, to have learnt something.
    sizes = {"image_size": (48, 64), "epochs": (8,), "subset": 600}
    recipe = dataclasses.replace(recipe, profiles={"smoke": sizes})
saved = SavedRun(run(recipe, profile, seed=SEED, out=OUT_DIR, data_dir=DATA_DIR, verbose=2))
model, labels = saved.load_model(), saved.labels
test = saved.run_data(DATA_DIR).rows("test").sample(frac=1, random_state=SEED)
test = test.drop_duplicates("lesion_id").head(IMAGES)

# %% [markdown]
# Of each diagnosis we take the image on which the network is surest *and* right; of a diagnosis that it
# never gets right, the one where it comes closest.


# %%
def pixels(rows, **changes):
    """Returns the images of manifest rows as the network sees them."""
    return np.concatenate(list(evaluation_images(saved.recipe, rows, **changes)))


inputs = pixels(test)
shares = model.predict(inputs, verbose=0)
truth = np.array([labels.index(label) for label in test["label"]])
sure = pd.Series(shares[np.arange(len(test)), truth]).groupby(truth).idxmax().to_numpy()
shown = pixels(test.iloc[sure], channel_order="rgb", scaling="unit")
titles = [f"{labels[truth[i]]}: {shares[i, truth[i]]:.0%}" for i in sure]
skinkit.plots.image_grid(list(shown), titles, columns=7)

# %% [markdown]
# These are the images at the network's input size. If you can hardly tell them apart yourself, do not
# expect wonders from the network.
#
# ## 2. How does Grad-CAM work?
#
# The last convolution leaves many *feature maps*: small grey images, each bright where one pattern was
# found. Grad-CAM asks each of them: if you were a little brighter, how much would the score of the
# diagnosis rise? That is a gradient. Maps that help get a positive weight, maps that speak against it
# get a negative one. Their weighted sum is the map we look at; what is below zero is cut off.

# %%
layer = skinkit.models.feature_layer(model)
target = labels.index("mel")
image = inputs[sure[list(truth[sure]).index(target)]][np.newaxis]
tapped = keras.Model(model.inputs, [model.get_layer(layer).output, model.get_layer("logits").output])
with tf.GradientTape() as tape:
    features, logits = tapped([tf.constant(image)], training=False)
    melanoma = logits[:, target]
gradient = tape.gradient(melanoma, features)
weights = tf.reduce_mean(gradient, axis=(1, 2))
by_hand = tf.nn.relu(tf.einsum("bhwc,bc->bhw", features, weights)).numpy()
by_hand = by_hand / max(by_hand.max(), 1e-9)
print(f"layer {layer!r}: {features.shape[3]} maps of {features.shape[1]} x {features.shape[2]}")

# %% [markdown]
# The score is taken *before* the softmax. After it, a share could also rise because the others
# fall, and where the network is sure the softmax is so flat that no gradient is left.
#
# `skinkit.explain.grad_cam` runs these lines on many images. Does it agree?

# %%
kit = grad_cam(model, image, target=target, layer=layer)
assert kit.shape == by_hand.shape
assert np.allclose(kit, by_hand, atol=1e-4)
maps = grad_cam(model, inputs[sure])
skinkit.plots.overlay_grid(list(shown), list(maps), titles, columns=7)

# %% [markdown]
# Bright is where the evidence is. Each map is scaled to its own maximum, so a bright spot does not mean
# much evidence, only the most that there is in *this* image.
#
# ## 3. Which diagnosis does a map explain?
#
# A map belongs to one diagnosis. Here is one image with the maps of seven diagnoses:

# %%
one = int(list(truth[sure]).index(target))
asked = grad_cam(model, np.repeat(inputs[sure[[one]]], len(labels), axis=0), target=range(len(labels)))
questions = [f"{label}: {share:.0%}" for label, share in zip(labels, shares[sure[one]], strict=True)]
skinkit.plots.overlay_grid([shown[one]] * len(labels), list(asked), questions, columns=7)

# %% [markdown]
# So "the network looks at the border" is half a sentence. It looks there *for melanoma*; for another
# diagnosis the best it can find may be a patch of bare skin, and an image that stays dark has no
# evidence for it at all. When you publish a map, say whether it belongs to the diagnosis that was given
# or to the true one.
#
# ## 4. Which layer gives the best map?
#
# Early layers see edges on a fine grid, late ones see shapes on a coarse one.

# %%
convolutions = [name for name in ("relu1", "relu3", layer) if name in {each.name for each in model.layers}]
views = [grad_cam(model, inputs[sure[[one]]], target=target, layer=name)[0] for name in convolutions]
captions = [
    f"{name}: {view.shape[0]} x {view.shape[1]}" for name, view in zip(convolutions, views, strict=True)
]
skinkit.plots.overlay_grid([shown[one]] * len(views), views, captions)

# %% [markdown]
# The usual choice is the last layer before the average: it knows most about the diagnosis, and the blur
# is the price. `skinkit.models.feature_layer` finds that layer in a network. A map on a grid of a few
# cells cannot outline a border, however smoothly it is painted over the image.
#
# ## 5. What does the attention show?
#
# This network has a soft-attention layer (Datta et al. 2021). It computes maps *on the way to* the
# answer: 16 of them, each a share of attention for every position, and multiplies the features by
# their sum. No gradient is needed, and no target: there is one attention for all diagnoses.

# %%
below = keras.Model(model.inputs, model.get_layer("soft_attention").input)
attended, heads = model.get_layer("soft_attention")(below([inputs[sure]]), return_maps=True)
print("maps", tuple(heads.shape))
assert np.allclose(heads.numpy().sum(axis=(1, 2)), 1, atol=1e-4), "each head shares out exactly 1"
attention = heads.numpy().sum(axis=-1)
attention = attention / attention.max(axis=(1, 2), keepdims=True)
assert np.allclose(attention, attention_maps(model, inputs[sure]), atol=1e-4)
skinkit.plots.overlay_grid(list(shown), list(attention), titles, columns=7)

# %% [markdown]
# Compare with the Grad-CAM maps above. They need not agree: attention says where features were let
# through, not whether they spoke for or against. (Where they agree exactly, the gradient came back
# through the attention.) And this layer's output is scaled by a learnt number that starts at 0.01, so
# ask how much of it reaches the answer at all:

# %%
gamma = float(model.get_layer("soft_attention").gamma.numpy())
plain, weighted = (np.abs(item).mean() for item in (below([inputs[sure]]).numpy(), attended.numpy()))
print(f"gamma {gamma:.3f}; mean size of the attended features: {weighted / plain:.2%} of the plain ones")

# %% [markdown]
# After a short training it may be less than one percent. A map from a branch that carries next to
# nothing does not explain the answer, however pretty it is. (The layer that Köfler, 2023, released
# has no such number, and reads only the first three of the feature maps; in the kit it is
# `SoftAttention(kernel="released", gamma=None)`.)
#
# ## 6. Does the network look at the lesion at all?
#
# Now we stop looking at single images and count. For this we need to know where the lesion is.
# Synthetic images come with exact masks. For HAM10000 put the published masks beside the images
# (`masks/` beside `images/`); without them whatever is darker than the skin around the middle counts as
# lesion, which is rough.


# %%
size = saved.recipe.image_size
masks = np.stack([skinkit.data.lesion_mask(path, size) for path in test["path"]])
skinkit.plots.overlay_grid(list(shown), list(masks[sure].astype(float)), titles, columns=7)

# %% [markdown]
# How much of each map lies inside the mask? Of a map that is bright everywhere, the part inside equals
# the lesion's share of the image, so we compare with that share.

# %%
given = shares.argmax(axis=1)
evidence = pd.DataFrame(
    {
        "inside": mass_inside(grad_cam(model, inputs, target=given), masks),
        "area": masks.mean(axis=(1, 2)),
        "answer": np.where(given == truth, "right", "wrong"),
    }
).dropna()
inside, area = evidence["inside"].mean(), evidence["area"].mean()
print(f"{len(evidence)} images: {inside:.0%} of the maps lie inside {area:.0%} of the area")

# %% [markdown]
# ## 7. The document's figure beside ours
#
# Figure 9 of Butskova (2021) shows two right answers with the map on the lesion, and two of the worst
# errors with the map beside it. Four images make an impression, not a finding. We ask the same question
# about all images at hand, with an interval from resampling lesions:

# %%
random = np.random.default_rng(SEED)
right, wrong = (evidence.loc[evidence["answer"] == name, "inside"].to_numpy() for name in ("right", "wrong"))
resampled = [
    random.choice(right, len(right)).mean() - random.choice(wrong, len(wrong)).mean() for _ in range(1000)
]
low, high = np.quantile(resampled, [0.025, 0.975])
print(f"right minus wrong: {right.mean() - wrong.mean():+.3f} ({low:+.3f} to {high:+.3f})")
evidence.groupby("answer").agg(n=("inside", "size"), inside=("inside", "mean"), area=("area", "mean")).round(
    3
)

# %% [markdown]
# If the interval contains 0, these images do not support what the figure suggests. And even a clear
# difference would have a dull explanation to be ruled out first: compare the column `area`. Where
# lesions are larger, more of any map falls inside.
#
# ## 8. Would the map notice if the network knew nothing?
#
# A map that looks the same for a network with random weights explains the image, not the network: it is
# an edge detector with a good press. So we reset layers to random weights, from the top (Adebayo et al.
# 2018), and compare each time with the map of the trained network.


# %%
def partly_trained(kept):
    """Returns the network with the weights of its first layers, and untrained ones behind them."""
    partly = keras.models.clone_model(model)
    for old, new in zip(model.layers[:kept], partly.layers[:kept], strict=True):
        new.set_weights(old.get_weights())
    return partly


def mean_correlation(first, second):
    """Returns the mean correlation of two series of maps; a map of one value has none."""
    pairs = zip(first.reshape(len(first), -1), second.reshape(len(second), -1), strict=True)
    found = [np.corrcoef(a, b)[0, 1] for a, b in pairs if a.std() and b.std()]
    return np.mean(found) if found else 0.0


# %%
keras.utils.set_random_seed(SEED)
names = [each.name for each in model.layers]
reference = grad_cam(model, inputs[:64], target=given[:64], layer=layer)
alike = {}
for name, kept in {"all": len(names), "no head": names.index(layer) + 1, "nothing": 0}.items():
    found = grad_cam(partly_trained(kept), inputs[:64], target=given[:64], layer=layer)
    alike[name] = mean_correlation(reference, found)
assert alike["all"] > 0.99 and alike["nothing"] < 0.9
pd.Series(alike, name="mean correlation with the map of the trained network").round(3).to_frame()

# %% [markdown]
# With all layers kept the correlation is 1, as it must be. With a random head, or with nothing left,
# it falls: the map depends on what was learnt. That much is necessary. It is not sufficient: a map
# may depend on the weights and still point at the wrong place.
#
# ## 9. Does covering the bright part change the answer?
#
# The most honest question is an experiment. Paint over the tenth of the image that the map calls most
# important. For comparison, paint over the least important tenth, and over a random tenth. How much
# does the share of the given diagnosis fall?

# %%
all_maps = grad_cam(model, inputs, target=given, layer=layer)
heat = resize_map(all_maps, inputs.shape[1:3]).reshape(len(inputs), -1)
heat = heat + 1e-6 * random.random(heat.shape)
rankings = {"brightest": heat, "darkest": -heat, "at random": random.random(heat.shape)}
grey = inputs.mean(axis=(1, 2), keepdims=True)

# %%
drops = {}
for name, ranking in rankings.items():
    cut = np.quantile(ranking, 0.9, axis=1, keepdims=True)
    covered = np.where((ranking > cut).reshape(*inputs.shape[:3], 1), grey, inputs)
    after = model.predict(covered, verbose=0)
    drops[name] = (shares - after)[np.arange(len(inputs)), given]
pd.DataFrame(drops).describe().loc[["mean", "std"]].round(3)

# %% [markdown]
# If covering the brightest tenth costs more than covering a tenth elsewhere, the map has found
# something that the answer rests on. Random dots are a trap: they put speckles all over the image,
# which a network has never seen, and may hurt most of all. A fair patch is one connected piece;
# exercise 3 slides one over the image.
#
# ## 10. Can Grad-CAM catch a network that cheats?
#
# There are two clinics. One sees the cancers; its light is warm, and its lens darkens the corners. The
# other sees the harmless spots and has neither. We generate such images and train a small network to
# tell malignant from benign.


# %%
def clinics(count, seed, artefact):
    """Returns synthetic images; with `artefact` 1 the lens gives the diagnosis away."""
    rows = skinkit.data.synthetic(count, seed=seed, balance=0.6, source_artefact=artefact)
    malignant = rows["label"].isin(["mel", "bcc", "akiec"])
    return rows.assign(label=np.where(malignant, "malignant", "benign"))


# %%
mirrored = skinkit.pipeline.Augmentation(flip_left_right=0.5, flip_up_down=0.5)
spec = skinkit.pipeline.PipelineSpec(image_size=(48, 64), augmentation=mirrored, cache="memory")
answers = ("benign", "malignant")
teaching = clinics(400, SEED, 1.0)
batches = skinkit.pipeline.build_dataset(teaching, spec, labels=answers, training=True, seed=SEED)
keras.utils.set_random_seed(SEED)
cheat = skinkit.models.build("small_cnn", (48, 64, 3), classes=2, width=8)
cheat.compile(keras.optimizers.Adam(2e-3), loss="categorical_crossentropy", metrics=["accuracy"])
fitted = cheat.fit(batches, steps_per_epoch=13, epochs=6, shuffle=False, verbose=2)


# %%
def examine(name, rows):
    """Prints the AUC and how much of the maps is on the lesions; returns the ill images and their maps."""
    batches = skinkit.pipeline.build_dataset(rows, spec, labels=answers)
    photographs = np.concatenate([images.numpy() for images, _ in batches])
    found = cheat.predict(photographs, verbose=0)
    auc = skinkit.evaluation.score("auc:malignant", rows["label"], found, answers)
    ill = (rows["label"] == "malignant").to_numpy()
    clouds = grad_cam(cheat, photographs[ill], target=1)
    spots = np.stack([skinkit.data.lesion_mask(path, size) for path in rows.loc[ill, "path"]])
    inside = np.nanmean(mass_inside(clouds, spots))
    print(f"{name}: AUC {auc:.2f}; {inside:.0%} of the maps inside {spots.mean():.0%} of the area")
    return photographs[ill], clouds


# %%
ill_images, clouds = examine("the same two clinics", clinics(200, SEED + 1, 1.0))
examine("a third clinic", clinics(200, SEED + 2, 0.0))
skinkit.plots.overlay_grid(list(ill_images[:7]), list(clouds[:7]), columns=7)

# %% [markdown]
# The score is excellent where the network was trained and chance elsewhere. The maps show why: the
# evidence for "malignant" lies beside the lesion, on the bare skin and towards the corners, with less
# of it inside than an even map would have. No lesion-disjoint split would have found this; the images
# of one clinic are alike without sharing a lesion. Two things help: images from somewhere else, and a
# look at the maps. Real data sets have such marks: rulers, ink, dark frames, the size of a file.
#
# ## What could go wrong
#
# - **A nested network.** Grad-CAM needs to reach the layer. `keras.Model(model.inputs, layer.output)` cannot
#   where a backbone is called as one layer inside another model; `grad_cam` can, by the layer's own name.
# - **A map of zeros.** No positive evidence for that diagnosis; `mass_inside` gives no number then.
# - **A map of the share, not of the score.** Where the softmax is saturated the gradient vanishes.
# - **Half a cell off.** Networks that pad on one side only see each position a little further down
#   and right than the map is drawn.
# - **Choosing the nice ones.** Seven images prove nothing. Fix the selection before you look, or count
#   over all.
# - **Seeing what one expects.** A map on the lesion does not mean that the network uses what a doctor
#   uses there.

# %% [markdown]
# ## Exercises
#
# Answer in the open cell of an exercise, then run its check: it says that the answer is right, or gives a
# hint. Let code compute what depends on the images: marks are given on drawn ones.
#
# ### ex-05-1: What speaks for the runner-up?
#
# For each of the images `inputs[sure]`, give the map of the diagnosis with the *second* largest share,
# as one array.

# %% tags=["exercise", "ex-05-1"]
runner_up_maps = None

# %% tags=["solution", "ex-05-1"]
second = np.argsort(shares[sure], axis=1)[:, -2]
runner_up_maps = grad_cam(model, inputs[sure], target=second)

# %% tags=["check", "ex-05-1"] points=3
skinkit.check("05-1", runner_up_maps)

# %% tags=["test", "ex-05-1"]
assert runner_up_maps is not None, (
    "`np.argsort` puts the classes of an image in order; `target` takes one class for each image"
)
assert runner_up_maps.shape == maps.shape, f"one map for each image, {maps.shape}"
for i, row in enumerate(shares[sure]):
    expected = grad_cam(model, inputs[sure[[i]]], target=sorted(range(len(row)), key=lambda c: row[c])[-2])
    assert np.allclose(runner_up_maps[i], expected[0], atol=1e-4), f"image {i}: another diagnosis"

# %% tags=["hidden", "ex-05-1"]
ranks = np.argsort(-shares[sure], axis=1)[:, 1]
assert np.allclose(runner_up_maps, grad_cam(model, inputs[sure], target=ranks), atol=1e-4)

# %% tags=["wrong", "ex-05-1"]
# Of the likeliest diagnosis.
runner_up_maps = maps
# The last but one.
runner_up_maps = grad_cam(model, inputs[sure], target=np.argsort(shares[sure], axis=1)[:, 1])
# A share.
runner_up_maps = grad_cam(model, inputs[sure], target=np.sort(shares[sure], axis=1)[:, -2].astype(int))

# %% [markdown]
# ### ex-05-2: Which layer points best at the lesion?
#
# For the layers in `convolutions`, give the mean share of the map inside the mask over the first 64
# test images, for the given diagnosis, as a dictionary from layer to number.

# %% tags=["exercise", "ex-05-2"]
inside_of_layer = dict.fromkeys(convolutions)

# %% tags=["solution", "ex-05-2"]
for name in inside_of_layer:
    of_layer = grad_cam(model, inputs[:64], target=given[:64], layer=name)
    inside_of_layer[name] = float(np.nanmean(mass_inside(of_layer, masks[:64])))

# %% tags=["check", "ex-05-2"] points=3
skinkit.check("05-2", inside_of_layer)

# %% tags=["test", "ex-05-2"]
missing = [name for name in convolutions if inside_of_layer.get(name) is None]
assert not missing, f"{', '.join(missing)}: `grad_cam` takes the name of a layer, `mass_inside` its maps"
for name in convolutions:
    maps_there = grad_cam(model, inputs[:64], target=given[:64], layer=name)
    share = np.nanmean(mass_inside(maps_there, masks[:64]))
    assert abs(inside_of_layer[name] - share) < 1e-3, f"{name}: {share:.4f} for the given diagnoses"
assert all(0 <= value <= 1 for value in inside_of_layer.values()), "a share is from 0 to 1"

# %% tags=["hidden", "ex-05-2"]
first = convolutions[0]
of_first = grad_cam(model, inputs[:64], target=given[:64], layer=first)
assert abs(inside_of_layer[first] - np.nanmean(mass_inside(of_first, masks[:64]))) < 1e-3
assert set(inside_of_layer) == set(convolutions)

# %% tags=["wrong", "ex-05-2"]
# The size of the lesions.
inside_of_layer = dict.fromkeys(convolutions, float(masks[:64].mean()))
# One layer for all.
inside_of_layer = dict.fromkeys(convolutions, inside_of_layer[layer])

# %% [markdown]
# ### ex-05-3: Can you explain without a gradient?
#
# Occlusion: cover `image` with a square of 8 x 8 pixels in its mean colour, once at each place of a
# grid with step 8, and record how much the share of `target` falls. Give the drops as an array with one
# number per square, row by row.

# %% tags=["exercise", "ex-05-3"]
drop_of_square = None

# %% tags=["solution", "ex-05-3"]
rows, columns = (side // 8 for side in image.shape[1:3])
covered = np.repeat(image, rows * columns, axis=0)
for i in range(rows * columns):
    y, x = 8 * (i // columns), 8 * (i % columns)
    covered[i, y : y + 8, x : x + 8] = image.mean(axis=(0, 1, 2))
before, after = model.predict(image, verbose=0)[0, target], model.predict(covered, verbose=0)[:, target]
drop_of_square = (before - after).reshape(rows, columns)

# %% tags=["check", "ex-05-3"] points=4
skinkit.check("05-3", drop_of_square)

# %% tags=["test", "ex-05-3"]
assert drop_of_square is not None, (
    "cover one square of a copy, predict, and take the share of `target` from that before"
)
wanted = tuple(side // 8 for side in image.shape[1:3])
assert np.shape(drop_of_square) == wanted, f"an array {wanted}: one number for each square"
y, x = np.unravel_index(np.argmax(drop_of_square), np.shape(drop_of_square))
tried = image.copy()
tried[0, 8 * y : 8 * y + 8, 8 * x : 8 * x + 8] = image.mean(axis=(0, 1, 2))
change = (model.predict(image, verbose=0) - model.predict(tried, verbose=0))[0, target]
assert np.isclose(change, np.max(drop_of_square), atol=1e-4), (
    f"this square takes {change:.4f}: before - after"
)

# %% tags=["hidden", "ex-05-3"]
one_covered = image.copy()
one_covered[0, 16:24, 8:16] = image.mean(axis=(0, 1, 2))
both = model.predict(np.concatenate([image, one_covered]), verbose=0)[:, target]
assert np.isclose(np.asarray(drop_of_square)[2, 1], both[0] - both[1], atol=1e-4)
assert np.ptp(drop_of_square) > 1e-5

# %% tags=["wrong", "ex-05-3"]
# Says that no square matters.
drop_of_square = np.zeros([side // 8 for side in image.shape[1:3]])
# After minus before is a gain.
drop_of_square = -drop_of_square
# Column by column.
drop_of_square = drop_of_square.T
