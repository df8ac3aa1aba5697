"""The server and its workers: started, looked after, and stopped together."""

import json
import logging
import os
import signal
import subprocess
import sys
import threading
import time
import uuid

import uvicorn

from skinkit.experiments.environment import cpu_cores
from skinkit.serve.audit import report_ended
from skinkit.serve.store import QUEUE
from skinkit.serve.worker.model_card import NOTICE
from skinkit.serve.worker.process import REFUSED

_LOG = logging.getLogger("skinkit.serve.supervisor")
# Seconds between two looks at the workers, and at what has expired; until a dead worker is started again, at
# first and at most.
_LOOK, _SWEEP, _PAUSE, _LONGEST_PAUSE = 0.1, 1.0, 0.5, 30.0
# Seconds of the ten that a stop may take, after which connections are closed, and workers are killed.
_CLOSE, _KILL = 7, 8.5
_DEFAULTS = {
    "log_level": "warning",
    # It would hold the ids of tasks.
    "access_log": False,
    "server_header": False,
    "timeout_graceful_shutdown": _CLOSE,
}
_SECRETS = ("SKINKIT_TOKENS", "SKINKIT_TOKENS_FILE")
_THREADS = ("TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS", "OMP_NUM_THREADS", "OPENCV_FOR_THREADS_NUM")


class Server(uvicorn.Server):
    """The HTTP server, which ends all waiting when it is told to stop.

    Args:
        app: ASGI application.
        waiting: `skinkit.serve.web.waiting.Waiting` of the application.
        options: Dictionary of options of `uvicorn.Config`.
    """

    def __init__(self, app, waiting, options):
        super().__init__(uvicorn.Config(app, **{**_DEFAULTS, **options}))
        self.waiting = waiting

    def stop(self):
        """Ends all waiting, and then the server."""
        self.waiting.stop()
        self.should_exit = True


class Supervisor:
    """Keeps the workers going while the server runs.

    Args:
        server: `Server`.
        store: `skinkit.serve.store.Store`.
        settings: `skinkit.serve.settings.LiveSettings`.
        workers: Integer, number of worker processes.
        asked: Dictionary, what `skinkit.serve.worker.process.main` is asked.
    """

    def __init__(self, server, store, settings, workers, asked):
        self.server, self.store, self.settings, self.asked = server, store, settings, asked
        self.workers = [_Process(asked, share=workers) for _ in range(workers)]
        self.code, self.was_ready = 0, False

    def run(self):
        """Serves until the server is told to stop; returns the exit code."""
        # uvicorn sends itself what it has received once more, when it has stopped.
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: self.server.stop())
        looking = threading.Thread(target=self._look, daemon=True)
        looking.start()
        try:
            at = self.server.config
            _LOG.info("%s://%s:%s/ %s", "https" if at.is_ssl else "http", at.host, at.port, NOTICE)
            self.server.run()
        finally:
            self.server.stop()
            looking.join()
        return self.code

    def _look(self):
        """Looks after workers and table until the server stops, and then stops the workers."""
        due = 0.0
        while not self.server.should_exit:
            try:
                for worker in self.workers:
                    self._keep(worker)
                if time.monotonic() >= due:
                    due = time.monotonic() + _SWEEP
                    self._sweep()
            except Exception as error:
                _LOG.error("Workers and table could not be looked after; it is tried again: %r", error)
            time.sleep(_LOOK)
        self.server.stop()
        self._stop()

    def _keep(self, worker):
        code = worker.keep()
        if code is None:
            return
        if code == REFUSED and not self.was_ready:
            self.code = 1
            self.server.stop()
            return
        _LOG.error("A worker has ended with code %s; another is started", code)
        # It is known to be dead: nobody needs to wait until its silence is long.
        self.store.forget_worker(worker.name)
        self._sweep()

    def _sweep(self):
        self.settings.refresh()
        times, now = self.settings.current.times, time.time()
        self.was_ready |= bool(self.store.workers(now - times.worker))
        self.store.put_back(now - times.worker)
        self.store.expire(now, times.tombstone)
        report_ended(self.store)

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
        words = {**self.asked, "name": self.name}
        # Everybody on the machine may read the words of a command.
        environment[QUEUE] = words.pop("queue") or ""
        command = [sys.executable, "-m", "skinkit.serve.worker.process", json.dumps(words)]
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
            self.asked = {**self.asked, "again": True}
            self._start()
        return None
