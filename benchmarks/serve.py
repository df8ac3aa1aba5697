"""How fast does a served network answer, beside the same network alone?

    python benchmarks/serve.py [--requests N] [--out CSV]

EfficientNet-Lite0 in four views at the size of its `quick` profile, untrained, asked over loopback by 1, 8
and 50 clients with drawn JPEGs of 600 x 450, each waiting for its answer; and the traced network in this
process, on decoded images, in batches of 32. The two take turns, so that both see the same machine.
"""

import argparse
import contextlib
import dataclasses
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import requests
from result_table import show

ROOT = Path(__file__).parents[1]
BATCH, TURNS = 32, 5
# Of requests, after which memory is compared.
EARLY, LATE = 200, 2000
# Clients at a time, and the name of their row.
LOADS = {8: "images/s of 8 clients", 50: "images/s of 50 clients"}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--requests", type=int, default=400, help="in each turn of 8 and of 50 clients")
    parser.add_argument("--late", type=int, default=LATE, help="requests until the second look at memory")
    parser.add_argument("--out", help="CSV file for the table")
    # This script starts itself as a server in the document's way.
    parser.add_argument("--as-published", nargs=2, metavar=("RUN", "PORT"), help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.as_published:
        serve_as_published(*asked.as_published)
        return
    with tempfile.TemporaryDirectory() as folder:
        run = make_run(Path(folder) / "lite0")
        rows = [
            *measure(run, Path(folder), asked.requests, asked.late),
            *others(run, Path(folder), asked.requests),
        ]
    show(pd.DataFrame(rows, columns=["row", "served", "alone", "ratio", "aim"]).set_index("row"), asked.out)


def make_run(folder):
    """A run folder of the network as it is served, without training and without data."""
    from skinkit import papers
    from skinkit.experiments import SavedRun, run

    recipe = papers.recipe("skinkit/baseline/efficientnet-lite0-plain")
    changes = {"phases": (), "selection": "last", "dataset": "synthetic", "subset": 60, "profiles": {}}
    size = recipe.resolve("quick").image_size
    recipe = dataclasses.replace(recipe, name="skinkit/benchmark/lite0", image_size=size, **changes)
    run(recipe, "quick", folder=folder, weights="none", verbose=0)
    # Or the first start would make them.
    SavedRun(folder).validation_predictions()
    return folder


def photographs():
    rng = np.random.default_rng(0)
    drawn = (cv2.resize(rng.integers(0, 256, (45, 60, 3), dtype=np.uint8), (600, 450)) for _ in range(BATCH))
    return [cv2.imencode(".jpg", image)[1].tobytes() for image in drawn]


class Served:
    """A server in processes of its own, and its clients."""

    def __init__(self, command, port):
        self.address, self.images = f"http://127.0.0.1:{port}", photographs()
        self.began = time.perf_counter()
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "SKINKIT_DATA": ""}
        self.process = subprocess.Popen([*map(str, command)], env=environment, stderr=subprocess.DEVNULL)

    def wait(self):
        """Waits until it is ready; returns how many seconds that took."""
        while True:
            with contextlib.suppress(requests.ConnectionError):
                if requests.get(f"{self.address}/readyz", timeout=60).ok:
                    return time.perf_counter() - self.began
            time.sleep(0.05)

    def ask(self, clients, count):
        """Asks so often by so many clients; returns images a second, and the seconds of each request."""
        seconds, share = [], max(1, count // clients)

        def client(number):
            with requests.Session() as session:
                for turn in range(share):
                    began = time.perf_counter()
                    content = self.images[(number + turn) % BATCH]
                    posted = session.post(f"{self.address}/predict", files={"file": content})
                    posted.raise_for_status()
                    answer = session.get(f"{self.address}/from_task/{posted.json()['task_uuid']}")
                    answer.raise_for_status()
                    seconds.append(time.perf_counter() - began)

        threads = [threading.Thread(target=client, args=(number,)) for number in range(clients)]
        began = time.perf_counter()
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if len(seconds) < clients * share:
            raise RuntimeError("a client has failed")
        return len(seconds) / (time.perf_counter() - began), seconds

    def memory(self):
        """MiB of the process and those that it has started."""
        pid = self.process.pid
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        pages = [int(Path(f"/proc/{each}/statm").read_text().split()[1]) for each in (pid, *children)]
        return sum(pages) * os.sysconf("SC_PAGE_SIZE") / 2**20

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(20)


@contextlib.contextmanager
def skinkit_serve(run, folder, workers=1):
    port = free_port()
    words = ["--out", folder / f"out{workers}", "--port", port, "--workers", workers]
    words += ["--rate-limit", "off", "--api-only"]
    server = Served([sys.executable, "-m", "skinkit", "serve", run, *words], port)
    try:
        yield server
    finally:
        server.stop()


def free_port():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


def alone(run):
    """The function from a number of decoded images to the seconds in which the network answers."""
    from skinkit.experiments import SavedRun

    task, model = SavedRun(run).load_task()
    images = np.random.default_rng(0).random((BATCH, *task.recipe.image_size, 3), dtype="float32")

    def seconds(count):
        began = time.perf_counter()
        task.ask(model, images[:count])
        return time.perf_counter() - began

    for count in (1, BATCH):
        seconds(count)
    return seconds


def measure(run, folder, count, late):
    """Rows of one worker beside the network alone, in turns."""
    with skinkit_serve(run, folder) as server:
        ready, seconds = server.wait(), alone(run)
        asked = 0
        for clients, requested in ((1, 30), *((load, count) for load in LOADS)):
            speeds, waits, bare, health = [], [], [], []
            for _ in range(TURNS):
                bare.append(np.median([seconds(1 if clients == 1 else BATCH) for _ in range(5)]))
                with watching(server, health):
                    speed, found = server.ask(clients, requested // TURNS or 1)
                speeds.append(speed)
                waits += found
                asked += len(found)
            if clients == 1:
                one, single = np.median(waits), np.median(bare)
                yield "seconds of one client", one, single, one / single, f"<= {1.5 * single + 0.15:.3f} s"
            else:
                served, whole = np.median(speeds), BATCH / np.median(bare)
                yield LOADS[clients], served, whole, served / whole, ">= 0.7"
                slowest = np.quantile(health, 0.99)
                yield f"p99 of /healthz, {clients} clients", slowest, np.nan, np.nan, "<= 0.25 s"
        server.ask(8, max(0, EARLY - asked))
        early = server.memory()
        server.ask(8, late)
        yield f"MiB after {late} more requests", server.memory(), early, server.memory() / early, "<= 1.05"
    yield "seconds until it is ready", ready, (bare_start := start_alone(run)), ready / bare_start, "<= 1.5"


@contextlib.contextmanager
def watching(server, seconds):
    """Asks for its health all the while."""
    over = threading.Event()

    def watch():
        with requests.Session() as session:
            while not over.wait(0.02):
                began = time.perf_counter()
                session.get(f"{server.address}/healthz").raise_for_status()
                seconds.append(time.perf_counter() - began)

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def start_alone(run):
    """Seconds in which Python imports Keras, and loads the network."""
    code = f"import skinkit.models\nskinkit.models.load_model({str(run / 'model.keras')!r})"
    began = time.perf_counter()
    subprocess.run([sys.executable, "-c", code], check=True, env={**os.environ, "PYTHONPATH": str(ROOT)})
    return time.perf_counter() - began


def others(run, folder, count):
    """Rows of two workers, and of the document's way, beside one worker."""
    with skinkit_serve(run, folder) as server:
        server.wait()
        one, _ = server.ask(8, count)
    with skinkit_serve(run, folder, workers=2) as server:
        server.wait()
        two, _ = server.ask(8, count)
    yield "images/s of 8 clients, two workers / one", two, one, two / one, ""
    port = free_port()
    server = Served([sys.executable, __file__, "--as-published", run, port], port)
    try:
        server.wait()
        published, _ = server.ask(8, 16)
    finally:
        server.process.kill()
        server.process.wait()
    yield "images/s of 8 clients, the document's way / one worker", published, one, published / one, ""


def serve_as_published(run, port):
    """The way of bermeo2023: one view, and the network is read at each request, on the event loop."""
    import uvicorn
    from fastapi import FastAPI, Request

    from skinkit.models import load_model

    app, done = FastAPI(), {}

    async def predict(request: Request):
        model, form = load_model(Path(run) / "model.keras"), await request.form()
        image = cv2.imdecode(np.frombuffer(await form["file"].read(), np.uint8), cv2.IMREAD_COLOR)
        height, width = model.input_shape[1:3]
        task = str(len(done))
        done[task] = model.predict(cv2.resize(image, (width, height))[None] / 255, verbose=0)[0].tolist()
        return {"task_uuid": task}

    app.add_api_route("/predict", predict, methods=["POST"])
    app.add_api_route("/from_task/{task}", lambda task: done[task])
    app.add_api_route("/readyz", lambda: {})
    uvicorn.run(app, port=int(port), log_level="error")


if __name__ == "__main__":
    main()
