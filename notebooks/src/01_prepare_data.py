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
# # Prepare data: count the lesions, not the images
#
# [![Colab](https://colab.research.google.com/assets/colab-badge.svg)](https://colab.research.google.com/github/REPOSITORY_SLUG/blob/main/notebooks/01_prepare_data.ipynb)
# · [Source](https://github.com/REPOSITORY_SLUG/blob/main/notebooks/src/01_prepare_data.py)
# · [Gessert et al. 2019, Section II and Table I](https://arxiv.org/abs/1905.02793)
# · [HAM10000](https://doi.org/10.1038/sdata.2018.161)
#
# This notebook trains no network. It looks at images, a table, and one question that decides what every
# later number is worth: **has the network seen the exam before?**

# %% [markdown]
# You will produce Table 2 of Köfler (2023), our count beside the printed one, and a figure that the
# report lacks: how much of its test set was also in its training set. On the way you make the split
# that all later notebooks use.
#
# | profile | CPU (2 cores) | T4 (estimated) | memory | data |
# | --- | --- | --- | --- | --- |
# | `smoke` | half a minute | half a minute | 1 GB | 300 synthetic images, generated here |
# | `quick` | half a minute | half a minute | 1 GB | HAM10000, 1,000 of its images opened |
# | `full` | 1 minute | 1 minute | 1 GB | HAM10000, all 10,015 images opened (2.8 GB to download once) |
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
SEED = 0  # an integer from 0 on: decides which lesion goes where
DATASET = "ham10000"  # or "dermamnist": the same images at 28 x 28 pixels, for a lesson of five minutes
DATA_DIR = None  # holds the folder ham10000; None: $SKINKIT_DATA, else ./datasets
OUT_DIR = "results/notebooks/01_prepare_data"  # the split is saved here
TEST_SHARE = 0.2  # share of the images kept for the exam

# %%
from pathlib import Path

import matplotlib.pyplot as plt
import pandas as pd

import skinkit
from skinkit.experiments import available_profile
from skinkit.papers.published import published_row

skinkit.report_environment()

# %% tags=["images"]
# Real images: take the "# " away from one line. Sizes and times are estimates, hosts untried (2026-11-29).
# skinkit.data.get("dataverse", to=DATA_DIR)  # from the publisher: 2.8 GB, 3 to 10 minutes
# skinkit.data.get("kaggle", to=DATA_DIR)  # a copy, without an account: 5.6 GB, 4 to 15 minutes
# skinkit.data.get("drive", to=DATA_DIR)  # skinkit/ham10000 in your Drive: no download, 2 to 5 minutes
# skinkit.data.get("dermamnist", to=DATA_DIR)  # 28 x 28 pixels, 1 minute; then DATASET = "dermamnist" above

# %% [markdown]
# ## 1. What is in the table?
#
# Every data set has its own file names, column names and labels: "MEL" here, "melanoma" there. skinkit
# reads each of them into one plain table with one row per image, and everything later uses this table
# only. Without the real images we go on with synthetic ones; the table looks the same.

# %%
profile = available_profile(PROFILE, DATASET, DATA_DIR)
if profile == "smoke":
    table = skinkit.data.synthetic(300, seed=SEED)
else:
    table = skinkit.data.load(DATASET, root=DATA_DIR)
table.drop(columns="path").sample(5, random_state=SEED)

# %% [markdown]
# `label` is the diagnosis. `dx_type` says how it was made: under the microscope (`histo`), by watching
# the spot for months (`follow_up`), or by agreement of experts (`consensus`). Do not confuse two
# columns: `image_id` names the image, `lesion_id` names the spot on the skin. Are there as many images
# as lesions?

# %%
images, lesions = table["image_id"].nunique(), table["lesion_id"].nunique()
print(f"{images:,} images of {lesions:,} lesions")
assert images == len(table), "every row has its own image"
assert lesions < images, "some lesions were photographed more than once"

# %% [markdown]
# There are fewer lesions than images. Keep that in mind; it comes back in section 5 and changes
# everything.

# %% [markdown]
# ## 2. Can every image be opened?
#
# You find a broken file now, or at three in the morning in epoch 17. We open the files in parallel and
# look for images that occur twice.

# %%
some = table if profile == "full" else table.sample(min(1000, len(table)), random_state=SEED)
report = skinkit.data.check_images(some, progress=False)
print(report.to_text())
assert report.ok, "an image cannot be read: see the report"

# %% [markdown]
# An *error* is an image that cannot be used, a *notice* is something to know. HAM10000 has two pairs of
# identical images; in each pair both show the same lesion, so they do no harm as long as lesions stay
# together.

# %% [markdown]
# ## 3. What do the images look like?
#
# Here is one image of each diagnosis. Look at the lesion first, then at everything that is not the
# lesion.

# %%
shown = table.groupby("label").sample(1, random_state=SEED)
photographs = [plt.imread(path) for path in shown["path"]]
skinkit.plots.image_grid(photographs, titles=shown["label"].tolist())

# %% [markdown]
# A network sees hairs, gel bubbles, dark corners and ruler marks as well as we do. If one hospital has
# more melanomas *and* a ruler, the network may take the ruler for a sign of melanoma. A network learns
# what helps, not what we mean.

# %% [markdown]
# ## 4. Which diagnosis is common?

# %%
skinkit.plots.class_counts(table)

# %% [markdown]
# Suppose a program looks at nothing and always answers with the most common diagnosis. How good
# does it seem?

# %%
shares = table["label"].value_counts(normalize=True)
print(f"always {shares.index[0]!r}: accuracy {shares.iloc[0]:.1%}")
print(f"share found, mean over {len(shares)} classes (macro recall): {1 / len(shares):.1%}")
assert abs(shares.sum() - 1) < 1e-9

# %% [markdown]
# Accuracy flatters this program, because accuracy counts images, and most images show harmless nevi.
# *Macro recall* asks each diagnosis in turn "how many of yours were found?" and takes the mean; the
# lazy program finds all of one and none of the others. That is why this kit reports macro recall first.

# %% [markdown]
# ## 5. How often was the same spot photographed?

# %%
views = table.groupby("lesion_id").size()
views.value_counts().sort_index().rename_axis("images of one lesion").to_frame("lesions")

# %%
most = table[table["lesion_id"] == views.idxmax()].head(4)
title = f"{most['lesion_id'].iloc[0]} ({most['label'].iloc[0]})"
skinkit.plots.image_grid([plt.imread(path) for path in most["path"]], titles=[title] * len(most))

# %% [markdown]
# These images show the same spot at another zoom or angle: they are siblings. If one of them is in
# training and another in the test, the network does not have to know what a melanoma is. It only has to
# recognise an old acquaintance.

# %% [markdown]
# ## 6. What happens if we split by image?
#
# The usual recipe shuffles all images and keeps a fifth for the test. Several of the documents in this
# kit did so. For each image of the test we ask: does training hold another image of the same lesion?

# %%
fractions = {"train": 1 - TEST_SHARE, "test": TEST_SHARE}
by_image = skinkit.data.stratified_group_split(table, fractions, group="image", seed=SEED)
seen_by_image = skinkit.data.leakage_report(table, by_image)
print(skinkit.data.leakage_stamp(seen_by_image))
seen_by_image

# %%
skinkit.plots.leakage_bars(seen_by_image)

# %% [markdown]
# This share is the **leakage rate**. In HAM10000 more than a third of such a test is known from
# training. The diagnosis that matters most is hit worst, because doctors photograph a melanoma more
# often than a harmless spot. A high score on this test tells us how well the network remembers. The
# synthetic images also have patients with several lesions, and training has met nearly every patient of
# that test.
#
# DermaMNIST, a small copy of HAM10000 for classrooms, comes with a split of images. If you took it, here is
# its leak, and the same split with each lesion in one part (Abhishek et al. 2025):

# %%
if DATASET == "dermamnist" and profile != "smoke":
    for leak_free in (False, True):
        published = skinkit.data.dermamnist_split(table, leak_free)
        stamp = skinkit.data.leakage_stamp(skinkit.data.leakage_report(table, published))
        print(f"{published.name}: {stamp or 'no leak'}")

# %% [markdown]
# ## 7. What if lesions stay together?
#
# Now all images of a lesion stay together, and so do all lesions of a patient where the table names
# patients. The split keeps the shares of the diagnoses as closely as whole groups allow.

# %%
sound = skinkit.data.stratified_group_split(table, fractions, group="lesion+patient", seed=SEED)
seen_by_sound = skinkit.data.leakage_report(table, sound)
assert skinkit.data.leakage_stamp(seen_by_sound) is None
lesion_of = table.set_index("image_id")["lesion_id"]
train, test = (set(lesion_of[sound.ids(part)]) for part in fractions)
assert not train & test, "a lesion is in training and in the test"
print(f"{len(train):,} lesions to learn from, {len(test):,} for the exam, none in both")

# %% [markdown]
# Nothing is lost: the test is as large as before, and the next table shows nearly the same mixture. It
# costs one word: `group="lesion+patient"` instead of `group="image"`.

# %%
label_of = table.set_index("image_id")["label"]
labels = {part: label_of[sound.ids(part)] for part in fractions}
pd.DataFrame({part: found.value_counts(normalize=True) for part, found in labels.items()}).round(3)

# %% [markdown]
# ## 8. What if copies are made before the split?
#
# Rare diagnoses have few images, so people turn and flip them to make more. Köfler (2023) makes six
# images of each one that does not show a nevus, *then* shuffles, and keeps a third for the test. In
# skinkit a copy is only a row that says `rot180`; the pixels are turned when they are read.

# %%
augmented = skinkit.data.augment_offline(table)
copies_first = skinkit.data.koefler2023_split(augmented)
seen_copies_first = skinkit.data.leakage_report(augmented, copies_first)
print(f"{len(table):,} images became {len(augmented):,} rows")
print(skinkit.data.leakage_stamp(seen_copies_first))

# %% [markdown]
# The other order uses the same two steps: split the photographs first, then copy only those of the
# training part.

# %%
split_first = skinkit.data.augmented_split(sound, augmented)
seen_split_first = skinkit.data.leakage_report(augmented, split_first)
assert seen_split_first.loc["all", "photograph"] == 0
skinkit.plots.leakage_bars(
    {"copies first": seen_copies_first, "split first": seen_split_first}, kind="photograph"
)

# %% [markdown]
# Read the bars: with copies first, nearly every test image of a rare diagnosis has its own turned twin
# in training. With the split first, none has. The images and the copies are the same; only the order
# differs.

# %% [markdown]
# ## 9. The document's table beside ours
#
# Table 2 of Köfler (2023) lists the images before and after copying. The printed numbers live in
# skinkit as data, so nobody has to type them.

# %%
printed = published_row("koefler2023/table2/augmentation")
printed = printed.pivot(index="class", columns="metric", values="value")
printed = printed[["images", "augmented_images"]].astype("Int64")
counted = pd.DataFrame({"images": table["label"].value_counts()})
counted["augmented_images"] = augmented["label"].value_counts()
counted.loc["all"] = counted.sum()
if profile != "smoke":
    assert (printed == counted.loc[printed.index]).all(axis=None), "not all of HAM10000"
pd.concat({"printed": printed, "ours": counted}, axis=1)

# %% [markdown]
# With HAM10000 the numbers agree to the last image: the report counted correctly. It does not print the
# figure above. With synthetic images the numbers differ, but the figure says the same.

# %% [markdown]
# ## 10. Keep what was decided
#
# A split is a decision, so we save it: one line per image, and a hash of the lines beside them. If a
# line changes later, loading the split raises an error.

# %%
saved = sound.save(Path(OUT_DIR) / "sound.csv")
again = skinkit.data.Split.load(saved)
assert again.hash == sound.hash
print(f"{saved.name}: {again.hash[:12]}")

# %% [markdown]
# ## What could go wrong
#
# - **Another order of the classes.** The challenge lists melanoma first, the alphabet puts it fifth. If
#   two programs order them differently, a good network looks terrible. Use `skinkit.data.CLASS_MAPS`,
#   and names in every table.
# - **A column that gives the answer away.** `dx_type` is made *after* the diagnosis. Exercise 3
#   shows how much it knows.
# - **Missing ids.** ISIC 2019 does not name the lesion of every image. Such an image counts as its own
#   lesion, so the measured leakage is a lower bound.
# - **Choosing on the test.** A split without leakage does not help if the best epoch is picked by
#   looking at the test. That is what the validation part is for; from the next notebook on there
#   are three parts.

# %% [markdown]
# ## Exercises
#
# Answer in the open cell of an exercise, then run its check: it says that the answer is right, or gives a
# hint. Let code compute what depends on the images: marks are given on drawn ones.
#
# ### ex-01-1: Which diagnosis is photographed most often per lesion?
#
# Give the mean number of images of a lesion for each label, as a Series whose index is the label.

# %% tags=["exercise", "ex-01-1"]
mean_views = None

# %% tags=["solution", "ex-01-1"]
by_label = table.groupby("label")
mean_views = by_label.size() / by_label["lesion_id"].nunique()

# %% tags=["check", "ex-01-1"] points=2
skinkit.check("01-1", mean_views)

# %% tags=["test", "ex-01-1"]
counted = table.groupby(["label", "lesion_id"]).size().groupby("label").mean()
assert mean_views is not None, "group by label; `nunique` of a group counts its lesions"
assert set(mean_views.index) == set(counted.index), "one number for each label of the table"
assert (mean_views - counted).abs().max() < 1e-3, "count each lesion of a label once"
print(f"{counted.idxmax()}: {counted.max():.2f} images of a lesion; the fewest has {counted.idxmin()}")

# %% tags=["hidden", "ex-01-1"]
seen_once = table.drop_duplicates("lesion_id")["label"].value_counts()
assert ((mean_views - table["label"].value_counts() / seen_once).abs() < 1e-3).all()

# %% tags=["wrong", "ex-01-1"]
# Counts images, and not the lesions that they show.
mean_views = table["label"].value_counts()
# Divides by the lesions of all labels.
mean_views = table["label"].value_counts() / table["lesion_id"].nunique()
# Counts lesions, and not their images.
mean_views = table.groupby("label")["lesion_id"].nunique()

# %% [markdown]
# ### ex-01-2: Does a smaller test leak less?
#
# Split by image with a test share of 10 % and of 50 %, each with the seeds 0 to 9. Give the mean
# leakage rate of lesions (from 0 to 1) for both. Guess before you run it.

# %% tags=["exercise", "ex-01-2"]
leakage_of_share = {0.1: None, 0.5: None}

# %% tags=["solution", "ex-01-2"]
for share in leakage_of_share:
    parts = {"train": 1 - share, "test": share}
    rates = []
    for seed in range(10):
        split = skinkit.data.stratified_group_split(table, parts, group="image", seed=seed)
        rates.append(skinkit.data.leakage_report(table, split).loc["all", "lesion"])
    leakage_of_share[share] = sum(rates) / len(rates)

# %% tags=["check", "ex-01-2"] points=3
skinkit.check("01-2", leakage_of_share)

# %% tags=["test", "ex-01-2"]
small, large = leakage_of_share[0.1], leakage_of_share[0.5]
assert None not in (small, large), "`leakage_report(table, split)` has the rate of lesions of one split"
assert 0 < large < small < 1, "the more there is in training, the more acquaintances the test meets"
for share, rate in {0.1: small, 0.5: large}.items():
    shares = {"train": 1 - share, "test": share}
    tried = [skinkit.data.stratified_group_split(table, shares, "image", seed) for seed in range(10)]
    rates = [skinkit.data.leakage_report(table, each).loc["all", "lesion"] for each in tried]
    assert abs(rate - sum(rates) / 10) < 1e-3, f"a share of {share}: the mean of the ten lesion rates"

# %% tags=["hidden", "ex-01-2"]
for share in (0.1, 0.5):
    divided = [
        skinkit.data.stratified_group_split(table, {"train": 1 - share, "test": share}, "image", seed)
        for seed in range(10)
    ]
    leaks = [skinkit.data.leakage_report(table, each).loc["all", "lesion"] for each in divided]
    assert abs(leakage_of_share[share] - sum(leaks) / 10) < 1e-3

# %% tags=["wrong", "ex-01-2"]
# A larger test seems to have more to share.
leakage_of_share = {0.1: 0.3, 0.5: 0.5}
# A guess in the right order.
leakage_of_share = {0.1: 0.5, 0.5: 0.3}
# Splits by lesion, which leak nothing.
leakage_of_share = {0.1: 0.0, 0.5: 0.0}

# %% [markdown]
# ### ex-01-3: How far do you get without looking?
#
# A rule: if `dx_type` is `follow_up`, say `nv`. How often is it right when it speaks? Write a function of a
# table that returns the share (from 0 to 1), and think about why no model may be fed this column.

# %% tags=["exercise", "ex-01-3"]
share_right = None


# %% tags=["solution", "ex-01-3"]
def share_right(rows):
    followed = rows[rows["dx_type"] == "follow_up"]
    return (followed["label"] == "nv").mean()


# %% tags=["check", "ex-01-3"] points=2
skinkit.check("01-3", share_right)

# %% tags=["test", "ex-01-3"]
assert share_right is not None, "`def share_right(rows):` first keeps the rows in which the rule speaks"
assert share_right(table) == 1, "only nevi are watched for months; all else is cut out at once"
watched = table.assign(dx_type="follow_up")
expected = (watched["label"] == "nv").mean()
assert abs(share_right(watched) - expected) < 1e-3, f"if all were watched, it would be {expected:.1%}"

# %% tags=["hidden", "ex-01-3"]
turned = table.assign(dx_type=table["dx_type"].map({"follow_up": "histo"}).fillna("follow_up"))
others = table.loc[table["dx_type"] != "follow_up", "label"]
assert abs(share_right(turned) - (others == "nv").mean()) < 1e-3

# %% tags=["wrong", "ex-01-3"]
# The answer for one table, and not the rule.
share_right = lambda rows: 1.0
# Of all rows, and not of those where it speaks.
share_right = lambda rows: (rows["label"] == "nv").mean()
# How often it speaks.
share_right = lambda rows: (rows["dx_type"] == "follow_up").mean()
