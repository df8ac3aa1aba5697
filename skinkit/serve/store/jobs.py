"""Jobs: the rows of the table of tasks, their states, and what is found for them."""

import math
from dataclasses import dataclass
from typing import NamedTuple

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


def together(waiting, most, share=1):
    """Returns the first of waiting jobs, and those that are worked on with it: tasks of its model.

    A job that lost a worker is worked on alone, because it may be the reason.

    Args:
        waiting: List of `Job`s, the oldest first.
        most: Integer, images that they have together at most.
        share: Integer, one in so many of the jobs is taken, at least one.
    """
    if not waiting:
        return []
    first, *others = waiting
    chosen, images = [first], first.images
    if first.explains or first.attempt:
        return chosen
    for job in others[: math.ceil(len(waiting) / share) - 1]:
        if job.model == first.model and not job.explains and not job.attempt and images + job.images <= most:
            chosen.append(job)
            images += job.images
    return chosen
