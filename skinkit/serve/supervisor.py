"""The start of the server: the web process, its workers, and the looking after them."""

import json
import logging
import os
import signal
import subprocess
import sys
import threading
import time
import uuid
from pathlib import Path

import click
import uvicorn

from skinkit.experiments.environment import cpu_cores
from skinkit.serve.access import LOOPBACK, Access, Guard, allowed_hosts, read_tokens
from skinkit.serve.app import make_app
from skinkit.serve.audit import start_log
from skinkit.serve.metrics import Metrics
from skinkit.serve.settings import LiveSettings
from skinkit.serve.store import open_store
from skinkit.serve.worker import REFUSED

_LOG = logging.getLogger("skinkit.serve.supervisor")
# Seconds between two looks at the workers, and at what has expired; until a dead worker is started again, at
# first and at most.
_LOOK, _SWEEP, _PAUSE, _LONGEST_PAUSE = 0.1, 1.0, 0.5, 30.0
# Seconds of the ten that a stop may take, after which connections are closed, and workers are killed.
_CLOSE, _KILL = 7, 8.5
_SECRETS = ("SKINKIT_TOKENS", "SKINKIT_TOKENS_FILE")
_THREADS = ("TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS", "OMP_NUM_THREADS", "OPENCV_FOR_THREADS_NUM")


def serve(
    runs=(),
    config=None,
    workers=1,
    queue=None,
    host="127.0.0.1",
    port=8082,
    out="results/serve",
    data_dir=None,
    api_only=False,
    rate_limit=True,
    hosts=None,
    is_open=False,
    uvicorn_words=(),
):
    """Serves finished runs until it is told to stop; returns the exit code.

    Args:
        runs: Paths of run folders; without any, and without `config`, the demo network is served.
        config: Path of a TOML file of settings: see `skinkit.serve.settings`.
        workers: Integer, worker processes on this machine; 0 where all are elsewhere.
        queue: String, `redis://...` of a table for workers on other machines; `None` for a file in `out`.
        host: String, address to bind to.
        port: Integer.
        out: Folder of the server's own files.
        data_dir: Folder of the releases; the environment variable `SKINKIT_DATA` by default.
        api_only: Boolean, whether the page is left out.
        rate_limit: Boolean, whether requests are counted and limited.
        hosts: Strings, names under which it is asked; by default those of this machine.
        is_open: Boolean, whether everybody may ask who reaches an address other than loopback.
        uvicorn_words: Strings, options of uvicorn's own command: TLS, root path, proxies.

    Raises:
        FileNotFoundError, ValueError: for wrong settings, tokens or options, before anything is started.
    """
    start_log()
    tokens = read_tokens()
    is_public = host not in LOOPBACK
    if is_public and not tokens and not is_open:
        raise ValueError(
            f"At {host} everybody may ask who reaches it. Give tokens in the environment, "
            "SKINKIT_TOKENS=name:secret, or say --open"
        )
    asked = worker_words(runs, config, queue, out, data_dir)
    settings = LiveSettings(asked["config"], asked["runs"])
    options = uvicorn_options(uvicorn_words)
    store = open_store(queue, Path(out))
    try:
        if queue is None:
            # Nobody else has the file: workers of a server that was killed are gone, or end by themselves.
            store.forget_worker()
        counted = Metrics(store, lambda: settings.current.times)
        access = Access(
            tokens, allowed_hosts(hosts, host, is_public), lambda: settings.current.limits, rate_limit
        )
        app = make_app(store, settings, counted, has_page=not api_only)
        server = _Server(Guard(app, access, counted.watch), app.state.desk.waiting, host, port, options)
        return _Supervisor(server, store, settings, workers, {**asked, "parent": os.getpid()}).run()
    finally:
        store.close()


def worker_words(runs, config, queue, out, data_dir):
    """Returns what `skinkit.serve.worker.main` is asked, as JSON's own types; arguments as in `serve`."""
    is_demo = not runs and config is None
    runs = [str(run) for run in runs] or ([str(Path(out) / "demo")] if is_demo else [])
    words = {"queue": queue, "out": str(out), "config": config and str(config), "runs": runs}
    return {**words, "data_dir": data_dir, "demo": is_demo, "name": str(uuid.uuid4()), "parent": None}


def uvicorn_options(words):
    """Returns options of uvicorn's command as those of `uvicorn.Config`, only those that are given.

    Raises:
        ValueError: for an option that it does not have.
    """
    try:
        context = uvicorn.main.make_context("uvicorn", ["app", *words])
    except click.ClickException as error:
        raise ValueError(f"--uvicorn: {error.format_message()}") from error
    given = click.core.ParameterSource.COMMANDLINE
    named = {name for name in context.params if context.get_parameter_source(name) is given} - {"app"}
    if ours := named & {"host", "port", "workers", "reload", "factory"}:
        raise ValueError(f"--uvicorn: {sorted(ours)[0]} is an option of `skinkit serve` itself, or of no use")
    return {name: context.params[name] for name in named}


class _Server(uvicorn.Server):
    """The web process' server; it ends all waiting when it is told to stop."""

    def __init__(self, app, waiting, host, port, options):
        fixed = {
            "host": host,
            "port": port,
            "log_level": "warning",
            "access_log": False,
            "server_header": False,
        }
        options = {**fixed, "timeout_graceful_shutdown": _CLOSE, **options}
        super().__init__(uvicorn.Config(app, **options))
        self.waiting = waiting

    def stop(self):
        self.waiting.stop()
        self.should_exit = True


class _Supervisor:
    """Keeps the workers going while the server runs."""

    def __init__(self, server, store, settings, workers, asked):
        self.server, self.store, self.settings, self.asked = server, store, settings, asked
        self.workers = [_Process(asked, share=workers) for _ in range(workers)]
        self.code, self.was_ready = 0, False

    def run(self):
        # uvicorn sends itself what it has received once more, when it has stopped.
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: self.server.stop())
        looking = threading.Thread(target=self._look, daemon=True)
        looking.start()
        try:
            _LOG.info("http://%s:%s", self.server.config.host, self.server.config.port)
            self.server.run()
        finally:
            self.server.stop()
            looking.join()
        return self.code

    def _look(self):
        """Looks after workers and table until the server stops, and then stops the workers."""
        due = 0.0
        while not self.server.should_exit:
            for worker in self.workers:
                self._keep(worker)
            if time.monotonic() >= due:
                due = time.monotonic() + _SWEEP
                self._sweep()
            time.sleep(_LOOK)
        self.server.stop()
        self._stop()

    def _keep(self, worker):
        code = worker.keep()
        if code is None:
            return
        # It is known to be dead: nobody needs to wait until its silence is long.
        self.store.forget_worker(worker.name)
        if code == REFUSED and not self.was_ready:
            self.code = 1
            self.server.stop()
        else:
            _LOG.error("A worker has ended with code %s; another is started", code)
            self._sweep()

    def _sweep(self):
        try:
            self.settings.refresh()
            times, now = self.settings.current.times, time.time()
            self.was_ready |= bool(self.store.workers(now - times.worker))
            self.store.put_back(now - times.worker)
            self.store.expire(now, times.tombstone)
        except Exception:
            _LOG.exception("The table could not be looked after; it is tried again")

    def _stop(self):
        for worker in self.workers:
            worker.process.terminate()
        end = time.monotonic() + _KILL
        for worker in self.workers:
            try:
                worker.process.wait(max(0.0, end - time.monotonic()))
            except subprocess.TimeoutExpired:
                worker.process.kill()
                worker.process.wait()


class _Process:
    """A worker process, and the one that takes its place when it dies."""

    def __init__(self, asked, share):
        self.asked, self.share = asked, share
        self.pause, self.due = _PAUSE, None
        self._start()

    def _start(self):
        self.name, self.began = str(uuid.uuid4()), time.monotonic()
        environment = {name: value for name, value in os.environ.items() if name not in _SECRETS}
        if self.share > 1:
            cores = max(1, cpu_cores() // self.share)
            environment = {**dict.fromkeys(_THREADS, str(cores)), **environment}
        words = json.dumps({**self.asked, "name": self.name})
        command = [sys.executable, "-m", "skinkit.serve.worker", words]
        self.process = subprocess.Popen(command, env=environment)

    def keep(self):
        """Starts the next process when it is time; returns the exit code of one that has just died."""
        code = self.process.poll()
        if code is None:
            return None
        if self.due is None:
            if time.monotonic() - self.began > _LONGEST_PAUSE:
                self.pause = _PAUSE
            self.due, self.pause = time.monotonic() + self.pause, min(2 * self.pause, _LONGEST_PAUSE)
            return code
        if time.monotonic() >= self.due:
            self.due = None
            self._start()
        return None
