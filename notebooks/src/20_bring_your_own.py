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
# # Bring your own: another clinic, another layer, another split
#
# [![Colab](https://colab.research.google.com/assets/colab-badge.svg)](https://colab.research.google.com/github/REPOSITORY_SLUG/blob/main/notebooks/20_bring_your_own.ipynb)
# · [Source](https://github.com/REPOSITORY_SLUG/blob/main/notebooks/src/20_bring_your_own.py)
# · [Datta et al. 2021, whom Köfler 2023 repeats](https://arxiv.org/abs/2105.03358)
# · [Squeeze-and-excitation, Hu et al. 2018](https://arxiv.org/abs/1709.01507)
#
# A clinic sends you a table with German headings, and you have an idea for a layer. This notebook takes
# both through the kit, without a change in the package. In the end your row stands in a ledger beside a
# published one, with the reason why the two cannot be compared.

# %% [markdown]
# You will produce a manifest table of the clinic; a split of your own, with its leakage beside that of a
# careless one; a network with a layer of your own; and one row of your ledger, beside Table 4b of Köfler
# 2023.
#
# | profile | CPU (2 cores) | T4 (estimated) | memory | data |
# | --- | --- | --- | --- | --- |
# | `smoke` | 1 minute | 1 minute | 1.2 GB | 150 synthetic images, drawn here, or your own table |
# | `quick` | 1 minute | 1 minute | 1.2 GB | 600 synthetic images, or your own table |
# | `full` | not measured yet | not estimated | not measured yet | the same, 30 epochs |
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
PROFILE = "quick"  # "smoke", "quick" or "full": how many images are drawn, and how long is trained
SEED = 0  # an integer from 0 on: seeds the drawing and the training
DATA_DIR = None  # not used: the data set is made below OUT_DIR
OUT_DIR = "results/notebooks/20_bring_your_own"  # the data set, the module and the run are kept below it
TABLE = None  # path of a table of your own, with melanomas; None: one is drawn. Then change these two, too:
COLUMNS = {"image_id": "Foto", "path": "Datei", "label": "Diagnose", "patient_id": "Patient"}  # kit: table
LABELS = {"Melanom": "mel", "Naevus": "nv", "andere": "other"}  # word in the table: label

# %%
import os
from pathlib import Path

import keras
import numpy as np
import pandas as pd
from IPython import get_ipython
from keras import ops

import skinkit
from skinkit import data, layers, models, papers
from skinkit.experiments import SavedRun, ledger, run

skinkit.report_environment()

# %% [markdown]
# ## 1. What does the clinic send?
#
# A table with one row an image, under its own headings and with its own words. Ours is drawn: the images by
# the kit, the headings by imagination. Each patient has one or more images, and that will matter.

# %%
place = (Path(OUT_DIR) / PROFILE / (Path(TABLE).stem if TABLE else "drawn")).resolve()
(place / "clinic").mkdir(parents=True, exist_ok=True)
export = Path(TABLE).resolve() if TABLE else place / "export.csv"
if TABLE is None:
    drawn = data.synthetic({"smoke": 150}.get(PROFILE, 600), seed=SEED, size=(60, 80))
    words = {"mel": "Melanom", "nv": "Naevus"}
    drawn["Diagnose"] = [words.get(label, "andere") for label in drawn["label"]]
    drawn = drawn.rename(columns={"image_id": "Foto", "path": "Datei", "patient_id": "Patient"})
    drawn[["Foto", "Datei", "Diagnose", "Patient"]].to_csv(export, sep=";", index=False)
print(export.read_text(encoding="utf-8")[:300] if TABLE is None else export)

# %% [markdown]
# `load` reads any such table. `COLUMNS` says which column is which, `LABELS` which word is which label.
# Read what it prints: it says what it changed, and what it takes as missing. A heading that is not there, a
# word without a label, an image that is lost: all are errors with the name of the file and the line.

# %%
table = data.load(export, columns=COLUMNS, labels=LABELS, verbose=False)
print("\n".join(table.attrs["notices"]))
assert set(table["label"]) <= set(LABELS.values()), "a word of the table has no label yet"
table.to_csv(place / "clinic" / "manifest.csv", index=False)
table[["image_id", "label", "patient_id", "lesion_id"]].head()

# %% [markdown]
# The file `clinic/manifest.csv` is from now on a data set called `clinic`, in the folder `place`. The
# lesions are missing, and the kit will not guess them: it says of lesion leakage that it is not known.
#
# ## 2. Which classes, and in which order?
#
# The order of a network's outputs is a frequent silent error between code bases. So it has a name. What is
# *data*, such as a class map, is registered by a call; what is *code*, by a decorator.

# %%
data.register_classes("clinic", {label: word for word, label in LABELS.items()})

# %% [markdown]
# ## 3. Who is in the exam?
#
# A split is a function of the table. Ours sends every fifth patient to the test, in the order of their ids,
# whatever the images show; who has no id trains. A name is what recipes ask for; options are what they may
# change.


# %%
@data.register_split("every_fifth_patient")
def every_fifth_patient(table, seed=0):
    """Returns the split by the order of the patients' ids: of five, one tests and one validates."""
    number = table["patient_id"].astype("category").cat.codes  # -1 where there is no id
    parts = ((number + seed) % 5).map({0: "test", 1: "validation"}).where(number >= 0).fillna("train")
    return data.Split("every-fifth-patient", parts.set_axis(table["image_id"]), seed, "patient")


# %% [markdown]
# How much does it leak, beside a split that looks at images alone?

# %%
by_image = data.stratified_group_split(table, group="image", seed=SEED)
mine = data.SPLITS["every_fifth_patient"](table)
leaks = {
    name: data.leakage_rate(data.leakage_report(table, split))
    for name, split in {"by image": by_image, "every fifth patient": mine}.items()
}
assert not leaks["every fifth patient"]["patient"], "no patient may be on both sides"
pd.DataFrame(leaks).T

# %% [markdown]
# The shares are those of test images whose patient is also in training (empty where ids are missing). A
# split that you have as a list needs no code: a CSV file with the columns `image_id` and `part`, and
# `skinkit run ... --split FILE`.

# %%
saved = mine.save(place / "mysplit.csv")
again = data.read_split(saved)
assert again.hash == mine.hash, "what was saved is what is read"
print(saved.read_text(encoding="utf-8")[:120])

# %% [markdown]
# ## 4. A layer of your own
#
# The idea: the means of all channels say how much each channel counts (Hu et al. 2018, without their
# bottleneck). It is a plain Keras layer. With a bias of 2 the gates start nearly open, so that the network
# begins as it was.


# %%
@layers.register_layer("channel_gate")
class ChannelGate(keras.layers.Layer):
    """Scales each channel of a map by a sigmoid of the means of all channels."""

    def build(self, input_shape):
        channels, start = input_shape[-1], keras.initializers.Constant(2.0)
        self.gate = keras.layers.Dense(channels, "sigmoid", bias_initializer=start)
        self.gate.build((None, channels))

    def call(self, inputs):
        return inputs * self.gate(ops.mean(inputs, axis=(1, 2)))[:, None, None, :]


# %% [markdown]
# By hand first: does it keep the shape, and does it start nearly open?

# %%
maps = np.random.default_rng(SEED).random((2, 5, 6, 8)).astype("float32")
layer = layers.LAYERS["channel_gate"]()
gated = np.asarray(layer(maps))
assert gated.shape == maps.shape and (gated <= maps).all(), "a gate lies between 0 and 1"
print(f"mean gate {np.mean(gated / maps):.2f}; sigmoid(2) = {1 / (1 + np.exp(-2)):.2f}")

# %% [markdown]
# Any backbone of the kit takes it by its name, between its last map and the head. While the backbone is
# frozen, the layer trains with the head; Grad-CAM looks at the map below it.

# %%
classes = len(data.CLASS_MAPS["clinic"])
plain = models.build("small_cnn", (48, 64, 3), classes)
network = models.build("small_cnn", (48, 64, 3), classes, layer="channel_gate")
added = network.count_params() - plain.count_params()
assert "inserted" in models.head_layers(network)
print(f"{added:,} more weights; the map below: {models.feature_layer(network)}")

# %% [markdown]
# ## 5. One recipe, one run
#
# `with_` takes a recipe of the kit and says what differs. It needs a name of its own, `document/table/row`,
# and may name the printed row that the run shall stand beside. The profile is `quick` even where this
# notebook is in `smoke`: the kit's `smoke` draws images of its own instead of reading yours.

# %%
OWN = papers.register_recipe(
    papers.recipe("skinkit/demo/ham10000").with_(
        "own/clinic/channel-gate",
        dataset="clinic",
        classes="clinic",
        split=papers.choose("every_fifth_patient"),
        image_size=(48, 64),
        model=papers.choose("small_cnn", layer="channel_gate"),
        published="koefler2023/table4b/cnn-sa",
        profiles={"quick": {"epochs": (3,)}},
    )
)

# %%
length = "full" if PROFILE == "full" else "quick"
folder = run(OWN, length, seed=SEED, data_dir=place, out=place / "runs", verbose=2)
finished = SavedRun(folder)
assert not finished.manifest["leakage"]["patient"]
print(finished.labels, finished.manifest["own"], sep="\n")

# %% [markdown]
# The manifest of the run says which names are your own, and where they were registered: here in `__main__`,
# which is this notebook.
#
# ## 6. Beside a published row

# %%
rows = ledger(place / "runs").query("recipe == @OWN.name and metric == 'macro_recall' and `class` == 'all'")
[row] = rows.to_dict("records")
assert row["verdict"] == "not comparable", "other images say nothing about a printed number"
shown = ["document", "table", "row", "published", "measured", "low", "high", "leakage_patient", "verdict"]
print(row["reason"])
rows[shown].round(3)

# %% [markdown]
# The number 0.94 is printed for other images, another network and another split. The ledger shows both, and
# its verdict does not depend on how near they are. What would make yours comparable is in its reason.
#
# ## 7. Tomorrow, in another process
#
# A notebook forgets its names with its kernel. A module keeps them: this cell writes `LABELS` and those cells
# above that register something into `my_clinic.py`. (Jupyter keeps the text of all cells that have run in the
# list `In`.)

# %%
imports = "import keras\nfrom keras import ops\n\nfrom skinkit import data, layers, papers\n\n"
imports += f"LABELS = {LABELS}\n\n\n"
ran = get_ipython().user_ns["In"]
own = [text for text in dict.fromkeys(ran) if ".register_" in text and "user_ns" not in text]
(place / "my_clinic.py").write_text(imports + "\n\n\n".join(own) + "\n", encoding="utf-8")
print(f"{len(own)} cells in my_clinic.py")

# %% [markdown]
# A terminal in that folder now knows all names by `--import my_clinic`. Here a process of its own asks the
# saved network, with its gate, about the clinic's images, those of its training included (`--overlap
# keep`).

# %%
words = [sys.executable, "-m", "skinkit", "evaluate", folder, "--on", "clinic", "--overlap", "keep"]
words += ["--data", place, "--import", "my_clinic"]
no_gpu = {**os.environ, "CUDA_VISIBLE_DEVICES": "-1"}  # this notebook holds it
done = subprocess.run([*map(str, words)], cwd=place, env=no_gpu, capture_output=True, text=True)
assert done.returncode == 0, done.stderr
print(done.stdout[:900])

# %% [markdown]
# The first line of its table says LEAKY, as it should: most of these images were in training. Runs that
# were started with `skinkit run own/clinic/channel-gate --import my_clinic` need no `--import` later: their
# manifests name the module.
# [docs/bring_your_own.md](https://github.com/REPOSITORY_SLUG/blob/main/docs/bring_your_own.md) does the
# same from a terminal, with a loss and a network of your own besides.
#
# ## What could go wrong
#
# - **A word in two spellings.** "Melanom" and "Melanom?" are two words. The check in section 1 finds the
#   second.
# - **A split that knows the diagnosis.** If the clinic numbers its patients by department, their order is not
#   chance. Look at the classes of each part before you trust it.
# - **Ids that are none.** Two hundred patients called "unknown" are not one patient. The kit takes such
#   words as missing, and says so.
# - **The same name for other code.** You change the layer and run again: the recipe is the same, and the
#   kit takes the old run for finished. Raise `revision` in your recipe.
# - **A layer with options and without `get_config`.** It trains, it saves, and it cannot be loaded.
# - **Beside is not above.** 0.95 on your images is not better than 0.94 on theirs.

# %% [markdown]
# ## Exercises
#
# Answer in the open cell of an exercise, then run its check: it says that the answer is right, or gives a
# hint. Let code compute what depends on the images: marks are given on drawn ones.
#
# ### ex-20-1: Which column is which?
#
# A second clinic sends the table `second`, below. Which dictionary `columns` reads its ids, files, labels
# and patients?

# %%
second = place / "second.csv"
some = table.head(6)
headings = {"photo no.": some["image_id"], "file": some["path"], "dx text": some["label"]}
pd.DataFrame({**headings, "case": some["patient_id"]}).to_csv(second, index=False)
print(second.read_text(encoding="utf-8").partition("\n")[0])

# %% tags=["exercise", "ex-20-1"]
columns = None

# %% tags=["solution", "ex-20-1"]
columns = {"image_id": "photo no.", "path": "file", "label": "dx text", "patient_id": "case"}

# %% tags=["check", "ex-20-1"] points=2
skinkit.check("20-1", columns)

# %% tags=["test", "ex-20-1"]
assert columns is not None, "a dictionary as COLUMNS: the kit's name first, then the table's heading"
wanted = {"image_id", "path", "label", "patient_id"}
assert set(columns) == wanted, f"the kit's names come first: {', '.join(sorted(wanted))}"
headed = set(pd.read_csv(second, nrows=0).columns)
assert set(columns.values()) <= headed, f"the headings of the table are {', '.join(sorted(headed))}"
read = data.load(second, columns=columns, verbose=False)
for name in ("image_id", "label", "patient_id"):
    assert read[name].tolist() == some[name].tolist(), f"{name} is not what the clinic wrote"
print("read:", len(read), "images")

# %% tags=["hidden", "ex-20-1"]
assert columns == {"image_id": "photo no.", "path": "file", "label": "dx text", "patient_id": "case"}

# %% tags=["wrong", "ex-20-1"]
# The table's heading comes second, and the kit's name first.
columns = {"photo no.": "image_id", "file": "path", "dx text": "label", "case": "patient_id"}
# Without the patients, no split can keep them apart.
columns = {"image_id": "photo no.", "path": "file", "label": "dx text"}
# The number of the image is not the patient's.
columns = {"image_id": "case", "path": "file", "label": "dx text", "patient_id": "photo no."}

# %% [markdown]
# ### ex-20-2: How heavy is a gate?
#
# How many weights does a `ChannelGate` have on a map of 1,280 channels, as MobileNetV2 makes it?

# %% tags=["exercise", "ex-20-2"]
gate_weights = None

# %% tags=["solution", "ex-20-2"]
gate_weights = 1280 * 1280 + 1280

# %% tags=["check", "ex-20-2"] points=2
skinkit.check("20-2", gate_weights)

# %% tags=["test", "ex-20-2"]
assert gate_weights is not None, "a dense layer from C means to C gates: a matrix and a bias"
heavy = ChannelGate()
heavy.build((None, 4, 4, 1280))
assert gate_weights == heavy.count_params(), "count the matrix from 1,280 means to 1,280 gates, and the bias"
print(f"{gate_weights:,} weights; the bottleneck that Hu et al. have takes most of them away")

# %% tags=["hidden", "ex-20-2"]
assert gate_weights == 1_639_680

# %% tags=["wrong", "ex-20-2"]
# Each gate has a bias, too.
gate_weights = 1280 * 1280
# A gate looks at the means of all channels, and not at its own alone.
gate_weights = 2 * 1280
# The size of the map plays no part: the gate sees means.
gate_weights = 4 * 4 * 1280 * 1280 + 1280

# %% [markdown]
# ### ex-20-3: A split by the last digit
#
# Make `by_digit`, a `Split` of `table`: patients whose id ends in 0 to 5 train, 6 and 7 validate, 8 and 9
# test. No image may be left out. (The ids of the drawn table end in digits; yours may not.)

# %% tags=["exercise", "ex-20-3"]
by_digit = None

# %% tags=["solution", "ex-20-3"]
digits = table["patient_id"].str[-1].astype(int)
parts = pd.cut(digits, [-1, 5, 7, 9], labels=["train", "validation", "test"]).astype(str)
by_digit = data.Split("by-digit", parts.set_axis(table["image_id"]), None, "patient")

# %% tags=["check", "ex-20-3"] points=3
skinkit.check("20-3", by_digit)

# %% tags=["test", "ex-20-3"]
assert by_digit is not None, "every_fifth_patient shows how: a Series of parts, indexed by image_id"
assert len(by_digit.parts) == len(table), f"{len(table)} images, each once"
last = table.set_index("image_id")["patient_id"].str[-1]
expected = {"train": set("012345"), "validation": set("67"), "test": set("89")}
for part, digits in expected.items():
    assert set(last[by_digit.ids(part)]) <= digits, f"{part}: numbers that end in {sorted(digits)}"
report = data.leakage_report(table, by_digit)
print(f"patients on both sides: {data.leakage_rate(report)['patient']:.0%}")

# %% tags=["hidden", "ex-20-3"]
ends = table.set_index("image_id")["patient_id"].str[-1].astype(int)
told = ends.map(lambda digit: "train" if digit < 6 else "validation" if digit < 8 else "test")
assert (by_digit.parts[told.index] == told).all() and len(by_digit.parts) == len(told)

# %% tags=["wrong", "ex-20-3"]
# Cuts between images, so that a patient lies on both sides.
by_digit = data.Split("by-digit", by_digit.parts.sort_values().set_axis(table["image_id"]), None, "patient")
# Patients 6 and 7 train as well, and none validates.
by_digit = data.Split("by-digit", by_digit.parts.replace("validation", "train"), None, "patient")
