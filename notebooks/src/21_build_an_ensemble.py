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
# # Build an ensemble: what is a mean of networks worth?
#
# [![Colab](https://colab.research.google.com/assets/colab-badge.svg)](https://colab.research.google.com/github/REPOSITORY_SLUG/blob/main/notebooks/21_build_an_ensemble.ipynb)
# · [Source](https://github.com/REPOSITORY_SLUG/blob/main/notebooks/src/21_build_an_ensemble.py)
# · [Deep ensembles, Lakshminarayanan et al. 2017](https://arxiv.org/abs/1612.01474)
# · [The winners of ISIC 2020, whom Bermeo Quito 2023, Section 2.1, quotes](https://arxiv.org/abs/2010.05351)
#
# Train one network three times, and you get three different ones. Whoever wins a challenge trains many and
# takes the mean of their answers. Here you build such an ensemble, ask whether it is better than its best
# member, and take it to the point where somebody could judge it: a threshold, its price, its errors by age
# and sex, and a card.

# %% [markdown]
# You will produce a table of how often the members disagree and err together; the mean against its members,
# with an interval; a threshold on calibrated probabilities, and what it costs; the leakage of an ensemble
# over folds; a table of subgroups; and a model card. Beside them stand the two scores that Bermeo Quito
# (2023) quotes of an ensemble.
#
# | profile | CPU (2 cores) | T4 (estimated) | memory | data |
# | --- | --- | --- | --- | --- |
# | `smoke` | 1 minute | 1 minute | 1.1 GB | 600 synthetic images, generated here |
# | `quick` | not measured yet | not estimated | not measured yet | HAM10000, made small |
# | `full` | not measured yet | not estimated | not measured yet | HAM10000 |
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
SEED = 0  # an integer from 0 on: the members of another one have other seeds
DATA_DIR = None  # folder that holds the folder ham10000; None: environment variable SKINKIT_DATA
OUT_DIR = "results/notebooks"  # runs are kept below it
MEMBERS = 3  # networks of the ensemble, 2 or more; each is a training of its own
SENSITIVITY = 0.9  # share of the melanomas of validation that the threshold of section 6 has to find
RESAMPLES = 1000  # resamples for each interval: more make its ends steadier, not narrower
PROJECT = None  # folder of the project's own results; None: of the clone that skinkit is installed from

# %%
import functools
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from IPython.display import Markdown

# %%
import skinkit
from skinkit import data, evaluation, experiments, papers, plots
from skinkit.experiments import SavedRun, available_profile, run
from skinkit.experiments.deciding.operating_point import calibration_table, threshold_table
from skinkit.experiments.deciding.rule import calibrated_arrays
from skinkit.experiments.deciding.subgroups import looked_at, too_few, write_subgroups
from skinkit.experiments.plan import Plan
from skinkit.experiments.plan_data import plan_data
from skinkit.papers.members import ensemble
from skinkit.papers.published import load_published

skinkit.report_environment()

# %% tags=["images"]
# Real images: take the "# " away from one line. Sizes and times are estimates, hosts untried (2026-11-29).
# skinkit.data.get("dataverse", to=DATA_DIR)  # from the publisher: 2.8 GB, 3 to 10 minutes
# skinkit.data.get("kaggle", to=DATA_DIR)  # a copy, without an account: 5.6 GB, 4 to 15 minutes
# skinkit.data.get("drive", to=DATA_DIR)  # skinkit/ham10000 in your Drive: no download, 2 to 5 minutes

# %% [markdown]
# ## 1. Who are the members?
#
# One recipe, several seeds: another seed gives other first weights, another order of the images and other
# augmentations. All members share one split, so that one test is honest for all of them. The test part is
# large, because subgroups need images. The last epoch is taken, so that validation has chosen nothing yet: it
# is for the best member, the temperature and the threshold. `with_` takes a recipe of the kit and says what
# differs (notebook 20).

# %%
demo = papers.recipe("skinkit/demo/ham10000")
parts = {"train": 0.5, "validation": 0.2, "test": 0.3}
drawn = {"image_size": (48, 64), "epochs": (5,), "subset": 600}  # in smoke, as is `drawing`
MEMBER = demo.with_(
    "own/ensemble/member",
    model=papers.choose("small_cnn"),
    split=papers.choose("stratified_group_split", fractions=parts),
    selection="last",
    selection_every=1.0,
    drawing={"size": (60, 80), "balance": 0.6},
    profiles={**demo.profiles, "smoke": drawn},
)

# %%
profile = available_profile(PROFILE, MEMBER.dataset, DATA_DIR)
where = {"out": OUT_DIR, "data_dir": DATA_DIR, "verbose": 2}
seeds = range(MEMBERS * SEED, MEMBERS * (SEED + 1))
papers.register_recipe(MEMBER)  # an ensemble asks for its members by name
members = {f"seed {seed}": SavedRun(run(MEMBER, profile, seed=seed, **where)) for seed in seeds}

# %%
exam = members[f"seed {seeds[0]}"].predictions
truth, _, labels = evaluation.unpack_predictions(exam)
shares = {name: evaluation.unpack_predictions(saved.predictions)[1] for name, saved in members.items()}
asked = ["accuracy", "macro_recall", "auc:mel"]
for saved in members.values():
    assert saved.predictions["image_id"].equals(exam["image_id"]), "one exam for all"
    assert saved.manifest["leakage"]["lesion"] == 0, "a lesion of the exam was seen in training"
scores = {name: {s: evaluation.score(s, truth, p, labels) for s in asked} for name, p in shares.items()}
pd.DataFrame(scores).T.round(3)

# %% [markdown]
# The lines differ in their seed alone. How far apart they are is what a single training does not tell you.
#
# ## 2. Do they disagree?
#
# A mean can only help where its members differ. On which share of the images do two of them give different
# answers?

# %%
answers = pd.DataFrame({name: evaluation.predicted_index(p) for name, p in shares.items()})
wanted = np.array([labels.index(label) for label in truth])
wrong = answers.ne(wanted, axis=0)
apart = {a: {b: (answers[a] != answers[b]).mean() for b in answers} for a in answers}
pd.DataFrame(apart).round(3)

# %% [markdown]
# Differing is not enough: they should also err on different images. If their errors were independent, all
# would be wrong together as often as the product of their error rates says. Count how many are wrong on each
# image, and compare:

# %%
counts = wrong.sum(axis=1).value_counts(normalize=True).reindex(range(MEMBERS + 1), fill_value=0)
independent = functools.reduce(np.convolve, [[1 - rate, rate] for rate in wrong.mean()])
counts = pd.DataFrame({"measured": counts, "if errors were independent": independent})
assert np.allclose(counts.sum(), 1) and np.isclose(independent[-1], wrong.mean().prod())
ax = counts.plot.bar(rot=0, figsize=(7, 3.2), color=["#0072B2", "#BBBBBB"])
_ = ax.set(xlabel="members that are wrong about an image", ylabel=f"share of {len(truth)} images")

# %% [markdown]
# Look at the bars on the right, where nobody is right. If the measured one is the higher, the members share
# their errors: they have learned from the same images, and some images are hard for each of them.
#
# Disagreement is also a warning that comes for free. Are the members wrong more often where they disagree?

# %%
different = answers.nunique(axis=1).rename("different answers")
by_agreement = wrong.mean(axis=1).groupby(different).agg(["size", "mean"])
by_agreement.columns = ["images", "share of wrong answers"]
by_agreement.round(3)

# %% [markdown]
# ## 3. What is the mean?
#
# By hand it is one line. As a recipe it names its members, and from then on it is a run like any other: it
# can be scored, explained, served and shown. Nothing more is trained.

# %%
MEAN = papers.register_recipe(
    ensemble(MEMBER, f"own/ensemble/mean-of-{MEMBERS}", f"The mean of {MEMBERS} small CNNs", seeds=MEMBERS)
)
joined = SavedRun(run(MEAN, profile, seed=SEED, **where))
by_hand = np.mean(list(shares.values()), axis=0)
assert joined.predictions["image_id"].equals(exam["image_id"])
assert np.allclose(evaluation.unpack_predictions(joined.predictions)[1], by_hand, atol=1e-4)
assert np.allclose(by_hand.sum(axis=1), 1, atol=1e-4), "a mean of probabilities is one"
one = members[f"seed {seeds[0]}"].manifest
print(f"a member has {one['parameters']:,} numbers, the ensemble {joined.manifest['parameters']:,}")
print(f"training took {sum(saved.manifest['seconds'] for saved in members.values()):.0f} s in all")

# %% [markdown]
# That is the price: so many times the numbers, the training and the time for an answer. What comes back?
# About two scores there is a law. The log loss and the Brier score are convex in the probabilities, so the
# mean of the answers is never worse than the mean of the members' scores. About accuracy there is none.

# %%
both = {**shares, "mean": by_hand}
scores = pd.DataFrame(
    {s: {name: evaluation.score(s, truth, p, labels) for name, p in both.items()} for s in ["brier", *asked]}
)
told = {name: p[np.arange(len(wanted)), wanted] for name, p in both.items()}
scores.insert(0, "log loss", {name: -np.log(p.clip(1e-30)).mean() for name, p in told.items()})
average = scores.drop("mean").mean()
assert (scores.loc["mean", ["log loss", "brier"]] <= average[["log loss", "brier"]] + 1e-6).all(), "the law"
pd.concat([scores, average.to_frame("average member").T]).round(3)

# %% [markdown]
# Compare the last two lines. (Low is good in the first two columns.) "Better than its average member" is the
# promise of an ensemble; "better than its best" is another one, and section 4 asks for it.
#
# There are other means. The geometric one is the mean of the logs: a member that thinks a class impossible
# has a veto. The mean of *ranks* forgets how sure a member is and keeps only its order of the images.

# %%
tables = {name: saved.predictions for name, saved in members.items()}
rules = {}
for rule in evaluation.ENSEMBLE_RULES:
    found = evaluation.unpack_predictions(evaluation.join_members(tables, rule))
    rules[rule] = {s: evaluation.score(s, *found) for s in ("auc:mel", "macro_auc")}
    rules[rule]["rows sum to 1"] = np.allclose(found[1].sum(axis=1), 1, atol=1e-3)
assert not rules["rank_mean"]["rows sum to 1"], "ranks are not probabilities"
pd.DataFrame(rules).T

# %% [markdown]
# The rank of an image depends on the others that are asked about with it. A leaderboard does not mind; a
# patient who comes alone cannot be given a rank.
#
# ## 4. Is the mean better than the best member?
#
# Which member is the best? To say so by the test, and then to compare on the test, would give that member an
# advantage. We choose it on validation.

# %%
on_validation = {
    name: evaluation.score(
        "macro_recall", *evaluation.unpack_predictions(saved.validation_predictions(DATA_DIR))
    )
    for name, saved in members.items()
}
best = max(on_validation, key=on_validation.get)
print(f"best on validation: {best}; best on test: {scores.drop('mean')['macro_recall'].idxmax()}")

# %%
lesions = exam["lesion_id"]
intervals = {
    name: evaluation.bootstrap_intervals(truth, p, labels, lesions, asked, RESAMPLES)
    for name, p in both.items()
}
plots.score_intervals(intervals)

# %% [markdown]
# If these intervals overlap, that says little: all are scored on the same images, and what is hard for two of
# them cancels out in their difference. So look at the difference in each resample (notebook 04):

# %%
differences = {
    name: evaluation.paired_difference(truth, by_hand, p, labels, lesions, asked, RESAMPLES)
    for name, p in shares.items()
}
differences = pd.concat(differences, names=["mean minus"])[["value", "low", "high"]]
differences["contains_0"] = differences["low"].mul(differences["high"]) <= 0
differences.loc[[best, *(name for name in shares if name != best)]].round(3)

# %% [markdown]
# The first three lines are the answer; the best member is on top. Where `contains_0` is true, these images
# cannot show that the mean is better. And the interval knows only the luck of the test: this is one ensemble.
# With `SEED = 1` all members are others. It takes three such ensembles to say something about ensembles.
#
# Here is the same question on real images, if the project's own runs are there: three EfficientNet-Lite0
# that differ in their seed. No network is asked; an ensemble can be made of saved predictions.

# %%
project = Path(PROJECT or Path(skinkit.__file__).parents[1] / "results")
plain = project / "runs/skinkit/baseline/efficientnet-lite0-plain"
folders = sorted(plain.glob("corrected-quick-fold0-seed?"))
theirs = {folder.name[-5:]: SavedRun(folder).predictions for folder in folders}
real = {}
if len(theirs) > 1:
    y, mean_of_theirs, names = evaluation.unpack_predictions(evaluation.join_members(theirs))
    of_lesions = next(iter(theirs.values()))["lesion_id"]
    for name, table in theirs.items():
        p = evaluation.unpack_predictions(table)[1]
        real[name] = evaluation.paired_difference(y, mean_of_theirs, p, names, of_lesions, asked, RESAMPLES)
pd.concat(real, names=["mean minus"])[["value", "low", "high"]].round(3) if real else print("not here")

# %% [markdown]
# ## 5. Is the mean calibrated?
#
# Where members disagree, their mean is less sure than they are. So a mean of well calibrated networks need
# not be calibrated, and a mean of overconfident ones may be. One temperature, found on validation, makes up
# for it (notebook 04); the test says how well.

# %%
surest = {name: p.max(axis=1).mean() for name, p in both.items()}
assert surest["mean"] <= np.mean([surest[name] for name in shares]) + 1e-6, "less sure on average"
runs = {**members, "mean": joined}
fitted = {name: experiments.fit_rule(saved, DATA_DIR).temperature for name, saved in runs.items()}
tables = {name: calibration_table(saved, data_dir=DATA_DIR).reset_index() for name, saved in runs.items()}
after = {name: table.iloc[-1][["ece", "brier"]].add_suffix(" after") for name, table in tables.items()}
before = {name: table.iloc[0][["ece", "brier"]].add_suffix(" before") for name, table in tables.items()}
calibration = pd.DataFrame({"mean of the highest share": surest, "temperature": fitted})
calibration.join(pd.DataFrame(before).T).join(pd.DataFrame(after).T).round(3)

# %% [markdown]
# A temperature below 1 says that a network was not sure enough, one above 1 that it was too sure. Compare
# the last line with the others. (An ECE has no interval, and is biased upwards where images are few.)
#
# ## 6. Where does the alarm go off?
#
# The threshold is one on the *calibrated* probability of melanoma. It is chosen on validation, which no
# member has learned from, and then the test is asked, once.

# %%
threshold, table = experiments.operating_point(joined, data_dir=DATA_DIR, sensitivity=SENSITIVITY)
print(f"alarm from a calibrated probability of {threshold.value:.3f} on, which finds")
print(f"{SENSITIVITY:.0%} of the melanomas of validation. Doubt: {threshold.doubt or 'none'}")
table[["value", "low", "high", "method"]].round(3)

# %% [markdown]
# The last lines are another rule, *the likeliest class*. Exercise 2 asks for a sensitivity of 95 %.
#
# Two more figures about decisions, of the mean and of the best member. On the left: whoever cuts out lesions
# from a probability $t$ on holds a missed melanoma for $(1-t)/t$ times as bad as a lesion cut out in vain.
# With these weights, is the network better than cutting out all, or none? On the right: if the least sure
# images go to a colleague, how many errors are left in the others?

# %%
calibrated = {name: calibrated_arrays(saved) for name, saved in (("mean", joined), (best, members[best]))}
figure, axes = plt.subplots(1, 2, figsize=(11, 4.5), layout="constrained")
curves = {n: evaluation.decision_curve(*a[:3], groups=a[3], positive="mel") for n, a in calibrated.items()}
plots.decision_curves(curves, axes[0])
referrals = {n: evaluation.risk_coverage(*a[:3], groups=a[3]) for n, a in calibrated.items()}
plots.risk_coverage_curves(referrals, axes[1])
useful = (curves["mean"]["gain_low"] > 0).sum()
print(f"mean: better than all and none at {useful} of {len(curves['mean'])} thresholds, by its interval")

# %% [markdown]
# ## 7. May the members be folds?
#
# Whoever has cross-validated has one network for each fold, and it is tempting to take the mean of all. As a
# recipe that is one word, `folds`. Before anything is trained, we ask the kit for the data of such a run:

# %%
OVER_FOLDS = ensemble(MEMBER, f"own/ensemble/{MEMBERS}-folds", "The mean over folds", folds=MEMBERS)
planned = plan_data(Plan(OVER_FOLDS, profile, "corrected", 0, SEED), DATA_DIR)
assert planned.split.hash == joined.manifest["split_hash"], "the same test images"
print("over seeds:", joined.leakage_line)
print("over folds:", planned.stamp)

# %% [markdown]
# An ensemble has learned from the *union* of what its members have learned from. Each network has a clean
# test of its own; together they know the share above of the first one's. (This split is made anew for each
# fold. Exercise 1 also takes folds that test each image once.) What is honest: score each image by the
# network that has not seen it, *out of fold*, or keep a test part that no fold trains on. The mean over folds
# may still be *used*, on other images.
#
# ## 8. For whom does it fail?
#
# Here are the errors at the threshold of section 6, by age, sex, site, and how the diagnosis was made.
# `difference` is that to all other images.

# %%
groups = write_subgroups(joined, joined.folder, data_dir=DATA_DIR, sensitivity=SENSITIVITY)
said = groups[groups["note"] != evaluation.TOO_FEW]
print("called:", groups["called"].iloc[0])
print(f"of {len(groups)} numbers, {len(groups) - len(said)} rest on too few lesions or patients to say")
ends = ["difference", "difference_low", "difference_high"]
said.dropna(subset="difference").set_index(["column", "subgroup", "score"])[
    ["n", "independent", "value", *ends]
].round(2)

# %%
print(looked_at(groups))
for column, rows in groups.groupby("column", sort=False):
    print(f"{column}, {evaluation.TOO_FEW}: {'; '.join(too_few(rows))}")

# %% [markdown]
# The list is as important as the table: about these the images say nothing, and nothing is not "no
# difference". With two sexes, the lines of `female` and `male` are one difference told twice. A difference
# that is there has a reason, and the network need not be it: the old may have other diagnoses than the young.
# (In `smoke` nothing in an image is drawn by the sex: a difference between the sexes there is chance, or goes
# with something else.)
#
# ## 9. The document's table beside ours
#
# Bermeo Quito (2023) quotes the winners of ISIC 2020: 16 EfficientNets and two other networks. Two of its
# numbers are areas under the curve of melanoma, one of cross-validation and one of the private leaderboard.
# Ours, on validation and on test:

# %%
quoted = load_published("bermeo2023").query("row == 'winner-2020' and metric == 'auc'")
assert quoted["split"].tolist() == ["cross-validation", "private leaderboard"]
areas = {"winners of ISIC 2020": quoted["value"].astype(float).tolist()}
for name, saved in runs.items():
    both_parts = (saved.validation_predictions(DATA_DIR), saved.predictions)
    areas[name] = [evaluation.score("auc:mel", *evaluation.unpack_predictions(each)) for each in both_parts]
areas = pd.DataFrame(areas, index=["validation", "other images"]).T
areas.assign(change=areas["other images"] - areas["validation"]).round(4)

# %% [markdown]
# Other images took 0.011 away from the winners. In `smoke` ours may all gain: validation is few images, the
# same for each member, so that all share the chance of which are hard. Neither change has an interval: its
# sign alone tells nothing, nor do the heights, of other images and other networks. No document of the five
# trains an ensemble. Recipes of ours for Butskova (2021), who plans one, and for the eight networks of Bermeo
# Quito are in `skinkit list`.
#
# ## 10. The card
#
# Whoever finds the model without this notebook should find a page beside it. All its numbers come from the
# run's folder; what is not there, it says. (Under *made by* stands `__main__`: the recipes are registered in
# this notebook. Notebook 20, section 7, puts such names into a module.)

# %%
path = experiments.write_card(joined.folder)
_, _, card = path.read_text(encoding="utf-8").split("---\n", 2)
assert "Not for clinical use" in card and "an ensemble, by the mean of" in card
Markdown(card)

# %% [markdown]
# ## What could go wrong
#
# - **The best member by the test.** Whoever compares with it compares with luck. Choose on validation.
# - **Folds as members.** Each has a clean test, and together they have none.
# - **Weights chosen on the test.** Equal weights need no choice; others are chosen on validation.
# - **A threshold of one member for the mean.** The mean is less sure, so the threshold is another one.
# - **Ranks in a service.** The answer for one image then depends on who asks beside it.
# - **Three networks against one.** The fair rival has had three times the training.
# - **Many subgroups.** Of twenty differences that are none, about one has an interval without 0.
# - **A card that is written by hand.** Sooner or later its numbers are those of another run.

# %% [markdown]
# ## Exercises
#
# Answer in the open cell of an exercise, then run its check: it says that the answer is right, or gives a
# hint. Let code compute what depends on the images: marks are given on drawn ones.
#
# ### ex-21-1: Why has a mean over folds no honest test?
#
# Networks are trained on several splits of `table` and averaged; the test is that of the first split. Write a
# function of the list of splits. It returns the share of these test images whose *lesion* at least one of
# the networks has trained on. (`split.rows(table, "train")` are the rows that a network trains on.)

# %%
table = joined.run_data(DATA_DIR).table

# %% tags=["exercise", "ex-21-1"]
seen_by_any = None


# %% tags=["solution", "ex-21-1"]
def seen_by_any(splits):
    trained_on = pd.concat([split.rows(table, "train") for split in splits])
    return splits[0].rows(table, "test")["lesion_id"].isin(trained_on["lesion_id"]).mean()


# %% tags=["check", "ex-21-1"] points=3
skinkit.check("21-1", seen_by_any)

# %% tags=["test", "ex-21-1"]
assert seen_by_any is not None, "put the training rows of all splits together, and look for each test lesion"
folds = [data.SPLITS["out_of_fold_split"](table, fold=fold, folds=5) for fold in range(5)]
assert seen_by_any(folds[:1]) == 0, "the first network alone has an honest test"
assert seen_by_any(folds[:2]) == 1, "what the first fold tests on, each other one trains on"
for group in ("image", "lesion"):
    splits = [data.stratified_group_split(table, group=group, seed=seed) for seed in range(3)]
    counted = [seen_by_any(splits[:count]) for count in (1, 2, 3)]
    seen = pd.concat([split.rows(table, "train") for split in splits]).drop_duplicates("image_id")
    report = data.leakage_between(splits[0].rows(table, "test"), seen, one_table=True)
    expected = data.leakage_rate(report)["lesion"]
    hint = f"three splits by {group} share {expected:.1%} of the lesions: any of them, not their mean"
    assert abs(counted[-1] - expected) < 1e-3, hint
print("splits made anew, 1 to 3 of them:", ", ".join(f"{share:.1%}" for share in counted))

# %% tags=["hidden", "ex-21-1"]
mixed = [data.stratified_group_split(table, group="image", seed=seed) for seed in (3, 4)]
part = [split.parts.reindex(table["image_id"]).to_numpy() for split in mixed]
known = {lesion for each in part for lesion in table["lesion_id"][each == "train"]}
asked_about = table["lesion_id"][part[0] == "test"]
alone = asked_about.isin(table["lesion_id"][part[0] == "train"]).mean()
assert abs(seen_by_any(mixed) - np.mean([lesion in known for lesion in asked_about])) < 1e-3
assert abs(seen_by_any(mixed[:1]) - alone) < 1e-3

# %% tags=["wrong", "ex-21-1"]
# The first network alone.
seen_by_any = lambda splits: 0.0
# Any other network has seen it all, but only where splits are folds.
seen_by_any = lambda splits: float(len(splits) > 1)
# An image that was not in training may show a lesion that was.
seen_by_any = lambda splits: np.isin(splits[0].ids("test"), sum((s.ids("train") for s in splits), [])).mean()

# %% [markdown]
# ### ex-21-2: What do 95 % of the melanomas cost?
#
# Write a function of a run (`joined`, or one of `members`). Choose on its validation images the highest
# threshold of the calibrated probability that still finds 95 % of the melanomas, and apply it to its test
# images, calibrated alike. Return a dictionary: the `threshold`, how many melanomas are `missed` on test, and
# how many other images are called `in vain`. The check asks it about the mean and the best member.

# %% tags=["exercise", "ex-21-2"]
price_of_95 = None


# %% tags=["solution", "ex-21-2"]
def price_of_95(saved):
    rule = experiments.fit_rule(saved, DATA_DIR, sensitivity=0.95)
    tested = rule.calibrated(saved.predictions)
    called, melanoma = tested["p_mel"] >= rule.threshold.value, tested["label"] == "mel"
    counts = {"missed": (~called & melanoma).sum(), "in vain": (called & ~melanoma).sum()}
    return {"threshold": rule.threshold.value, **counts}


# %% tags=["check", "ex-21-2"] points=3
skinkit.check("21-2", price_of_95)

# %% tags=["test", "ex-21-2"]
assert price_of_95 is not None, "`experiments.fit_rule` with `sensitivity` has a threshold, and calibrates"
for name, saved in (("mean", joined), (best, members[best])):
    price, rule = price_of_95(saved), experiments.fit_rule(saved, DATA_DIR)
    chosen_on = rule.calibrated(saved.validation_predictions(DATA_DIR))
    found = chosen_on.loc[chosen_on["label"] == "mel", "p_mel"]
    kept, above = (found >= price["threshold"]).mean(), (found > price["threshold"]).mean()
    assert kept >= 0.95, f"{name}: this finds {kept:.1%} of the melanomas of validation, once calibrated"
    assert above < 0.95, f"{name}: a higher threshold would do; give all of its digits"
    tested = rule.calibrated(saved.predictions)
    called, melanoma = tested["p_mel"] >= price["threshold"], tested["label"] == "mel"
    assert price["missed"] == (melanoma & ~called).sum(), f"{name}: melanomas of the test below the threshold"
    assert price["in vain"] == (called & ~melanoma).sum(), f"{name}: other images of the test above it"
    print(f"{name}, from {price['threshold']:.3f} on: {price['missed']} of {melanoma.sum()} melanomas")
    print(f"missed, and {price['in vain']} of {(~melanoma).sum()} others called in vain")

# %% tags=["hidden", "ex-21-2"]
for each in runs.values():
    cost, row = price_of_95(each), threshold_table(each, sensitivities=(0.95,)).iloc[0]
    assert np.isclose(cost["threshold"], row["threshold"])
    assert (cost["missed"], cost["in vain"]) == (row["missed"], row["in_vain"])

# %% tags=["wrong", "ex-21-2"]
# A threshold that nobody chose.
price_of_95 = lambda saved: {"threshold": 0.5, "missed": 0, "in vain": 0}
# Calls all: finds more than was asked for, and is not the best threshold that does.
price_of_95 = lambda saved: {
    "threshold": 0.0,
    "missed": 0,
    "in vain": (saved.predictions["label"] != "mel").sum(),
}
# Chosen on the test, whose melanomas it then promises to find.
price_of_95 = lambda saved: {
    "threshold": saved.predictions.query("label == 'mel'")["p_mel"].quantile(0.05),
    "missed": 0.05 * (saved.predictions["label"] == "mel").sum(),
    "in vain": 0,
}

# %% [markdown]
# ### ex-21-3: Which difference survives its interval?
#
# Write a function of a table such as `groups` (section 8). It returns the list of those
# `(column, subgroup, score)` whose interval of the difference leaves out 0. A difference without an interval
# is not among them. Then say how many of the differences in `groups` that have one would leave out 0
# by chance, if there were none at all (`by_chance`).

# %% tags=["exercise", "ex-21-3"]
survivors = None
by_chance = None


# %% tags=["solution", "ex-21-3"]
def survivors(groups):
    away = (groups["difference_low"] > 0) | (groups["difference_high"] < 0)
    return [tuple(row) for row in groups.loc[away, ["column", "subgroup", "score"]].to_numpy()]


by_chance = 0.05 * groups["difference_low"].notna().sum()

# %% tags=["check", "ex-21-3"] points=2
skinkit.check("21-3", survivors, by_chance)

# %% tags=["test", "ex-21-3"]
assert survivors is not None, "an interval leaves out 0 where both of its ends are on one side"
assert by_chance is not None, "how often does an interval of 95 % leave out the truth?"
here = groups.set_index(["column", "subgroup", "score"])
for row in survivors(groups):
    low, high = here.loc[tuple(row), ["difference_low", "difference_high"]]
    assert low * high > 0, f"{row}: from {low:.2f} to {high:.2f} holds 0, or is not there"
    print(*row, f"difference {low:.2f} to {high:.2f}")
left = (here["difference_low"] * here["difference_high"] > 0).sum()
assert len(survivors(groups)) == left, f"{left} of them leave out 0"
told = here["difference_low"].notna().sum()
assert np.isclose(by_chance, told / 20), f"{told} differences have an interval"
print(f"{left} survive, and about {by_chance:.1f} would by chance alone")

# %% tags=["hidden", "ex-21-3"]
tried = pd.DataFrame({"column": "sex", "subgroup": list("abcde"), "score": "auc", "difference": 0.0})
tried["difference_low"] = [0.1, -0.3, -0.1, np.nan, -0.2]
tried["difference_high"] = [0.2, -0.1, 0.1, np.nan, 0.3]
assert sorted(map(tuple, survivors(tried))) == [("sex", "a", "auc"), ("sex", "b", "auc")]
assert len(survivors(tried.iloc[2:])) == 0
assert np.isclose(by_chance, 0.05 * (groups["difference_high"] == groups["difference_high"]).sum())

# %% tags=["wrong", "ex-21-3"]
# Says that none does, without a look at the table.
survivors = lambda groups: []
# Looks at the difference, and not at its interval.
survivors = lambda groups: [
    tuple(r) for r in groups[groups["difference"] != 0][["column", "subgroup", "score"]].to_numpy()
]
# Only those that do better than the others.
survivors = lambda groups: [
    tuple(r) for r in groups[groups["difference_low"] > 0][["column", "subgroup", "score"]].to_numpy()
]
# Of all lines, also those without an interval.
by_chance = 0.05 * len(groups)
