"""Figures of the platform: a task in the background, and pages of `skinkit serve` in a headless Chromium."""

import importlib.util
import io
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from contextlib import contextmanager
from pathlib import Path

import cv2
import matplotlib.pyplot as plt

from skinkit.experiments.document_figures.material import words_of
from skinkit.experiments.run import run
from skinkit.experiments.run_folder import SavedRun
from skinkit.plots.style import one_axes

CHROMIUM = os.environ.get("SKINKIT_CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
BROWSER = "Chromium (or its path in SKINKIT_CHROMIUM) and pip install playwright 'skinkit[serve]'"
_MESSAGES = (
    ("client", "API", "POST /predict_bulk with images"),
    ("API", "client", "202 task_uuid"),
    ("worker", "API", "takes the task"),
    ("client", "API", "GET /from_task/task_uuid"),
    ("API", "client", "202 running"),
    ("worker", "API", "brings the predictions"),
    ("client", "API", "GET /from_task/task_uuid"),
    ("API", "client", "200 predictions"),
)
# Steps after which the page has images.
_WITH_IMAGES = ("loaded", "model", "answers", "details")
_WINDOW = {"width": 1000, "height": 900}
_LONGEST = 120  # seconds until the server is ready, or a step is done
# What somebody who drags files holds over the page.
_DRAGGED = "() => { const held = new DataTransfer(); held.items.add(new File(['x'], 'x.png')); return held; }"


def has_browser():
    """Whether pages can be shown: there is Chromium, and what drives it and serves them."""
    packages = ("playwright", "fastapi", "uvicorn")
    return CHROMIUM is not None and all(map(importlib.util.find_spec, packages))


def task(material):
    """The messages of a task in the background, in their order."""
    people = ["client", "API", "worker"]
    figure, ax = one_axes(None, (7, 4.5))
    for place, name in enumerate(people):
        ax.axvline(place, color="#999999", lw=1)
        ax.text(place, -1, name, ha="center", weight="bold", backgroundcolor="white")
    for row, (sender, receiver, text) in enumerate(_MESSAGES):
        start, end = people.index(sender), people.index(receiver)
        ax.annotate("", (end, row), (start, row), arrowprops={"arrowstyle": "->", "color": "#0072B2"})
        ax.text((start + end) / 2, row - 0.12, text, ha="center", fontsize=9)
    ax.set(xlim=(-0.3, 2.3), ylim=(len(_MESSAGES), -1.3))
    ax.axis("off")
    return figure, "the messages of `skinkit serve`"


def page(material):
    """The page, or that of the API, after a step of its use.

    Raises:
        RuntimeError: without a browser, or when the server does not start.
    """
    if not has_browser():
        raise RuntimeError(f"A page of the server is shown in a browser. It needs {BROWSER}")
    images, words = material.images(8)
    with tempfile.TemporaryDirectory() as place:
        folders = [found.folder for found in material.one_of_each]
        folders = folders or [run("skinkit/demo/synthetic", "smoke", out=place, verbose=0)]
        with served(folders, Path(place), material.data_dir) as address:
            pixels = _screenshot(address, material.of, images)
        models = words_of([SavedRun(folder) for folder in folders])
    height, width = pixels.shape[:2]
    figure, ax = one_axes(None, (width / 100, height / 100))
    ax.imshow(pixels)
    ax.axis("off")
    words = f"; {words}" if material.of in _WITH_IMAGES else ""
    return figure, f"a page of `skinkit serve` in Chromium, with {models}{words}"


@contextmanager
def served(folders, place, data_dir=None, **environment):
    """The address of a server of runs, ready to answer.

    Args:
        folders: Paths of run folders.
        place: `pathlib.Path` of the folder of the server's own files.
        data_dir: Folder of the releases, or `None`.
        **environment: Strings, variables of its environment.

    Raises:
        RuntimeError: when it does not start, with what it says.
    """
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    words = ["serve", *folders, "--out", place, "--port", port]
    words += ["--data", data_dir] if data_dir else []
    said = place / "serve.log"
    # Neither tokens nor tasks of a server that the user has.
    others = ("SKINKIT_TOKENS", "SKINKIT_QUEUE")
    own = {name: value for name, value in os.environ.items() if not name.startswith(others)}
    with said.open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "skinkit", *map(str, words)],
            env={**own, **environment},
            stdout=log,
            stderr=log,
        )
    try:
        _wait(process, f"http://127.0.0.1:{port}/readyz", said)
        yield f"http://127.0.0.1:{port}/"
    finally:
        process.terminate()
        process.wait(20)


def _wait(process, address, said):
    """Waits until the server is ready."""
    end = time.monotonic() + _LONGEST
    while process.poll() is None and time.monotonic() < end:
        try:
            urllib.request.urlopen(address, timeout=5).close()
            return
        except urllib.error.HTTPError as error:
            error.close()
        except OSError:
            pass
        time.sleep(0.2)
    raise RuntimeError(f"The server of the page does not start. It says:\n{said.read_text()}")


@contextmanager
def chromium():
    """A headless browser."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as started:
        browser = started.chromium.launch(executable_path=CHROMIUM)
        yield browser
        browser.close()


def _screenshot(address, step, images):
    """The pixels of the window after a step."""
    with chromium() as browser:
        tab = browser.new_page(viewport=_WINDOW, reduced_motion="reduce", color_scheme="light")
        tab.set_default_timeout(1000 * _LONGEST)
        if step == "api":
            tab.goto(f"{address}docs")
        else:
            tab.goto(address)
            tab.locator("#model-line", has_text="macro recall").wait_for()
            _go_to(step, tab, images)
        found = tab.screenshot()
        tab.close()
    return plt.imread(io.BytesIO(found))


def _go_to(step, tab, images):
    """Uses the page until a step is done."""
    if step == "drop":
        tab.locator("body").dispatch_event("dragover", {"dataTransfer": tab.evaluate_handle(_DRAGGED)})
    if step in _WITH_IMAGES:
        tab.set_input_files("#files", [_file(number, image) for number, image in enumerate(images, 1)])
        tab.locator(f"#grid li:nth-child({len(images)})").wait_for()
    if step == "model":
        tab.locator("#card > summary").click()
    if step in ("answers", "details"):
        tab.locator("#predict").click()
        tab.locator("body[data-state=result]").wait_for()
        tab.locator("#order").select_option("score-down")
    if step == "details":
        tab.locator("#grid .open").first.click()


def _file(number, image):
    _, content = cv2.imencode(".png", image[..., ::-1])
    return {"name": f"image {number}.png", "mimeType": "image/png", "buffer": content.tobytes()}
