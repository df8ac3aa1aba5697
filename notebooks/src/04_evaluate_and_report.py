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
# # Evaluate and report: one network, many numbers
#
# [![Colab](https://colab.research.google.com/assets/colab-badge.svg)](https://colab.research.google.com/github/REPOSITORY_SLUG/blob/main/notebooks/04_evaluate_and_report.ipynb)
# · [Source](https://github.com/REPOSITORY_SLUG/blob/main/notebooks/src/04_evaluate_and_report.py)
# · [Gessert et al. 2019, Section II-B](https://arxiv.org/abs/1905.02793)
# · [Köfler 2023, code](https://github.com/MarkusStefan/DeepCNN_SoftAttention)
# · [Guo et al. 2017, calibration](https://arxiv.org/abs/1706.04599)
#
# "How good is it?" has a dozen answers, and a report picks one. Here you compute them all from one
# file, see which scores a program gets that looks at nothing, how far each may be off by luck, and
# which printed numbers cannot be true.

# %% [markdown]
# You will produce the per-class table and the scores that the five documents report, with intervals;
# Table 4 of Köfler (2023) beside ours, each with the leakage of its split; the values of that report's
# Table 5 that no number of images can give; a submission for the ISIC 2018 challenge; and a page about
# your run.
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
SEED = 0  # an integer from 0 on: seeds the run and the resampling of section 6
DATA_DIR = None  # folder that holds the folder ham10000; None: environment variable SKINKIT_DATA
OUT_DIR = "results/notebooks"  # a run of notebook 03 is found here; what you make is saved here
RECIPE = "skinkit/demo/ham10000"  # the recipe whose run is evaluated; `skinkit list` shows the others
RESAMPLES = 1000  # resamples for each interval: more make its ends steadier, not narrower

# %%
import dataclasses
import math
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.metrics import f1_score

# %%
import skinkit
from skinkit import evaluation, plots
from skinkit.evaluation import score
from skinkit.experiments import available_profile, run
from skinkit.experiments.run_folder import SavedRun
from skinkit.papers.published import flagged, load_published, published_row
from skinkit.tasks.batches import evaluation_images

skinkit.report_environment()

# %% tags=["images"]
# Real images: take the "# " away from one line. Sizes and times are estimates, hosts untried (2026-11-29).
# skinkit.data.get("dataverse", to=DATA_DIR)  # from the publisher: 2.8 GB, 3 to 10 minutes
# skinkit.data.get("kaggle", to=DATA_DIR)  # a copy, without an account: 5.6 GB, 4 to 15 minutes
# skinkit.data.get("drive", to=DATA_DIR)  # skinkit/ham10000 in your Drive: no download, 2 to 5 minutes

# %% [markdown]
# ## 1. What is there to evaluate?
#
# We evaluate the run of notebook 03. If it is there, this cell returns at once; if not, it trains now.

# %%
recipe = skinkit.papers.recipe(RECIPE)
profile = available_profile(PROFILE, recipe.dataset, DATA_DIR)
if profile == "smoke":
    # As in notebook 03: enough synthetic images, seen often enough, to have learnt something.
    sizes = {"image_size": (48, 64), "epochs": (8,), "subset": 600}
    recipe = dataclasses.replace(recipe, profiles={"smoke": sizes})
folder = run(recipe, profile, seed=SEED, out=OUT_DIR, data_dir=DATA_DIR, verbose=2)
saved = SavedRun(folder)
saved.predictions.head(3)

# %% [markdown]
# There is one row per test image: its diagnosis, and the share that the network gives to each of seven.
# This table is all we need: every score below could be computed without the network.

# %%
truth, probabilities, labels = evaluation.unpack_predictions(saved.predictions)
print(saved.leakage_line)
assert np.allclose(probabilities.sum(axis=1), 1, atol=1e-4), "shares sum to 1"
assert saved.manifest["leakage"]["lesion"] == 0, "the exam was seen before"

# %% [markdown]
# The line above describes the split. If it begins with LEAKY, every score below means something else,
# so it stays beside the scores.
#
# ## 2. Which diagnoses are confused?
#
# The highest share wins. Rows are the truth, columns the answer.

# %%
matrix = evaluation.confusion_table(truth, probabilities, labels)
plots.confusion_matrix(matrix, labels)

# %% [markdown]
# Read a row: where do the melanomas go? Those in the column `nv` are sent home. Read a column: how many
# of those called melanoma are melanomas? The first question is *recall* (or sensitivity), the second
# *precision*. Both come out of this matrix:

# %%
recall = matrix.loc["mel", "mel"] / matrix.loc["mel"].sum()
precision = matrix.loc["mel", "mel"] / max(matrix["mel"].sum(), 1)
print(f"of 100 melanomas {100 * recall:.0f} are found; of 100 alarms {100 * precision:.0f} are melanomas")
table = evaluation.classification_table(truth, probabilities, labels)
assert math.isclose(table.loc["mel", "recall"], recall)
assert math.isclose(table.loc["mel", "precision"], precision)
table.round(2)

# %% [markdown]
# `macro` is the plain mean over the classes, `weighted` the mean over the images; accuracy stands in
# the column `f1`, where scikit-learn's report has it, too. `specificity` is the share of images of all
# other classes that raise no alarm. `auc` and `average_precision` look at the order of the shares only,
# before anything is cut off.
#
# ## 3. Which score can a fool get?
#
# The lazy program of notebook 01 answers `nv`, whatever it is shown.

# %%
lazy = np.zeros_like(probabilities)
lazy[:, labels.index("nv")] = 1
contestants = {"network": probabilities, "always nv": lazy}
every = pd.DataFrame({name: evaluation.summary(truth, p, labels) for name, p in contestants.items()})
assert math.isclose(every.loc["macro_recall", "always nv"], 1 / 7)
every.loc["accuracy":"mcc"].round(3)

# %% [markdown]
# Look at the second column. The fool has a good accuracy, a `weighted_f1_by_pred` that is hard to beat
# (section 4 says why), and a macro specificity of 6/7, because it never accuses anybody. That last
# score lies between 0.91 and 0.97 in every row of the tables of Gessert et al. (2019): it cannot tell
# good from bad. Macro recall, kappa and Matthews' coefficient expose the fool at once. So skinkit puts
# macro recall first; it is also what the ISIC challenges of 2018 and 2019 rank by, under the name
# *balanced accuracy*.
#
# ## 4. Why are there two weighted F1?
#
# F1 joins precision and recall of a class. To get one number, the seven are averaged with weights.
# With which?

# %%
classes = evaluation.per_class(truth, probabilities, labels)
by_truth = np.average(classes["f1"], weights=classes["support"])
by_prediction = np.average(classes["f1"], weights=classes["predicted"])
print(f"weighted by how often a class occurs:       {by_truth:.3f}")
print(f"weighted by how often a class is predicted: {by_prediction:.3f}")
answer = [labels[i] for i in evaluation.predicted_index(probabilities)]
assert math.isclose(by_truth, f1_score(list(truth), answer, average="weighted"))
assert math.isclose(by_prediction, f1_score(answer, list(truth), average="weighted"))

# %% [markdown]
# The two lines with `assert` differ in one thing: the order of truth and answer. Swapping truth and
# answer swaps precision and recall, which leaves each F1 as it is, but the *weights* are now the
# predicted counts. The released code of Gessert et al. (2019) calls it that way round, so their column
# F1 is the second number. It is not the F1 of other papers, and it has a bias: a class that is never
# predicted weighs nothing, so the fool is judged on `nv` alone, and a network that dares to name rare
# classes pays for it. Part of the fall of F1 in notebook 03, section 8, comes from this. Compare a
# printed F1 with the same kind of F1: skinkit reports both.
#
# ## 5. What if we choose when to raise the alarm?
#
# "Highest share wins" is one rule. A clinic may want an alarm at a melanoma share of 0.2. Every
# threshold gives one point: how many melanomas are found, how many others are alarmed. All points
# together are the ROC curve.

# %%
plots.roc_curves(truth, probabilities, labels)

# %% [markdown]
# The area is the chance that an image of the class gets a higher share than one of another class: 0.5
# for a coin. It is kind to rare classes, because a few false alarms among very many others move the
# curve hardly at all. So we also fix the price beforehand: *if at most ten of a hundred others raise an
# alarm, how many melanomas are found?*

# %%
share, is_melanoma = probabilities[:, labels.index("mel")], truth == "mel"
threshold = np.quantile(share[~is_melanoma], 0.90, method="inverted_cdf")
alarm = share > threshold
found, spared = alarm[is_melanoma].mean(), (~alarm[~is_melanoma]).mean()
print(
    f"alarm above {threshold:.2f}: {spared:.1%} of the others left alone, {found:.1%} of the melanomas found"
)
name = "melanoma_sensitivity_at_90_specificity"
assert math.isclose(found, score(name, truth, probabilities, labels))
every.loc[["melanoma_sensitivity_at_90_specificity", "melanoma_sensitivity_at_95_specificity"]].round(3)

# %% [markdown]
# A threshold that is read off the test images and then judged on them flatters a little; in practice it
# is set on validation. For the fool both scores are 0: it has no share to rank by.
#
# ## 6. Would another test say the same?
#
# These test images are a sample. Imagine other lesions had come to the clinic that year. We cannot have
# them, but we can resample *ours*, with replacement, and see how the score moves. We resample lesions,
# with all their images: three photographs of one mole are not three witnesses.

# %%
random = np.random.default_rng(SEED)
images_of = list(saved.predictions.groupby("lesion_id").indices.values())
resampled = []
for _ in range(200):
    taken = random.integers(len(images_of), size=len(images_of))
    rows = np.concatenate([images_of[i] for i in taken])
    resampled.append(score("macro_recall", truth[rows], probabilities[rows], labels))
low, high = np.quantile(resampled, [0.025, 0.975])
print(f"macro recall {score('macro_recall', truth, probabilities, labels):.3f}, 95 % of the resamples lie in")
print(f"{low:.3f} to {high:.3f}")

# %% [markdown]
# This is the bootstrap. skinkit does the same for all scores at once, faster. It fails where fewer than
# ten lesions are found or missed: if all of six are found, every resample finds all, and the interval
# would run from 1 to 1. There skinkit takes Wilson's interval, from 0.61 to 1, and says so in the
# column `method`. We compute the intervals by lesion, and once as if every image were its own witness:

# %%
names = ["accuracy", "macro_recall", *(f"recall:{label}" for label in labels)]
lesions = saved.predictions["lesion_id"]
intervals = {
    "by lesion": evaluation.bootstrap_intervals(truth, probabilities, labels, lesions, names, RESAMPLES),
    "by image": evaluation.bootstrap_intervals(truth, probabilities, labels, None, names, RESAMPLES),
}
plots.score_intervals(intervals)

# %% [markdown]
# The line of a class is as long as its images are few. With fewer than thirty images, as `df` and
# `vasc` have in a test of HAM10000, one image moves the recall by several points: a table that compares
# two networks there to the second decimal compares luck. Most lines get longer when lesions are
# resampled, but only a little: most lesions have one image.
#
# ## 7. Is a change an improvement?
#
# Here is an idea: show the network each image and its mirror image, and take the mean of both answers.
# To judge it we need both on the same images, and the difference in each resample: what is hard for
# both cancels out.

# %%
run_data, model = saved.run_data(DATA_DIR), saved.load_model()
images = np.concatenate(list(evaluation_images(saved.recipe, run_data.rows("test"))))
again = model.predict(images, verbose=0)
assert np.allclose(again, probabilities, atol=0.01), "another model, or another version of skinkit"
both = (again + model.predict(images[:, :, ::-1], verbose=0)) / 2
asked = ["accuracy", "macro_recall", "macro_auc"]
evaluation.paired_difference(truth, both, probabilities, labels, lesions, asked, RESAMPLES).round(4)

# %% [markdown]
# `value` is what the mirror adds. If the interval from `low` to `high` contains 0, these images cannot
# tell the two apart. That does not prove that they are equal. Compare its width with that of macro
# recall above: pairing makes it several times shorter. Butskova (2021) reads differences of less than
# one point on classes with some two dozen images as progress. Without an interval one can believe so.
#
# The interval covers only the luck of the test. The luck of the training (another seed, other first
# weights) comes on top, and only further runs show it.
#
# ## 8. Does 80 % mean 80 %?
#
# Take all images where the network gives its answer a share of about 0.8. If it is *calibrated*, it is
# right in 80 of 100. The diagram shows confidence against success; points below the dotted line are
# overconfident.

# %%
rows = run_data.rows("validation")
seen = model.predict(np.concatenate(list(evaluation_images(saved.recipe, rows))), verbose=0)
temperature = evaluation.fit_temperature(rows["label"], seen, labels)
calm = evaluation.apply_temperature(probabilities, temperature)
figure, axes = plt.subplots(1, 2, figsize=(11, 5.5), layout="constrained")
judged = {"as trained": probabilities, f"temperature {temperature:.2f}": calm}
for ax, (name, shares) in zip(axes, judged.items(), strict=True):
    plots.reliability_diagram(evaluation.reliability_table(truth, shares, labels), ax=ax)
    ax.set_title(name)

# %%
asked = ["ece", "brier", "accuracy", "macro_auc"]
assert (evaluation.predicted_index(calm) == evaluation.predicted_index(probabilities)).all()
scores = {name: [score(each, truth, p, labels) for each in asked] for name, p in judged.items()}
pd.DataFrame(scores, index=asked).round(3)

# %% [markdown]
# *Temperature scaling* (Guo et al. 2017) divides all logits by one number, which is found on validation
# and applied to test. Above 1 it corrects an overconfident network; below 1 it corrects an
# underconfident one, such as a network that learnt with class weights or in few epochs. The highest
# share stays the highest (the assertion), so accuracy does not change. ECE is the mean gap in the
# diagram. No document of the five reports it, although a share is the first thing a doctor would ask
# about.
#
# ## 9. Is the network as good for everybody?

# %%
known = {"metadata": run_data.table, "groups": saved.predictions["lesion_id"], "resamples": 200}
groups = {by: evaluation.compare_subgroups(saved.predictions, by, **known) for by in ("sex", "age")}
pd.concat(groups).round(2)

# %% [markdown]
# Each difference is to all other images. Mind the counts and the intervals before you call one unfair; in
# the young there are next to no melanomas to find: of fewer than 20 lesions nothing is said. Of many
# differences that one looks at, some are away from 0 by chance. One question cannot be
# asked at all: HAM10000 does not record *skin tone*, and its images come from one hospital in Austria
# and one practice in Australia. A missing column is not a passed test.
#
# ## 10. What file does the challenge take?
#
# The ISIC 2018 challenge takes one CSV with the classes in its own order. Writing columns by position
# instead of by name is the most common mistake, so skinkit matches names.

# %%
submission = Path(OUT_DIR) / "submission.csv"
evaluation.write_isic2018_submission(submission, saved.predictions["image_id"], probabilities, labels)
read = pd.read_csv(submission)
assert list(read.columns) == ["image", "MEL", "NV", "BCC", "AKIEC", "BKL", "DF", "VASC"]
assert np.allclose(read["MEL"], share)
read.head(3).round(3)

# %% [markdown]
# ## 11. Can a printed number be true?
#
# A recall is a share: the number found, divided by the number there are. Köfler (2023) prints, in Table
# 5, a recall of 0.34 for 7 images of actinic keratosis. What can 7 images give?

# %%
shares = [f"{found / 7:.2f}" for found in range(8)]
print(", ".join(shares))
assert "0.34" not in shares
table5 = load_published("koefler2023").query("table in ['table5a', 'table5b']")
print(f"{flagged(table5['check']).sum()} of the {len(table5)} numbers of Table 5 raise a question")
impossible = table5["check"].str.startswith("impossible").fillna(False) | (table5["metric"] == "accuracy")
print(table5.loc[impossible, ["model", "class", "metric", "printed", "n", "check"]].to_string(index=False))

# %% [markdown]
# There are recalls that no count of images gives, and an accuracy that does not match the recalls above
# it. It may be a slip of the pen; we do not know, and do not need to. A number that cannot be true
# cannot be a target, so skinkit shows such values and marks them. The check needs neither the images
# nor the code, only arithmetic: try it on the next paper you read.
#
# ## 12. The document's table beside ours
#
# Table 4b, the same report's network with soft attention on HAM10000, is consistent. Here are its
# recalls beside ours. The two columns in the middle say how much of the test its network had met
# before, because it copies first and splits then (notebook 01, section 8).

# %%
copied = skinkit.data.augment_offline(run_data.table)
met = skinkit.data.leakage_report(copied, skinkit.data.koefler2023_split(copied))
printed = published_row("koefler2023/table4b/cnn-sa").query("metric == 'recall'").set_index("class")["value"]
beside = pd.DataFrame(
    {"printed recall": printed, "same photograph": met["photograph"], "same lesion": met["lesion"]}
)
mine = intervals["by lesion"].filter(like="recall:", axis=0)
mine.index = mine.index.str.removeprefix("recall:")
beside = beside.loc[labels].join(mine[["value", "low", "high"]].add_prefix("our "))
beside.assign(our_leakage=saved.manifest["leakage"]["lesion"]).astype(float).round(2)

# %% [markdown]
# In the printed column the only hard class is `nv`, of all things the one with the most images. It is
# also the only one without copies. Ours is far below, for three reasons at once: a tiny network, tiny
# images, and an exam that the network has not seen before. Only runs that differ in one thing each can
# say how much each reason weighs. (With synthetic images, only the leakage columns can be compared.)
#
# ## 13. How is the run reported?
#
# There is a page about this run and a ledger of all runs beside all printed numbers. Both are made from
# the run folders; nobody types a number. (`skinkit report` writes the ledger with its own page and
# leaves out runs on synthetic images that stand in for a release. Here we include them.)

# %%
page = skinkit.report.write_report(folder, DATA_DIR)
ledger = skinkit.experiments.ledger(OUT_DIR, smoke=True)
print(f"open {page}")
print(f"{ledger['published'].notna().sum()} printed scores, {ledger['measured'].notna().sum()} measured")
shown = ["row", "metric", "measured", "low", "high", "runs", "leakage_lesion", "verdict", "reason"]
own = ledger[ledger["recipe"].eq(saved.manifest["recipe"]) & ledger["profile"].eq(profile)]
own.dropna(subset="measured")[shown].head(6).round(3)

# %% [markdown]
# The verdict of our run is *not comparable*: no document printed this network. Where the row of a
# document is run, its line says *within* or *outside* the tolerance that was written down before; of
# three runs or more *reproduced* or *not reproduced*. Misses stay in.
#
# ## What could go wrong
#
# - **A score without its n.** Seven images give eight possible recalls. Ask for the count.
# - **A mean over classes that are not there.** A class without images has no recall; skinkit leaves it
#   out, other tools count it as 0 or 1.
# - **Ties.** If two classes share the highest value, the first one wins here; the official scorer
#   counts such an image as wrong. `summary` says how many there are (`ties`).
# - **Tuning on the test.** The threshold, the temperature, the choice between two networks: each look
#   at the test spends it. Decide on validation.
# - **Resampling images.** Intervals get too short as soon as lesions have siblings.
# - **Many comparisons.** Of twenty useless ideas, about one will have an interval without 0.

# %% [markdown]
# ## Exercises
#
# Answer in the open cell of an exercise, then run its check: it says that the answer is right, or gives a
# hint. Let code compute what depends on the images: marks are given on drawn ones.
#
# ### ex-04-1: How many images would make 0.34 possible?
#
# Find the smallest number of images of which some share is printed as 0.34. (With 7 images no share
# is.)

# %% tags=["exercise", "ex-04-1"]
fewest_images = None

# %% tags=["solution", "ex-04-1"]
fewest_images = next(n for n in range(1, 100) if f"{round(0.34 * n) / n:.2f}" == "0.34")

# %% tags=["check", "ex-04-1"] points=2
skinkit.check("04-1", fewest_images)

# %% tags=["test", "ex-04-1"]
assert fewest_images is not None, "try n = 1, 2, 3, ... and print all shares"
possible = [n for n in range(1, 100) if any(f"{found / n:.2f}" == "0.34" for found in range(n + 1))]
assert fewest_images == min(possible), "try n = 1, 2, 3, ... and print all shares"

# %% tags=["hidden", "ex-04-1"]
assert fewest_images == 29

# %% tags=["wrong", "ex-04-1"]
# 34 of 100 is one way, and not the smallest.
fewest_images = 100
# 17 of 50 is exact; a printed share is rounded.
fewest_images = 50
# 1 of 3 is printed as 0.33.
fewest_images = 3

# %% [markdown]
# ### ex-04-2: What does finding 80 % of the melanomas cost?
#
# Give the smallest share of the *other* images that must be alarmed so that at least 80 % of the
# melanomas are. You have `share` and `is_melanoma` from section 5.

# %% tags=["exercise", "ex-04-2"]
false_alarms = None

# %% tags=["solution", "ex-04-2"]
melanomas = np.sort(share[is_melanoma])[::-1]
cut = melanomas[math.ceil(0.8 * len(melanomas)) - 1]
false_alarms = (share[~is_melanoma] >= cut).mean()

# %% tags=["check", "ex-04-2"] points=3
skinkit.check("04-2", false_alarms)

# %% tags=["test", "ex-04-2"]
assert false_alarms is not None, "sort the shares of the melanomas; which is the last needed?"
prices = [(share[~is_melanoma] >= c).mean() for c in share if (share[is_melanoma] >= c).mean() >= 0.8]
assert abs(false_alarms - min(prices)) < 1e-3, "sort the shares of the melanomas; which is the last needed?"

# %% tags=["hidden", "ex-04-2"]
ranked = np.sort(share[is_melanoma])
last_needed = ranked[len(ranked) - math.ceil(0.8 * len(ranked))]
assert abs(false_alarms - np.mean(share[~is_melanoma] >= last_needed)) < 1e-3

# %% tags=["wrong", "ex-04-2"]
# The melanomas that may be missed, and not the others that are alarmed.
false_alarms = 0.2
# Of all images, and not of the others.
false_alarms = (share >= np.quantile(share[is_melanoma], 0.2)).mean()
# Finds a fifth of them.
false_alarms = (share[~is_melanoma] >= np.quantile(share[is_melanoma], 0.8)).mean()

# %% [markdown]
# ### ex-04-3: Where do we know least?
#
# How wide is the interval of each class's recall when lesions are resampled? Give the widths as a Series
# whose index is the label. Then look up the support of the widest and think about what a second test of the
# same size would print.

# %% tags=["exercise", "ex-04-3"]
widths = None

# %% tags=["solution", "ex-04-3"]
widths = mine["high"] - mine["low"]

# %% tags=["check", "ex-04-3"] points=2
skinkit.check("04-3", widths)

# %% tags=["test", "ex-04-3"]
assert widths is not None, "`mine` has the columns value, low and high"
assert set(widths.index) == set(labels), "one number for each label"
ends = mine.loc[widths.index]
assert np.allclose(widths, ends["high"] - ends["low"], atol=1e-3), "from the low end to the high end"
print(f"we know least about {widths.idxmax()}: its interval is {widths.max():.2f} wide")

# %% tags=["hidden", "ex-04-3"]
recalls = intervals["by lesion"].filter(like="recall:", axis=0)
expected = dict(zip(recalls.index.str.removeprefix("recall:"), recalls["high"] - recalls["low"], strict=True))
assert all(math.isclose(widths[label], width, abs_tol=1e-3) for label, width in expected.items())

# %% tags=["wrong", "ex-04-3"]
# Half of the interval, and not the same on both sides.
widths = mine["high"] - mine["value"]
# Where it ends, and not how wide it is.
widths = mine["high"]
# Of recall alone, and the width depends on the number of lesions.
widths = 1 / np.sqrt(mine["value"])
