"""The table of tasks, which web process and workers share: the truth about every task."""

import json
from dataclasses import dataclass
from typing import NamedTuple, Protocol

# A job waits, is worked on, and ends as one of the last four; a task that ended so long ago is forgotten.
QUEUED, RUNNING, DONE, FAILED, DELETED, EXPIRED = "queued", "running", "done", "failed", "deleted", "expired"
ENDED = (DONE, FAILED, DELETED, EXPIRED)
GONE = (DELETED, EXPIRED)
LOST = "The worker was lost twice while it worked on this task. Smaller or fewer images may help."
MOST_ATTEMPTS = 2


@dataclass(frozen=True)
class Job:
    """A task, or the explanation of one of its images.

    Args:
        id: String, the uuid of a task, or `uuid/place/label` of an explanation.
        model: String, name of the model.
        owner: String, name of the token that made it; `""` where there are no tokens.
        images: Integer, number of images; 1 for an explanation.
        state: String, one of those above.
        attempt: Integer, how often a worker has begun.
        done: Integer, how many images have an answer.
        reason: String, why it failed.
        created, ends: Numbers of seconds since 1970: when it came, and when its state ends.
    """

    id: str
    model: str
    owner: str
    images: int
    state: str = QUEUED
    attempt: int = 0
    done: int = 0
    reason: str = ""
    created: float = 0.0
    ends: float = 0.0

    @property
    def task(self):
        """Uuid of the task whose images it is about."""
        return self.id.partition("/")[0]

    @property
    def explains(self):
        """Position of the image and label that are explained, `None` for a task."""
        _, is_explanation, place_and_label = self.id.partition("/")
        if not is_explanation:
            return None
        place, _, label = place_and_label.partition("/")
        return int(place), label


class Answer(NamedTuple):
    """What a worker has found for one image of a job: JSON, or the PNG of an explanation."""

    job: str
    place: int
    content: bytes


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

    def claim(self, worker, models, most) -> list[Job]:
        """Takes the oldest waiting job, and others of its model, up to `most` images; explanations alone."""

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


def open_store(url, folder):
    """Returns the `Store` at an address.

    Args:
        url: String, `redis://...`; `None` for a file in `folder`.
        folder: `pathlib.Path` of the server's own files.

    Raises:
        ValueError: for another kind of address.
    """
    if url is None:
        from skinkit.serve.sqlite_store import SqliteStore

        folder.mkdir(parents=True, exist_ok=True)
        return SqliteStore(folder / "tasks.sqlite")
    if not url.startswith(("redis://", "rediss://", "unix://")):
        raise ValueError(f"--queue is the address of a Redis, redis://HOST:PORT/0. Received: {url!r}")
    from skinkit.serve.redis_store import RedisStore

    return RedisStore(url)


def model_cards(workers):
    """Returns the cards of all models by name, of what `Store.workers` returns."""
    return {card["id"]: card for cards in workers.values() for card in cards}


def to_json(content):
    """Returns JSON as bytes, without NaN, which it does not know."""
    return json.dumps(content, allow_nan=False, separators=(",", ":")).encode()
