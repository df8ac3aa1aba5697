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
# # Serve a model: what does an answer promise?
#
# [![Colab](https://colab.research.google.com/assets/colab-badge.svg)](https://colab.research.google.com/github/REPOSITORY_SLUG/blob/main/notebooks/19_serve_a_model.ipynb)
# · [Source](https://github.com/REPOSITORY_SLUG/blob/main/notebooks/src/19_serve_a_model.py)
# · [Status codes and `Retry-After`, RFC 9110, Section 15](https://www.rfc-editor.org/rfc/rfc9110#section-15)
#
# A thesis (Bermeo Quito 2023) ends with a service: images go in over HTTP, probabilities come out, and a page
# paints melanomas red. It works for one user who sends JPEG files with different names. You start the kit's
# server, which gives answers of the same shape, and talk to it as a program would: you post, wait, read and
# forget. You send it what nobody should send. In the end you ask what the red frame is worth.

# %% [markdown]
# You will produce the document's JSON beside the kit's; a proof that the server says what the run's saved
# predictions say; a Grad-CAM overlay that a worker has drawn; a table of seven awkward requests, with what
# the document's service makes of each and what you measured; and the number of melanomas that are missed when
# the likeliest class decides, and when a threshold does.
#
# | profile | CPU (2 cores) | T4 (estimated) | memory | data |
# | --- | --- | --- | --- | --- |
# | `smoke` | 2 minutes | 2 minutes | 2 GB and the server's | 240 synthetic images, drawn here |
# | `quick` | 2 minutes | 2 minutes | 2 GB and the server's | 1,000 synthetic images, drawn here |
# | `full` | not measured yet | not estimated | not measured yet | 1,500 synthetic images, drawn here |
#
# The network is small, and it has seen drawings only. With `RUN` you serve one of your own.
#
# Not for clinical use: nothing here can tell you what a spot on your skin is.

# %% tags=["install"] cellView="form"
# Installs skinkit where it is missing: a wheel beside this notebook or in Drive (mounted), else the release.
import importlib.util
import subprocess
import sys
from pathlib import Path

if importlib.util.find_spec("skinkit") is None:
    places = [f"{file}[serve]" for at in (".", "drive/MyDrive") for file in Path(at).glob("skinkit-*.whl")]
    places.append("skinkit[serve] @ git+https://github.com/REPOSITORY_SLUG@RELEASE_TAG")
    pip = [sys.executable, "-m", "pip", "install", "--quiet"]
    done = any(subprocess.run([*pip, place]).returncode == 0 for place in places)
    assert done, "put skinkit's wheel (skinkit-*.whl) beside this notebook, and run this cell again"
skinkit = importlib.import_module("skinkit")  # before TensorFlow, to silence its start-up log

# %% tags=["parameters"]
PROFILE = "quick"  # "smoke", "quick" or "full": how long the network is trained, and on how many drawings
SEED = 0  # an integer from 0 on: seeds the training
DATA_DIR = None  # folder with the images of your own RUN; None: environment variable SKINKIT_DATA
OUT_DIR = "results/notebooks"  # the run and the server's files are kept below it
RUN = None  # a finished run folder that is served; None: a small network is trained on drawings
PORT = 0  # where the server listens; 0: any port that is free

# %%
assert importlib.util.find_spec("fastapi"), "the server needs more packages: pip install 'skinkit[serve]'"
import atexit
import io
import os
import socket
import time
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import requests
from PIL import Image

# %%
import skinkit
from skinkit.experiments import SavedRun, run
from skinkit.papers.published import load_published

skinkit.report_environment()

# %% [markdown]
# ## 1. What is served?
#
# A run folder. It holds the network and all that an answer needs besides: the classes and their order, the
# image size and scaling, the views, and the predictions on validation, from which a threshold is chosen. The
# document keeps these in a configuration file beside the weights, where they can disagree with the training:
# its scores are means over four views, its service asks about one.

# %%
folder = Path(RUN) if RUN else run("skinkit/demo/synthetic", PROFILE, seed=SEED, out=OUT_DIR, verbose=2)
saved = SavedRun(folder)
labels, exam = list(saved.labels), saved.predictions
paths = saved.run_data(DATA_DIR).table.set_index("image_id")["path"].loc[exam["image_id"]]
paths = [Path(path) for path in paths]
is_melanoma = (exam["label"] == "mel").to_numpy(bool)
assert is_melanoma.any(), "the exercises count melanomas"
print(f"{saved.recipe.name}: {len(exam)} test images, {is_melanoma.sum()} melanomas; classes {labels}")

# %% [markdown]
# ## 2. Start the server
#
# In a terminal: `skinkit serve RUN`. Here it is a process beside the notebook. It is two processes in truth:
# one speaks HTTP and never loads TensorFlow, and its *worker* holds the network. So the first answers at once
# while the second computes. (The document computes in the process that speaks, and nobody else is heard until
# it is done.)
#
# The server answers to the names that it knows and to no others, so that a web page cannot reach it by a name
# of its own. In Colab your browser comes through a proxy, whose name is allowed, too.

# %%
with socket.create_server(("127.0.0.1", PORT)) as free:
    port = free.getsockname()[1]
address, page, hosts = f"http://127.0.0.1:{port}", f"http://127.0.0.1:{port}/app/", "127.0.0.1,localhost"
if "google.colab" in sys.modules:
    colab = importlib.import_module("google.colab.output")
    proxy = colab.eval_js(f"google.colab.kernel.proxyPort({port})")
    page, hosts = f"{proxy.rstrip('/')}/app/", f"{hosts},{proxy.split('/')[2]}"

# %%
place = Path(OUT_DIR) / "serve"
place.mkdir(parents=True, exist_ok=True)
words = ["serve", folder, "--out", place, "--port", port, "--allowed-hosts", hosts]
words += ["--data", DATA_DIR] if DATA_DIR else []
command = [sys.executable, "-m", "skinkit", *map(str, words)]
no_gpu = {**os.environ, "CUDA_VISIBLE_DEVICES": "-1"}  # this notebook holds it
with (place / "log").open("w", encoding="utf-8") as log:
    server = subprocess.Popen(command, stdout=log, stderr=log, env=no_gpu)
atexit.register(server.terminate)  # in case that you never come to the last cell
api = requests.Session()
api.trust_env = False  # to this machine, past any proxy


# %%
def is_ready():
    """Returns whether a worker has loaded the network; fails with the log where the server has ended."""
    assert server.poll() is None, (place / "log").read_text(encoding="utf-8")
    try:
        return api.get(f"{address}/readyz", timeout=5).ok
    except requests.RequestException:
        return False


# %%
began = time.monotonic()
while not is_ready():
    assert time.monotonic() - began < 240, (place / "log").read_text(encoding="utf-8")
    time.sleep(0.5)
print(f"ready after {time.monotonic() - began:.0f} s: {api.get(f'{address}/readyz').json()}")
print(f"the page, in another tab: {page}")

# %% [markdown]
# Most of that time is TensorFlow's import. `/healthz` has answered long before: it says that the server
# *lives*, and `/readyz` that it is of use. Whoever watches over servers needs both.
#
# Open the page in another tab. It cannot be shown in a frame here, and its headers say why: a page that may
# be framed can be laid invisibly under somebody else's buttons. (If Colab's proxy refuses the tab, too,
# nothing is lost: all that the page does, it does by the requests below.)

# %%
headers = api.get(f"{address}/app/").headers
assert headers["X-Frame-Options"] == "DENY" and "frame-ancestors 'none'" in headers["Content-Security-Policy"]
{name: headers[name] for name in ("X-Frame-Options", "Content-Security-Policy")}

# %% [markdown]
# ## 3. One image
#
# `POST /predict` takes an image and waits up to ten seconds. **200** says that the result is there, **202**
# that the image was taken and somebody still works on it. Either way the answer names a task, and the header
# `Location` where to ask for it.

# %%
one_path = paths[int(np.flatnonzero(is_melanoma)[0])]
jpeg = one_path.read_bytes()
posted = api.post(f"{address}/predict", files={"file": (one_path.name, jpeg)}, timeout=60)
task = posted.headers["Location"]
assert posted.status_code in (200, 202) and task.endswith(posted.json()["task_uuid"])
print(posted.status_code, posted.json(), task)


# %% [markdown]
# While the answer is 202, ask again, and not before `Retry-After` seconds: a client that asks in a tight loop
# takes the time of those who work. This function serves results and overlays alike.


# %%
def result_of(location):
    """Returns the answer of a task when it is no longer worked on, and the states that were seen before."""
    states = []
    answer = api.get(address + location, timeout=60)
    while answer.status_code == 202:
        states.append(answer.json())
        time.sleep(int(answer.headers["Retry-After"]))
        answer = api.get(address + location, timeout=60)
    answer.raise_for_status()
    return answer, states


# %%
[one] = result_of(task)[0].json()
one

# %% [markdown]
# Is it the document's shape? Its own keys, in its order, beside what is more:

# %%
document = {
    "name": [],
    "probabilities": labels,
    "metadata": ["origin", "net_type", "img_size", "out_dim"],
    "prediction": ["target", "label", "prediction"],
}
assert list(one) == list(document), "a client of the document's service can read it"
more = {key: [name for name in one[key] if name not in inner] for key, inner in document.items() if inner}
assert all(set(document[key]) <= set(one[key]) for key in more), "no key of the document's is missing"
assert not more["probabilities"] and np.isclose(sum(one["probabilities"].values()), 1)

# %%
pd.set_option("display.max_colwidth", None)
shapes = pd.DataFrame({"document": document, "more in ours": {"name": [], **more}})
shapes.map(", ".join)

# %% [markdown]
# Two keys look alike and are not. `label` and `prediction` are the likeliest class. `target` says in both
# "melanoma"; in the document it is true when melanoma *is* the likeliest class, here when `score` reaches
# `threshold` (section 7). The hashes say which network has answered: a result without them cannot be traced.
#
# ## 4. Many images
#
# `POST /predict_bulk` never waits: 202, a task, and the number of images. The result is a list in the order
# of the files. At most 64 files go into a request.

# %%
answers = []
for first in range(0, len(paths), 64):
    files = [("files", (path.name, path.read_bytes())) for path in paths[first : first + 64]]
    posted = api.post(f"{address}/predict_bulk", files=files, timeout=60)
    assert posted.status_code == 202 and posted.json()["num_images"] == len(files)
    found, states = result_of(posted.headers["Location"])
    print(posted.status_code, posted.json(), "-> on the way:", states, "->", found.status_code)
    answers += found.json()
assert [answer["name"] for answer in answers] == [path.name for path in paths]

# %% [markdown]
# (An empty list on the way: the worker was done before you asked.) These are the test images of the run, of
# which the run folder keeps the predictions. So the server can be checked. A service that resizes in another
# way, or takes other views, would fail here:

# %%
served = pd.DataFrame([answer["probabilities"] for answer in answers])[labels]
expected = skinkit.evaluation.unpack_predictions(exam)[1]
furthest = np.abs(served.to_numpy() - expected).max()
assert furthest < 1e-4, "the server and the run disagree"
print(f"{served.size:,} probabilities; the furthest is {furthest:.1e} from the saved one")

# %% [markdown]
# ## 5. Where did it look?
#
# An overlay is work, too, so the worker draws it, and the answer may be 202 at first. It shows where the
# network finds a class (Grad-CAM, notebook 05); it does not show that the class is right.

# %%
overlay, _ = result_of(f"{task}/0/explanation?label=mel")
assert overlay.headers["Content-Type"] == "image/png"
_, axes = plt.subplots(1, 2, figsize=(7, 2.8))
titles = ("posted: truth mel", f"overlay for mel; predicted {one['prediction']['prediction']}")
for ax, content, title in zip(axes, (jpeg, overlay.content), titles, strict=True):
    ax.imshow(Image.open(io.BytesIO(content)))
    ax.set(title=title, xticks=[], yticks=[])

# %% [markdown]
# ## 6. The document's table beside ours: awkward requests
#
# A client is not always the page that was written for the service. Seven requests, sent now. The column
# `document` is what its released code does with each; nobody needs ill will for any of them but the third.

# %%
stream = io.BytesIO()
Image.open(io.BytesIO(jpeg)).save(stream, "PNG")
png = stream.getvalue()

# %%
tried = {
    "a PNG": [("a.png", png)],
    "two files of one name": [("a.jpg", jpeg), ("a.jpg", png)],
    "a name that is a path": [("../../a.jpg", jpeg)],
    "a text, declared as JPEG": [("a.jpg", b"no image", "image/jpeg")],
    "no model named": [("a.jpg", jpeg)],
}
got = {}
for case, files in tried.items():
    got[case] = api.post(f"{address}/predict_bulk", files=[("files", file) for file in files], timeout=60)

# %%
names = {}
for case in ("a PNG", "two files of one name", "a name that is a path"):
    names[case] = [answer["name"] for answer in result_of(got[case].headers["Location"])[0].json()]
forgotten = got["no model named"].headers["Location"]
assert api.delete(address + forgotten).status_code == 204, "no content: it is gone"
got["a task that nobody made"] = api.get(f"{address}/from_task/00000000-0000-4000-8000-000000000000")
got["a task that was deleted"] = api.get(address + forgotten)

# %%
released = {
    "a PNG": "taken and not read; asked for, 500",
    "two files of one name": "the second overwrites the first: one answer",
    "a name that is a path": "written to that path",
    "a text, declared as JPEG": "taken, by what is declared",
    "no model named": "400: its default is not configured",
    "a task that nobody made": "500",
    "a task that was deleted": "nothing can be deleted, and nothing expires",
}

# %%
table = pd.DataFrame({"document": released, "status here": {c: a.status_code for c, a in got.items()}})
table["names in the answer"] = pd.Series(names).map(", ".join)
assert [len(names[case]) for case in names] == [1, 2, 1], "each file has its answer"
assert table["status here"].tolist() == [202, 202, 202, 415, 202, 404, 410]
table.fillna("")

# %% [markdown]
# 404 says "never heard of it", and 410 "it was here, and is gone". A name is text: it comes back as it was
# sent, and no file is ever called by it. A refusal says what to do, for people and for programs
# (`application/problem+json`), and nothing of its request is kept:

# %%
refused = got["a text, declared as JPEG"]
assert refused.headers["Content-Type"] == "application/problem+json"
refused.json()

# %% [markdown]
# ## 7. What is the red frame worth?
#
# The document's page marks an image when melanoma is the likeliest of its classes. Here is how many of the
# melanomas of its test part it would mark so, as printed, and how many of ours this network would:

# %%
printed = load_published("bermeo2023").query(
    "table == 'table8.2' and split == 'test' and metric == 'recall' and row.str.fullmatch('m[0-7]')"
)
card = api.get(f"{address}/models/{one['metadata']['id']}").json()
likeliest = card["scores"]["recall:mel"]
table = printed.set_index("row")["value"].astype(float).rename("recall of mel").to_frame()
table.loc["ours, likeliest class"] = likeliest["value"]
print(f"ours: {likeliest['low']:.3f} to {likeliest['high']:.3f}, n {card['n']}, leakage {card['leakage']}")
table.T.round(3)

# %% [markdown]
# A third to well over half of its melanomas stay blue. That is not the network's fault alone: there are
# many nevi, and the likeliest class is a rule for counting errors as if all of them cost the same. The
# server has another rule. It divides the logits by a temperature, takes the probability of melanoma as
# `score`, and compares it with a threshold that finds 90 % of the melanomas **of validation**. What it
# finds on test, the card says:

# %%
print(card["calibration"])
points = pd.DataFrame(card["operating_points"]).set_index("threshold")
ax = points.plot(xlabel="threshold of the score", ylim=(0, 1.02), figsize=(7, 3.2))
ax.axvline(card["threshold"], color="#BBBBBB", linestyle=":")
assert points["sensitivity"].is_monotonic_decreasing and points["specificity"].is_monotonic_increasing
points.iloc[[np.abs(points.index - card["threshold"]).argmin()]].round(3)

# %% [markdown]
# Sensitivity is bought with specificity, and a threshold from few melanomas is a guess. (In `smoke` the
# network has learnt nothing, and validation has a handful of them.) Our network was trained with class
# weights, which move the likeliest class towards the rare ones, so here the two rules may agree; exercise 3
# counts. The page has a slider for the threshold.

# %% [markdown]
# ## What could go wrong
#
# - **Other pixels than in training.** Another resizing, another order of colours, other views: the service
#   still answers, and the scores on its label are those of another system. Compare with saved predictions.
# - **A 202 read as a result.** `response.json()` works on it, and so does `response.ok`. Look at the status.
# - **A client without patience, or without end.** Wait as told, and give up some day.
# - **Trust in what is declared.** Type, name and length come from the client. Only the bytes count.
# - **One threshold for another clinic.** Where melanomas are rarer, 90 % of them cost more false alarms.
# - **An open door.** On any address but this machine's own the server asks for a token, and it wants TLS in
#   front of it: see `docs/serve.md`.
# - **Two servers in one folder.** If you run section 2 again, run the last cell first.

# %% [markdown]
# ## Exercises
#
# Answer in the open cell of an exercise, then run its check: it says that the answer is right, or gives a
# hint. Let code compute what depends on the images: marks are given on drawn ones. The server
# must still run.
#
# ### ex-19-1: Read a 202
#
# Write `next_step(answer)`. It gets a `requests.Response` about a task and returns what a client does next:
# the seconds to wait before it asks again (an integer) for 202; the list of answers for 200. For anything
# else it raises a `RuntimeError` with the problem's `detail`.

# %% tags=["exercise", "ex-19-1"]
next_step = None


# %% tags=["solution", "ex-19-1"]
def next_step(answer):
    """Returns the seconds to wait, or the answers; raises what the problem says."""
    if answer.status_code == 202:
        return int(answer.headers["Retry-After"])
    if answer.status_code != 200:
        raise RuntimeError(answer.json()["detail"])
    return answer.json()


# %% tags=["check", "ex-19-1"] points=2
skinkit.check("19-1", next_step)

# %% tags=["test", "ex-19-1"]
assert next_step is not None, "three cases by answer.status_code; 202 is a success, so answer.ok does not do"
waiting = requests.Response()
waiting.status_code, waiting.headers["Retry-After"] = 202, "7"
assert next_step(waiting) == 7, "the header says how long"
assert next_step(api.get(address + task)) == [one], "200: the answers themselves"
try:
    said = next_step(api.get(address + forgotten))
except RuntimeError as error:
    said = f"raised: {error}"
assert said == f"raised: {got['a task that was deleted'].json()['detail']}", "410: raise the detail"
print(said)

# %% tags=["hidden", "ex-19-1"]
refused = requests.Response()
refused.status_code, refused._content = 503, b'{"detail": "come back later"}'
try:
    next_step(refused)
except RuntimeError as refusal:
    assert "come back later" in str(refusal)
else:
    raise AssertionError("503 is refused")
accepted = requests.Response()
accepted.status_code, accepted.headers["Retry-After"] = 202, "31"
assert next_step(accepted) == 31

# %% tags=["wrong", "ex-19-1"]
# 202 has no answers yet.
next_step = lambda answer: answer.json()
# One server's seconds, and no errors.
next_step = lambda answer: 7 if answer.status_code == 202 else answer.json()
# Swallows what is wrong.
next_step = lambda answer: int(answer.headers.get("Retry-After", 0)) if answer.ok else []

# %% [markdown]
# ### ex-19-2: Break an upload three ways
#
# Find three files that are refused, each with *another* status: a dictionary from a name to bytes. (The
# answers 413, 415 and 422 are to be had; limits are in `docs/serve.md`.) Then the check looks whether the
# server has taken harm, and whether a good image beside a bad one is taken.

# %% tags=["exercise", "ex-19-2"]
broken = {}

# %% tags=["solution", "ex-19-2"]
small = io.BytesIO()
Image.new("RGB", (8, 8)).save(small, "PNG")
large = jpeg + bytes(11 * 2**20)
broken = {"cut.jpg": jpeg[: len(jpeg) // 2], "small.png": small.getvalue(), "large.jpg": large}

# %% tags=["check", "ex-19-2"] points=3
skinkit.check("19-2", broken)

# %% tags=["test", "ex-19-2"]
assert len(broken) == 3, (
    "`docs/serve.md` has the limits: what can be wrong with a file's size, and with its image?"
)
statuses = {}
for name, content in broken.items():
    refused = api.post(f"{address}/predict", files={"file": (name, content)}, timeout=60)
    statuses[name] = refused.status_code
    assert 400 <= refused.status_code < 500, f"{name} was answered with {refused.status_code}"
    print(refused.status_code, refused.json()["file"], refused.json()["detail"])
assert len(set(statuses.values())) == 3, f"three different statuses, not {statuses}"
both = [("files", ("good.jpg", jpeg)), *(("files", file) for file in broken.items())]
assert not api.post(f"{address}/predict_bulk", files=both, timeout=60).ok, "all are taken, or none"
assert api.get(f"{address}/readyz").ok, "the server goes on"

# %% tags=["hidden", "ex-19-2"]
refusals = [api.post(f"{address}/predict", files={"file": each}, timeout=60) for each in broken.items()]
assert len({refusal.status_code for refusal in refusals}) == len(refusals) == 3
assert all(400 <= refusal.status_code < 500 for refusal in refusals)

# %% tags=["wrong", "ex-19-2"]
# One is taken.
broken = {"good.jpg": jpeg, "small.png": broken["small.png"], "large.jpg": broken["large.jpg"]}
# One status three times.
broken = dict.fromkeys(["a.jpg", "b.jpg", "c.jpg"], broken["cut.jpg"])

# %% [markdown]
# ### ex-19-3: Count the melanomas that are missed
#
# From `answers` and `is_melanoma` (both in the order of the test images): how many melanomas does each rule
# miss? `missed_by_label`, when the likeliest class decides; `missed_by_target`, when the threshold does.

# %% tags=["exercise", "ex-19-3"]
missed_by_label = None
missed_by_target = None

# %% tags=["solution", "ex-19-3"]
said = pd.DataFrame([answer["prediction"] for answer in answers])[is_melanoma]
missed_by_label = int((said["prediction"] != "mel").sum())
missed_by_target = int((~said["target"].astype(bool)).sum())

# %% tags=["check", "ex-19-3"] points=2
skinkit.check("19-3", missed_by_label, missed_by_target)

# %% tags=["test", "ex-19-3"]
assert missed_by_label is not None, "of the melanomas, count those whose prediction is another class"
assert missed_by_target is not None, "of the melanomas, count those whose target is false"
by_label = (served.idxmax(axis=1) == "mel").to_numpy()
score = np.array([answer["prediction"]["score"] for answer in answers])
by_target = score >= card["threshold"]
assert missed_by_label == (is_melanoma & ~by_label).sum(), "only images whose truth is mel can be missed"
assert missed_by_target == (is_melanoma & ~by_target).sum(), (
    "the score reaches the threshold, or it is missed"
)
for rule, called in {"likeliest class": by_label, "threshold": by_target}.items():
    missed, alarms = (is_melanoma & ~called).sum(), (~is_melanoma & called).sum()
    print(f"{rule}: {missed} of {is_melanoma.sum()} melanomas missed, {alarms} false alarms")

# %% tags=["hidden", "ex-19-3"]
labels_said = [answer["prediction"]["prediction"] for answer in answers]
targets = [answer["prediction"]["target"] for answer in answers]
assert missed_by_label == sum(
    ill and said != "mel" for ill, said in zip(is_melanoma, labels_said, strict=True)
)
assert missed_by_target == sum(ill and not hit for ill, hit in zip(is_melanoma, targets, strict=True))

# %% tags=["wrong", "ex-19-3"]
# One too many.
missed_by_label, missed_by_target = missed_by_label + 1, missed_by_target
# All images, and not the missed melanomas.
missed_by_label, missed_by_target = len(answers), len(answers)
# All melanomas.
missed_by_label, missed_by_target = int(is_melanoma.sum()), -1

# %% [markdown]
# ## Stop the server
#
# Told to stop, it finishes what runs. What it was sent lies in one file until it expires, an hour after it
# came; its log names models and tasks, and no file.

# %%
server.terminate()
assert server.wait(60) == 0, (place / "log").read_text(encoding="utf-8")
written = (place / "log").read_text(encoding="utf-8")
assert one_path.name not in written and "a.jpg" not in written
print(*[line for line in written.splitlines() if '"model"' in line][-3:], sep="\n")
