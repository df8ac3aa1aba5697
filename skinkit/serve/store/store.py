"""The table of tasks, which web process and workers share: the truth about every task."""

import functools
import json
from typing import Protocol

from skinkit.serve.store.jobs import Job

# The variable of the environment with the address of a Redis, which may hold a password.
QUEUE = "SKINKIT_QUEUE"


class Store(Protocol):
    """The operations on a table of tasks. Every method is whole or not at all, whoever else is at work.

    Methods of processes on the same table never wait for a worker. A full disk is `OSError` with `ENOSPC`.
    """

    # Of the web process.

    def add(self, job, uploads=(), most=None):
        """Adds a job; an explanation that is there already stays. `False` when `most` jobs wait already."""

    def get(self, job) -> Job | None:
        """Returns a job by its id."""

    def ended(self, jobs) -> set[str]:
        """Returns those of the ids whose jobs have ended, or are not known."""

    def answers(self, job) -> list[bytes]:
        """Returns what was found for the images of a job, in their order."""

    def remove(self, task, state, ends):
        """Forgets a task's images, answers and explanations; `state` stays until `ends`, without them."""

    def expire(self, now, tombstone):
        """Removes what has ended: tasks for `tombstone` seconds as `EXPIRED`, then for good."""

    def newly_ended(self) -> list[Job]:
        """Returns the tasks that have ended since it was last asked, however they ended, each once."""

    def counts(self) -> dict[str, int]:
        """Returns the number of tasks in each state."""

    def workers(self, since) -> dict[str, list]:
        """Returns the cards of the models of each worker that has said something since then."""

    def forget_worker(self, worker=None):
        """Forgets a worker that is known to be dead; `None` for all."""

    def put_back(self, since):
        """Queues jobs whose worker has said nothing since then; those begun twice have failed."""

    # Of a worker.

    def beat(self, worker, now, cards):
        """Says that a worker is alive, and which models it has: a list of their cards."""

    def claim(self, worker, models, most, share=1) -> list[Job]:
        """Takes the oldest waiting job, and others of its model, up to `most` images; explanations alone.

        One in `share` of the waiting jobs is taken; the rest is left to others.
        """

    def uploads(self, job) -> list[tuple[str, bytes]]:
        """Returns name and content of the images of a claimed job; that of an explanation alone."""

    def record(self, worker, answers):
        """Keeps answers; a job with all of them is done. Those of jobs no longer the worker's are dropped."""

    def fail(self, worker, job, reason):
        """Ends a job that cannot be carried out."""

    def give_back(self, worker):
        """Queues what a worker has claimed and not finished, as if it had not begun."""

    def close(self):
        """Ends the connection."""


def open_store(url, folder, is_patient=False):
    """Returns the `Store` at an address.

    Args:
        url: String, `redis://...`; `None` for a file in `folder`.
        folder: `pathlib.Path` of the server's own files.
        is_patient: Boolean, whether a Redis that goes away later is waited for.

    Raises:
        ValueError: for another kind of address, or where no Redis answers.
    """
    if url is None:
        from skinkit.serve.store.sqlite_store import SqliteStore

        folder.mkdir(0o700, parents=True, exist_ok=True)
        return SqliteStore(folder / "tasks.sqlite")
    if not url.startswith(("redis://", "rediss://", "unix://")):
        kind = url.partition(":")[0]
        raise ValueError(f"--queue is the address of a Redis, redis://HOST:PORT/0. It begins with {kind!r}")
    from skinkit.serve.store.redis_store import RedisStore

    return RedisStore(url, is_patient)


def model_cards(workers):
    """Returns the cards of all models by name, of what `Store.workers` returns."""
    return {card["id"]: card for cards in workers.values() for card in cards}


@functools.lru_cache
def read_cards(text):
    """Returns the cards that a worker has written; every request asks for them, and they seldom change."""
    return json.loads(text)


def to_json(content):
    """Returns JSON as bytes, without NaN, which it does not know."""
    return json.dumps(content, allow_nan=False, separators=(",", ":")).encode()
