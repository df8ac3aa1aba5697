"""The process of a worker: started by the server, or alone on another machine."""

import json
import logging
import os
import signal
import sys
import threading
from pathlib import Path

from skinkit.registration import import_modules
from skinkit.serve.audit import start_log
from skinkit.serve.settings import LiveSettings
from skinkit.serve.store import QUEUE, open_store
from skinkit.serve.worker.worker import Refused, Worker

_LOG = logging.getLogger("skinkit.serve.worker")
# Exit code of a worker whose models cannot be served.
REFUSED = 3


def main(asked):
    """Runs a worker; returns its exit code.

    Args:
        asked: Dictionary: `name`; `queue`, `out`, `config`, `runs`, `data_dir` and `imports` as in the
            options of `skinkit serve`; `demo`, the run folder of the demo network, which is trained where it
            is not there, or `None`; `again`, whether it takes the place of one that has died; `parent`, id of
            the process that it ends with, or `None`.
    """
    start_log()
    parent = asked["parent"]
    stopped = _listen(has_parent=parent is not None)
    store = open_store(asked["queue"], Path(asked["out"]), is_patient=True)
    try:
        settings = LiveSettings(asked["config"], asked["runs"])
        worker = Worker(
            asked["name"],
            store,
            settings,
            _loader(asked),
            lambda: not stopped.is_set() and parent in (None, os.getppid()),
        )
        # What was served before is, whatever is wrong with a model that came later.
        worker.run(strict=not asked["again"])
    except Refused as error:
        _LOG.error("%s", error)
        return REFUSED
    finally:
        store.close()
    return 0


def _listen(has_parent):
    """The event that is set once the process is told to stop."""
    stopped = threading.Event()

    def stop(*_):
        if stopped.is_set():
            # Told twice: it waits for a Redis that is away.
            os._exit(1)
        stopped.set()

    signal.signal(signal.SIGTERM, stop)
    # A terminal sends it to all processes; the parent then says what to do.
    signal.signal(signal.SIGINT, signal.SIG_IGN if has_parent else stop)
    return stopped


def _loader(asked):
    from skinkit.serve.worker.served_model import ServedModel

    def load(name, settings):
        import_modules(asked["imports"])
        if settings.run == asked["demo"]:
            _train_demo(Path(settings.run))
        return ServedModel(name, settings, asked["data_dir"])

    return load


def _train_demo(folder):
    from skinkit.experiments.demo import run_demo
    from skinkit.papers.baselines import DEMO_SYNTHETIC

    print(
        "No run was given: the demo network on drawn images is served. Where it is new, it trains a minute."
    )
    run_demo(DEMO_SYNTHETIC, folder, verbose=2, wait=True)


if __name__ == "__main__":
    code = main({**json.loads(sys.argv[1]), "queue": os.environ[QUEUE] or None})
    logging.shutdown()
    # TensorFlow takes seconds to take itself apart, which whoever stops the server would wait for.
    os._exit(code)
