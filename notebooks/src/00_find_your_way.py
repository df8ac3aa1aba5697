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
# # Find your way: what this course is, and where things are
#
# [![Colab](https://colab.research.google.com/assets/colab-badge.svg)](https://colab.research.google.com/github/REPOSITORY_SLUG/blob/main/notebooks/00_find_your_way.ipynb)
# · [Source](https://github.com/REPOSITORY_SLUG/blob/main/notebooks/src/00_find_your_way.py)
# · [HAM10000, the images of most chapters](https://doi.org/10.1038/sdata.2018.161)
# · [Gessert et al. 2019, the document of the exercises](https://arxiv.org/abs/1905.02793)
#
# Five documents teach networks to tell skin lesions apart. This course repeats what they did, measures it
# again, and asks of every number: **what is it worth?** This chapter trains nothing. It shows what there is,
# and the three words that every later chapter uses: *recipe*, *protocol* and *profile*.

# %% [markdown]
# You will produce a figure of the house that skinkit is, a count of what the documents print, and the list of
# what one document's code did otherwise than its text says.
#
# | profile | CPU (2 cores) | T4 (estimated) | memory | data |
# | --- | --- | --- | --- | --- |
# | `smoke` | 10 seconds | 10 seconds | 1 GB | none |
# | `quick` | 10 seconds | 10 seconds | 1 GB | none |
# | `full` | 10 seconds | 10 seconds | 1 GB | none |
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
PROFILE = "quick"  # this chapter does the same in all three: "smoke", "quick", "full"
SEED = 0  # an integer from 0 on; nothing is random here
DATA_DIR = None  # no images are needed
OUT_DIR = "results/notebooks"  # where the later chapters keep their runs
RECIPE = "koefler2023/table4b/cnn-sa"  # the recipe of sections 3 to 5; `skinkit list` shows the others

# %%
import re
from pathlib import Path

import matplotlib.pyplot as plt
import pandas as pd

import skinkit
from skinkit.papers import PROFILES
from skinkit.papers.published import DOCUMENTS, load_published, published_row

pd.set_option("display.max_colwidth", None)
skinkit.report_environment()

# %% [markdown]
# ## 1. Which documents, and what do they print?
#
# Each document has a key, such as `gessert2019`. Every number that it prints stands in skinkit as data, with
# the place where it is printed; nobody types one by hand. Beside them stand the *recipes*: what has to be
# done to measure a row of a table again.

# %%
recipes = pd.Series([recipe.name for recipe in skinkit.papers.recipes()])
counts = pd.DataFrame({"title": {key: document.title for key, document in DOCUMENTS.items()}})
counts["printed numbers"] = [len(load_published(key)) for key in DOCUMENTS]
counts["recipes"] = recipes.str.split("/").str[0].value_counts().reindex(counts.index)
assert (counts["recipes"] > 0).all(), "no document without a recipe"
counts

# %% [markdown]
# `datta2021` is the paper that `koefler2023` rests on, so five documents have six keys. The other recipes
# begin with `skinkit`: our own, for comparison.
#
# ## 2. Where are things?
#
# The package is a house with floors. A room uses rooms below it and none above, so data flows one way: data,
# pipeline, model, training, evaluation. Read the figure from the bottom.

# %%
FLOORS = {
    "you": ["notebooks", "cli"],
    "a model as a service": ["serve"],
    "carry recipes out": ["experiments"],
    "kinds of learning": ["tasks"],
    "networks and documents": ["models", "papers"],
    "parts": ["data", "pipeline", "layers", "training", "evaluation", "explain", "plots"],
    "files on the disk": ["files"],
}


# %%
def draw_house(floors):
    """Draws a row of rooms for each floor, the first floor on top."""
    _, ax = plt.subplots(figsize=(10, 4.5), layout="constrained")
    for height, (floor, rooms) in enumerate(reversed(floors.items())):
        ax.text(-0.1, height + 0.5, floor, ha="right", va="center")
        width = 7 / len(rooms)
        for number, room in enumerate(rooms):
            ax.add_patch(plt.Rectangle((number * width, height), width, 1, fc="#DCE9F5", ec="white", lw=3))
            ax.text((number + 0.5) * width, height + 0.5, room, ha="center", va="center")
    ax.set(xlim=(-2.4, 7), ylim=(0, len(floors)))
    ax.axis("off")


draw_house(FLOORS)

# %% [markdown]
# Is it true that a room uses no room above it? The sources say so themselves. We look for the names of other
# rooms in the lines that import:


# %%
def used_rooms(room):
    """Returns the rooms of FLOORS that the modules of a room import, itself left out."""
    folder = Path(skinkit.__file__).parent / room
    text = "\n".join(path.read_text(encoding="utf-8") for path in folder.rglob("*.py"))
    imports = " ".join(re.findall(r"^\s*(?:from|import) skinkit\b.*", text, flags=re.MULTILINE))
    words = set(re.findall(r"\w+", imports))
    return sorted(words.intersection(floor_of) - {room})


# %%
floor_of = {}
for floor, rooms in enumerate(reversed(FLOORS.values())):
    floor_of.update(dict.fromkeys(rooms, floor))
for room in ("experiments", "tasks", "models", "data", "evaluation"):
    used = used_rooms(room)
    print(f"{room:<12} uses {', '.join(used)}")
    assert all(floor_of[other] < floor_of[room] for other in used), "a room above is used"

# %% [markdown]
# So you can read `evaluation` without knowing what a network is, and change `data` without breaking a plot.
#
# ## 3. What is a recipe?
#
# A recipe says everything that is needed for one row of one published table: data, split, image size,
# augmentation, network, loss, optimiser, epochs. Its name is *document/table/row*. It is frozen: to change
# it, you make another.

# %%
recipe = skinkit.papers.recipe(RECIPE)
print(recipe.title)
said = pd.Series(vars(recipe), name="value").map(str)
shown = ["dataset", "split", "image_size", "model", "balancing", "loss", "selection_part", "phases"]
said[shown].to_frame()

# %% [markdown]
# Beside a recipe stand the numbers that the document prints for this row. We measure them again, and the
# later chapters put both side by side:

# %%
printed = published_row(RECIPE)
overall = printed[printed["class"] == "all"].set_index("metric")
overall[["value", "unit", "n", "source"]]

# %% [markdown]
# ## 4. What is a protocol?
#
# Text and code of a document often differ, and both may hold a mistake. So a recipe comes in up to three
# versions. `as_published` does what the released code did, flaws included. `as_described` does what the text
# says. `corrected` is sound: training, validation and test share no lesion, copies are made after the split,
# and the test is looked at once. We use `corrected` unless we say otherwise.

# %%
ways = {}
for protocol in recipe.known_protocols:
    ways[protocol] = pd.Series(vars(recipe.resolve("full", protocol))).map(str)
ways = pd.DataFrame(ways)
differing = ways[ways.nunique(axis=1) > 1]
assert "corrected" in ways
differing

# %% [markdown]
# Each line is a difference that may move the score. Look at `selection_part`: the released code keeps the
# epoch that is best *on the test*. Notebook 08 measures what that, and the split, are worth.
#
# ## 5. What is a profile?
#
# The document trained for hours on large GPUs. A profile says how much of it you run: `full` is the
# document's own size, `quick` takes real images and minutes, `smoke` takes drawn images and seconds, to see
# that everything works. A profile changes sizes, never the method.

# %%
sizes = pd.DataFrame({name: pd.Series(vars(recipe.resolve(name))).map(str) for name in PROFILES})
sizes = sizes[sizes.nunique(axis=1) > 1]
assert "loss" not in sizes.index and "split" not in sizes.index, "the method stays the same"
sizes

# %% [markdown]
# A score of `smoke` means nothing, one of `quick` shows a direction, and only `full` can be held against a
# printed number.
#
# A **run** is one recipe, in one profile and one protocol, with one fold and one seed. It has a folder of its
# own with everything that you need to trust it: what was done (`manifest.json`), each epoch (`history.csv`),
# each answer (`predictions.csv.gz`), the scores and the network. The same recipe with another seed gives
# another score, so a comparison needs at least three.
#
# ## 6. Where do I go?
#
# | I want to ... | chapter |
# | --- | --- |
# | look at images and labels, and split them so that no lesion is on both sides | 01 |
# | feed images to a network, and change them on the way | 02 |
# | train a first network, and make rare diagnoses count | 03 |
# | know whether one score is better than another | 04 |
# | see where a network looks | 05 |
# | add soft attention to a VGG, and ask whether the attention did it | 06 |
# | start from ImageNet weights | 07 |
# | see what a leak is worth | 08 |
# | work with images that are larger than the network's input | 09, 10 |
# | compare ways to balance classes | 11 |
# | use what is known about a patient's other lesions | 12, 14 |
# | learn from images without labels | 13, 17 |
# | train with the focal loss and mixup | 15 |
# | decide in two stages | 16 |
# | choose a schedule of the learning rate, and average several views | 18 |
# | serve a model to others | 19 |
# | bring a table, a layer and a split of my own | 20 |
# | average several networks, and say for whom their mean fails | 21 |
# | give a lesson of five minutes with real images | 01, with `DATASET = "dermamnist"` |
#
# The chapters build on each other, and each runs alone. Without real images a chapter draws its own and says
# so. Behind its imports each chapter has a cell with the ways to real images, one a line.

# %% [markdown]
# ## What could go wrong
#
# - **A score without its split.** "94 %" says nothing until you know whether the test shares lesions with
#   training. Every run says it, in its manifest and beside its score.
# - **Comparing profiles.** A `quick` run of one recipe against a `full` run of another compares sizes, not
#   methods.
# - **Changing two things at once.** Make a recipe that differs in one field, and keep the other as it is.
# - **One seed.** Two runs of one recipe may differ by more than two recipes do.

# %% [markdown]
# ## Exercises
#
# Answer in the open cell of an exercise, then run its check: it says that the answer is right, or gives a
# hint.
#
# ### ex-00-1: What does the released code do otherwise?
#
# Take the recipe `gessert2019/table2/densenet121-dual`. Give the names of the fields in which `as_published`
# differs from `corrected`, as a set.

# %% tags=["exercise", "ex-00-1"]
otherwise = None

# %% tags=["solution", "ex-00-1"]
dual = skinkit.papers.recipe("gessert2019/table2/densenet121-dual")
published, sound = (pd.Series(vars(dual.resolve("full", p))).map(str) for p in ("as_published", "corrected"))
otherwise = {*published.index[published != sound]}

# %% tags=["check", "ex-00-1"] points=2
skinkit.check("00-1", otherwise)

# %% tags=["test", "ex-00-1"]
assert otherwise is not None, "resolve the recipe twice, as in section 4, and compare field by field"
named = {*skinkit.papers.recipe("gessert2019/table2/densenet121-dual").protocols["as_published"]}
assert {*otherwise} <= {*vars(recipe)}, "give names of fields, such as 'split'"
assert {*otherwise} == named, 'compare all fields, with profile "full" for both'

# %% tags=["hidden", "ex-00-1"]
both_ways = skinkit.papers.recipe("gessert2019/table2/densenet121-dual")
ways = [vars(both_ways.resolve("full", way)) for way in ("as_published", "corrected")]
assert {*otherwise} == {name for name in ways[0] if ways[0][name] != ways[1][name]}

# %% tags=["wrong", "ex-00-1"]
# The split is not all.
otherwise = {"split"}
# All fields.
otherwise = {*vars(dual)}

# %% [markdown]
# ### ex-00-2: How many trainings does a fair comparison need?
#
# You compare the recipes `.../mobilenet-none` and `.../mobilenet-oversampling` of `gessert2019/table5`, with
# the folds 0, 1 and 2 and the seeds 0, 1 and 2. List all trainings as tuples `(recipe, fold, seed)`, with the
# recipes' full names.

# %% tags=["exercise", "ex-00-2"]
trainings = None

# %% tags=["solution", "ex-00-2"]
rivals = [f"gessert2019/table5/mobilenet-{row}" for row in ("none", "oversampling")]
trainings = [(rival, fold, seed) for rival in rivals for fold in range(3) for seed in range(3)]

# %% tags=["check", "ex-00-2"] points=2
skinkit.check("00-2", trainings)

# %% tags=["test", "ex-00-2"]
assert trainings is not None, "each recipe is trained once for each pair of a fold and a seed"
assert all(name in set(recipes) for name, _, _ in trainings), "write the names out: document/table/row"
assert len(set(trainings)) == len(trainings), "one of them is there twice"
pairs = {(fold, seed) for _, fold, seed in trainings}
assert pairs == {(fold, seed) for fold in range(3) for seed in range(3)}, (
    "each of the folds 0 to 2 with each of the seeds 0 to 2"
)
assert len(trainings) == 2 * 3 * 3, "two recipes, three folds, three seeds"
print(f"{len(trainings)} trainings, each with a folder of its own")

# %% tags=["hidden", "ex-00-2"]
both = [f"gessert2019/table5/mobilenet-{row}" for row in ("none", "oversampling")]
assert sorted(trainings) == sorted((name, i // 3, i % 3) for name in both for i in range(9))

# %% tags=["wrong", "ex-00-2"]
# A seed for each fold, and not each with each.
trainings = [(rival, number, number) for rival in rivals for number in range(3)]
# Other seeds than those asked for.
trainings = [(rival, fold, seed) for rival in rivals for fold in range(3) for seed in (7, 8, 9)]
# Names without document and table.
trainings = [(row, fold, seed) for row in ("none", "oversampling") for fold in range(3) for seed in range(3)]

# %% [markdown]
# ### ex-00-3: Which row of a table is the best, as printed?
#
# Write a function of the name of a table of `gessert2019`, such as `"table2"`, that returns the row with the
# highest printed `macro_recall`.

# %% tags=["exercise", "ex-00-3"]
best_row = None


# %% tags=["solution", "ex-00-3"]
def best_row(table):
    book = load_published("gessert2019")
    rows = book[(book["table"] == table) & (book["metric"] == "macro_recall")]
    return rows.loc[rows["value"].astype(float).idxmax(), "row"]


# %% tags=["check", "ex-00-3"] points=2
skinkit.check("00-3", best_row)

# %% tags=["test", "ex-00-3"]
assert best_row is not None, "load_published gives all numbers; keep one table and one metric"
book = load_published("gessert2019").query("metric == 'macro_recall'").astype({"value": float})
for name in ("table2", "table5", "table6"):
    printed_there = book[book["table"] == name].set_index("row")["value"]
    assert best_row(name) in printed_there, f"{name}: return the name of a row of this table"
    assert best_row(name) == printed_there.idxmax(), f"{name}: another row has a higher macro recall"
    print(f"{name}: {best_row(name)}, with {printed_there.max()}")

# %% tags=["hidden", "ex-00-3"]
recalls = load_published("gessert2019").query("metric == 'macro_recall'").astype({"value": float})
for asked_table in ("table2", "table5", "table6"):
    of_table = recalls[recalls["table"] == asked_table].set_index("row")["value"]
    assert best_row(asked_table) == of_table.idxmax()

# %% tags=["wrong", "ex-00-3"]
# The answer for one table, and not the rule.
best_row = lambda table: "densenet121-dual"
# Takes the best of all tables.
best_row = lambda table: recalls.set_index("row")["value"].idxmax()
# Takes the first row.
best_row = lambda table: recalls[recalls["table"] == table]["row"].iloc[0]
