"""The server as it is started: real processes, which are killed while they work."""

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import requests
from serve_place import free_port, image_bytes, wait_until
from sweep_package import descendants

from skinkit import evaluation
from skinkit.experiments import SavedRun
from skinkit.serve.store import RUNNING, open_store

# One worker makes the run that these tests share.
pytestmark = pytest.mark.xdist_group("served-run")
ROOT = Path(__file__).parents[2]
FILES = [("files", (f"{i}.png", image_bytes("PNG", seed=i))) for i in range(64)]


class Server:
    """`skinkit serve` with one worker."""

    def __init__(self, run, out, *words, **environment):
        self.port = free_port()
        self.address = f"http://127.0.0.1:{self.port}"
        self.out, self.log = out, out / "log"
        out.mkdir(exist_ok=True)
        command = [sys.executable, "-m", "skinkit", "serve", *run, "--out", out, "--port", self.port, *words]
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "SKINKIT_DATA": "", **environment}
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [*map(str, command)], env=environment, stdout=log, stderr=log, cwd=out
            )

    def get(self, path, **options):
        return requests.get(f"{self.address}{path}", timeout=20, **options)

    def post(self, path, files):
        return requests.post(f"{self.address}{path}", files=files, timeout=20)

    def is_ready(self):
        assert self.process.poll() is None, self.log.read_text()
        try:
            return self.get("/readyz").status_code == 200
        except requests.ConnectionError:
            return False

    def wait(self):
        wait_until(self.is_ready, 120)
        return self

    def result(self, task):
        return wait_until(lambda: (a := self.get(f"/from_task/{task}")).status_code != 202 and a, 60)

    def worker(self):
        (pid,) = descendants(self.process.pid)[1:]
        return pid

    def end(self, number=signal.SIGTERM):
        self.process.send_signal(number)
        return self.process.wait(20)


@pytest.fixture(scope="module", params=["sqlite", "redis"])
def queue(request):
    if request.param == "sqlite":
        return None
    import redis

    address = request.getfixturevalue("redis_address")
    with redis.Redis.from_url(address) as connection:
        connection.flushall()
    return address


@pytest.fixture(scope="module")
def start(finished, tmp_path_factory, queue):
    """Starts a server, always with the same files."""
    out, started = tmp_path_factory.mktemp("serve"), []
    # A copy: the validation images are predicted once, and kept in the folder.
    copied = shutil.copytree(finished, out / "tiny")

    def start():
        started.append(Server([copied], out, *(["--queue", queue] if queue else [])))
        return started[-1].wait()

    yield start
    for server in started:
        server.process.kill()
        server.process.wait()


@pytest.fixture(scope="module")
def server(start):
    return start()


@pytest.fixture
def table(server, queue):
    store = open_store(queue, server.out)
    yield store
    store.close()


def post_and_freeze(server, table):
    """Posts tasks, and stops the worker at a moment when it works on one of them."""
    worker = server.worker()
    os.kill(worker, signal.SIGSTOP)
    tasks = post_many(server)

    def is_at_work():
        os.kill(worker, signal.SIGCONT)
        time.sleep(0.005)
        os.kill(worker, signal.SIGSTOP)
        return table.counts().get(RUNNING)

    wait_until(is_at_work, 60)
    return tasks, worker


def post_many(server, count=4):
    posted = [server.post("/predict_bulk", FILES).json() for _ in range(count)]
    assert {answer["num_images"] for answer in posted} == {64}
    return [answer["task_uuid"] for answer in posted]


def check_all_done(server, tasks):
    for task in tasks:
        answer = server.result(task)
        assert answer.status_code == 200, answer.text
        assert [each["name"] for each in answer.json()] == [name for _, (name, _) in FILES]


def test_the_scores_are_those_of_the_run(server, finished):
    saved = SavedRun(finished)
    paths = saved.run_data().table.set_index("image_id")["path"].loc[saved.predictions["image_id"]]
    posted = server.post("/predict_bulk", [("files", (p, Path(p).read_bytes())) for p in paths])
    found = server.result(posted.json()["task_uuid"]).json()
    _, expected, labels = evaluation.unpack_predictions(saved.predictions)
    got = [[answer["probabilities"][label] for label in labels] for answer in found]
    np.testing.assert_allclose(got, expected, atol=1e-5)


def test_one_image_is_answered_and_explained_at_once(server):
    posted = server.post("/predict", {"file": image_bytes()})
    assert posted.status_code == 200
    explained = server.get(f"/from_task/{posted.json()['task_uuid']}/0/explanation?label=mel")
    assert explained.content.startswith(b"\x89PNG") and explained.headers["content-type"] == "image/png"


def test_the_web_process_has_no_tensorflow(server):
    maps = {pid: Path(f"/proc/{pid}/maps").read_text() for pid in (server.process.pid, server.worker())}
    assert ["tensorflow" in found for found in maps.values()] == [False, True]


def test_a_worker_that_is_killed_at_work_costs_nothing(server, table):
    tasks, worker = post_and_freeze(server, table)
    os.kill(worker, signal.SIGKILL)
    check_all_done(server, tasks)
    assert max(table.get(task).attempt for task in tasks) == 2
    assert "another is started" in server.log.read_text() and server.worker() != worker


def test_a_server_that_is_killed_goes_on_with_its_queue(server, start, table):
    tasks, worker = post_and_freeze(server, table)
    server.end(signal.SIGKILL)
    assert table.counts()["queued"] > 0
    os.kill(worker, signal.SIGCONT)
    # It ends by itself: nobody else would.
    wait_until(lambda: worker not in descendants(1) and not Path(f"/proc/{worker}/maps").exists(), 30)
    again = start()
    check_all_done(again, tasks)
    # Told to stop, it gives back what is not finished, and keeps it for the next one.
    more = post_many(again, 8)
    began = time.monotonic()
    assert again.end() == 0 and time.monotonic() - began < 10
    states = [table.get(task).state for task in more]
    assert "running" not in states and {table.get(task).attempt for task in more} <= {0, 1}
    once_more = start()
    check_all_done(once_more, more)
    assert once_more.end(signal.SIGINT) == 0
