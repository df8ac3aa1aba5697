"""The log of the server: a line a task when it has ended, without file names and images."""

import datetime
import json
import logging
import sys

_AUDIT = logging.getLogger("skinkit.serve.audit")


def start_log():
    """Writes the server's log to stderr, whatever else is logged in this process."""
    log = logging.getLogger("skinkit.serve")
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter("%(levelname)s %(name)s: %(message)s"))
    log.handlers, log.propagate = [handler], False
    log.setLevel(logging.INFO)


def report_ended(store):
    """Logs the tasks that have ended since: time, name of the token, model, number of images, state."""
    time = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
    for job in store.newly_ended():
        said = {
            "time": time,
            "token": job.owner,
            "model": job.model,
            "images": job.images,
            "state": job.state,
        }
        _AUDIT.info(json.dumps(said))
