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
# # Meet the patients: who is behind the images?
#
# [![Colab](https://colab.research.google.com/assets/colab-badge.svg)](https://colab.research.google.com/github/REPOSITORY_SLUG/blob/main/notebooks/12_meet_the_patients.ipynb)
# · [Source](https://github.com/REPOSITORY_SLUG/blob/main/notebooks/src/12_meet_the_patients.py)
# · [ISIC 2020, the data of Hernández Pérez 2020, Section 3.1](https://doi.org/10.1038/s41597-021-00815-z)
#
# A dermatologist does not look at a spot alone. She looks at the person: thirty spots, and one that is
# not like the others. The ISIC 2020 set is the first large one that says which images belong to one
# patient. Meet these patients before you train on them.

# %% [markdown]
# You will produce Tables 1 and 2 and Figures 8 and 9 of Hernández Pérez (2020), counted from the table
# of the release, beside the printed numbers and their errors; patient-disjoint folds; what age, sex and
# site tell without a single pixel; and synthetic patients in whom the other spots matter, or not.
#
# | profile | CPU (2 cores) | T4 (estimated) | memory | data |
# | --- | --- | --- | --- | --- |
# | `smoke` | half a minute | half a minute | 1 GB | 600 synthetic images of synthetic patients |
# | `quick` | 1 minute | 1 minute | 1 GB | the table of ISIC 2020; synthetic patients in section 7 |
# | `full` | not measured yet | not estimated | not measured yet | as `quick`: a table is small enough |
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
SEED = 0  # an integer from 0 on: seeds the synthetic patients, the folds and the intervals
DATA_DIR = None  # folder that holds the folder isic2020; None: environment variable SKINKIT_DATA
OUT_DIR = "results/notebooks"  # the synthetic patients are kept below it
SYNTHETIC = 600  # synthetic images that stand in for ISIC 2020 if its table is missing
FOLDS = 5  # folds of section 6

# %%
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib_inline.backend_inline import set_matplotlib_formats

# %%
import skinkit
from skinkit.data import MetadataEncoder
from skinkit.evaluation import bootstrap_intervals
from skinkit.experiments import available_profile
from skinkit.explain import linear_probe
from skinkit.papers.published import load_published

set_matplotlib_formats("jpeg", pil_kwargs={"quality": 90})  # half the size of PNG
skinkit.report_environment()

# %% tags=["images"]
# The table alone will do, from the publisher: take the "# " away from the next four lines.
# from dataclasses import replace
# release = skinkit.data.CATALOG["isic2020"]
# only = [file for file in release.files if file.name.endswith(("Truth.csv", "Duplicates.csv"))]
# skinkit.data.fetch(replace(release, files=only))  # 2 MB, a minute
# With its images: from one of these. Sizes and times are estimates, hosts untried (2026-11-29).
# skinkit.data.fetch("isic2020")  # from the publisher: 25 GB, an hour or more
# skinkit.data.get("kaggle", "isic2020", to=DATA_DIR)  # at 512 x 512, no account: some GB, 5 to 15 minutes
# skinkit.data.get("drive", "isic2020", to=DATA_DIR)  # skinkit/isic2020 in your Drive: 2 to 5 minutes

# %% [markdown]
# ## 1. What is in the table?
#
# It is one file with one row per image, as the challenge publishes it. Without it we write synthetic
# patients into a file of the same form; every cell below then counts those.

# %%
profile = available_profile(PROFILE, "isic2020", DATA_DIR, table_alone=True)
NAMES = ("ISIC_2020_Training_GroundTruth.csv", "ISIC_2020_Training_GroundTruth_v2.csv", "train.csv")
real = profile != "smoke"
if real:
    folder = skinkit.data.release_folder("isic2020", DATA_DIR)
else:
    folder = Path(OUT_DIR, f"synthetic_patients_{SYNTHETIC}_seed{SEED}")
    skinkit.data.synthetic(SYNTHETIC, SEED, folder, (72, 96), layout="isic2020")
csv = next(path for name in NAMES for path in folder.rglob(name))  # each publisher has its own name for it
raw = pd.read_csv(csv)
print(f"{len(raw):,} images of {raw['patient_id'].nunique():,} patients")
raw.sample(4, random_state=SEED)

# %% [markdown]
# `target` is 1 for a melanoma. This notebook is about the column `patient_id`, which HAM10000 does not
# have. (There are no lesion ids here. If a spot was photographed twice, only the patient id can tell.)
#
# ## 2. How many melanomas are there? Table 1
#
# The document prints 32,541 benign and 584 malignant images. We count, and put both side by side.

# %%
printed = load_published("hernandez2020")
table1 = printed[printed["table"] == "table1"].pivot(index="class", columns="metric", values="value")
counted = raw["benign_malignant"].value_counts()
table1["counted"], table1["counted share"] = counted, (100 * counted / len(raw)).round(2)
print(f"printed: {table1['images'].sum():,.0f} images; counted: {len(raw):,}")
if real:
    assert (len(raw), counted["malignant"]) == (33_126, 584)
    assert table1["images"].sum() == len(raw) - 1
table1

# %% [markdown]
# The two printed counts add up to 33,125, and the release has 33,126: one benign image is missing. It
# changes no score. But it shows that a number was typed or subtracted by hand somewhere, and the next
# one may matter more.
#
# A program that calls everything benign is right in 98.2 % of the images. Remember that whenever
# somebody reports accuracy here.
#
# ## 3. How many patients are there? Table 2
#
# A patient *has melanoma* here if at least one image of them shows one.

# %%
ill = raw.groupby("patient_id")["target"].max()
groups = {"malignant": int(ill.sum()), "benign": int((ill == 0).sum()), "all": len(ill)}
table2 = printed[printed["table"] == "table2"].pivot(index="class", columns="metric", values="value")
table2["counted"] = pd.Series(groups)
table2["counted share"] = (100 * table2["counted"] / len(ill)).round(2)
assert groups["malignant"] + groups["benign"] == groups["all"]
if real:
    assert (groups["all"], groups["malignant"]) == (2_056, 428)
table2

# %%
told = printed[printed["metric"].isin(["patients", "share"]) & printed["check"].notna()]
told.set_index(["table", "class", "metric"])[["printed", "check"]]

# %% [markdown]
# The text of the document says 2,096 patients, its own Table 2 says 2,056, and the file agrees with the
# table. The two percentages are off in the last digit: 428 of 2,056 are 20.8 %, not 20.9 %. The command
# `skinkit published hernandez2020` finds these errors; a person would have to look for them.
#
# ## 4. How many images does a patient have? Figures 8 and 9
#
# "Almost half of them have less than 10 images", "a maximum of one single patient having 114", "almost
# three quarters of them had only one" melanoma. We can check these three sentences.

# %%
sizes = raw.groupby("patient_id").size()
melanomas = raw.groupby("patient_id")["target"].sum()[ill == 1]
figure, (left, right) = plt.subplots(1, 2, figsize=(10, 3.5), layout="constrained")
sns.histplot(sizes, binwidth=5, color="#0072B2", ax=left)
left.set(xlabel="images of a patient", ylabel="patients", title=f"Figure 8 (n = {len(sizes):,})")
sns.countplot(x=melanomas.to_numpy(), color="#D55E00", ax=right)
right.set(xlabel="melanoma images of a patient", title=f"Figure 9 (n = {len(melanomas):,})")
plt.close(figure)
figure

# %%
busiest = sizes.nlargest(len(sizes) // 10)
claims = {
    "share with less than 10 images": (sizes < 10).mean(),
    "fewest images of one patient": sizes.min(),
    "most images of one patient": sizes.max(),
    "share of those with melanoma who have one such image": (melanomas == 1).mean(),
    "share of all images that the tenth with the most have": busiest.sum() / len(raw),
}
if real:
    assert (sizes.min(), sizes.max(), melanomas.max()) == (2, 115, 8)
pd.Series(claims).round(3)

# %% [markdown]
# Two of the sentences hold. The third is off by one: in the release one patient has 115 images, not
# 114. One lost image of this patient would explain both this and the total of section 2; nobody can
# tell any more. Think one step further: a loss that averages over *images* listens most to the patients
# who have most of them.
#
# (If a patient has one melanoma image, the network must tell the melanoma from the *other* spots of
# this person, all benign. That is the plan of the document. Notebook 14 carries it out.)

# %% [markdown]
# ## 5. What do age, sex and site tell?
#
# skinkit reads the file into the usual manifest table and says what it changed.

# %%
table = skinkit.data.read_manifest(csv, missing_images="keep", dataset="isic2020")
print("\n".join(table.attrs["notices"]))
empty = table[["sex", "age", "site"]].isna()
malignant = table["label"] == "malignant"
pd.DataFrame({"missing": empty.sum(), "of these malignant": empty[malignant].sum()})

# %% [markdown]
# The release lists pairs of equal photographs; the second of each pair is left out from here on, so the
# counts are a little lower than above.
#
# The future work of the document is to use age, sex and site. How much do these three know *alone*? The
# row of an image becomes numbers: a column of 0 and 1 for each sex and site, one for "missing", and the
# age in standard deviations. `MetadataEncoder` is fitted on training rows and on nothing else.

# %%
encoder = MetadataEncoder.fit(table)
encoded = encoder.encode(table)
print(f"{encoded.shape[1]} columns; age {encoder.age_mean:.1f} years, +- {encoder.age_deviation:.1f}")
assert encoded.filter(like="sex=").sum(axis=1).eq(1).all(), "each row has one sex, or it is missing"
encoded.head(3)

# %% [markdown]
# Then comes a *linear probe*: logistic regression, cross-validated so that no patient is in training
# and in scoring. We compute the area under the ROC curve of its answers; 0.5 is a coin. The interval
# resamples whole patients, because the rows of a patient share age and sex. (The encoder above was
# fitted on all rows, and an exam's ages are in its mean. The probe scales every column again, on its
# training rows, so nothing of it is left here. A network would not do that.)

# %%
labels = ["benign", "malignant"]
patients = table["patient_id"].to_numpy(object)


def area_of(columns):
    """Returns the ROC AUC of a linear probe of some columns, with its interval by patients."""
    shares = linear_probe(encoded[columns], table["label"], labels, patients, seed=SEED)
    found = bootstrap_intervals(table["label"], shares, labels, patients, ["auc"], seed=SEED)
    return found[["value", "low", "high"]].loc["auc"]


asked = {name: [c for c in encoded if c.startswith(name)] for name in ("sex", "site", "age")}
asked["all three"] = list(encoded)
areas = pd.DataFrame({name: area_of(columns) for name, columns in asked.items()}).T
areas.round(3)

# %% [markdown]
# If you add metadata to a network and report a gain, print this table beside it. It is the part of the
# gain that has nothing to do with images. (In synthetic patients the three columns do not depend on the
# diagnosis; the intervals should contain 0.5 there, or luck was at work.)
#
# ## 6. Which patients may be in the exam?
#
# The document separates patients between training and validation, and gives neither share nor seed.
# First we see what happens otherwise: a split of 80 % and 20 % by *image*, as in another of the five
# documents.

# %%
by_image = skinkit.data.butskova2021_split(table, seed=SEED)
leak = skinkit.data.leakage_report(table, by_image, part="validation")
print(skinkit.data.leakage_stamp(leak))
assert leak.loc["all", "patient"] > 0.5
leak

# %% [markdown]
# Nearly every image of the exam shows a patient whom training has met. The network may learn *people*:
# their skin, their camera, their clinic. Now we make folds of whole patients, with the same share of
# patients with melanoma in each.

# %%
folds = [skinkit.data.hernandez2020_split(table, fold, FOLDS, SEED) for fold in range(FOLDS)]
rows = table.set_index("image_id")
counts = []
for split in folds:
    part = split.rows(table, "validation")
    malignant = part[part["label"] == "malignant"]
    known = skinkit.data.leakage_report(table, split, part="validation").loc["all", "patient"]
    counts.append(
        [len(part), len(malignant), part["patient_id"].nunique(), malignant["patient_id"].nunique(), known]
    )

# %%
columns = ["images", "melanomas", "patients", "with melanoma", "leak"]
fold_table = pd.DataFrame(counts, columns=columns)
assert (fold_table["leak"] == 0).all(), "a patient is on both sides"
assert fold_table["patients"].sum() == table["patient_id"].nunique(), "each patient is examined once"
fold_table

# %% [markdown]
# No patient is on both sides, and every patient is examined exactly once. The column `with melanoma` is
# the true size of an exam here. A recall from these images has an interval as wide as this number
# allows: one person more or less, found or not found.

# %%
people = int(fold_table["with melanoma"].max())
found = round(0.8 * people)
recalls = np.random.default_rng(SEED).binomial(people, found / people, 10_000) / people
low, high = np.quantile(recalls, [0.025, 0.975])
print(f"{found} of {people} patients found: recall {found / people:.2f}, with luck {low:.2f} to {high:.2f}")
assert low <= found / people <= high

# %% [markdown]
# ## 7. When can the other spots help?
#
# The idea of the document is that a patient's benign spots look alike, and the melanoma does not: the
# *ugly duckling*. We need not believe that this is so in ISIC 2020. But we can test whether a method
# would *find* it, with synthetic patients in whom `context` says how much it is so. At 0 each spot is
# independent. At 1 the nevi of a patient share a look, and a melanoma is a nevus with the opposite
# look.

# %%
synthetic = {}
for context in (0.0, 1.0):
    place = Path(OUT_DIR, f"synthetic_context_{context:g}_seed{SEED}")
    options = {"layout": "isic2020", "context": context, "balance": 1.0, "overlap": 0.0}
    synthetic[context] = skinkit.data.synthetic(240, SEED, place, (72, 96), **options)
    print(f"context {context:g}: {synthetic[context]['label'].value_counts().to_dict()}")

# %%
shown, titles = [], []
for context, spots in synthetic.items():
    count = spots.groupby("patient_id")["label"].agg(["size", lambda of: of.eq("malignant").sum()])
    person = count[(count["size"] >= 6) & (count.iloc[:, 1] == 1)].index[0]
    own = spots[spots["patient_id"] == person].sort_values("label").tail(6)
    shown += [plt.imread(path) for path in own["path"]]
    titles += [f"context {context:g}\n{label}" for label in own["label"]]
skinkit.plots.image_grid(shown, titles, columns=6)

# %% [markdown]
# The same patient in both rows, the melanoma last. In the second row it is the odd one out, and if you
# covered the others, nothing in it would tell you. Can a number do what your eye just did? We measure
# the colour of each lesion against the skin around it, and ask in two ways. *Alone*: does a straight
# cut through the three numbers tell a melanoma, without knowing the patient? *Beside the others*: how
# far are they from the mean of the patient's other lesions, in units of how far lesions usually are?


# %%
def colour_of(path):
    """Returns a lesion's mean red, green and blue against the skin around it, as logarithms."""
    image, inside = plt.imread(path), skinkit.data.lesion_mask(path)
    return np.log(image[inside].mean(axis=0) / image[~inside].mean(axis=0))


def oddness(colours, people):
    """Returns how far each lesion is from the mean of its patient's other lesions (Mahalanobis)."""
    own = pd.DataFrame(colours).groupby(people)
    away = (colours - (own.transform("sum") - colours).div(own[0].transform("size") - 1, axis=0)).to_numpy()
    return np.sqrt(np.sum(away @ np.linalg.inv(np.cov(away.T)) * away, axis=1))


# %%
areas = {}
for context, spots in synthetic.items():
    spots = spots[spots.groupby("patient_id")["label"].transform("size") > 1].reset_index(drop=True)
    colours, people = np.stack([colour_of(path) for path in spots["path"]]), spots["patient_id"]
    odd = oddness(colours, people) / 100
    assert odd.min() >= 0 and odd.max() <= 1
    ways = {"alone": linear_probe(colours, spots["label"], labels, people, seed=SEED)}
    ways["beside the others"] = np.column_stack([1 - odd, odd])
    for way, shares in ways.items():
        found = bootstrap_intervals(spots["label"], shares, labels, people.to_numpy(object), ["auc"])
        areas[f"context {context:g}", way] = found[["value", "low", "high"]].loc["auc"]
pd.DataFrame(areas).T.round(3)

# %% [markdown]
# At 0 the lesion alone says nearly everything, and the others only disturb. At 1 the lesion alone says
# nothing: its colour means something only beside the patient's other colours, and there a mean and a
# subtraction find it, without a single trained weight. This is the yardstick for every network with
# "patient context": notebook 14 hands it these patients, and a network that does not beat a subtraction
# has no reason to be large.
#
# ## What could go wrong
#
# - **Counting after cleaning.** The printed totals are those of the raw file, duplicates included. Count
#   before you drop, say what you dropped, and count again.
# - **A patient with one image** has no others. ISIC 2020 has none of them; the next clinic will. Every
#   method with context needs an answer for them; the subtraction above left them out.
# - **Missing is not at random.** If one clinic does not write down the age, "age missing" is the clinic.
# - **Labels of patients.** "Has melanoma" means: in these images. It is not a state of health.
# - **Folds and luck.** The folds are stratified by patients, not by images, so the number of melanomas
#   differs from fold to fold. Report all folds.

# %% [markdown]
# ## Exercises
#
# Answer in the open cell of an exercise, then run its check: it says that the answer is right, or gives a
# hint. Let code compute what depends on the images: marks are given on drawn ones.
#
# ### ex-12-1: How often is there somebody to compare with?
#
# Of all melanoma images of a table, what share belongs to a patient with at least one benign image? Write a
# function of the table. Only there can an ugly duckling be seen.

# %% tags=["exercise", "ex-12-1"]
comparable = None


# %% tags=["solution", "ex-12-1"]
def comparable(images):
    has_benign = images["label"].eq("benign").groupby(images["patient_id"]).transform("any")
    return has_benign[images["label"] == "malignant"].mean()


# %% tags=["check", "ex-12-1"] points=2
skinkit.check("12-1", comparable)

# %% tags=["test", "ex-12-1"]
assert comparable is not None, "`def comparable(images):` first finds the patients with a benign image"
half = table["patient_id"].unique()[::2]
fewer = table[(table["label"] == "malignant") | table["patient_id"].isin(half)]
for images in (fewer, table):
    benign_people = set(images.loc[images["label"] == "benign", "patient_id"])
    melanoma_people = images.loc[images["label"] == "malignant", "patient_id"]
    found = np.mean([person in benign_people for person in melanoma_people])
    assert abs(comparable(images) - found) < 1e-3, "of the malignant images, and not of all"
print(f"{found:.1%} of the melanomas have a benign spot of the same patient beside them")

# %% tags=["hidden", "ex-12-1"]
labels_of_six = ["malignant", "benign", "malignant", "benign", "benign", "malignant"]
six = pd.DataFrame({"patient_id": list("AABCCA"), "label": labels_of_six})
assert abs(comparable(six) - 2 / 3) < 1e-3

# %% tags=["wrong", "ex-12-1"]
# Of all images, how many are benign.
comparable = lambda images: (images["label"] == "benign").mean()
# Of all images, and not of the melanomas.
comparable = lambda images: images["label"].eq("benign").groupby(images["patient_id"]).transform("any").mean()
# The answer for one table, and not the rule.
comparable = lambda images: 1.0

# %% [markdown]
# ### ex-12-2: Does it matter for melanomas?
#
# What share of the *malignant* images of an exam shows a patient of whom training has seen a *malignant*
# image? Write a function of two tables, training and exam. The check asks it about `by_image`; the report
# `leak` does not say that.

# %% tags=["exercise", "ex-12-2"]
seen_ill = None


# %% tags=["solution", "ex-12-2"]
def seen_ill(train, exam):
    taught = train.loc[train["label"] == "malignant", "patient_id"]
    return exam.loc[exam["label"] == "malignant", "patient_id"].isin(taught).mean()


# %% tags=["check", "ex-12-2"] points=3
skinkit.check("12-2", seen_ill)

# %% tags=["test", "ex-12-2"]
assert seen_ill is not None, (
    "`def seen_ill(train, exam):` first finds the patients of malignant training images"
)
train, exam = (rows.loc[by_image.ids(part)] for part in ("train", "validation"))
for lesson in (train.iloc[::2], train):
    ill = set(lesson.loc[lesson["label"] == "malignant", "patient_id"])
    found = np.mean([person in ill for person in exam.loc[exam["label"] == "malignant", "patient_id"]])
    assert abs(seen_ill(lesson, exam) - found) < 1e-3, "malignant on both sides, of those of the exam"
known = leak.loc["malignant", "patient"]
print(f"{found:.1%}; a known patient, ill or not, is on {known:.1%}")

# %% tags=["hidden", "ex-12-2"]
lesson = pd.DataFrame({"patient_id": list("ABC"), "label": ["malignant", "benign", "malignant"]})
asked = ["malignant", "benign", "malignant", "malignant", "benign"]
assert abs(seen_ill(lesson, pd.DataFrame({"patient_id": list("AABDD"), "label": asked})) - 1 / 3) < 1e-3

# %% tags=["wrong", "ex-12-2"]
# A patient who is known, ill or not.
seen_ill = lambda train, exam: (
    exam.query("label == 'malignant'")["patient_id"].isin(train["patient_id"]).mean()
)
# The other way.
seen_ill = lambda train, exam: (
    train.query("label == 'malignant'")["patient_id"].isin(exam["patient_id"]).mean()
)
# Of all images of the exam.
seen_ill = lambda train, exam: (
    exam["patient_id"].isin(train.query("label == 'malignant'")["patient_id"]).mean()
)

# %% [markdown]
# ### ex-12-3: Is it the age, or that it is missing?
#
# Give the area of the probe for the column `age=missing` alone, as `area_of` returns it: with its interval.

# %% tags=["exercise", "ex-12-3"]
only_missing = None

# %% tags=["solution", "ex-12-3"]
only_missing = area_of(["age=missing"])

# %% tags=["check", "ex-12-3"] points=2
skinkit.check("12-3", only_missing)

# %% tags=["test", "ex-12-3"]
assert only_missing is not None, "`area_of` takes a list of columns"
assert np.allclose(only_missing, area_of(["age=missing"]), atol=1e-3), "one column, as a list"
tells = only_missing["low"] > 0.5
print(
    f"{only_missing['value']:.3f}: {'the gap in the form tells something' if tells else 'nothing to be seen'}"
)

# %% tags=["hidden", "ex-12-3"]
assert np.allclose(only_missing, area_of(["age=missing"]), atol=1e-3) and len(only_missing) == 3

# %% tags=["wrong", "ex-12-3"]
# With the age itself.
only_missing = area_of([name for name in encoded if name.startswith("age")])
# Says without looking that it tells nothing.
only_missing = pd.Series({"value": 0.5, "low": 0.5, "high": 0.5})
# Turned over.
only_missing = 1 - area_of(["age=missing"])
